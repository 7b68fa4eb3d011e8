//! The dependency rules between crates, checked on their manifests. A new line here is a decision for docs/ARCHITECTURE.md.

use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};

use super::Finding;

/// A crate of the workspace, and the others that it may use.
struct Rule {
    name: &'static str,
    /// In the product.
    uses: &'static [&'static str],
    /// In tests only.
    tests_use: &'static [&'static str],
}

/// Only `server` uses a concrete store or environment, and only tests use the crates for tests.
const RULES: [Rule; 14] = [
    rule("session", &[], &[]),
    rule("store", &["session"], &[]),
    rule("store-sqlite", &["session", "store"], &["store-testing"]),
    rule("store-postgres", &["session", "store"], &["store-testing"]),
    rule(
        "store-testing",
        &["session", "store"],
        &["store-postgres", "store-sqlite", "store-testing"],
    ),
    rule("environments", &["session"], &[]),
    rule("environment-testing", &["session", "environments"], &[]),
    rule(
        "environment-local",
        &["session", "environments"],
        &["environment-testing"],
    ),
    rule(
        "environment-simulated",
        &["session", "environments"],
        &["environment-testing"],
    ),
    rule(
        "control",
        &["session", "store", "environments"],
        &["environment-simulated", "store-sqlite", "store-testing"],
    ),
    rule("app", &["session", "control"], &[]),
    rule("frontend", &["app"], &[]),
    rule(
        "server",
        &[
            "app",
            "session",
            "control",
            "store",
            "store-postgres",
            "store-sqlite",
            "environments",
            "environment-local",
            "environment-simulated",
        ],
        &["store-testing"],
    ),
    rule("xtask", &[], &[]),
];

