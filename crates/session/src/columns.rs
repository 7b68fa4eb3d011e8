//! The columns of the Sessions page: order, headers and default visibility. These are contracts
//! (docs/spec.md §4).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{code::UnknownCode, view::Sort};

/// A column of the Sessions table, in default order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Full id, copyable.
    SessionId,
    /// Full id, copyable.
    EnvironmentId,
    /// Name of the environment at launch.
    Environment,
    /// Label, icon and colour.
    Status,
    /// Full id, copyable.
    UserId,
    /// Name of the user at launch.
    Username,
    /// Whether it is open in a browser tab.
    Connected,
    /// Time of the accepted launch.
    StartDate,
    /// Age, updated live.
    StartedAgo,
    /// Latest time of access.
    ValidUntil,
    /// Name of the application at launch.
    Application,
    /// Time of the end of access.
    Ended,
    /// Username of the actor that ended it, or `system`.
    EndedBy,
    /// Reason of the end, with the administrator's note.
    EndReason,
    /// Error text of a session in Error.
    Error,
    /// Start of the current connection.
    ConnectedSince,
    /// Time and effect of the next deadline.
    NextDeadline,
    /// Name of the hosting node.
    Node,
}

impl Column {
    /// All columns: the ten of the reference page in its order, then additional ones.
    pub const ALL: [Self; 18] = [
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
        Self::Application,
        Self::Ended,
        Self::EndedBy,
        Self::EndReason,
        Self::Error,
        Self::ConnectedSince,
        Self::NextDeadline,
        Self::Node,
    ];

    /// Header text, fixed by the contract.
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
            Self::Application => "Application",
            Self::Ended => "Ended",
            Self::EndedBy => "Ended by",
            Self::EndReason => "End reason",
            Self::Error => "Error",
            Self::ConnectedSince => "Connected since",
            Self::NextDeadline => "Next deadline",
            Self::Node => "Node",
        }
    }

    /// Description for the Columns menu.
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
            Self::Application => "The application that was launched",
            Self::Ended => "Date and time that access ended",
            Self::EndedBy => "Who ended it",
            Self::EndReason => "Why it ended",
            Self::Error => "What went wrong",
            Self::ConnectedSince => "Since when it is open in a browser tab",
            Self::NextDeadline => "When a time limit ends it or its start, unless something happens before",
            Self::Node => "The server that runs it",
        }
    }

    /// Code in URLs and stored choices; also the API's sort field for sortable columns.
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
            Self::Application => "application",
            Self::Ended => "ended_at",
            Self::EndedBy => "ended_by",
            Self::EndReason => "end_reason",
            Self::Error => "error",
            Self::ConnectedSince => "connected_since",
            Self::NextDeadline => "next_deadline",
            Self::Node => "node",
        }
    }

    /// Whether it is visible before the administrator changes the choice.
    pub const fn visible_by_default(self) -> bool {
        matches!(
            self,
            Self::Environment
                | Self::Status
                | Self::Username
                | Self::Connected
                | Self::StartDate
                | Self::StartedAgo
                | Self::ValidUntil
        )
    }
}

impl FromStr for Column {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .into_iter()
            .find(|column| column.code() == text)
            .ok_or_else(|| UnknownCode::new(text, "a column"))
    }
}

/// Positions in [`Column::ALL`], used as keys of a list of columns.
pub fn numbers(columns: &[Column]) -> Vec<u128> {
    columns.iter().map(|column| *column as u128).collect()
}

/// The inverse of [`numbers`].
pub fn numbered(number: u128) -> Column {
    let all = Column::ALL.into_iter();
    all.rev()
        .find(|column| *column as u128 <= number)
        .unwrap_or(Column::SessionId)
}

/// An administrator's choice of columns and sort order, stored on the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Choice {
    /// All columns, visible or not, from left to right.
    pub order: Vec<Column>,
    /// Visible columns, in the same order.
    pub visible: Vec<Column>,
    /// Default order of the rows, for addresses that contain none.
    pub sort: Sort,
}

/// A stored choice, possibly from a version with fewer columns.
#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    order: Vec<Column>,
    visible: Vec<Column>,
    #[serde(default)]
    sort: Sort,
}

