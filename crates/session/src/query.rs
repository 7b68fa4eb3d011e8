//! The search of the Sessions page: all words must match, anywhere in a session or in a named
//! field. [`crate::words`] defines the grammar, [`KEYWORDS`] lists the fields. The page, the URL
//! and the API share this syntax.

use crate::{Session, Status, words};

pub use crate::words::{MAX_CHARS, SearchTooLong, check, fold};

/// The part of a session that a word must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Username or user id.
    User,
    /// Name or id of the environment.
    Environment,
    /// Name or id of the application.
    Application,
    /// Prefix of the status.
    Status,
    /// `yes` or `no`.
    Connected,
    /// Session id, or a part of it.
    Id,
    /// Name of the hosting node.
    Node,
    /// Error text of a session in Error.
    Error,
}

/// The fields and their keywords. Column names are keywords as well.
const FIELDS: [(&str, Field); 12] = [
    ("user:", Field::User),
    ("username:", Field::User),
    ("env:", Field::Environment),
    ("environment:", Field::Environment),
    ("app:", Field::Application),
    ("application:", Field::Application),
    ("status:", Field::Status),
    ("state:", Field::Status),
    ("connected:", Field::Connected),
    ("id:", Field::Id),
    ("node:", Field::Node),
    ("error:", Field::Error),
];

/// The keywords that the page offers: keyword, meaning, example.
pub const KEYWORDS: [(&str, &str, &str); 8] = [
    ("user:", "username or user ID", "user:jane"),
    ("env:", "environment", "env:\"Lab A\""),
    ("app:", "application", "app:terminal"),
    ("status:", "pending, active, expired or error", "status:active"),
    ("connected:", "yes or no", "connected:yes"),
    ("id:", "session ID", "id:0199"),
    ("node:", "name of the server node", "node:node-1"),
    ("error:", "error text", "error:\"not found\""),
];

/// A word or phrase of a session search.
pub type Word = words::Word<Field>;

/// A parsed search; empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words, all of which must match.
    pub words: Vec<Word>,
}

impl Query {
    /// Parses a search. Only an excessive length is an error; an unknown keyword is an ordinary
    /// word.
    pub fn parse(text: &str) -> Result<Self, SearchTooLong> {
        let words = words::parse(text, &FIELDS)?;
        Ok(Self { words })
    }

    /// Whether the session matches. `haystack` is its [`haystack`], computed once per change.
    pub fn matches(&self, session: &Session, haystack: &str) -> bool {
        self.words.iter().all(|word| word.matches(session, haystack))
    }
}

impl Word {
    /// Whether the session matches this word. `haystack` is its [`haystack`].
    pub fn matches(&self, session: &Session, haystack: &str) -> bool {
        let text = self.text.as_str();
        let named = |name: &str, id: String| fold(name).contains(text) || id.contains(text);
        match self.field {
            None => haystack.contains(text) || session.status.code().contains(text) || error_contains(session, text),
            Some(Field::User) => named(&session.username, session.user_id.to_string()),
            Some(Field::Environment) => named(&session.environment, session.environment_id.to_string()),
            Some(Field::Application) => named(&session.application, session.application_id.to_string()),
            Some(Field::Status) => session.status.code().starts_with(text),
            Some(Field::Connected) => {
                let names = if session.connected() {
                    ["yes", "true"]
                } else {
                    ["no", "false"]
                };
                names.iter().any(|name| name.starts_with(text))
            }
            Some(Field::Id) => session.id.to_string().contains(text),
            Some(Field::Node) => fold(&session.node) == text,
            Some(Field::Error) => error_contains(session, text),
        }
    }
}

/// Whether the error text matches. Only a session in Error shows one.
fn error_contains(session: &Session, text: &str) -> bool {
    let error = session.error.as_deref().filter(|_| session.status == Status::Error);
    error.is_some_and(|error| fold(error).contains(text))
}