const fn rule(name: &'static str, uses: &'static [&'static str], tests_use: &'static [&'static str]) -> Rule {
    Rule { name, uses, tests_use }
}

/// The libraries of `session`.
const SESSION_USES: [&str; 5] = ["chrono", "serde", "strsim", "unicode-normalization", "uuid"];

/// Dependencies of `app` that only the server side uses. They must be optional, because they do not build for a browser.
const SERVER_SIDE: [&str; 10] = [
    "argon2",
    "axum",
    "control",
    "hyper",
    "leptos_axum",
    "rustix",
    "sqlx",
    "tokio",
    "tower",
    "tower-http",
];

/// Libraries that `app` must not use, even on the server side.
const NOT_FOR_APP: [&str; 3] = ["libsqlite3-sys", "rustix", "sqlx"];

/// Checks every package of the workspace.
pub fn check(metadata: &Metadata) -> Vec<Finding> {
    let packages = metadata.workspace_packages();
    let own: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in &packages {
        let manifest = Manifest::of(package, metadata);
        for dependency in &package.dependencies {
            if let Some((rule, advice)) = verdict(&package.name, dependency, &own) {
                findings.push(manifest.finding(&dependency.name, rule, advice));
            }
        }
        if !RULES.iter().any(|rule| package.name.as_str() == rule.name) {
            let advice = "a new crate: add its rule in xtask/src/tidy/dependencies.rs";
            findings.push(manifest.finding("name", "dependencies", advice.into()));
        }
    }
    findings
}

fn verdict(package: &str, dependency: &Dependency, own: &[&str]) -> Option<(&'static str, String)> {
    let name = dependency.name.as_str();
    let for_product = dependency.kind != DependencyKind::Development;
    if own.contains(&name) {
        let rule = RULES.iter().find(|rule| rule.name == package);
        let allowed =
            rule.is_some_and(|rule| rule.uses.contains(&name) || (!for_product && rule.tests_use.contains(&name)));
        if !allowed {
            return Some(("dependencies", format!("{package} must not use {name}")));
        }
    }
    if package == "session" && for_product {
        if !SESSION_USES.contains(&name) {
            return Some((
                "session-is-pure",
                format!("session uses only {}, not {name} (I-1)", SESSION_USES.join(", ")),
            ));
        }
        let clock = dependency
            .features
            .iter()
            .any(|feature| feature == "clock" || feature == "now");
        if name == "chrono" && (clock || dependency.uses_default_features) {
            return Some((
                "session-is-pure",
                "chrono comes without its clock: time is an argument (I-1)".into(),
            ));
        }
    }
    if package == "app" && NOT_FOR_APP.contains(&name) {
        return Some((
            "app-is-ui",
            format!("app must not use {name}: `control` has the use-cases"),
        ));
    }
    if package == "app" && for_product && SERVER_SIDE.contains(&name) && !dependency.optional {
        return Some((
            "app-is-ui",
            format!("{name} does not reach the browser: make it optional, under `ssr`"),
        ));
    }
    None
}

/// A package's Cargo.toml, to find the line.
struct Manifest {
    path: String,
    text: String,
}

impl Manifest {
    fn of(package: &Package, metadata: &Metadata) -> Self {
        let path = package
            .manifest_path
            .strip_prefix(&metadata.workspace_root)
            .unwrap_or(&package.manifest_path);
        Self {
            path: path.to_string(),
            // Without the file only the line number is missing.
            text: std::fs::read_to_string(&package.manifest_path).unwrap_or_default(),
        }
    }

    fn finding(&self, name: &str, rule: &'static str, advice: String) -> Finding {
        let line = self
            .text
            .lines()
            .position(|line| line.starts_with(name))
            .map_or(1, |line| line + 1);
        Finding::new(&self.path, line, rule, advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `Dependency` as cargo prints it. The type has no public constructor.
    fn dependency(name: &str, more: &str) -> Dependency {
        let json = format!(
            r#"{{"name": "{name}", "req": "*", "kind": null, "optional": false, "uses_default_features": false,
                "features": [], "target": null, "source": null, "rename": null, "registry": null, "path": null}}"#
        );
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let more: serde_json::Value = serde_json::from_str(more).unwrap();
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    fn found(package: &str, name: &str, more: &str) -> Option<&'static str> {
        let own = RULES.map(|rule| rule.name);
        verdict(package, &dependency(name, more), &own).map(|(rule, _)| rule)
    }

    #[test]
    fn crates_use_only_those_below() {
        for (package, name) in [
            ("session", "store"),
            ("store", "environments"),
            ("environments", "control"),
            ("control", "app"),
            ("control", "store-sqlite"),
            ("control", "environment-local"),
            ("app", "store-postgres"),
            ("store-sqlite", "store-postgres"),
            ("server", "store-testing"),
        ] {
            assert!(found(package, name, "{}").is_some(), "{package} → {name}");
        }
        assert_eq!(found("app", "store", "{}"), Some("dependencies"));
        assert_eq!(found("frontend", "session", "{}"), Some("dependencies"));
        assert_eq!(found("control", "app", r#"{"kind": "dev"}"#), Some("dependencies"));
        for Rule { name, uses, tests_use } in RULES {
            for used in uses {
                assert_eq!(found(name, used, r#"{"optional": true}"#), None, "{name} → {used}");
            }
            for used in tests_use {
                assert_eq!(found(name, used, r#"{"kind": "dev"}"#), None, "{name} → {used}");
                assert_eq!(found(name, used, "{}"), Some("dependencies"), "{name} → {used}");
            }
        }
    }

    #[test]
    fn session_is_pure() {
        assert_eq!(found("session", "tokio", "{}"), Some("session-is-pure"));
        assert_eq!(
            found("session", "chrono", r#"{"features": ["clock"]}"#),
            Some("session-is-pure")
        );
        assert_eq!(
            found("session", "chrono", r#"{"uses_default_features": true}"#),
            Some("session-is-pure")
        );
        assert_eq!(found("session", "chrono", r#"{"features": ["serde"]}"#), None);
        assert_eq!(found("session", "proptest", r#"{"kind": "dev"}"#), None);
    }

    #[test]
    fn what_a_browser_lacks_is_optional_in_app() {
        assert_eq!(found("app", "axum", "{}"), Some("app-is-ui"));
        assert_eq!(found("app", "control", "{}"), Some("app-is-ui"));
        assert_eq!(found("app", "control", r#"{"optional": true}"#), None);
        assert_eq!(found("app", "sqlx", r#"{"optional": true}"#), Some("app-is-ui"));
    }
}
