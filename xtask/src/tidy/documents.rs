//! Names that documents must have: every folder and crate, and the commands to start with. `api.rs` checks docs/api.md, and
//! `references.rs` checks that names in documents exist.

use std::collections::BTreeSet;

use cargo_metadata::Metadata;

use super::Finding;
use super::source::Source;

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const README: &str = "README.md";

/// Checks README.md and docs/ARCHITECTURE.md.
pub fn check(sources: &[Source], metadata: &Metadata) -> Vec<Finding> {
    let mut parts: BTreeSet<String> = folders(sources);
    parts.extend(
        metadata
            .workspace_packages()
            .iter()
            .map(|package| package.name.to_string()),
    );
    let mut findings = names_all(sources, ARCHITECTURE, parts.iter().map(String::as_str), names_part);
    findings.extend(names_all(
        sources,
        README,
        ["make run", "make test"],
        |text, command| text.contains(command),
    ));
    findings
}

/// Folders at the top that are not hidden.
fn folders(sources: &[Source]) -> BTreeSet<String> {
    let top = sources
        .iter()
        .filter_map(|source| source.path.split_once('/').map(|(folder, _)| folder));
    top.filter(|folder| !folder.starts_with('.'))
        .map(str::to_owned)
        .collect()
}

/// A finding for each of `wanted` that the document lacks.
pub fn names_all<'a>(
    sources: &[Source],
    path: &str,
    wanted: impl IntoIterator<Item = &'a str>,
    names: impl Fn(&str, &str) -> bool,
) -> Vec<Finding> {
    let Some(document) = sources.iter().find(|source| source.path == path) else {
        return vec![Finding::new(path, 1, "documents", "write it")];
    };
    let missing = wanted.into_iter().filter(|name| !names(&document.text, name));
    missing
        .map(|name| Finding::new(path, 1, "documents", format!("say what `{name}` is")))
        .collect()
}

/// Words like "app" and "server" are everywhere: a part is named as `name`, or with a slash, as a folder.
fn names_part(text: &str, part: &str) -> bool {
    [format!("`{part}`"), format!("{part}/"), format!("/{part}`")]
        .iter()
        .any(|name| text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_architecture_names_every_folder() {
        let sources = [
            Source::new(ARCHITECTURE, "`app` and xtask/ and `crates/store`"),
            Source::new("style/a.css", ""),
            Source::new(".ci/run", ""),
        ];
        let parts = folders(&sources);
        assert_eq!(parts.iter().collect::<Vec<_>>(), ["docs", "style"]);
        let findings = names_all(&sources, ARCHITECTURE, ["app", "xtask", "store", "server"], names_part);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].advice, "say what `server` is");
    }

    #[test]
    fn a_missing_document_is_one_finding() {
        assert_eq!(
            names_all(&[], README, ["make run"], |text, command| text.contains(command)).len(),
            1
        );
    }
}
