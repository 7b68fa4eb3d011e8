//! Checks the form of commits (CONTRIBUTING.md): a subject `area: imperative` of at most 72 characters, and a body with
//! lines of at most 100. Does not check commits from before this rule.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::output;
use crate::workspace::Workspace;

/// The last commit from before the rule.
const BASE: &str = "8f7492fa0598e6ac10f94004562fa213e0d82e7e";
const SUBJECT_CHARS: usize = 72;
const BODY_CHARS: usize = 100;
/// First words of a description instead of an instruction.
const NOT_IMPERATIVE: [&str; 20] = [
    "a", "an", "the", "this", "that", "it", "now", "added", "adds", "changed", "changes", "fixed", "fixes", "made",
    "makes", "moved", "moves", "removed", "removes", "updated",
];

/// Checks the commits since [`BASE`] and prints one finding per line.
pub fn check(workspace: &Workspace) -> Result<ExitCode> {
    let git = |arguments: &[&str]| {
        Command::new("git")
            .args(arguments)
            .current_dir(&workspace.root)
            .output()
            .context("could not start git")
    };
    let known = git(&["cat-file", "-e", &format!("{BASE}^{{commit}}")])?;
    if !known.status.success() {
        output::result(format!(
            "commits: {BASE} is not in this clone, so no commit was checked; a clone with the whole history has it"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    // Git or a forge writes the subjects of merges. %x00 ends a message, because a body may contain empty lines.
    let log = git(&["log", "--no-merges", "--format=%h%n%B%x00", &format!("{BASE}..HEAD")])?;
    if !log.status.success() {
        bail!("git log failed: {}", String::from_utf8_lossy(&log.stderr));
    }
    let log = String::from_utf8_lossy(&log.stdout);
    let (mut commits, mut findings) = (0_u32, 0_u32);
    for (id, message) in log
        .split('\0')
        .filter_map(|commit| commit.trim_start().split_once('\n'))
    {
        commits += 1;
        for finding in faults(message) {
            findings += 1;
            output::result(format!("{id}: {finding}"));
        }
    }
    output::result(format!("commits: {commits} since {}, {findings} findings", &BASE[..7]));
    Ok(if findings == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The violations in a message.
fn faults(message: &str) -> Vec<String> {
    let mut lines = message.trim_end().lines();
    let subject = lines.next().unwrap_or("");
    let mut faults: Vec<String> = subject_fault(subject).into_iter().collect();
    if lines.next().is_some_and(|line| !line.is_empty()) {
        faults.push("leave the second line empty".to_owned());
    }
    // A line without spaces, such as an address, can't be broken.
    let long = |line: &&str| line.chars().count() > BODY_CHARS && line.contains(' ');
    if let Some(line) = lines.find(long) {
        faults.push(format!("break lines at {BODY_CHARS} characters: “{line}”"));
    }
    faults
}

fn subject_fault(subject: &str) -> Option<String> {
    let Some((area, instruction)) = subject.split_once(": ").filter(|(area, _)| is_area(area)) else {
        return Some(format!(
            "write `area: imperative`, with the area in lower case: “{subject}”"
        ));
    };
    let first = instruction.split(' ').next().unwrap_or("");
    let chars = subject.chars().count();
    if first.is_empty() || NOT_IMPERATIVE.contains(&first.to_lowercase().as_str()) {
        Some(format!("begin with an imperative after `{area}: `: “{subject}”"))
    } else if subject.ends_with('.') {
        Some(format!("leave out the full stop: “{subject}”"))
    } else if chars > SUBJECT_CHARS {
        Some(format!(
            "the subject has {chars} characters, at most {SUBJECT_CHARS} are allowed: “{subject}”"
        ))
    } else {
        None
    }
}

/// Whether this is the name of an area: a crate, a folder, or a topic.
fn is_area(area: &str) -> bool {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '/' | '.');
    !area.is_empty() && area.chars().all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_with_the_form_pass() {
        for message in [
            "store: read the rows of a batch at once",
            "end2end/bench: measure PostgreSQL\n\nThe figure was missing.\n",
            "docs: name the SQL types\n\nhttps://example.org/a-very-long-address-that-nobody-can-break-into-two-lines-without-making-it-useless",
        ] {
            assert_eq!(faults(message), [""; 0], "{message}");
        }
    }

    #[test]
    fn each_violation_is_found() {
        for (message, fault) in [
            ("A tab that hangs up is let go of", "area: imperative"),
            ("Store: read rows", "lower case"),
            ("the store: read rows", "area: imperative"),
            ("store: ", "area: imperative"),
            ("store: the rows are read at once", "imperative"),
            ("store: Fixes the rows", "imperative"),
            ("store: read rows.", "full stop"),
            (&format!("store: {}", "x".repeat(66)), "72"),
            ("store: read rows\nat once", "second line"),
            (&format!("store: read rows\n\n{}", "a ".repeat(51)), "100"),
        ] {
            let faults = faults(message);
            assert!(faults.len() == 1 && faults[0].contains(fault), "{message}: {faults:?}");
        }
    }
}
