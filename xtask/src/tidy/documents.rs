//! What documents must name: every folder and crate, the commands to start with, and every route of the API. Whether what they
//! name exists is the business of `references.rs`.

use std::collections::BTreeSet;

use cargo_metadata::Metadata;

use super::Finding;
use super::source::{Source, is_word};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const README: &str = "README.md";
const API: &str = "docs/api.md";
/// The files that make the router of the API.
const API_SOURCES: &str = "server/src/http/api/";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Checks README.md, docs/ARCHITECTURE.md and docs/api.md.
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
    let routes = api_routes(sources);
    findings.extend(names_all(sources, API, routes.iter().map(String::as_str), names_route));
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

/// Every `METHOD /path` of `.route("/path", method(…).method(…))`.
fn api_routes(sources: &[Source]) -> BTreeSet<String> {
    let files = sources
        .iter()
        .filter(|source| source.path.starts_with(API_SOURCES) && source.kind() == "rs" && !source.is_test());
    files.flat_map(routes_of).collect()
}

fn routes_of(source: &Source) -> Vec<String> {
    let mut routes = Vec::new();
    for (position, call) in source.code.match_indices(".route(") {
        let start = position + call.len();
        let arguments = &source.code[start..];
        // Literals are blank in `code`, so each bracket is one of the call.
        let mut depth = 1_i32;
        let end = arguments.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let end = end.unwrap_or(arguments.len());
        let Some(path) = source.text[start..start + end].split('"').nth(1) else {
            continue;
        };
        let called = arguments[..end].split(|c| !is_word(c) && c != '(');
        let methods = called
            .filter_map(|name| name.split_once('('))
            .map(|(name, _)| name)
            .filter(|name| METHODS.contains(name));
        routes.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    routes
}

fn names_route(text: &str, route: &str) -> bool {
    text.contains(&format!("`{route}`"))
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
    fn every_route_of_the_api_is_documented() {
        let router = "Router::new()\n.route(\"/events\", get(events::list))\n.route(\n\"/sessions/{id}\",\n\
                      get(one).delete(sessions::remove),\n).route(PATH, get(x))";
        let sources = [
            Source::new("server/src/http/api/mod.rs", router),
            Source::new("server/src/http/mod.rs", ".route(\"/login\", post(sign_in))"),
            Source::new(API, "| `GET /events` | `GET /sessions/{id}` |"),
        ];
        let routes = api_routes(&sources);
        assert_eq!(
            routes.iter().collect::<Vec<_>>(),
            ["DELETE /sessions/{id}", "GET /events", "GET /sessions/{id}"]
        );
        let findings = names_all(&sources, API, routes.iter().map(String::as_str), names_route);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].advice, "say what `DELETE /sessions/{id}` is");
    }
}
