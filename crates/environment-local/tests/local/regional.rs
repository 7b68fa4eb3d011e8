//! Languages and time zones of users, seen from inside of sessions. Needs the fonts and locales of
//! `scripts/lib/debian.sh`.

use environments::{Environment, StartSpec};
use session::regional::{Language, Regional};

use crate::kit::{Trial, spec};

/// Runs a script in a session of a user with these settings. It must reach its end.
async fn finish(header: &str, time_zone: Option<&str>, command: &[&str]) {
    let mut trial = Trial::new();
    let spec = StartSpec {
        regional: Regional {
            languages: Language::of_header(header),
            time_zone: time_zone.map(|zone| zone.parse().unwrap()),
        },
        ..spec(command)
    };
    trial.environment.start(spec.clone()).await.unwrap();
    assert_eq!(
        trial.lost(spec.session_id).await,
        "the application ended with status 7",
        "{header}, {time_zone:?}: {command:?}"
    );
}

fn script(lines: &str) -> String {
    format!("set -e; {lines}; exit 7")
}

#[tokio::test]
async fn an_application_speaks_the_language_of_its_user_and_counts_in_their_time_zone() {
    for (header, zone, lines) in [
        (
            "de-CH,de;q=0.9,en;q=0.8",
            Some("Asia/Kolkata"),
            "test \"$(date -d 2026-11-28 +%A)\" = Samstag; test \"$(date +%Z)\" = IST; test \"$(locale charmap)\" = UTF-8",
        ),
        (
            "el",
            Some("America/St_Johns"),
            "test \"$(date -d 2026-11-28 +%A)\" = Σάββατο; test \"$(date -d 2026-11-28 +%z)\" = -0330",
        ),
        (
            "he-IL",
            None,
            "test \"$(date -d 2026-11-28 +%A)\" = שבת; test \"${TZ-unset}\" = unset",
        ),
        (
            "x-klingon,sw",
            Some("Europe/Nowhere"),
            "test \"$(date -d 2026-11-28 +%A)\" = Saturday; test \"${TZ-unset}\" = unset; test \"$(locale charmap)\" = UTF-8",
        ),
    ] {
        finish(header, zone, &["sh", "-c", &script(lines)]).await;
    }
}

#[tokio::test]
async fn the_command_of_an_application_wins() {
    let lines = script("test \"$(date -d 2026-11-28 +%A)\" = samedi; test \"$(date +%Z)\" = UTC");
    let command = ["env", "LANG=fr_FR.UTF-8", "TZ=UTC", "sh", "-c", &lines];
    finish("de", Some("Asia/Kolkata"), &command).await;
}

#[tokio::test]
async fn a_session_has_a_font_for_each_script() {
    // A letter of each: Latin Extended, Greek, Cyrillic, Hebrew, Arabic, Armenian, Georgian, Devanagari, Thai, Han of
    // both kinds, Hiragana, Hangul, and an emoji.
    let lines = "for letter in 1e9e 3b1 416 5d0 628 561 10d0 905 e01 4f53 9ad4 3042 d55c 1f600; \
        do test -n \"$(fc-list :charset=$letter family)\"; done";
    finish("", None, &["sh", "-c", &script(lines)]).await;
}
