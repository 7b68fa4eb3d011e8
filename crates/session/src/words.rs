//! The grammar of the search boxes: words that must all match, anywhere or in a named field.
//!
//! `jane chem` matches an item with both words; `"jane doe"` keeps a phrase; `field:value`
//! restricts a word to a field. Case, accents and typographic quotes are ignored. Each search has
//! its own fields: [`crate::query`] for sessions, [`crate::audit`] for events.

use std::{error::Error, fmt};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Maximum length of a search, in characters. Longer ones are refused, never cut.
pub const MAX_CHARS: usize = 200;

/// A search that has more than [`MAX_CHARS`] characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchTooLong {
    /// Number of its characters.
    pub chars: usize,
}

impl fmt::Display for SearchTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars = self.chars;
        write!(
            f,
            "The search has {chars} characters; at most {MAX_CHARS} are possible."
        )
    }
}

impl Error for SearchTooLong {}

/// One word or phrase, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<F> {
    /// Field to match; `None` = any.
    pub field: Option<F>,
    /// Folded text, never empty.
    pub text: String,
}

/// Parses a search; `fields` lists the keywords with their colon. Only an excessive length is an
/// error; an unknown keyword is an ordinary word.
pub fn parse<F: Copy>(text: &str, fields: &[(&str, F)]) -> Result<Vec<Word<F>>, SearchTooLong> {
    check(text)?;
    let words = split(text, fields)
        .into_iter()
        .map(|part| Word {
            field: part.field,
            text: fold(&part.text),
        })
        .filter(|word| !word.text.is_empty())
        .collect();
    Ok(words)
}

/// Checks the length of a search. Separate from [`parse`], so that the browser does not load the
/// tables for folding accents (90 kB).
pub fn check(text: &str) -> Result<(), SearchTooLong> {
    match text.chars().count() {
        0..=MAX_CHARS => Ok(()),
        chars => Err(SearchTooLong { chars }),
    }
}

/// Folds a text: lower case, no accents, plain apostrophes.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| if APOSTROPHES.contains(&c) { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Variants of `'` that phones type.
const APOSTROPHES: [char; 4] = ['\u{2018}', '\u{2019}', '\u{2bc}', '\u{b4}'];

/// `"` and its variants that phones and word processors type.
const QUOTES: [char; 4] = ['"', '\u{201c}', '\u{201d}', '\u{201e}'];

/// One sentence about the likely mistake in a search: an unknown keyword or an unclosed quote. It
/// suggests one of `keywords`.
pub fn advice<F: Copy>(text: &str, fields: &[(&str, F)], keywords: &[&str]) -> Option<String> {
    if text.chars().filter(|c| QUOTES.contains(c)).count() % 2 == 1 {
        return Some("The quote isn’t closed. It reaches to the end of the search.".to_owned());
    }
    let parts = split(text, fields);
    let unknown = parts.iter().find_map(|part| {
        let bare = part.field.is_none() && !part.quoted;
        let (name, value) = part.text.split_once(':').filter(|_| bare)?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic());
        (is_name && !value.starts_with("//")).then(|| format!("{}:", name.to_ascii_lowercase()))
    })?;
    let nearest = keywords
        .iter()
        .min_by_key(|keyword| strsim::osa_distance(keyword, &unknown))?;
    let near = strsim::osa_distance(nearest, &unknown) <= 2;
    Some(if near {
        format!("“{unknown}” isn’t a keyword. Did you mean {nearest}?")
    } else {
        format!("“{unknown}” isn’t a keyword. Keywords are {}.", keywords.join(", "))
    })
}

/// A word or phrase as typed.
pub(crate) struct Part<F> {
    pub field: Option<F>,
    pub text: String,
    quoted: bool,
}

/// Splits at white space outside quotes. An unclosed quote extends to the end.
pub(crate) fn split<F: Copy>(text: &str, fields: &[(&str, F)]) -> Vec<Part<F>> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (field, after) = field(rest, fields);
        let after = if field.is_some() { after.trim_start() } else { after };
        let (word, next) = match after.strip_prefix(QUOTES) {
            Some(quoted) => quoted.split_once(QUOTES).unwrap_or((quoted, "")),
            None => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                after.split_at(end)
            }
        };
        parts.push(Part {
            field,
            text: word.to_owned(),
            quoted: after.starts_with(QUOTES),
        });
        rest = next.trim_start();
    }
    parts
}

fn field<'t, F: Copy>(text: &'t str, fields: &[(&str, F)]) -> (Option<F>, &'t str) {
    for (name, field) in fields {
        if let Some(head) = text.get(..name.len())
            && head.eq_ignore_ascii_case(name)
        {
            return (Some(*field), &text[name.len()..]);
        }
    }
    (None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Field {
        User,
        Environment,
    }

    const FIELDS: [(&str, Field); 2] = [("user:", Field::User), ("env:", Field::Environment)];

    fn words(text: &str) -> Vec<(Option<Field>, String)> {
        parse(text, &FIELDS)
            .unwrap()
            .into_iter()
            .map(|w| (w.field, w.text))
            .collect()
    }

    #[test]
    fn words_phrases_and_fields() {
        let any = |text: &str| (None, text.to_owned());
        assert_eq!(words("  Jané  CHEM "), [any("jane"), any("chem")]);
        assert_eq!(words("\"jane doe\" x"), [any("jane doe"), any("x")]);
        assert_eq!(
            words("User:Jane env: lab"),
            [
                (Some(Field::User), "jane".into()),
                (Some(Field::Environment), "lab".into())
            ]
        );
        assert_eq!(words("user:\"jane doe\""), [(Some(Field::User), "jane doe".into())]);
        assert_eq!(words("colour:red"), [any("colour:red")], "an unknown field is a word");
        assert_eq!(words("\"open"), [any("open")], "a quote left open reaches to the end");
        assert_eq!(words("user:"), [], "a field without a word filters nothing");
        assert_eq!(words("ß é Å"), [any("ß"), any("e"), any("a")]);
        assert_eq!(
            words("“jane doe” O’Brien"),
            [any("jane doe"), any("o'brien")],
            "as phones type"
        );
    }

    #[test]
    fn a_search_that_is_too_long_is_refused_with_both_numbers() {
        let error = parse(&"é".repeat(10_000), &FIELDS).unwrap_err().to_string();
        assert!(error.contains("10000") && error.contains("200"), "{error}");
        assert!(parse(&"é".repeat(MAX_CHARS), &FIELDS).is_ok());
    }

    #[test]
    fn rubbish_never_panics() {
        for text in [
            "\"",
            "\"\"",
            ":",
            "env:\"",
            "user:user:",
            "é:",
            "\u{0}\u{301}",
            "use",
            "🦀env:",
        ] {
            assert!(parse(text, &FIELDS).is_ok(), "{text:?}");
        }
    }
}
