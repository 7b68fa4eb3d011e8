//! Who may name whom, in source text. What a crate may depend on is `dependencies`' business; here is what it may say.

use super::Finding;
use super::paths::{CodePath, paths};
use super::source::{Source, line_of};

/// Ways to learn the time, a random number or anything of the outside world. `session` is pure.
const IMPURE: [&str; 13] = [
    "Instant::now",
    "SystemTime::now",
    "Utc::now",
    "Local::now",
    "Uuid::now_v7",
    "Uuid::new_v4",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "rand",
    "getrandom",
];

/// Ways around the injected clock and the settings. `control` gets both as arguments.
const WALL_CLOCK: [&str; 4] = ["SystemTime::now", "Utc::now", "Local::now", "std::env"];

/// What says which database or which environment it is: only the composition root does.
const CONCRETE: [(&str, [&str; 2]); 2] = [
    ("store", ["sqlite", "postgres"]),
    ("environments", ["local", "simulated"]),
];

/// All rules about names, for one file.
pub fn check(source: &Source) -> Vec<Finding> {
    if source.kind() != "rs" || source.is_test() || source.path.starts_with("xtask/") {
        return Vec::new();
    }
    let code = source.code_without_tests();
    let mut findings = Vec::new();
    for path in paths(&code) {
        let verdicts = [
            pure(source, &path),
            app_is_only_user_interface(source, &path, &code),
            only_server_is_concrete(source, &path),
            storeys(source, &path),
        ];
        let line = line_of(&code, path.position);
        let found = verdicts.into_iter().flatten();
        findings.extend(found.map(|(rule, advice)| Finding::new(&source.path, line, rule, advice)));
    }
    findings
}

