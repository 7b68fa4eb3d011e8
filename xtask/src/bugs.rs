//! `cargo xtask bugs`: removes one guard after the other from the code, and prints the seed of the
//! simulation that notices.
//!
//! It works on a copy of the last commit, in `target/bugs`, and prints the table of
//! docs/simulation.md. A test of this module checks that every guard of the list is still in the
//! code.

mod list;

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    output,
    workspace::{Workspace, run},
};
use list::{BUGS, Bug};

/// The seed and the rule with which the simulation noticed a bug.
#[derive(Debug, PartialEq, Eq)]
struct Caught {
    seed: u64,
    rule: String,
}

/// Tries all bugs. Fails if the simulation misses one.
pub fn try_all(workspace: &Workspace) -> Result<ExitCode> {
    let copy = Copy::of_head(workspace)?;
    output::result("| deliberate bug | first seed | rule |");
    output::result("|---|---|---|");
    let mut missed = 0;
    for bug in BUGS {
        copy.with(bug)?;
        match copy.simulate()? {
            Some(Caught { seed, rule }) => output::result(format!("| {} | {seed} | {rule} |", bug.what)),
            None => {
                missed += 1;
                output::result(format!("| {} | – | not noticed |", bug.what));
            }
        }
        copy.mended()?;
    }
    Ok(if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A work tree for the bugs. It stays, so that the next call compiles less.
struct Copy<'a> {
    workspace: &'a Workspace,
    root: PathBuf,
}

impl<'a> Copy<'a> {
    fn of_head(workspace: &'a Workspace) -> Result<Self> {
        let root = workspace.target.join("bugs");
        let git = || {
            let mut git = Command::new("git");
            git.current_dir(&workspace.root).arg("worktree");
            git
        };
        if root.exists() {
            run(git().args(["remove", "--force"]).arg(&root))?;
        }
        // `--force`, because git may still know a work tree that was removed with the target
        // directory.
        run(git()
            .args(["add", "--quiet", "--force", "--detach"])
            .arg(&root)
            .arg("HEAD"))?;
        Ok(Self { workspace, root })
    }

    fn with(&self, bug: &Bug) -> Result<()> {
        for (file, code, instead) in bug.changes {
            let path = self.root.join(file);
            let text = fs::read_to_string(&path)?;
            fs::write(
                &path,
                replaced(&text, code, instead).with_context(|| format!("{file}: {}", bug.what))?,
            )?;
        }
        Ok(())
    }

    /// Restores the committed code.
    fn mended(&self) -> Result<()> {
        run(Command::new("git")
            .current_dir(&self.root)
            .args(["checkout", "--quiet", "."]))
    }

    fn simulate(&self) -> Result<Option<Caught>> {
        let mut cargo = self.workspace.cargo();
        cargo
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.workspace.target);
        // The whole workspace is named because cargo would compile the dependencies of one package
        // with other features: 4 min.
        cargo.args([
            "test",
            "--quiet",
            "--workspace",
            "--exclude",
            "frontend",
            "--test",
            "simulation",
        ]);
        let done = cargo
            .arg("no_seed_breaks_a_rule")
            .output()
            .context("could not start cargo")?;
        let said = String::from_utf8_lossy(&done.stdout);
        if done.status.success() {
            return Ok(None);
        }
        let Some(caught) = caught(&said) else {
            bail!("the simulation did not run:\n{}", String::from_utf8_lossy(&done.stderr));
        };
        Ok(Some(caught))
    }
}

fn replaced(text: &str, code: &str, instead: &str) -> Result<String> {
    let found = text.matches(code).count();
    ensure!(found == 1, "the guard is there {found} times, not once: {code}");
    Ok(text.replacen(code, instead, 1))
}

/// Reads the seed and the rule from the output of the simulation.
fn caught(said: &str) -> Option<Caught> {
    let mut lines = said.lines().skip_while(|line| !line.starts_with("seed "));
    let seed = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    // The line in between is the sentence of the specification.
    let (rule, _) = lines.nth(1)?.split_once(": ")?;
    Some(Caught {
        seed,
        rule: rule.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guard_is_where_the_list_says() {
        let workspace = Workspace::find().unwrap();
        for bug in BUGS {
            for (file, code, instead) in bug.changes {
                let text = fs::read_to_string(workspace.root.join(file)).unwrap();
                assert!(replaced(&text, code, instead).is_ok(), "{}: {file}: {code}", bug.what);
            }
        }
    }

    #[test]
    fn what_the_simulation_prints_is_understood() {
        let said = "running 1 test\n\nthread 'no_seed' panicked at main.rs:1:2:\nseed 42 breaks a rule with its first 7 steps.\n\
            connected ⇒ Active.\nConnectedIsActive: it is Expired\n\n  story: long\n";
        let expected = Caught {
            seed: 42,
            rule: "ConnectedIsActive".into(),
        };
        assert_eq!(caught(said), Some(expected));
        assert_eq!(caught("test result: ok"), None);
    }
}
