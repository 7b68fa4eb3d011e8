//! The columns of the Sessions page: order, headers and what is visible at first. These are contracts (SPEC.md §4).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A column of the Sessions table, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Full id, copyable.
    SessionId,
    /// Full id, copyable.
    EnvironmentId,
    /// Name of the environment at launch.
    Environment,
    /// Word, icon and colour.
    Status,
    /// Full id, copyable.
    UserId,
    /// Name of the user at launch.
    Username,
    /// Open in a browser tab right now?
    Connected,
    /// When the launch was accepted.
    StartDate,
    /// Its live age.
    StartedAgo,
    /// Latest moment of access.
    ValidUntil,
}

impl Column {
    /// Every column, in order.
    pub const ALL: [Self; 10] = [
        Self::SessionId,
        Self::EnvironmentId,
        Self::Environment,
        Self::Status,
        Self::UserId,
        Self::Username,
        Self::Connected,
        Self::StartDate,
        Self::StartedAgo,
        Self::ValidUntil,
    ];

    /// The header, word for word.
    pub const fn header(self) -> &'static str {
        match self {
            Self::SessionId => "Session ID",
            Self::EnvironmentId => "Environment ID",
            Self::Environment => "Environment",
            Self::Status => "Status",
            Self::UserId => "User ID",
            Self::Username => "Username",
            Self::Connected => "Connected",
            Self::StartDate => "Start date",
            Self::StartedAgo => "Started ago",
            Self::ValidUntil => "Valid until",
        }
    }

    /// What the column tells, for the Columns menu.
    pub const fn description(self) -> &'static str {
        match self {
            Self::SessionId => "Id of the session (useful for support if there is a problem)",
            Self::EnvironmentId => "Id of the environment it was launched from (useful for support)",
            Self::Environment => "The environment the session was launched from",
            Self::Status => "Pending, Active, Expired or Error",
            Self::UserId => "Id of the user that launched the session (useful for support)",
            Self::Username => "Name of the user who launched the session",
            Self::Connected => "If this session is open in a browser tab right now",
            Self::StartDate => "Date and time that the session was started",
            Self::StartedAgo => "How long ago the session was started",
            Self::ValidUntil => "Date and time until which the session is available",
        }
    }

    /// The word in URLs and stored choices; also the API's field to sort by where it has one.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SessionId => "id",
            Self::EnvironmentId => "environment_id",
            Self::Environment => "environment",
            Self::Status => "status",
            Self::UserId => "user_id",
            Self::Username => "username",
            Self::Connected => "connected",
            Self::StartDate => "started_at",
            Self::StartedAgo => "age",
            Self::ValidUntil => "valid_until",
        }
    }

    /// Visible until the administrator says otherwise?
    pub const fn visible_by_default(self) -> bool {
        !matches!(self, Self::SessionId | Self::EnvironmentId | Self::UserId)
    }
}

impl FromStr for Column {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|column| column.code() == text)
            .ok_or_else(|| format!("“{text}” is not a column"))
    }
}

/// Which columns an administrator shows: kept on the server as a list of codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Visible columns, in the order of the page.
    pub visible: Vec<Column>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            visible: Column::ALL
                .into_iter()
                .filter(|column| column.visible_by_default())
                .collect(),
        }
    }
}

impl Choice {
    /// Is the column shown?
    pub fn shows(&self, column: Column) -> bool {
        self.visible.contains(&column)
    }

    /// The choice with one column shown or hidden.
    #[must_use]
    pub fn with(&self, column: Column, shown: bool) -> Self {
        let keep = |c: &Column| if *c == column { shown } else { self.shows(*c) };
        Self {
            visible: Column::ALL.into_iter().filter(keep).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_headers_in_the_order_of_the_reference_page_three_of_them_hidden() {
        let page = include_str!("../tests/reference-columns.txt");
        let ours: Vec<_> = Column::ALL
            .iter()
            .map(|c| {
                format!(
                    "{} | {}",
                    c.header(),
                    if c.visible_by_default() { "Visible" } else { "Hidden" }
                )
            })
            .collect();
        assert_eq!(ours, page.lines().collect::<Vec<_>>());
    }

    #[test]
    fn showing_and_hiding_keeps_the_order_of_the_page() {
        let choice = Choice::default()
            .with(Column::UserId, true)
            .with(Column::Environment, false);
        assert!(choice.shows(Column::UserId) && !choice.shows(Column::Environment));
        assert!(choice.visible.is_sorted());
    }
}
