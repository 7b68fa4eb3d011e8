//! The crates that really reach the browser, from cargo's resolved graph. A manifest alone does not show transitive
//! dependencies.

use anyhow::{Context, Result, bail};

use super::Finding;
use crate::workspace::Workspace;

/// Crates that belong on the server only, or build only there.
const SERVER_SIDE: [&str; 12] = [
    "argon2",
    "axum",
    "control",
    "environments",
    "hyper",
    "leptos_axum",
    "libsqlite3-sys",
    "rustix",
    "server",
    "sqlx",
    "store",
    "tokio",
];

/// Searches the dependency graph of `frontend` for server-side crates.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let tree = workspace
        .cargo()
        .args([
            "tree",
            "--package",
            "frontend",
            "--no-default-features",
            "--target",
            "wasm32-unknown-unknown",
        ])
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .output()
        .context("could not start cargo tree")?;
    if !tree.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&tree.stderr));
    }
    Ok(check_tree(&String::from_utf8_lossy(&tree.stdout)))
}

/// `tree` has one crate per line, which begins with its name.
fn check_tree(tree: &str) -> Vec<Finding> {
    let mut names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| SERVER_SIDE.contains(name))
        .map(|name| {
            let advice = format!("{name} reaches the browser: `cargo tree -p frontend -i {name}` shows its dependents");
            Finding::new("frontend/Cargo.toml", 1, "browser-half", advice)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_side_crates_are_found_once() {
        let findings = check_tree("frontend v0.1.0 (/a)\napp v0.1.0\nsqlx v0.9.0\nleptos v0.8.23\nsqlx v0.9.0 (*)\n");
        assert_eq!(findings.len(), 1);
        assert!(findings[0].advice.starts_with("sqlx "));
    }
}
