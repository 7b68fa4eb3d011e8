//! The appearance of an application on My apps: description, category and icon.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The icons that the server has, in the order of the form: the code that the database stores and
/// that names the symbol in `public/icons/kept.svg`, and the label.
pub const KEPT_ICONS: [(&str, &str); 26] = [
    ("application", "Application"),
    ("terminal", "Terminal"),
    ("calculator", "Calculator"),
    ("text", "Text"),
    ("spreadsheet", "Spreadsheet"),
    ("presentation", "Presentation"),
    ("statistics", "Statistics"),
    ("mathematics", "Mathematics"),
    ("code", "Programming"),
    ("database", "Database"),
    ("drawing", "Drawing"),
    ("photo", "Photos"),
    ("video", "Video"),
    ("audio", "Audio"),
    ("map", "Maps"),
    ("browser", "Web browser"),
    ("mail", "Mail"),
    ("book", "Reading"),
    ("files", "Files"),
    ("chemistry", "Chemistry"),
    ("biology", "Life sciences"),
    ("engineering", "Engineering and CAD"),
    ("simulation", "Simulation"),
    ("electronics", "Electronics"),
    ("desktop", "Remote desktop"),
    ("finance", "Finance"),
];

/// The icon of an application without one.
pub const DEFAULT_ICON: &str = KEPT_ICONS[0].0;

/// Path of the folder of uploaded pictures. The name of a picture is its SHA-256 in hex.
pub const PICTURES_PATH: &str = "/pictures/";

/// Largest upload, in bytes.
pub const MAX_PICTURE_BYTES: usize = 256 * 1024;

/// The appearance of an application on My apps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appearance {
    /// One or two sentences; empty = none. At most
    /// [`MAX_DESCRIPTION_CHARS`](super::draft::MAX_DESCRIPTION_CHARS).
    #[serde(default, skip_serializing_if = "is_empty")]
    pub description: Arc<str>,
    /// Heading that groups it with others; empty = none. At most
    /// [`MAX_CATEGORY_CHARS`](super::draft::MAX_CATEGORY_CHARS).
    #[serde(default, skip_serializing_if = "is_empty")]
    pub category: Arc<str>,
    /// A code of [`KEPT_ICONS`], or the SHA-256 of an uploaded picture in hex; `None` =
    /// [`DEFAULT_ICON`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Arc<str>>,
}

impl Appearance {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The SHA-256 of the uploaded picture, if the icon is one.
    pub fn picture(&self) -> Option<[u8; 32]> {
        picture(self.icon.as_deref()?)
    }
}

fn is_empty(text: &Arc<str>) -> bool {
    text.is_empty()
}

/// The SHA-256 that 64 lower-case hexadecimal digits stand for.
pub fn picture(icon: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes: &[u8; 64] = icon.as_bytes().try_into().ok()?;
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(hash)
}

/// The opposite of [`picture`].
pub fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether an icon can be one: a code of [`KEPT_ICONS`], or the form of a hash. Only the store can
/// check that the picture exists.
pub fn is_icon(icon: &str) -> bool {
    KEPT_ICONS.iter().any(|(code, _)| *code == icon) || picture(icon).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_its_text() {
        let hash = std::array::from_fn(|at| u8::try_from(at * 8 + 7).unwrap());
        assert_eq!(picture(&hex(&hash)), Some(hash));
        for wrong in ["", "terminal", &"A".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert_eq!(picture(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_kept_icon_has_a_code_and_a_label_of_its_own() {
        for (at, (code, label)) in KEPT_ICONS.iter().enumerate() {
            assert!(is_icon(code) && !label.is_empty());
            let mut others = KEPT_ICONS[..at].iter();
            assert!(
                others.all(|(other, other_label)| other != code && other_label != label),
                "{code}"
            );
        }
        for wrong in ["", "Terminal", "no-such", "../kept.svg"] {
            assert!(!is_icon(wrong), "{wrong}");
        }
    }

    #[test]
    fn each_kept_icon_is_drawn() {
        let drawn = include_str!("../../../../public/icons/kept.svg");
        for (code, _) in KEPT_ICONS {
            assert!(drawn.contains(&format!("<symbol id=\"{code}\" ")), "{code}");
        }
        assert_eq!(drawn.matches("<symbol").count(), KEPT_ICONS.len());
    }

    #[test]
    fn an_appearance_without_values_is_an_empty_object() {
        let text = serde_json::to_string(&Appearance::default()).unwrap();
        assert_eq!(text, "{}");
        assert_eq!(
            serde_json::from_str::<Appearance>(&text).unwrap(),
            Appearance::default()
        );
    }
}