/// One sentence about the likely mistake in a search: an unknown keyword, an impossible value, an
/// open quote. The search runs anyway. Needs no accent tables, so the browser can call it on every
/// key press.
pub fn advice(text: &str) -> Option<String> {
    let keywords = KEYWORDS.map(|(keyword, ..)| keyword);
    let impossible = |part: &words::Part<Field>| {
        let value = part.text.to_lowercase();
        match part.field {
            Some(Field::Status) if !Status::ALL.iter().any(|status| status.code().starts_with(&value)) => Some(
                format!("“status:{value}” matches nothing. A status is pending, active, expired or error."),
            ),
            Some(Field::Connected)
                if !["yes", "no", "true", "false"]
                    .iter()
                    .any(|name| name.starts_with(&value)) =>
            {
                Some(format!(
                    "“connected:{value}” matches nothing. Use connected:yes or connected:no."
                ))
            }
            _ => None,
        }
    };
    words::advice(text, &FIELDS, &keywords).or_else(|| words::split(text, &FIELDS).iter().find_map(impossible))
}

/// The keywords that start with the last word of `text`, each with the completed search.
pub fn completions(text: &str) -> Vec<(&'static str, String)> {
    let start = text.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let (before, word) = text.split_at(start);
    let word = word.to_ascii_lowercase();
    let begins = |keyword: &&str| !word.is_empty() && keyword.starts_with(&word) && *keyword != word;
    let keywords = KEYWORDS.iter().map(|(keyword, ..)| *keyword).filter(begins);
    keywords
        .map(|keyword| (keyword, format!("{before}{keyword}")))
        .collect()
}

/// The folded text that a word without a field must match, as one line. It excludes the status, so
/// it never changes.
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

/// The folded environment, username and application of a [`haystack`], in this order, for sorting.
pub fn folded_names(haystack: &str) -> [&str; 3] {
    let mut parts = haystack.split('\t');
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_its_word() {
        for (text, field) in FIELDS {
            let query = Query::parse(&format!("{}x", text.to_ascii_uppercase())).unwrap();
            let word = Word {
                field: Some(field),
                text: "x".into(),
            };
            assert_eq!(query.words, [word]);
        }
    }

    #[test]
    fn each_offered_keyword_is_a_field() {
        for (keyword, _, example) in KEYWORDS {
            assert!(FIELDS.iter().any(|(name, _)| *name == keyword), "{keyword}");
            assert!(example.starts_with(keyword), "{example}");
            assert_eq!(advice(example), None, "{example}");
        }
    }

    #[test]
    fn a_likely_mistake_is_named() {
        for (text, advice_begins) in [
            ("usr:admin", "“usr:” isn’t a keyword. Did you mean user:?"),
            ("jane Stauts:active", "“stauts:” isn’t a keyword. Did you mean status:?"),
            ("colour:red", "“colour:” isn’t a keyword. Keywords are user:, env:"),
            ("status:running", "“status:running” matches nothing."),
            ("connected:maybe", "“connected:maybe” matches nothing."),
            ("\"jane doe", "The quote isn’t closed."),
        ] {
            let found = advice(text).unwrap_or_default();
            assert!(found.starts_with(advice_begins), "{text}: {found}");
        }
        for fine in [
            "",
            "jane",
            "user:",
            "username:jane state:act",
            "\"a: b\"",
            "14:05",
            "https://x",
            "connected:TRUE",
        ] {
            assert_eq!(advice(fine), None, "{fine}");
        }
    }

    #[test]
    fn the_beginning_of_a_keyword_is_completed() {
        let offered = |text: &str| {
            completions(text)
                .into_iter()
                .map(|(_, search)| search)
                .collect::<Vec<_>>()
        };
        assert_eq!(offered("us"), ["user:"]);
        assert_eq!(offered("jane E"), ["jane env:", "jane error:"]);
        assert_eq!(offered("user:"), [""; 0]);
        assert_eq!(offered("jane "), [""; 0]);
        assert_eq!(offered("é us"), ["é user:"]);
    }

    #[test]
    fn the_names_of_a_haystack_are_found_again() {
        let line = "lab a\tjane\tterminal\t0199";
        assert_eq!(folded_names(line), ["lab a", "jane", "terminal"]);
        assert_eq!(folded_names(""), ["", "", ""]);
    }
}
