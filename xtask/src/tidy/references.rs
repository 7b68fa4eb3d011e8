//! Finds references without a target: Markdown links and their anchors, and the files, sections and invariants that
//! documents and comments name.
//!
//! The end of a path names a file (`lifecycle.rs`, `control/src/lib.rs`). Names of code in documents must occur in the
//! source. A comment is a line that begins with a comment mark. Strings are ignored, so that tests may name files that do
//! not exist.

use std::collections::BTreeSet;
use std::path::Path;

use super::Finding;
use super::source::{Source, is_word, line_of};

/// Extensions of files in comments. Words with other extensions are programs, hosts or fields.
const KINDS: [&str; 11] = [
    "css", "js", "md", "mjs", "rs", "service", "sh", "sql", "toml", "ts", "yml",
];
/// The extensions that mean a file of the project even without a folder.
const OWN_KINDS: [&str; 4] = ["md", "mjs", "rs", "ts"];
const COMMENT_MARKS: [&str; 6] = ["//", "#", "/*", "*", "--", "<!--"];
const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";

/// Checks all files. `exists` looks up a path from the workspace's root on the disk, because images are not sources.
pub fn check(sources: &[Source], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        if source.kind() == "md" {
            findings.extend(dead_links(source, sources, &exists));
        }
        // The checksum of a migration must not change, so its comments keep old names.
        if !source.path.contains("/migrations/") {
            findings.extend(dead_names(source, sources, &exists));
        }
        findings.extend(unknown_invariants(source, sources));
    }
    let words = words_of_code(sources);
    let documents = sources.iter().filter(|source| source.kind() == "md");
    findings.extend(documents.flat_map(|document| unknown_items(document, &words)));
    findings
}

/// Finds relative links in Markdown and HTML without their target or anchor.
fn dead_links(document: &Source, sources: &[Source], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (opening, closing) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
        for (position, _) in document.text.match_indices(opening) {
            let rest = &document.text[position + opening.len()..];
            let link = &rest[..rest.find(closing).unwrap_or(rest.len())];
            if link.is_empty() || link.starts_with('/') || link.contains(':') {
                continue;
            }
            let link = link.split(' ').next().unwrap_or("");
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = match target {
                "" => document.path.clone(),
                _ => joined(&document.path, target),
            };
            let advice = if !target.is_empty() && !exists(&path) {
                format!("the link to {target} has no target: correct or remove it")
            } else if !anchor.is_empty() && !has_heading(sources, &path, |heading| slug(heading) == anchor) {
                format!("{path} has no heading for #{anchor}")
            } else {
                continue;
            };
            findings.push(Finding::new(
                &document.path,
                line_of(&document.text, position),
                "dead-link",
                advice,
            ));
        }
    }
    findings
}

/// Finds names of missing files and sections in comments and code spans.
fn dead_names(source: &Source, sources: &[Source], exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_fenced = false;
    for (index, line) in source.text.lines().enumerate() {
        let mut find = |advice| findings.push(Finding::new(&source.path, index + 1, "dead-reference", advice));
        let is_document = source.kind() == "md";
        is_fenced ^= is_document && line.trim_start().starts_with("```");
        if is_fenced || (!is_document && !is_comment(line)) {
            continue;
        }
        let spans = line.split('`').skip(1).step_by(2);
        let texts: Vec<&str> = if is_document { spans.collect() } else { vec![line] };
        for name in texts.into_iter().flat_map(names) {
            if name == "SPEC" || name == "SPEC.md" {
                find("the specification is docs/spec.md".to_owned());
            } else if is_path(name) && !has_target(&source.path, name, sources, &exists) {
                find(format!("there is no file {name}: correct or remove the name"));
            }
        }
        for (document, section) in sections(line) {
            let numbered = format!("{section}. ");
            let is_known = sources.iter().any(|source| source.path == document);
            if is_known && !has_heading(sources, document, |heading| heading.starts_with(&numbered)) {
                find(format!("{document} has no section {section}"));
            }
        }
    }
    findings
}