impl From<Stored> for Choice {
    fn from(stored: Stored) -> Self {
        let mut order = Vec::with_capacity(Column::ALL.len());
        for column in stored.order.into_iter().chain(Column::ALL) {
            if !order.contains(&column) {
                order.push(column);
            }
        }
        Self::of(order, |column| stored.visible.contains(&column), stored.sort)
    }
}

impl Default for Choice {
    fn default() -> Self {
        Self::of(Column::ALL.into(), Column::visible_by_default, Sort::default())
    }
}

impl Choice {
    fn of(order: Vec<Column>, shows: impl Fn(Column) -> bool, sort: Sort) -> Self {
        let visible = order.iter().copied().filter(|column| shows(*column)).collect();
        Self { order, visible, sort }
    }

    /// Whether the column is visible.
    pub fn shows(&self, column: Column) -> bool {
        self.visible.contains(&column)
    }

    /// The choice with one column shown or hidden.
    #[must_use]
    pub fn with(&self, column: Column, shown: bool) -> Self {
        let shows = |c| if c == column { shown } else { self.shows(c) };
        Self::of(self.order.clone(), shows, self.sort)
    }

    /// The choice with one column moved by `places`; it stops at either end.
    #[must_use]
    pub fn moved(&self, column: Column, places: i32) -> Self {
        let mut order = self.order.clone();
        if let Some(from) = order.iter().position(|c| *c == column) {
            let distance = places.unsigned_abs() as usize;
            let to = if places < 0 {
                from.saturating_sub(distance)
            } else {
                (from + distance).min(order.len() - 1)
            };
            order.remove(from);
            order.insert(to, column);
        }
        Self::of(order, |column| self.shows(column), self.sort)
    }

    /// The choice with another order of the rows.
    #[must_use]
    pub fn sorted(&self, sort: Sort) -> Self {
        Self { sort, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_headers_in_the_order_of_the_reference_page_three_of_them_hidden() {
        let page = include_str!("../tests/reference-columns.txt");
        let ours: Vec<_> = Column::ALL[..10]
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
        assert!(
            Column::ALL[10..].iter().all(|column| !column.visible_by_default()),
            "what the page does not know is hidden"
        );
    }

    #[test]
    fn a_column_is_found_by_its_number() {
        for column in Column::ALL {
            assert_eq!(numbered(numbers(&[column])[0]), column);
        }
    }

    #[test]
    fn showing_and_hiding_keeps_the_order() {
        let choice = Choice::default()
            .with(Column::UserId, true)
            .with(Column::Environment, false);
        assert!(choice.shows(Column::UserId) && !choice.shows(Column::Environment));
        assert!(choice.visible.is_sorted());
    }

    #[test]
    fn a_column_moves_past_hidden_ones_too_and_stops_at_the_ends() {
        let choice = Choice::default().moved(Column::Username, -1);
        assert_eq!(choice.order[4..6], [Column::Username, Column::UserId]);
        assert_eq!(
            choice.visible,
            Choice::default().visible,
            "past a hidden column nothing shows"
        );
        assert_eq!(
            Choice::default().moved(Column::Username, -99).visible[0],
            Column::Username
        );
        assert_eq!(
            Choice::default().moved(Column::Environment, 99).order.last(),
            Some(&Column::Environment)
        );
        assert_eq!(Choice::default().moved(Column::SessionId, -1), Choice::default());
    }

    #[test]
    fn a_stored_choice_of_any_age_names_every_column_once() {
        for stored in [
            r#"{"visible":["username","status"]}"#,
            r#"{"order":["username","username"],"visible":["status","username"],"sort":{"column":"username","descending":false}}"#,
        ] {
            let choice: Choice = serde_json::from_str(stored).unwrap();
            let mut all = choice.order.clone();
            all.sort_unstable();
            assert_eq!(all, Column::ALL, "{stored}");
            assert_eq!(choice.visible.len(), 2, "{stored}");
        }
        let choice = Choice::default().moved(Column::Error, -3).with(Column::Error, true);
        let again: Choice = serde_json::from_str(&serde_json::to_string(&choice).unwrap()).unwrap();
        assert_eq!(again, choice);
    }
}
