//! A view of the session list: search, filter, order and page. It is encoded in the URL of the page
//! and of the API, so a link reproduces the list.

use std::{error::Error, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Status, code::UnknownCode, columns::Column, query::SearchTooLong};

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

/// A view with an invalid parameter. Its text is a sentence for the person who wrote the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidView {
    /// A status or a column that does not exist.
    Code(UnknownCode),
    /// A switch with a value other than `yes`.
    Switch {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// A number outside its limits, or no number.
    Number {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// Largest possible value; the smallest is 1.
        max: u32,
    },
    /// The search is too long.
    Search(SearchTooLong),
}

impl fmt::Display for InvalidView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(error) => error.fmt(f),
            Self::Switch { name, value } => write!(f, "“{name}” can only be “yes”, not “{value}”."),
            Self::Number { name, value, max } => {
                write!(f, "“{name}” must be a whole number from 1 to {max}, not “{value}”.")
            }
            Self::Search(error) => error.fmt(f),
        }
    }
}

impl Error for InvalidView {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Code(error) => Some(error),
            Self::Search(error) => Some(error),
            Self::Switch { .. } | Self::Number { .. } => None,
        }
    }
}

impl From<UnknownCode> for InvalidView {
    fn from(error: UnknownCode) -> Self {
        Self::Code(error)
    }
}

impl From<SearchTooLong> for InvalidView {
    fn from(error: SearchTooLong) -> Self {
        Self::Search(error)
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
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, InvalidView> {
        let mut view = Self::default();
        for (name, value) in pairs {
            match name {
                "q" => value.clone_into(&mut view.q),
                "status" if value.is_empty() => view.status = None,
                "status" => view.status = Some(value.parse()?),
                "connected" => view.connected = yes("connected", value)?,
                "sort" => view.sort = Some(value.parse()?),
                "limit" => view.limit = number("limit", value, u32::from(MAX_LIMIT))?,
                "page" => view.page = number("page", value, MAX_PAGE)?,
                "cursor" if !value.is_empty() => view.cursor = Some(value.to_owned()),
                _ => {}
            }
        }
        view.check()?;
        Ok(view)
    }

    /// Validates a view that arrived as JSON and so bypassed [`View::from_pairs`].
    pub fn check(&self) -> Result<(), InvalidView> {
        between("limit", u32::from(self.limit), u32::from(MAX_LIMIT))?;
        between("page", self.page, MAX_PAGE)?;
        Ok(crate::query::check(&self.q)?)
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
fn yes(name: &'static str, value: &str) -> Result<bool, InvalidView> {
    match value {
        "yes" => Ok(true),
        "" => Ok(false),
        other => Err(InvalidView::Switch {
            name,
            value: other.to_owned(),
        }),
    }
}

fn number<T: FromStr>(name: &'static str, value: &str, max: u32) -> Result<T, InvalidView> {
    value.parse().map_err(|_| not_between(name, value, max))
}

fn between(name: &'static str, value: u32, max: u32) -> Result<(), InvalidView> {
    let is_between = (1..=max).contains(&value);
    is_between.then_some(()).ok_or_else(|| not_between(name, value, max))
}

fn not_between(name: &'static str, value: impl fmt::Display, max: u32) -> InvalidView {
    InvalidView::Number {
        name,
        value: value.to_string(),
        max,
    }
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
            let error = View::from_pairs([(name, value)]).unwrap_err().to_string();
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
