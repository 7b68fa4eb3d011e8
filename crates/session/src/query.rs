//! The language of the search box: words that must all be found, anywhere in a session or in a named field.
//!
//! `jane chem` finds rows with both words; `"jane doe"` keeps a phrase; `user: env: app: status: connected: id:` narrow
//! a word. Case and accents do not matter. The same text means the same in the page, the URL and the API.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::Session;

/// Longest search accepted, in characters. Longer ones are refused, never cut.
pub const MAX_CHARS: usize = 200;

/// Where a word is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Username or user id.
    User,
    /// Environment's name or id.
    Environment,
    /// Application's name or id.
    Application,
    /// Beginning of the status.
    Status,
    /// `yes` or `no`.
    Connected,
    /// Session id.
    Id,
}

/// One word or phrase, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// `None` = anywhere.
    pub field: Option<Field>,
    /// What to look for; never empty.
    pub text: String,
}

/// A parsed search. Empty = everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// All of them must be found.
    pub words: Vec<Word>,
}

impl Query {
    /// Reads a search. Never fails on content, only on length: whatever is not a known field is a word.
    pub fn parse(text: &str) -> Result<Self, String> {
        check(text)?;
        let words = split(text)
            .into_iter()
            .map(|(field, text)| Word {
                field,
                text: fold(&text),
            })
            .filter(|word| !word.text.is_empty())
            .collect();
        Ok(Self { words })
    }

    /// Does the session match? `haystack` is [`haystack`] of it, made once per change.
    pub fn matches(&self, session: &Session, haystack: &str) -> bool {
        self.words.iter().all(|word| word.matches(session, haystack))
    }
}

impl Word {
    /// Is this word found in the session? `haystack` is [`haystack`] of it.
    pub fn matches(&self, session: &Session, haystack: &str) -> bool {
        let text = self.text.as_str();
        let named = |name: &str, id: String| fold(name).contains(text) || id.contains(text);
        match self.field {
            None => haystack.contains(text) || session.status.code().contains(text),
            Some(Field::User) => named(&session.username, session.user_id.to_string()),
            Some(Field::Environment) => named(&session.environment, session.environment_id.to_string()),
            Some(Field::Application) => named(&session.application, session.application_id.to_string()),
            Some(Field::Status) => session.status.code().starts_with(text),
            Some(Field::Connected) => if session.connected() { "yes" } else { "no" }.starts_with(text),
            Some(Field::Id) => session.id.to_string().contains(text),
        }
    }
}

/// Is it a search that [`Query::parse`] takes? Apart from it, so that the browser need not carry the tables that fold
/// accents (90 kB).
pub fn check(text: &str) -> Result<(), String> {
    match text.chars().count() {
        0..=MAX_CHARS => Ok(()),
        chars => Err(format!(
            "The search has {chars} characters; at most {MAX_CHARS} are possible."
        )),
    }
}

/// Everything of a session that a word without a field is looked for in, folded, but the status: no part of it ever
/// changes. One line.
pub fn haystack(session: &Session) -> String {
    let name = |name: &str| fold(name).replace(['\n', '\t'], " ");
    format!(
        "{}\t{}\t{}\t{}\t{}\t{}",
        name(&session.environment),
        name(&session.username),
        name(&session.application),
        session.id,
        session.environment_id,
        session.user_id
    )
}

/// The folded environment, username and application of a [`haystack`], in this order: for sorting by them.
pub fn folded_names(haystack: &str) -> [&str; 3] {
    let mut parts = haystack.split('\t');
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

/// Lower case, without accents.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Splits at white space outside quotes. A quote left open reaches to the end.
fn split(text: &str) -> Vec<(Option<Field>, String)> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (field, after) = field(rest);
        let after = if field.is_some() { after.trim_start() } else { after };
        let (word, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                after.split_at(end)
            }
        };
        parts.push((field, word.to_owned()));
        rest = next.trim_start();
    }
    parts
}

fn field(text: &str) -> (Option<Field>, &str) {
    let fields = [
        ("user:", Field::User),
        ("env:", Field::Environment),
        ("app:", Field::Application),
        ("status:", Field::Status),
        ("connected:", Field::Connected),
        ("id:", Field::Id),
    ];
    for (name, field) in fields {
        if let Some(head) = text.get(..name.len())
            && head.eq_ignore_ascii_case(name)
        {
            return (Some(field), &text[name.len()..]);
        }
    }
    (None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(Option<Field>, String)> {
        Query::parse(text)
            .unwrap()
            .words
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
    }

    #[test]
    fn the_names_of_a_haystack_are_found_again() {
        let line = "lab a\tjane\tterminal\t0199";
        assert_eq!(folded_names(line), ["lab a", "jane", "terminal"]);
        assert_eq!(folded_names(""), ["", "", ""]);
    }

    #[test]
    fn a_search_that_is_too_long_is_refused_with_both_numbers() {
        let error = Query::parse(&"é".repeat(10_000)).unwrap_err();
        assert!(error.contains("10000") && error.contains("200"), "{error}");
        assert!(Query::parse(&"é".repeat(MAX_CHARS)).is_ok());
    }

    #[test]
    fn rubbish_never_panics() {
        for text in [
            "\"",
            "\"\"",
            ":",
            "id:\"",
            "user:user:",
            "é:",
            "\u{0}\u{301}",
            "statu",
            "🦀id:",
        ] {
            assert!(Query::parse(text).is_ok(), "{text:?}");
        }
    }
}
