//! The search of the Audit page. [`crate::words`] defines the grammar.
//!
//! `who: what: session: reason: address: request:` restrict a word to a column. `user: app: env:`
//! match the subject of an event: names and ids in the event, and those of its session while that
//! is in the list. `after:` and `before:` take a date, optionally with a time.

use std::{
    error::Error,
    fmt::{self, Display},
};

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::{Numbered, who};
use crate::{
    Actor, EventKind, Session, SessionId, Timestamp,
    event::ApplicationChange,
    timeline,
    words::{self, SearchTooLong, fold},
};

/// The field that a word is restricted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Username, `system` or `environment`.
    Who,
    /// The sentence or the event's code.
    What,
    /// Session id.
    Session,
    /// Reason that the administrator entered.
    Reason,
    /// Network address.
    Address,
    /// Request id.
    Request,
    /// The actor, the subject or the session's user: name or id.
    User,
    /// Application of the event: name or id.
    Application,
    /// Environment of the event: name or id.
    Environment,
    /// At or after this time.
    After,
    /// Before this time.
    Before,
}

const FIELDS: [(&str, Field); 11] = [
    ("who:", Field::Who),
    ("what:", Field::What),
    ("session:", Field::Session),
    ("reason:", Field::Reason),
    ("address:", Field::Address),
    ("request:", Field::Request),
    ("user:", Field::User),
    ("app:", Field::Application),
    ("env:", Field::Environment),
    ("after:", Field::After),
    ("before:", Field::Before),
];

/// A search that cannot run. Its text is a sentence for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidQuery {
    /// It is too long.
    TooLong(SearchTooLong),
    /// `after:` or `before:` without a valid date.
    Time {
        /// Keyword, with its colon.
        keyword: &'static str,
        /// Its value, folded.
        value: String,
    },
}

impl Display for InvalidQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(error) => error.fmt(f),
            Self::Time { keyword, value } => write!(
                f,
                "“{keyword}{value}” isn’t a valid date. Write a day as {keyword}2026-11-01, or a day and a time in UTC as {keyword}2026-11-01T14:05."
            ),
        }
    }
}

impl Error for InvalidQuery {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::TooLong(error) => Some(error),
            Self::Time { .. } => None,
        }
    }
}

impl From<SearchTooLong> for InvalidQuery {
    fn from(error: SearchTooLong) -> Self {
        Self::TooLong(error)
    }
}

/// A parsed search; empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// All must match; never [`Field::After`] or [`Field::Before`].
    pub words: Vec<words::Word<Field>>,
    /// Lower time limit, inclusive.
    pub from: Option<Timestamp>,
    /// Upper time limit, exclusive.
    pub until: Option<Timestamp>,
    /// Only this session, if the search contains a complete session id.
    pub session: Option<SessionId>,
}

impl Query {
    /// Parses a search. An invalid time is an error that quotes it.
    pub fn parse(text: &str) -> Result<Self, InvalidQuery> {
        let mut query = Self::default();
        for word in words::parse(text, &FIELDS)? {
            match word.field {
                Some(Field::After) => query.from = query.from.max(Some(moment("after:", &word.text)?)),
                Some(Field::Before) => {
                    let until = moment("before:", &word.text)?;
                    query.until = Some(query.until.map_or(until, |known| known.min(until)));
                }
                Some(Field::Session) if word.text.len() == 36 && query.session.is_none() => {
                    query.session = word.text.parse().ok();
                    query.words.push(word);
                }
                _ => query.words.push(word),
            }
        }
        Ok(query)
    }

    /// Whether all words match the event. `session` is its session, while that is in the list.
    /// Ignores the time limits: the store applies them, because it keeps the events in order.
    pub fn matches(&self, numbered: &Numbered, session: Option<&Session>) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let text = Text::of(numbered, session);
        self.words.iter().all(|word| text.has(word.field, &word.text))
    }
}

/// The searchable text of an event, folded.
struct Text {
    who: String,
    what: String,
    session: String,
    reason: String,
    address: String,
    request: String,
    user: String,
    application: String,
    environment: String,
}