type Verdict = Option<(&'static str, String)>;

/// Rules 1 and 5: `session` and `control` are told the time, and never ask for it.
fn pure(source: &Source, path: &CodePath) -> Verdict {
    if source.path.starts_with("crates/session/") && IMPURE.iter().any(|name| mentions(path, name)) {
        return Some((
            "session-is-pure",
            format!("`{}` asks the outside world: take it as an argument", shown(path)),
        ));
    }
    if source.path.starts_with("crates/control/") && WALL_CLOCK.iter().any(|name| mentions(path, name)) {
        return Some((
            "control-has-no-clock",
            format!("`{}`: use the Clock or the settings passed in", shown(path)),
        ));
    }
    None
}

/// Rule 2: `app` never names a database, an HTTP router or an environment.
fn app_is_only_user_interface(source: &Source, path: &CodePath, code: &str) -> Verdict {
    if !source.path.starts_with("app/") || path.is_local {
        return None;
    }
    let first = path.names.first()?.as_str();
    let foreign = match first {
        // A module of app's own may have such a name: a resource is called the same in every layer.
        "store" | "environments" => !declares_module(code, first),
        "sqlx" => true,
        "axum" => path.names.iter().any(|name| name == "Router"),
        "control" => path
            .names
            .get(1)
            .is_some_and(|name| name == "store" || name == "environments"),
        _ => false,
    };
    foreign.then(|| {
        (
            "app-is-ui",
            format!(
                "app must not name `{}`: ask `control` for what the page needs",
                shown(path)
            ),
        )
    })
}

/// Rule 3: only `server` names a concrete store or environment.
fn only_server_is_concrete(source: &Source, path: &CodePath) -> Verdict {
    if source.path.starts_with("server/") || path.is_local {
        return None;
    }
    let (owner, concrete) = CONCRETE
        .iter()
        .find(|(owner, _)| path.names.first().is_some_and(|name| name == owner))?;
    let named = path.names.get(1)?.to_lowercase();
    if source.path.starts_with(&format!("crates/{owner}/")) || !concrete.iter().any(|name| named.starts_with(name)) {
        return None;
    }
    Some((
        "only-server-is-concrete",
        format!("only server may name `{}`: use the trait", shown(path)),
    ))
}

/// Rule 6: `ui` knows no session, `components` know sessions, `pages` compose.
fn storeys(source: &Source, path: &CodePath) -> Verdict {
    let first = path.names.first()?.as_str();
    let above: &[&str] = if source.path.starts_with("app/src/ui") {
        if first == "session" {
            return Some((
                "ui-knows-no-session",
                format!("`{}` belongs into app/src/components", shown(path)),
            ));
        }
        &["api", "components", "pages"]
    } else if source.path.starts_with("app/src/components") {
        &["pages"]
    } else {
        return None;
    };
    (path.is_local && above.contains(&first)).then(|| {
        (
            "storeys",
            format!("`{}` is a storey above: pass what is needed as a prop", shown(path)),
        )
    })
}

/// Whether the path is `name` or goes through it: `chrono::Utc::now` mentions `Utc::now`.
fn mentions(path: &CodePath, name: &str) -> bool {
    let wanted: Vec<&str> = name.split("::").collect();
    if wanted.len() == 1 || wanted[0] == "std" {
        return !path.is_local
            && path
                .names
                .iter()
                .map(String::as_str)
                .take(wanted.len())
                .eq(wanted.iter().copied());
    }
    path.names
        .windows(wanted.len())
        .any(|names| names.iter().eq(wanted.iter()))
}

fn declares_module(code: &str, name: &str) -> bool {
    code.contains(&format!("mod {name};")) || code.contains(&format!("mod {name} {{"))
}

fn shown(path: &CodePath) -> String {
    path.names.join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules found in a file, in order.
    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&Source::new(path, text))
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn session_asks_for_nothing() {
        let path = "crates/session/src/lifecycle.rs";
        for text in [
            "chrono::Utc::now()",
            "use std::fs;",
            "use std::{fmt, env};",
            "Uuid::now_v7()",
            "rand::random()",
        ] {
            assert_eq!(rules(path, text), ["session-is-pure"], "{text}");
        }
        assert!(rules(path, "use std::fmt; // Utc::now()\nfn now() {} self::rand::x()").is_empty());
        assert!(rules("crates/session/tests/a.rs", "std::fs::read(a)").is_empty());
    }

    #[test]
    fn control_has_no_clock() {
        assert_eq!(
            rules("crates/control/src/timers.rs", "SystemTime::now()"),
            ["control-has-no-clock"]
        );
        assert!(rules("crates/control/src/timers.rs", "self.clock.now(); Instant::now()").is_empty());
    }

    #[test]
    fn app_names_no_machinery() {
        let path = "app/src/api/sessions.rs";
        for text in [
            "use axum::{Router};",
            "sqlx::query(a)",
            "use store::Store;",
            "environments::Environment",
            "control::store::X",
        ] {
            assert_eq!(rules(path, text), ["app-is-ui"], "{text}");
        }
        assert!(
            rules(
                path,
                "use axum::http::StatusCode; use control::Actor; crate::store::x()"
            )
            .is_empty()
        );
        assert!(
            rules(
                "app/src/pages/mod.rs",
                "pub mod environments;\npub use environments::Page;"
            )
            .is_empty()
        );
    }

    #[test]
    fn concrete_parts_are_named_by_the_server_only() {
        for text in [
            "use store::Sqlite;",
            "store::sqlite::open(a)",
            "environments::{Environment, simulated::Simulated}",
        ] {
            assert_eq!(
                rules("crates/control/src/launch.rs", text),
                ["only-server-is-concrete"],
                "{text}"
            );
            assert!(rules("server/src/main.rs", text).is_empty());
            assert!(rules("crates/control/tests/launch.rs", text).is_empty());
            assert!(
                rules(
                    "crates/control/src/launch.rs",
                    &format!("#[cfg(test)] mod tests {{ {text} }}")
                )
                .is_empty()
            );
        }
        assert!(rules("crates/store/src/lib.rs", "use store::Sqlite;").is_empty());
        assert!(rules("crates/control/src/launch.rs", "use store::Store;").is_empty());
    }

    #[test]
    fn storeys_look_down_only() {
        assert_eq!(
            rules("app/src/ui/button.rs", "use session::Status;"),
            ["ui-knows-no-session"]
        );
        assert_eq!(rules("app/src/ui/button.rs", "use crate::{pages::x};"), ["storeys"]);
        assert_eq!(
            rules("app/src/components/table.rs", "use crate::pages::Sessions;"),
            ["storeys"]
        );
        assert!(
            rules(
                "app/src/components/table.rs",
                "use session::Status; use crate::ui::Button;"
            )
            .is_empty()
        );
        assert!(rules("app/src/pages/sessions.rs", "use crate::components::Table;").is_empty());
    }

    #[test]
    fn findings_say_where() {
        let finding = check(&Source::new("app/src/lib.rs", "\n\nuse sqlx::query;")).remove(0);
        assert_eq!((finding.path.as_str(), finding.line), ("app/src/lib.rs", 3));
    }
}