/// Every word of every file that is no document.
fn words_of_code(sources: &[Source]) -> BTreeSet<&str> {
    let files = sources.iter().filter(|source| source.kind() != "md");
    files.flat_map(|source| source.text.split(|c| !is_word(c))).collect()
}

/// Finds functions, types, fields and codes in code spans (`Control::launch`, `valid_until`) that no file contains.
fn unknown_items(document: &Source, words: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_fenced = false;
    for (index, line) in document.text.lines().enumerate() {
        is_fenced ^= line.trim_start().starts_with("```");
        if is_fenced {
            continue;
        }
        let items = line.split('`').skip(1).step_by(2).filter(|span| is_item(span));
        let exists = |part: &str| words.contains(part) || words.contains(camel_case(part).as_str());
        for item in items.filter(|item| !item.split("::").all(exists)) {
            let advice = format!("no file contains {item}: correct or remove the name");
            findings.push(Finding::new(&document.path, index + 1, "dead-reference", advice));
        }
    }
    findings
}

/// A name with `::` or `_`, which prose does not have. Code composes the names of environment variables, so they are
/// skipped.
fn is_item(span: &str) -> bool {
    let is_name = |part: &str| !part.is_empty() && part.chars().all(is_word);
    let is_variable = !span.contains(char::is_lowercase);
    (span.contains("::") || span.contains('_')) && !is_variable && span.split("::").all(is_name)
}

/// `not_asked` in JSON is `NotAsked` in the source.
fn camel_case(name: &str) -> String {
    let parts = name.split('_').map(|part| {
        let (first, rest) = part.split_at(part.chars().next().map_or(0, char::len_utf8));
        first.to_uppercase() + rest
    });
    parts.collect()
}

/// Finds ids of invariants, in comments, documents and advice, that the architecture page does not have.
fn unknown_invariants(source: &Source, sources: &[Source]) -> Vec<Finding> {
    if !matches!(source.kind(), "md" | "rs") {
        return Vec::new();
    }
    let known: BTreeSet<&str> = sources
        .iter()
        .filter(|document| document.path == ARCHITECTURE)
        .flat_map(|document| document.text.split("**").filter(|bold| is_invariant(bold)))
        .collect();
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let ids = line
            .split(|c| !is_word(c) && c != '-')
            .filter(|name| is_invariant(name));
        for id in ids.filter(|id| !known.contains(id)) {
            let advice = format!("{ARCHITECTURE} has no invariant {id}");
            findings.push(Finding::new(&source.path, index + 1, "dead-reference", advice));
        }
    }
    findings
}

fn is_invariant(name: &str) -> bool {
    name.strip_prefix("I-")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    COMMENT_MARKS.iter().any(|mark| line.starts_with(mark))
}

/// The words that can be paths or names, without the full stop of a sentence.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_word(c) && !"-./*{}<>:".contains(c))
        .map(|name| name.trim_end_matches(['.', ':']))
        .filter(|name| !name.is_empty())
}

/// Whether a word is the path of a project file. Patterns, addresses and absolute paths are not.
fn is_path(name: &str) -> bool {
    if name.contains(['*', '{', '}', '<', '>', ':']) || name.starts_with('/') || name.contains("//") {
        return false;
    }
    let kind = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
    let kind = kind.map_or("", |(_, kind)| kind);
    name.starts_with("docs/") || OWN_KINDS.contains(&kind) || (name.contains('/') && KINDS.contains(&kind))
}

fn has_target(from: &str, name: &str, sources: &[Source], exists: impl Fn(&str) -> bool) -> bool {
    let end = format!("/{name}");
    let is_source = sources
        .iter()
        .any(|source| source.path == name || source.path.ends_with(&end));
    is_source || exists(name) || exists(&joined(from, name))
}

/// Citations such as `docs/spec.md §4`: the document and the number of the section.
fn sections(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.match_indices(" §").filter_map(|(position, mark)| {
        let document = names(&line[..position]).last()?;
        let rest = &line[position + mark.len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        (document.ends_with(".md") && line[..position].ends_with(document) && end > 0)
            .then_some((document, &rest[..end]))
    })
}

fn has_heading(sources: &[Source], path: &str, wanted: impl Fn(&str) -> bool) -> bool {
    let Some(document) = sources.iter().find(|source| source.path == path) else {
        return false;
    };
    let headings = document.text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| line.trim_start_matches('#').trim()).any(wanted)
}

