//! A view of the session list: search, filter, order and page. It is encoded in the URL of the page
//! and of the API, so a link reproduces the list.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Status, code::UnknownCode, columns::Column};

/// Default number of rows on a page.
pub const DEFAULT_LIMIT: u16 = 50;
/// Maximum number of rows on a page.
pub const MAX_LIMIT: u16 = 200;
/// Highest page number accepted.
const MAX_PAGE: u32 = 1_000_000;

/// A column to sort by, with direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sort {
    /// Sort column. Age sorts as the reversed start date.
    pub column: Column,
    /// Whether the largest value comes first.
    pub descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self {
            column: Column::StartDate,
            descending: true,
        }
    }
}

impl Sort {
    /// `-started_at`: a minus means descending.
    pub fn code(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.column.code())
    }
}

impl FromStr for Sort {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let column = text.strip_prefix('-');
        Ok(Self {
            column: column.unwrap_or(text).parse()?,
            descending: column.is_some(),
        })
    }
}

/// Search, filters, order and page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    /// Search text as typed. See [`crate::query`].
    pub q: String,
    /// Filter by this status.
    pub status: Option<Status>,
    /// Whether to show only connected sessions.
    pub connected: bool,
    /// Order, if the address contains one.
    pub sort: Option<Sort>,
    /// Rows on a page, 1 to [`MAX_LIMIT`].
    pub limit: u16,
    /// Page number, from 1. Ignored if there is a cursor.
    pub page: u32,
    /// Row before the page: `next_cursor` of an earlier response.
    pub cursor: Option<String>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            q: String::new(),
            status: None,
            connected: false,
            sort: None,
            limit: DEFAULT_LIMIT,
            page: 1,
            cursor: None,
        }
    }
}

impl View {
    /// The effective order of the rows.
    pub fn order(&self) -> Sort {
        self.sort.unwrap_or_default()
    }

    /// The same list from its first page.
    #[must_use]
    pub fn from_the_top(self) -> Self {
        Self {
            page: 1,
            cursor: None,
            ..self
        }
    }

    /// Parses the parameters of a URL. Ignores unknown names; an invalid value is an error that
    /// names it.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let sentence = |error: UnknownCode| error.to_string();
        let mut view = Self::default();
        for (name, value) in pairs {
            match name {
                "q" => value.clone_into(&mut view.q),
                "status" if value.is_empty() => view.status = None,
                "status" => view.status = Some(value.parse().map_err(sentence)?),
                "connected" => view.connected = yes(name, value)?,
                "sort" => view.sort = Some(value.parse().map_err(sentence)?),
                "limit" => view.limit = number(name, value, u32::from(MAX_LIMIT))?,
                "page" => view.page = number(name, value, MAX_PAGE)?,
                "cursor" if !value.is_empty() => view.cursor = Some(value.to_owned()),
                _ => {}
            }
        }
        view.check()?;
        Ok(view)
    }

    /// Validates a view that arrived as JSON and so bypassed [`View::from_pairs`].
    pub fn check(&self) -> Result<(), String> {
        between("limit", u32::from(self.limit), u32::from(MAX_LIMIT))?;
        between("page", self.page, MAX_PAGE)?;
        crate::query::check(&self.q)
    }

    /// The parameters that differ from the default, before percent-encoding.
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let plain = Self::default();
        let mut pairs = Vec::new();
        if self.q != plain.q {
            pairs.push(("q", self.q.clone()));
        }
        if let Some(status) = self.status {
            pairs.push(("status", status.code().to_owned()));
        }
        if self.connected {
            pairs.push(("connected", "yes".to_owned()));
        }
        if let Some(sort) = self.sort {
            pairs.push(("sort", sort.code()));
        }
        if self.limit != plain.limit {
            pairs.push(("limit", self.limit.to_string()));
        }
        if self.page != plain.page {
            pairs.push(("page", self.page.to_string()));
        }
        if let Some(cursor) = &self.cursor {
            pairs.push(("cursor", cursor.clone()));
        }
        pairs
    }
}

/// Accepts only `yes` and an empty value. Other values would suggest a filter that does not exist.
fn yes(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "yes" => Ok(true),
        "" => Ok(false),
        other => Err(format!("“{name}” can only be “yes”, not “{other}”.")),
    }
}

fn number<T: FromStr>(name: &str, value: &str, high: u32) -> Result<T, String> {
    value.parse().map_err(|_| not_between(name, value, high))
}

fn between(name: &str, value: u32, high: u32) -> Result<(), String> {
    let is_between = (1..=high).contains(&value);
    is_between.then_some(()).ok_or_else(|| not_between(name, value, high))
}

fn not_between(name: &str, value: impl std::fmt::Display, high: u32) -> String {
    format!("“{name}” must be a whole number from 1 to {high}, not “{value}”.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_survives_the_trip_through_a_url() {
        let view = View {
            q: "user:jane \"a b\"".into(),
            status: Some(Status::Error),
            connected: true,
            sort: Some(Sort {
                column: Column::Username,
                descending: false,
            }),
            limit: 20,
            page: 3,
            cursor: None,
        };
        let pairs = view.to_pairs();
        let back = View::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        assert_eq!(back, Ok(view));
        assert_eq!(View::default().to_pairs(), [], "the plain view has a plain address");
    }

    #[test]
    fn bad_values_are_refused_and_named() {
        for (name, value) in [
            ("limit", "0"),
            ("limit", "201"),
            ("limit", "70000"),
            ("page", "x"),
            ("page", "0"),
            ("status", "gone"),
            ("connected", "no"),
            ("sort", "-colour"),
        ] {
            let error = View::from_pairs([(name, value)]).unwrap_err();
            assert!(error.contains(value.trim_start_matches('-')), "{error}");
        }
        assert!(View::from_pairs([("utm", "x")]).is_ok());
        for json in [
            r#""limit":201,"page":1"#,
            r#""limit":0,"page":1"#,
            r#""limit":50,"page":0"#,
        ] {
            let json = format!(r#"{{"q":"","status":null,"connected":false,"sort":null,"cursor":null,{json}}}"#);
            assert!(serde_json::from_str::<View>(&json).unwrap().check().is_err(), "{json}");
        }
    }
}
