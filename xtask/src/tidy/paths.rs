//! Finds the paths that Rust code names: `a::b`, and each branch of `use a::{b, c::d}`.

use super::source::is_word;

/// A path as written, without `crate`, `self` and `super` at its front.
#[derive(Debug, PartialEq, Eq)]
pub struct CodePath {
    /// Its position in the code.
    pub position: usize,
    /// Whether it started with `crate`, `self` or `super`.
    pub is_local: bool,
    /// The names between the `::`.
    pub names: Vec<String>,
}

/// Every path of two or more names, and every path of a `use`. The code must be without comments and literals.
pub fn paths(code: &str) -> Vec<CodePath> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut after_use = false;
    while at < code.len() {
        let word = word_at(code, at);
        if word.is_empty() {
            let c = code[at..].chars().next().unwrap_or(' ');
            after_use &= c.is_whitespace() || c == ':';
            at += c.len_utf8();
        } else if after_use || code[at + word.len()..].trim_start().starts_with("::") {
            let mut branches = Vec::new();
            let end = tree(code, at, &mut Vec::new(), &mut branches);
            found.extend(
                branches
                    .into_iter()
                    .map(|(position, names)| code_path(position, &names)),
            );
            after_use = false;
            at = end.max(at + word.len());
        } else {
            after_use = word == "use";
            at += word.len();
        }
    }
    found
}

fn code_path(position: usize, names: &[String]) -> CodePath {
    let local = names
        .iter()
        .take_while(|name| matches!(name.as_str(), "crate" | "self" | "super"))
        .count();
    CodePath {
        position,
        is_local: local > 0,
        names: names[local..].to_vec(),
    }
}

/// Reads one branch, or a group of them, and returns the position after it.
fn tree(code: &str, at: usize, before: &mut Vec<String>, found: &mut Vec<(usize, Vec<String>)>) -> usize {
    let at = skip_space(code, at);
    if let Some(mut at) = code[at..].starts_with('{').then_some(at + 1) {
        loop {
            at = skip_space(code, at);
            match code[at..].chars().next() {
                Some('}') => return at + 1,
                Some(',') => at += 1,
                Some(c) if is_word(c) || c == '{' || c == '*' || c == ':' => {
                    at = tree(code, at, &mut before.clone(), found).max(at + 1);
                }
                // Not a `use` after all: a block.
                _ => return at,
            }
        }
    }
    let at = if code[at..].starts_with("::") {
        skip_space(code, at + 2)
    } else {
        at
    };
    let word = word_at(code, at);
    if word.is_empty() {
        found.push((at, before.clone()));
        return at;
    }
    before.push(word.to_owned());
    let mut end = at + word.len();
    let next = skip_space(code, end);
    if code[next..].starts_with("::") {
        let after = skip_space(code, next + 2);
        if code[after..].starts_with('{') {
            return tree(code, after, before, found);
        }
        if !word_at(code, after).is_empty() {
            let mut deeper = Vec::new();
            let end = tree(code, after, before, &mut deeper);
            // The position of a path is its start; that of a group's branch is the branch.
            let straight = deeper.len() == 1;
            found.extend(
                deeper
                    .into_iter()
                    .map(|(position, names)| (if straight { at } else { position }, names)),
            );
            return end;
        }
        // A star, or the generics of an expression: the path ends before them.
        end = after + usize::from(code[after..].starts_with('*'));
    } else if let Some(alias) = code[next..].strip_prefix("as ") {
        found.push((at, before.clone()));
        let alias = skip_space(code, code.len() - alias.len());
        return alias + word_at(code, alias).len();
    }
    found.push((at, before.clone()));
    end
}

fn skip_space(code: &str, at: usize) -> usize {
    code.len() - code[at..].trim_start().len()
}

fn word_at(code: &str, at: usize) -> &str {
    let rest = &code[at..];
    &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(code: &str) -> Vec<String> {
        paths(code).into_iter().map(|path| path.names.join("::")).collect()
    }

    #[test]
    fn straight_paths() {
        assert_eq!(names("let x = axum::Router::new(a)?;"), ["axum::Router::new"]);
        assert_eq!(names("Vec::<u8>::new(); a < b; x: y"), ["Vec"]);
        assert_eq!(names("if let Some(x) = a { b::c }"), ["b::c"]);
        assert_eq!(
            names("fn f(s: &session::Session, t: crate::pages::T)"),
            ["session::Session", "pages::T"]
        );
    }

    #[test]
    fn groups_name_each_branch() {
        assert_eq!(
            names("use axum::{Router as R, routing::{get, post}};\nuse sqlx;\nuse super::{pages, ui::*};"),
            [
                "axum::Router",
                "axum::routing::get",
                "axum::routing::post",
                "sqlx",
                "pages",
                "ui"
            ]
        );
        assert_eq!(names("pub use self::{a::b};"), ["a::b"]);
    }

    #[test]
    fn local_paths_are_told_apart_and_lines_are_right() {
        let found = paths("\nuse crate::{a::b};\nstore::x");
        assert_eq!(found.len(), 2);
        assert!(found[0].is_local && !found[1].is_local);
        assert_eq!(found[1].position, 20);
    }
}
