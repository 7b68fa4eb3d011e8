//! Rules about the paths in source text, for everything that the manifests can't enforce ([`dependencies`](super::dependencies)).

use super::Finding;
use super::paths::{CodePath, paths};
use super::source::{Source, line_of};

/// Sources of time, randomness and the outside world. `session` is pure.
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

/// Ways around the clock and the settings, which `control` gets as arguments.
const WALL_CLOCK: [&str; 4] = ["SystemTime::now", "Utc::now", "Local::now", "std::env"];

/// All rules about names, for one file.
pub fn check(source: &Source) -> Vec<Finding> {
    if let Some(finding) = module_file(source) {
        return vec![finding];
    }
    if source.kind() != "rs" || source.is_test() || source.path.starts_with("xtask/") {
        return Vec::new();
    }
    let code = source.code_without_tests();
    let mut findings = Vec::new();
    for path in paths(&code) {
        let verdicts = [
            pure(source, &path),
            app_has_no_router(source, &path),
            storeys(source, &path),
        ];
        let line = line_of(&code, path.position);
        let found = verdicts.into_iter().flatten();
        findings.extend(found.map(|(rule, advice)| Finding::new(&source.path, line, rule, advice)));
    }
    findings
}

/// The file of a module has the name of the module: open files that are all called `mod` look the same. Cargo's folders
/// `tests` are exempt, because a file directly in them is a test program.
fn module_file(source: &Source) -> Option<Finding> {
    let folder = source.path.strip_suffix("/mod.rs")?;
    (folder.starts_with("src/") || folder.contains("/src/")).then(|| {
        Finding::new(
            &source.path,
            1,
            "no-mod-rs",
            format!("rename it to `{folder}.rs`: one style of modules everywhere"),
        )
    })
}

type Verdict = Option<(&'static str, String)>;

/// Invariants 1 and 4: the time is an argument of `session` and `control`.
fn pure(source: &Source, path: &CodePath) -> Verdict {
    if source.path.starts_with("crates/session/") && IMPURE.iter().any(|name| mentions(path, name)) {
        return Some((
            "session-is-pure",
            format!("`{}` reads the outside world: take it as an argument", shown(path)),
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

/// Invariant 3: `app` names no HTTP router. That it names no database and no environment, its manifest ensures.
fn app_has_no_router(source: &Source, path: &CodePath) -> Verdict {
    let is_router =
        path.names.first().is_some_and(|name| name == "axum") && path.names.iter().any(|name| name == "Router");
    (source.path.starts_with("app/") && !path.is_local && is_router).then(|| {
        (
            "app-is-ui",
            format!("app must not name `{}`: routes belong into server", shown(path)),
        )
    })
}

/// `ui` knows no session, `components` know sessions, `pages` compose.
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
    fn app_names_no_router() {
        let path = "app/src/api/sessions.rs";
        assert_eq!(rules(path, "use axum::{Router};"), ["app-is-ui"]);
        assert!(
            rules(
                path,
                "use axum::http::StatusCode; use control::Actor; crate::Router::x()"
            )
            .is_empty()
        );
        assert!(rules("server/src/http.rs", "use axum::{Router};").is_empty());
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
    fn no_module_file_is_called_mod() {
        for path in [
            "app/src/ui/mod.rs",
            "crates/control/src/replica/mod.rs",
            "xtask/src/site/mod.rs",
        ] {
            assert_eq!(rules(path, "//! Documented.\nmod a;"), ["no-mod-rs"], "{path}");
        }
        for path in [
            "app/src/ui.rs",
            "crates/control/tests/common/mod.rs",
            "app/src/ui/chmod.rs",
        ] {
            assert!(rules(path, "mod a;").is_empty(), "{path}");
        }
    }

    #[test]
    fn findings_say_where() {
        let finding = check(&Source::new("app/src/lib.rs", "\n\nuse axum::Router;")).remove(0);
        assert_eq!((finding.path.as_str(), finding.line), ("app/src/lib.rs", 3));
    }
}
