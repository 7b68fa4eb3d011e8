//! Which crate may depend on which, from the manifests. Adding a line here is a decision for docs/ARCHITECTURE.md.

use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};

use super::Finding;

/// Who may know whom among the workspace's own crates, in tests as well.
const MAY_KNOW: [(&str, &[&str]); 8] = [
    ("session", &[]),
    ("store", &["session"]),
    ("environments", &["session"]),
    ("control", &["session", "store", "environments"]),
    ("app", &["session", "control"]),
    ("frontend", &["app"]),
    ("server", &["app", "session", "control", "store", "environments"]),
    ("xtask", &[]),
];

/// All that `session` is made of.
const SESSION_USES: [&str; 5] = ["chrono", "serde", "strsim", "unicode-normalization", "uuid"];

/// What `app` uses on the server side only, and must therefore be optional: it would not build for a browser.
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

/// What `app` does without, even on the server side.
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
        if !MAY_KNOW.iter().any(|(name, _)| package.name.as_str() == *name) {
            let advice = "a new crate: say in xtask/src/tidy/dependencies.rs whom it may know";
            findings.push(manifest.finding("name", "dependencies", advice.into()));
        }
    }
    findings
}

fn verdict(package: &str, dependency: &Dependency, own: &[&str]) -> Option<(&'static str, String)> {
    let name = dependency.name.as_str();
    let for_product = dependency.kind != DependencyKind::Development;
    if own.contains(&name) {
        let known = MAY_KNOW
            .iter()
            .find(|(known, _)| *known == package)
            .map_or(&[][..], |(_, known)| known);
        if !known.contains(&name) {
            return Some(("dependencies", format!("{package} must not know {name}")));
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
            format!("app must not know {name}: ask control for what the page needs"),
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

/// A package's Cargo.toml, to say the line.
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
            // Only the line number hangs on it.
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

    const OWN: [&str; 8] = [
        "session",
        "store",
        "environments",
        "control",
        "app",
        "frontend",
        "server",
        "xtask",
    ];

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

    fn rule(package: &str, name: &str, more: &str) -> Option<&'static str> {
        verdict(package, &dependency(name, more), &OWN).map(|(rule, _)| rule)
    }

    #[test]
    fn crates_know_only_those_below() {
        for (package, name) in [
            ("session", "store"),
            ("store", "environments"),
            ("environments", "control"),
            ("control", "app"),
        ] {
            assert!(rule(package, name, "{}").is_some(), "{package} → {name}");
        }
        assert_eq!(rule("app", "store", "{}"), Some("dependencies"));
        assert_eq!(rule("frontend", "session", "{}"), Some("dependencies"));
        assert_eq!(rule("control", "app", r#"{"kind": "dev"}"#), Some("dependencies"));
        for (package, known) in MAY_KNOW {
            for name in known {
                assert_eq!(rule(package, name, r#"{"optional": true}"#), None, "{package} → {name}");
            }
        }
    }

    #[test]
    fn session_is_pure() {
        assert_eq!(rule("session", "tokio", "{}"), Some("session-is-pure"));
        assert_eq!(
            rule("session", "chrono", r#"{"features": ["clock"]}"#),
            Some("session-is-pure")
        );
        assert_eq!(
            rule("session", "chrono", r#"{"uses_default_features": true}"#),
            Some("session-is-pure")
        );
        assert_eq!(rule("session", "chrono", r#"{"features": ["serde"]}"#), None);
        assert_eq!(rule("session", "proptest", r#"{"kind": "dev"}"#), None);
    }

    #[test]
    fn what_a_browser_lacks_is_optional_in_app() {
        assert_eq!(rule("app", "axum", "{}"), Some("app-is-ui"));
        assert_eq!(rule("app", "control", "{}"), Some("app-is-ui"));
        assert_eq!(rule("app", "control", r#"{"optional": true}"#), None);
        assert_eq!(rule("app", "sqlx", r#"{"optional": true}"#), Some("app-is-ui"));
    }
}
