//! docs/api.md names every route of the HTTP API, and every field of its answers and bodies.

use std::collections::BTreeSet;

use super::Finding;
use super::documents::names_all;
use super::source::{Source, is_word};

const API: &str = "docs/api.md";
/// The start of the paths of the files with the router of the API.
const ROUTER: &str = "server/src/http/api";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// The folder of the types below.
const TYPES: &str = "crates/session/src/";
/// The types that the API sends and accepts.
const SHAPES: [&str; 26] = [
    "Appearance",
    "ApplicationSpec",
    "ApplicationView",
    "Chosen",
    "Counts",
    "Deadline",
    "Delta",
    "Entry",
    "EnvironmentList",
    "EnvironmentView",
    "EventList",
    "ExpireMany",
    "ExpireRequest",
    "FieldError",
    "Head",
    "Homes",
    "LastFailure",
    "MyApplication",
    "Outcome",
    "Policy",
    "Problem",
    "Refreshed",
    "Selection",
    "SessionDetails",
    "SessionView",
    "Swept",
];

/// Checks docs/api.md against the router and the types.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut names = routes(sources);
    let mut findings = Vec::new();
    if names.is_empty() {
        findings.push(missing(format!("no routes below {ROUTER}")));
    }
    for shape in SHAPES {
        let fields = fields(sources, shape);
        if fields.is_empty() {
            findings.push(missing(format!("no type {shape} below {TYPES}")));
        }
        names.extend(fields);
    }
    let names = names.iter().map(String::as_str);
    findings.extend(names_all(sources, API, names, |text, name| {
        text.contains(&format!("`{name}`"))
    }));
    findings
}

/// Without this a rename would turn the check off.
fn missing(what: String) -> Finding {
    let advice = format!("{what}: correct the constants of this file");
    Finding::new("xtask/src/tidy/api.rs", 1, "documents", advice)
}

/// Every `METHOD /path` of `.route("/path", method(…).method(…))`.
fn routes(sources: &[Source]) -> BTreeSet<String> {
    let files = sources
        .iter()
        .filter(|source| source.path.starts_with(ROUTER) && source.kind() == "rs" && !source.is_test());
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

/// The public fields of a struct that are sent. A name may stand for structs in several modules.
fn fields(sources: &[Source], shape: &str) -> BTreeSet<String> {
    let opening = format!("pub struct {shape} {{");
    let mut fields = BTreeSet::new();
    for source in sources.iter().filter(|source| source.path.starts_with(TYPES)) {
        for (position, _) in source.code.match_indices(&opening) {
            let body = &source.code[position + opening.len()..];
            let body = &body[..body.find("\n}").unwrap_or(body.len())];
            let mut is_skipped = false;
            for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
                if let Some(field) = line.strip_prefix("pub ") {
                    let name = field.split(':').next().unwrap_or(field);
                    if !is_skipped {
                        fields.insert(name.to_owned());
                    }
                }
                is_skipped = ["#[serde(skip)]", "#[serde(flatten)]"].contains(&line);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_api_is_documented() {
        let router = "Router::new()\n.route(\"/events\", get(events::list))\n.route(\n\"/sessions/{id}\",\n\
                      get(one).delete(sessions::remove),\n).route(PATH, get(x))";
        let sources = [
            Source::new("server/src/http/api.rs", router),
            Source::new("server/src/http.rs", ".route(\"/login\", post(sign_in))"),
            Source::new(API, "| `GET /events` | `GET /sessions/{id}` |"),
        ];
        let found = routes(&sources);
        assert_eq!(
            found.iter().collect::<Vec<_>>(),
            ["DELETE /sessions/{id}", "GET /events", "GET /sessions/{id}"]
        );
        let unnamed = check(&sources).into_iter().filter(|finding| finding.path == API);
        let advice: Vec<_> = unnamed.map(|finding| finding.advice).collect();
        assert_eq!(advice, ["say what `DELETE /sessions/{id}` is"]);
    }

    #[test]
    fn every_field_of_a_type_is_found() {
        let text = "pub struct Head {\n    /// When.\n    pub at: Option<Timestamp>,\n    #[serde(skip)]\n    pub secret: u8,\n    \
                    #[serde(default)]\n    pub total: u32,\n}\npub struct Header {\n    pub other: u32,\n}";
        let sources = [Source::new("crates/session/src/api/session.rs", text)];
        assert_eq!(fields(&sources, "Head").iter().collect::<Vec<_>>(), ["at", "total"]);
    }

    #[test]
    fn a_renamed_router_or_type_is_a_finding() {
        let findings = check(&[Source::new(API, "")]);
        assert_eq!(findings.len(), 1 + SHAPES.len());
    }
}