/// The anchor that forges create for a heading.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| is_word(*c) || matches!(c, '-' | ' '));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// A path relative to the folder of `from`, without `..`.
fn joined(from: &str, target: &str) -> String {
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    let mut parts: Vec<String> = Vec::new();
    for part in folder.join(target).components() {
        match part.as_os_str().to_string_lossy().as_ref() {
            ".." => drop(parts.pop()),
            "." => {}
            name => parts.push(name.to_owned()),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line and advice of each finding in the first file.
    fn found(files: &[(&str, &str)]) -> Vec<(usize, String)> {
        let sources: Vec<_> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        let exists = |path: &str| files.iter().any(|(known, _)| path == *known) || path == "docs/images/a.png";
        check(&sources, exists)
            .into_iter()
            .filter(|finding| finding.path == files[0].0)
            .map(|finding| (finding.line, finding.advice))
            .collect()
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let text = "[a](../README.md#run-it) [b](gone.md)\n<img src=\"images/a.png\"> <img src=\"images/b.png\">\n\
                    [c](#here) [d](mailto:x) [e](/x)\n# Here\n[f](../README.md#walk)";
        let found = found(&[("docs/a.md", text), ("README.md", "## Run `it`!\n")]);
        let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 5, 2], "{found:?}");
        assert!(found[0].1.contains("gone.md") && found[1].1.contains("#walk") && found[2].1.contains("images/b.png"));
    }

    #[test]
    fn a_comment_names_files_that_exist() {
        let other = ("crates/store/src/lib.rs", "");
        for text in [
            "// See store/src/lib.rs, `lib.rs`, crates/store/src/lib.rs.",
            "// docs/images/a.png, *.rs, {a,b}.rs, /etc/x.toml, https://example.org/a.md, nginx.conf, 1.5.",
            "let path = \"docs/gone.md\";",
        ] {
            assert_eq!(found(&[("a.rs", text), other]), [], "{text}");
        }
        for text in [
            "// See docs/gone.md.",
            "# as store/src/gone.rs says",
            " * gone.rs",
            "/// docs/images/b.png",
            "// SPEC §5",
            "// (docs/spec.md §6)",
        ] {
            assert_eq!(found(&[("a.rs", text), other]).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_document_names_files_that_exist_outside_of_blocks() {
        let text = "`store/src/lib.rs` `gone.rs`, gone.rs\n```\n`gone.rs`\n```\n`x` and `gone.md`";
        let found = found(&[("docs/a.md", text), ("crates/store/src/lib.rs", "")]);
        let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 5], "{found:?}");
    }

    #[test]
    fn a_cited_section_exists() {
        let spec = ("docs/spec.md", "## 4. The page\n");
        assert_eq!(found(&[("a.rs", "// 48 h (docs/spec.md §4)"), spec]), []);
        let found = found(&[("a.rs", "//! docs/spec.md §14"), spec]);
        assert_eq!(found, [(1, "docs/spec.md has no section 14".to_owned())]);
    }

    #[test]
    fn a_cited_invariant_exists() {
        let page = (ARCHITECTURE, "* **I-1** `session` does no I/O.");
        assert_eq!(found(&[("a.rs", "// I-1, and \"(I-1)\": an I-beam, I-5a"), page]), []);
        let found = found(&[("a.rs", "\n\"I-2\""), page]);
        assert_eq!(found, [(2, "docs/ARCHITECTURE.md has no invariant I-2".to_owned())]);
    }

    #[test]
    fn a_document_names_code_that_exists() {
        let code = (
            "crates/control/src/lib.rs",
            "impl Control { fn launch() {} } const A_B: &str = \"no_seat\"; NotAsked",
        );
        let text = "`Control::launch`, `no_seat`, `not_asked`, `CD_ADDR` and `plain`, `a b_c`, x_y\n`Control::start`\n`gone_field`";
        let found = found(&[("docs/a.md", text), code]);
        let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3], "{found:?}");
    }
}
