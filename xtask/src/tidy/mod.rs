//! The rules of docs/ARCHITECTURE.md that a machine can check, one family a file.
//!
//! A rule is a function from sources to findings; it reads no disk, so its tests are a few lines of text. To add a rule,
//! add it to the family it belongs to, or a file with a `check` that [`run`] calls. Compilers and clippy check what they
//! can; here is only what they can't.

mod browser;
mod dependencies;
mod documents;
mod forbidden;
mod naming;
mod paths;
mod references;
mod sizes;
mod source;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::say;
use crate::workspace::Workspace;

/// A place that breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Relative to the workspace.
    path: String,
    /// From one.
    line: usize,
    rule: &'static str,
    advice: String,
    /// Said, but not refused.
    only_warns: bool,
}

impl Finding {
    fn new(path: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            advice: advice.into(),
            only_warns: false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = if self.only_warns { " (warning)" } else { "" };
        write!(
            f,
            "{}:{}: {}{warning}: {}",
            self.path, self.line, self.rule, self.advice
        )
    }
}

/// Checks everything, prints the findings, and fails when one of them is more than a warning.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    let sources = source::all(&workspace.root)?;
    let mut findings = dependencies::check(&workspace.metadata);
    findings.extend(browser::check(workspace)?);
    findings.extend(documents::check(&sources, &workspace.metadata));
    findings.extend(references::check(&sources, |path| workspace.root.join(path).exists()));
    for source in &sources {
        findings.extend(naming::check(source));
        findings.extend(sizes::check(source));
        findings.extend(forbidden::check(source));
    }
    findings.sort();
    findings.dedup();
    for finding in &findings {
        say::result(finding.to_string());
    }
    let refused = findings.iter().filter(|finding| !finding.only_warns).count();
    say::result(format!(
        "tidy: {} files, {refused} findings, {} warnings",
        sources.len(),
        findings.len() - refused
    ));
    Ok(if refused == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
