//! A view of the audit log, as encoded in the address of the page and of the API.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use super::{DEFAULT_LIMIT, MAX_LIMIT, Place};

/// A view with an invalid parameter. Its text is a sentence for the person who wrote the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidView {
    /// The size of the page is outside its limits, or no number.
    Limit(String),
    /// The start of the page is no number of an event.
    Place {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: String,
    },
}

impl fmt::Display for InvalidView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(value) => write!(f, "“limit={value}” must be a number from 1 to {MAX_LIMIT}."),
            Self::Place { name, value } => write!(f, "“{name}={value}” is no event’s number."),
        }
    }
}

impl Error for InvalidView {}

/// A search and a page of its results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Search text as typed. See [`super::Query`].
    pub q: String,
    /// Maximum number of events on the page.
    pub limit: u16,
    /// Start of the page.
    pub place: Place,
}

impl Default for View {
    fn default() -> Self {
        Self {
            q: String::new(),
            limit: DEFAULT_LIMIT,
            place: Place::Newest,
        }
    }
}

impl View {
    /// Parses the parameters of an address. Ignores unknown names; an invalid value is an error
    /// that names it.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, InvalidView> {
        let mut view = Self::default();
        for (name, value) in pairs {
            match name {
                "q" => value.clone_into(&mut view.q),
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                    view.limit = limit.ok_or_else(|| InvalidView::Limit(value.to_owned()))?;
                }
                "before" if !value.is_empty() => view.place = Place::Before(number("before", value)?),
                "after" if !value.is_empty() => view.place = Place::After(number("after", value)?),
                _ => {}
            }
        }
        Ok(view)
    }

    /// The parameters that differ from the default, before percent-encoding.
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if !self.q.is_empty() {
            pairs.push(("q", self.q.clone()));
        }
        if self.limit != DEFAULT_LIMIT {
            pairs.push(("limit", self.limit.to_string()));
        }
        match self.place {
            Place::Newest => {}
            Place::Before(id) => pairs.push(("before", id.to_string())),
            Place::After(id) => pairs.push(("after", id.to_string())),
        }
        pairs
    }
}

fn number(name: &'static str, value: &str) -> Result<u64, InvalidView> {
    value.parse().map_err(|_| InvalidView::Place {
        name,
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for view in [
            View::default(),
            View {
                q: "who:jane & \"é\"".into(),
                limit: 200,
                place: Place::Before(7),
            },
            View {
                place: Place::After(u64::MAX),
                ..View::default()
            },
        ] {
            let pairs = view.to_pairs();
            let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
            assert_eq!(View::from_pairs(pairs), Ok(view));
        }
        assert_eq!(
            View::from_pairs([("colour", "red"), ("before", "")]),
            Ok(View::default())
        );
    }

    #[test]
    fn bad_values_are_named() {
        for (name, value) in [
            ("limit", "0"),
            ("limit", "201"),
            ("limit", "x"),
            ("before", "-1"),
            ("after", "x"),
            ("before", "99999999999999999999"),
        ] {
            let error = View::from_pairs([(name, value)]).unwrap_err().to_string();
            assert!(error.contains(&format!("{name}={value}")), "{error}");
        }
    }
}
