//! The columns of the Audit page.

use serde::{Deserialize, Serialize};

/// A column of the table of events, from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Time of the event.
    Date,
    /// Actor.
    Who,
    /// Description as a sentence.
    What,
    /// Session, its user and its application.
    Session,
    /// Reason that the administrator entered.
    Reason,
    /// Network address of the request.
    Address,
    /// Id of the request.
    RequestId,
}

impl Column {
    /// All columns.
    pub const ALL: [Self; 7] = [
        Self::Date,
        Self::Who,
        Self::What,
        Self::Session,
        Self::Reason,
        Self::Address,
        Self::RequestId,
    ];

    /// Header text.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Date => "Date",
            Self::Who => "Who",
            Self::What => "What",
            Self::Session => "Session",
            Self::Reason => "Reason",
            Self::Address => "Address",
            Self::RequestId => "Request ID",
        }
    }

    /// Description for the Columns menu.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Date => "Date and time of the event",
            Self::Who => "The user, system or environment that caused the event",
            Self::What => "What happened",
            Self::Session => "Id, user and application of the session",
            Self::Reason => "The reason that the administrator gave",
            Self::Address => "Network address of the request",
            Self::RequestId => "Id of the request (useful for support)",
        }
    }

    /// Code in CSS classes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Who => "who",
            Self::What => "what",
            Self::Session => "session",
            Self::Reason => "reason",
            Self::Address => "address",
            Self::RequestId => "request",
        }
    }

    /// Whether the table may omit it. Without its date and its description an event says nothing.
    pub const fn is_optional(self) -> bool {
        !matches!(self, Self::Date | Self::What)
    }
}

/// An administrator's choice of columns, stored on the server. The default shows all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// Hidden columns.
    hidden: Vec<Column>,
}

impl Columns {
    /// Whether the column is visible.
    pub fn shows(&self, column: Column) -> bool {
        !column.is_optional() || !self.hidden.contains(&column)
    }

    /// The choice with one column shown or hidden.
    #[must_use]
    pub fn with(&self, column: Column, shown: bool) -> Self {
        let shows = |c| if c == column { shown } else { self.shows(c) };
        let hidden = Column::ALL
            .into_iter()
            .filter(|column| column.is_optional() && !shows(*column));
        Self {
            hidden: hidden.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_columns_show_by_default_and_two_of_them_always() {
        assert!(Column::ALL.into_iter().all(|column| Columns::default().shows(column)));
        let none = Column::ALL
            .into_iter()
            .fold(Columns::default(), |choice, column| choice.with(column, false));
        let left: Vec<_> = Column::ALL.into_iter().filter(|column| none.shows(*column)).collect();
        assert_eq!(left, [Column::Date, Column::What]);
        assert_eq!(none.with(Column::Date, false), none);
    }

    #[test]
    fn a_column_that_was_hidden_and_shown_again_leaves_the_default() {
        let hidden = Columns::default().with(Column::Address, false);
        assert!(!hidden.shows(Column::Address) && hidden.shows(Column::Who));
        assert_eq!(hidden.with(Column::Address, true), Columns::default());
    }
}
