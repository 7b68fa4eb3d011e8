//! What is looked for in sessions: words that must all be found, anywhere in a session or in a named field. The grammar is
//! that of [`crate::words`]; the fields are `user: env: app: status: connected: id: node:`. The same text means the same in the
//! page, the URL and the API.

use crate::{Session, words};

pub use crate::words::{MAX_CHARS, check, fold};

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
    /// Name of the node that runs it.
    Node,
}

/// The fields by what is typed.
const FIELDS: [(&str, Field); 7] = [
    ("user:", Field::User),
    ("env:", Field::Environment),
    ("app:", Field::Application),
    ("status:", Field::Status),
    ("connected:", Field::Connected),
    ("id:", Field::Id),
    ("node:", Field::Node),
];

/// One word or phrase.
pub type Word = words::Word<Field>;

/// A parsed search. Empty = everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// All of them must be found.
    pub words: Vec<Word>,
}

impl Query {
    /// Reads a search. Never fails on content, only on length: whatever is not a known field is a word.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = words::parse(text, &FIELDS)?;
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
            Some(Field::Node) => fold(&session.node) == text,
        }
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
    fn the_names_of_a_haystack_are_found_again() {
        let line = "lab a\tjane\tterminal\t0199";
        assert_eq!(folded_names(line), ["lab a", "jane", "terminal"]);
        assert_eq!(folded_names(""), ["", "", ""]);
    }
}
