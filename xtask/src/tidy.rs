//! The architecture checks: the rules of docs/ARCHITECTURE.md that a program can check, one file per group.
//!
//! A check is a function from sources to findings. It does not read the disk, so its tests are a few lines of text. To
//! add a check, add it to its group, or add a file with a `check` function that [`run`] calls. Rules that the compiler
//! or clippy can check do not belong here.

mod api;
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

use crate::output;
use crate::workspace::Workspace;

/// A violation of a rule, with advice.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// The path from the workspace's root.
    path: String,
    /// The line number, from 1.
    line: usize,
    rule: &'static str,
    advice: String,
    /// The finding is printed but does not fail the check.
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

/// Runs all checks and prints the findings. Fails unless all findings are warnings.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    let sources = source::all(&workspace.root)?;
    let mut findings = dependencies::check(&workspace.metadata);
    findings.extend(browser::check(workspace)?);
    findings.extend(documents::check(&sources, &workspace.metadata));
    findings.extend(api::check(&sources));
    findings.extend(references::check(&sources, |path| workspace.root.join(path).exists()));
    for source in &sources {
        findings.extend(naming::check(source));
        findings.extend(sizes::check(source));
        findings.extend(forbidden::check(source));
    }
    findings.sort();
    findings.dedup();
    for finding in &findings {
        output::result(finding.to_string());
    }
    let refused = findings.iter().filter(|finding| !finding.only_warns).count();
    output::result(format!(
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
