//! The regional settings of a session: the languages and the time zone of its user's browser. Both
//! come from outside, so nothing is a language or a time zone before it was parsed here.

use std::{str::FromStr, sync::Arc};

use serde::Deserialize;

use crate::code::UnknownCode;

/// Most languages of one browser. Further ones are ignored.
pub const MOST_LANGUAGES: usize = 10;

/// The longest language tag: BCP 47 (§4.4.1) needs 35 characters.
const LONGEST_LANGUAGE: usize = 35;

/// The longest name of a time zone. The longest in the IANA database has 32 characters.
const LONGEST_TIME_ZONE: usize = 64;

/// The regional settings of a launch. They are no part of the session in the log: a session is
/// started once, by the node that took its launch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regional {
    /// The languages of the user, the preferred one first; at most [`MOST_LANGUAGES`].
    pub languages: Vec<Language>,
    /// The time zone of the user; `None` = unknown.
    pub time_zone: Option<TimeZone>,
}

/// A language tag in the form of BCP 47, e.g. `de-AT`. It may name no language that exists.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Language(Arc<str>);

impl Language {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The languages of the header `Accept-Language`, the preferred one first. Ignores everything
    /// else in it: `*`, languages with the weight 0, and text that has not the form of RFC 9110 §12.5.4.
    pub fn of_header(header: &str) -> Vec<Self> {
        let mut weighted: Vec<_> = header.split(',').filter_map(weighted).collect();
        // The sort is stable: of equal weights, the first one in the header comes first.
        weighted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let languages = weighted.into_iter().filter(|(weight, _)| *weight > 0);
        languages.map(|(_, language)| language).take(MOST_LANGUAGES).collect()
    }
}

/// An element of the header: its weight in thousandths, and its language.
fn weighted(element: &str) -> Option<(u32, Language)> {
    let (tag, parameters) = element.split_once(';').unwrap_or((element, ""));
    let language = tag.trim().parse().ok()?;
    let weight = match parameters.trim() {
        "" => 1000,
        parameter => thousandths(parameter.strip_prefix("q=").or(parameter.strip_prefix("Q="))?)?,
    };
    Some((weight, language))
}

/// `0.8` as 800. It has at most three decimals, and is at most 1.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 1 || decimals.len() > 3 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let value: u32 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (value <= 1000).then_some(value)
}

impl FromStr for Language {
    type Err = UnknownCode;

    fn from_str(tag: &str) -> Result<Self, UnknownCode> {
        let mut subtags = tag.split('-');
        let primary = subtags.next().unwrap_or_default();
        let is_language = (2..=8).contains(&primary.len())
            && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
            && subtags.all(|subtag| {
                (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        if is_language && tag.len() <= LONGEST_LANGUAGE {
            return Ok(Self(tag.into()));
        }
        Err(UnknownCode::new(&shortened(tag), "a language tag like de-AT"))
    }
}

impl TryFrom<String> for Language {
    type Error = UnknownCode;

    fn try_from(tag: String) -> Result<Self, UnknownCode> {
        tag.parse()
    }
}

/// The name of a time zone in the form of the IANA database, e.g. `Europe/Berlin`. It may name no
/// time zone that exists. It is a relative path that never leaves its folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeZone(Arc<str>);

impl TimeZone {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TimeZone {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        // No dot: the database's own names have none, and `..` is a way out of a folder.
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
        };
        if name.len() <= LONGEST_TIME_ZONE && name.split('/').all(part) {
            return Ok(Self(name.into()));
        }
        Err(UnknownCode::new(
            &shortened(name),
            "the name of a time zone like Europe/Berlin",
        ))
    }
}

impl TryFrom<String> for TimeZone {
    type Error = UnknownCode;

    fn try_from(name: String) -> Result<Self, UnknownCode> {
        name.parse()
    }
}

/// The start of a wrong value, for its error.
fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TIME_ZONE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_header(header: &str) -> Vec<String> {
        let languages = Language::of_header(header);
        languages.iter().map(|language| language.as_str().to_owned()).collect()
    }

    #[test]
    fn the_preferred_language_comes_first() {
        for (header, expected) in [
            (
                "de-AT,de;q=0.9,en-US;q=0.8,en;q=0.7",
                &["de-AT", "de", "en-US", "en"][..],
            ),
            ("en;q=0.1, he ;q=0.999 ,el", &["el", "he", "en"]),
            ("zh-Hant-TW;Q=1.000,ja;q=1", &["zh-Hant-TW", "ja"]),
            ("sr-Latn, *;q=0.5, fr;q=0", &["sr-Latn"]),
            ("", &[]),
        ] {
            assert_eq!(of_header(header), expected, "{header}");
        }
    }

    #[test]
    fn a_hostile_header_is_a_short_list_of_languages() {
        for header in [
            "../../etc/passwd",
            "de_DE.UTF-8",
            "de\0",
            "de\r\nset-cookie: a=b",
            "de;q=NaN,en;q=inf,fr;q=1e3,it;q=-1,es;q=1.001,nl;q=0.1234,pt;q=,sv;q=1;q=1",
            "e,1a,abcdefghi,de--AT,de-,-de,de-abcdefghi,de-ä",
            ",,,;;;,=;q=1",
        ] {
            assert_eq!(of_header(header), [""; 0], "{header:?}");
        }
        let long = (0..1700)
            .map(|n| format!("x{n}z,de;q=0.{}", n % 10))
            .collect::<Vec<_>>()
            .join(",");
        assert!(long.len() > 10_000);
        assert_eq!(of_header(&long).len(), MOST_LANGUAGES);
        assert!(
            Language::from_str("abc-".repeat(9).trim_end_matches('-')).is_ok(),
            "35 characters"
        );
        assert!(Language::from_str(&["abc"; 10].join("-")).is_err(), "39 characters");
    }

    #[test]
    fn a_time_zone_is_a_name_and_never_a_way_out_of_a_folder() {
        for name in [
            "UTC",
            "Europe/Berlin",
            "America/Argentina/ComodRivadavia",
            "America/Port-au-Prince",
            "Etc/GMT+12",
            "GMT0",
        ] {
            assert_eq!(name.parse::<TimeZone>().unwrap().as_str(), name);
        }
        for name in [
            "",
            "/",
            "/etc/passwd",
            "../../etc/passwd",
            "Europe/../../../../etc/passwd",
            "Europe//Berlin",
            "Europe/",
            ":Europe/Berlin",
            "Europe/Berlin\0",
            "Europe/Berlin\n",
            "Europe/.hidden",
            "<+03>-3",
            "Zürich",
            &"a".repeat(65),
        ] {
            let refused = name.parse::<TimeZone>().unwrap_err().to_string();
            assert!(refused.len() < 200, "{refused}");
        }
    }
}
