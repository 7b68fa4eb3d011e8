//! The documents are true to the tree: what they must name, and links that lead somewhere.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::Metadata;

use super::Finding;
use super::source::{Source, line_of};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const README: &str = "README.md";

/// Checks README.md and everything in docs/.
pub fn check(root: &Path, sources: &[Source], metadata: &Metadata) -> Vec<Finding> {
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
    for document in sources.iter().filter(|source| is_document(&source.path)) {
        findings.extend(dead_links(document, |target| root.join(target).exists()));
    }
    findings
}

fn is_document(path: &str) -> bool {
    path.ends_with(".md") && (path == README || path.starts_with("docs/"))
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

fn names_all<'a>(
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

/// Relative links, of Markdown and of `src="…"`, whose target `exists` does not know.
fn dead_links(document: &Source, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let folder = document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    for (opening, closing) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
        for (position, _) in document.text.match_indices(opening) {
            let rest = &document.text[position + opening.len()..];
            let link = &rest[..rest.find(closing).unwrap_or(rest.len())];
            let target = link.split(['#', ' ']).next().unwrap_or("");
            let is_relative = !target.is_empty() && !target.starts_with('/') && !link.contains(':');
            if is_relative && !exists(Path::new(folder).join(target).to_string_lossy().as_ref()) {
                let line = line_of(&document.text, position);
                let advice = format!("the link to {target} leads nowhere: correct or remove it");
                findings.push(Finding::new(&document.path, line, "dead-link", advice));
            }
        }
    }
    findings
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

    #[test]
    fn links_lead_somewhere() {
        let text =
            "[a](../README.md#top) [b](gone.md)\n<img src=\"pictures/x.png\"> [c](#here) [d](mailto:x) [e](b.md)";
        let found = dead_links(&Source::new("docs/A.md", text), |target| {
            target == "docs/../README.md" || target == "docs/b.md"
        });
        let found: Vec<_> = found
            .iter()
            .map(|finding| (finding.line, finding.advice.as_str()))
            .collect();
        assert_eq!(found.len(), 2);
        assert!(found[0].0 == 1 && found[0].1.contains("gone.md"));
        assert!(found[1].0 == 2 && found[1].1.contains("pictures/x.png"));
    }
}
