//! Parsing and checking settings, and their table in docs/settings.md.

use super::*;

fn parse(text: &str, variables: &[(&str, &str)]) -> std::result::Result<Settings, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::parse("cloud-delivery.toml", text, variables).map_err(|error| format!("{error:#}"))
}

#[test]
fn a_variable_wins_over_the_file_and_the_file_over_the_default() {
    let settings = parse(
        "addr = \"127.0.0.1:1\"\nsimulated = true",
        &[("CLOUD_DELIVERY_ADDR", "127.0.0.1:2")],
    )
    .unwrap();
    assert_eq!(settings.addr.port(), 2);
    assert!(settings.simulated);
    assert_eq!(settings.data_dir, Path::new("data"));
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let error = parse("addr = \"127.0.0.1:1\"\ncolour = \"red\"", &[]).unwrap_err();
    assert!(error.contains("line 2") && error.contains("colour"), "{error}");
    let error = parse("", &[("CLOUD_DELIVERY_COLOUR", "red")]).unwrap_err();
    assert!(
        error.contains("CLOUD_DELIVERY_COLOUR") && error.contains("addr"),
        "{error}"
    );
}

#[test]
fn bad_values_are_refused_and_named() {
    for (name, value) in [
        ("CLOUD_DELIVERY_ADDR", "here"),
        ("CLOUD_DELIVERY_SIMULATED", "maybe"),
        ("CLOUD_DELIVERY_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("CLOUD_DELIVERY_PROXY_HEADER", "via"),
        ("CLOUD_DELIVERY_PASSWORD_CHECKS", "many"),
        ("CLOUD_DELIVERY_LAUNCHES_PER_MINUTE", "many"),
        ("CLOUD_DELIVERY_LIVE_SESSIONS_PER_USER", "-1"),
        ("CLOUD_DELIVERY_CLOCK", "sundial"),
        ("CLOUD_DELIVERY_NODE_URL", "http://10.0.0.2:3000"),
        ("CLOUD_DELIVERY_NODE_URL", "http://localhost.example.edu"),
        ("CLOUD_DELIVERY_NODE_URL", "https://a.example.edu/path"),
        ("CLOUD_DELIVERY_NODE_URL", "https://me@a.example.edu"),
        ("CLOUD_DELIVERY_NODE_URL", "ftp://a.example.edu"),
        ("CLOUD_DELIVERY_NODE_URL", "10.0.0.2"),
        ("CLOUD_DELIVERY_DATABASE_NOTIFY", "seldom"),
        ("CLOUD_DELIVERY_PUBLIC_URL", "apps.example.edu"),
        ("CLOUD_DELIVERY_PUBLIC_URL", "https://apps.example.edu/portal"),
    ] {
        let error = parse("", &[(name, value)]).unwrap_err();
        assert!(error.contains(value), "{error}");
    }
}

#[test]
fn what_makes_no_sense_for_a_node_is_refused_with_the_reason() {
    let error = parse("node = \"a\"", &[]).unwrap_err();
    assert!(error.contains("database_url"), "{error}");
    let database = ("CLOUD_DELIVERY_DATABASE_URL", "postgres://me@host/db");
    let url = ("CLOUD_DELIVERY_NODE_URL", "https://a.example.edu:8443/");
    let good = parse("node = \"a\"", &[database, url]).unwrap();
    assert_eq!((good.node(), good.node_url()), ("a", "https://a.example.edu:8443"));
    assert_eq!(parse("", &[database]).unwrap().node(), "main");
    for name in ["", "a b", "é"] {
        let error = parse(&format!("node = \"{name}\""), &[database, url]).unwrap_err();
        assert!(error.contains("40 letters"), "{error}");
    }
    let error = parse("node = \"a\"", &[database]).unwrap_err();
    assert!(error.contains("node_url"), "{error}");
    for seconds in ["4", "15", "soon"] {
        let lost = ("CLOUD_DELIVERY_DATABASE_LOST_SECONDS", seconds);
        assert!(parse("", &[database, lost]).is_err(), "{seconds}");
    }
}

#[test]
fn nodes_speak_plain_http_on_this_host_or_where_it_is_said() {
    for url in [
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
        "http://localhost:3000",
        "https://10.0.0.2",
    ] {
        assert!(parse("", &[("CLOUD_DELIVERY_NODE_URL", url)]).is_ok(), "{url}");
    }
    let private = ("CLOUD_DELIVERY_NODE_URL", "http://10.0.0.2:3000");
    let error = parse("", &[private]).unwrap_err();
    assert!(error.contains("node_http_insecure"), "{error}");
    assert!(parse("node_http_insecure = true", &[private]).is_ok());
}

#[test]
fn a_database_that_there_is_no_store_for_is_refused_and_its_password_not_shown() {
    for (text, variables) in [
        ("", &[("CLOUD_DELIVERY_DATABASE_URL", "mysql://me:secret@host/db")][..]),
        ("database_url = \"mysql://me:secret@host/db\"", &[]),
    ] {
        let error = parse(text, variables).unwrap_err();
        assert!(error.contains("postgres://") && !error.contains("secret"), "{error}");
    }
}

#[test]
fn every_setting_is_documented() {
    let page = include_str!("../../../docs/settings.md");
    for key in KEYS {
        let row = format!("| `{key}` | `CLOUD_DELIVERY_{}` |", key.to_uppercase());
        assert!(page.contains(&row), "docs/settings.md has no row `{key}`");
        let mut settings = Settings::default();
        assert!(
            settings
                .set(key, "0")
                .err()
                .is_none_or(|error| !error.to_string().contains("no such setting")),
            "{key}"
        );
    }
}