impl Text {
    fn of(numbered: &Numbered, session: Option<&Session>) -> Self {
        let event = &numbered.event;
        let (mut user, mut application, mut environment) = (String::new(), String::new(), String::new());
        let (mut address, mut request) = (String::new(), String::new());
        if let Actor::Person { user_id, username, .. } = &event.actor {
            named(&mut user, username, user_id);
        }
        if let Some(origin) = event.actor.origin() {
            add(&mut address, &origin.address);
            add(&mut request, &origin.request_id);
        }
        match &event.what {
            EventKind::LaunchRefused { application: name, .. } => add(&mut application, name),
            EventKind::ApplicationChanged {
                application_id,
                name,
                change,
            } => {
                named(&mut application, name, application_id);
                if let ApplicationChange::Added(spec) | ApplicationChange::Edited(spec) = change {
                    add(&mut environment, &spec.environment_id.to_string());
                }
            }
            EventKind::EnvironmentChanged {
                environment_id, name, ..
            } => named(&mut environment, name, environment_id),
            EventKind::UserChanged { user_id, username, .. } => named(&mut user, username, user_id),
            EventKind::SignInFailed {
                username: Some(username),
                ..
            } => add(&mut user, username),
            _ => {}
        }
        if let Some(session) = session {
            named(&mut user, &session.username, session.user_id);
            named(&mut application, &session.application, session.application_id);
            named(&mut environment, &session.environment, session.environment_id);
        }
        let reason = timeline::note(event).map(|note| fold(note)).unwrap_or_default();
        Self {
            who: fold(&who(&event.actor)),
            what: format!("{}\n{}", fold(&timeline::sentence(event)), event.what.code()),
            session: event.session_id.map(|id| id.to_string()).unwrap_or_default(),
            reason,
            address,
            request,
            user,
            application,
            environment,
        }
    }

    fn has(&self, field: Option<Field>, word: &str) -> bool {
        let part = match field {
            None => return self.parts().any(|part| part.contains(word)),
            Some(Field::Who) => &self.who,
            Some(Field::What) => &self.what,
            Some(Field::Session) => &self.session,
            Some(Field::Reason) => &self.reason,
            Some(Field::Address) => &self.address,
            Some(Field::Request) => &self.request,
            Some(Field::User) => &self.user,
            Some(Field::Application) => &self.application,
            Some(Field::Environment) => &self.environment,
            // `parse` has removed times from the words.
            Some(Field::After | Field::Before) => return true,
        };
        part.contains(word)
    }

    fn parts(&self) -> impl Iterator<Item = &String> {
        [
            &self.what,
            &self.who,
            &self.session,
            &self.reason,
            &self.address,
            &self.request,
            &self.user,
            &self.application,
            &self.environment,
        ]
        .into_iter()
    }
}

/// Appends a text on its own line, so that no word matches across two texts.
fn add(to: &mut String, text: &str) {
    to.push('\n');
    to.push_str(&fold(text));
}

fn named(to: &mut String, name: &str, id: impl Display) {
    add(to, name);
    add(to, &id.to_string());
}

/// `2026-11-01` (start of the day), `2026-11-01T14:05` or `2026-11-01T14:05:09`, all in UTC; a
/// trailing `Z` is allowed.
fn moment(keyword: &'static str, text: &str) -> Result<Timestamp, InvalidQuery> {
    let wrong = || InvalidQuery::Time {
        keyword,
        value: text.to_owned(),
    };
    let (day, time) = text.split_once('t').unwrap_or((text, "00:00"));
    let date = match day.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] => date(digits(year, 4), digits(month, 2), digits(day, 2)),
        _ => None,
    };
    let time: Vec<_> = time
        .trim_end_matches('z')
        .split(':')
        .map(|part| digits(part, 2))
        .collect();
    let moment = match (date, &time[..]) {
        // 24:00 is the end of the day.
        (Some(date), [Some(24), Some(0)]) => date.checked_add_days(Days::new(1)).map(NaiveDateTime::from),
        (Some(date), [Some(hour), Some(minute)]) => date.and_hms_opt(*hour, *minute, 0),
        (Some(date), [Some(hour), Some(minute), Some(second)]) => date.and_hms_opt(*hour, *minute, *second),
        _ => None,
    };
    moment.map(|moment| moment.and_utc()).ok_or_else(wrong)
}

fn date(year: Option<u32>, month: Option<u32>, day: Option<u32>) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year?.try_into().ok()?, month?, day?)
}

/// Parses a number of exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
