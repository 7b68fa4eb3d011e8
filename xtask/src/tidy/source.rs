//! Source files and their code without comments, strings and tests, because the checks must not match prose.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// One file of the repository.
pub struct Source {
    /// The path from the workspace's root, with `/`.
    pub path: String,
    /// The content.
    pub text: String,
    /// `text` with spaces in place of comments and literals, at the same lines and columns. Equal to `text` unless the
    /// file is Rust or JavaScript.
    pub code: String,
}

impl Source {
    /// Creates a source from text, without reading the disk.
    pub fn new(path: &str, text: &str) -> Self {
        let code = match kind(path) {
            "rs" => blank(text, Language::Rust),
            "ts" | "mjs" | "js" => blank(text, Language::Script),
            _ => text.to_owned(),
        };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
        }
    }

    /// The extension of the file name.
    pub fn kind(&self) -> &str {
        kind(&self.path)
    }

    /// Whether the whole file is test code.
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// `code` with spaces in place of items under `#[cfg(test)]`.
    pub fn code_without_tests(&self) -> String {
        let mut code = self.code.clone();
        let mut from = 0;
        while let Some(start) = code[from..].find("#[cfg(test)]").map(|at| from + at) {
            let end = start + end_of_item(&code[start..]);
            let blanked: String = code[start..end].chars().map(blank_char).collect();
            code.replace_range(start..end, &blanked);
            from = start + blanked.len();
        }
        code
    }
}

/// The line number of a position, from 1.
pub fn line_of(text: &str, position: usize) -> usize {
    text.as_bytes()[..position]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// All files that git tracks, and new ones that it does not ignore.
pub fn all(root: &Path) -> Result<Vec<Source>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("could not start git ls-files")?;
    if !listed.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&listed.stderr));
    }
    let names = String::from_utf8(listed.stdout)?;
    let mut sources = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        // Skips deleted files, which git still lists, and files that are not text.
        if let Ok(text) = std::fs::read_to_string(root.join(name)) {
            sources.push(Source::new(name, &text));
        }
    }
    Ok(sources)
}

fn kind(path: &str) -> &str {
    Path::new(path).extension().and_then(|kind| kind.to_str()).unwrap_or("")
}

/// The length of an attribute with its item, which ends with the closing brace of a block or with a semicolon.
fn end_of_item(code: &str) -> usize {
    let mut depth = 0_u32;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    Script,
}

/// Replaces each byte of comments and literals by a space, except for line breaks.
fn blank(text: &str, language: Language) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = ' ';
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest, language)
        } else if let Some(length) = literal(rest, previous, language) {
            length
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            previous = first;
            continue;
        };
        code.extend(rest[..length].chars().map(blank_char));
        rest = &rest[length..];
        previous = ' ';
    }
    code
}

/// One space per byte, so that positions stay the same.
fn blank_char(c: char) -> &'static str {
    match (c, c.len_utf8()) {
        ('\n', _) => "\n",
        (_, 1) => " ",
        (_, 2) => "  ",
        (_, 3) => "   ",
        _ => "    ",
    }
}

/// The length of the comment at the start of the text. Rust's comments nest.
fn block_comment(text: &str, language: Language) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") && (depth == 0 || language == Language::Rust) {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string or character literal at the start of the text, if there is one.
fn literal(text: &str, previous: char, language: Language) -> Option<usize> {
    let first = text.chars().next()?;
    if language == Language::Script {
        return matches!(first, '"' | '\'' | '`').then(|| quoted(text, first));
    }
    match first {
        '"' => Some(quoted(text, '"')),
        // A lifetime, unlike a character, has no closing quote.
        '\'' if text[1..].starts_with('\\') => Some(quoted(text, '\'')),
        '\'' => {
            let character = text[1..].chars().next()?;
            let end = 1 + character.len_utf8();
            text[end..].starts_with('\'').then_some(end + 1)
        }
        'r' if !is_word(previous) || matches!(previous, 'b' | 'c') => raw_string(text),
        _ => None,
    }
}

/// The length of a raw string: `r"…"`, or `r#"…"#` with any number of `#`.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
    let start = 1 + hashes;
    if !text[start..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let length = text[start + 1..]
        .find(&end)
        .map_or(text.len(), |at| start + 1 + at + end.len());
    Some(length)
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// Whether the character can be part of an identifier.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let source = Source::new("a.rs", text);
        assert_eq!(source.code.len(), text.len(), "positions must stay");
        source.code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_become_spaces() {
        assert_eq!(code("a // unsafe\nb /* x /* y */ unsafe */ c"), "a b c");
        assert_eq!(
            code("f(\"unsafe \\\" unsafe\", 'u', '\\'', r#\"unsafe\"# , b\"u\", \"é\")"),
            "f( , , , , b , )"
        );
        assert_eq!(
            code("fn f<'a>(x: &'a str) -> &'static str"),
            "fn f<'a>(x: &'a str) -> &'static str"
        );
        assert_eq!(code("for r in rows { r }"), "for r in rows { r }");
    }

    #[test]
    fn script_strings_become_spaces() {
        let source = Source::new("a.ts", "x('test.skip', `a\n${b}`) // .only(\ny");
        assert_eq!(
            source.code.split_whitespace().collect::<Vec<_>>(),
            ["x(", ",", ")", "y"]
        );
    }

    #[test]
    fn tests_can_be_removed() {
        let source = Source::new(
            "a.rs",
            "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { c } }\nfn d() {}\n#[cfg(test)]\nuse e;\nf",
        );
        let code = source.code_without_tests();
        assert_eq!(code.split_whitespace().collect::<String>(), "fna(){}fnd(){}f");
        assert_eq!(code.lines().count(), 7);
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(line_of("a\nb\n", 0), 1);
        assert_eq!(line_of("a\nb\n", 2), 2);
    }
}
