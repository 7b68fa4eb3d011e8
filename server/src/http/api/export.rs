//! `GET /api/v1/sessions.csv`: all sessions of a view with all columns, for a spreadsheet. They are
//! one snapshot, which is sent while it is formatted.

use std::{borrow::Cow, convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::Response,
};
use futures::stream;
use session::{Session, Timestamp, columns::Column, format};

use super::{
    file::{self, harmless},
    sessions::{Parameters, view},
};
use crate::http::{AppState, authentication::Person, problem::Refused};

/// Rows in one part of the file.
const PART: usize = 500;

/// Answers with the list as a file.
pub async fn sessions(
    State(state): State<AppState>,
    Person(me): Person,
    query: Parameters,
) -> Result<Response, Refused> {
    let rows = state.control.export(&me, &view(&query)?)?;
    let now = state.control.now();
    let body = Body::from_stream(stream::iter(Parts { rows, now, next: 0 }));
    Ok(file::answer("sessions", now, body))
}

/// The file in parts; the first begins with the headers.
struct Parts {
    rows: Vec<Arc<Session>>,
    now: Timestamp,
    next: usize,
}

impl Iterator for Parts {
    type Item = Result<Bytes, Infallible>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > 0 && self.next >= self.rows.len() {
            return None;
        }
        let end = (self.next + PART).min(self.rows.len());
        let first = (self.next == 0).then(|| Column::ALL.map(|column| column.header().to_owned()));
        let cells = |row: &Arc<Session>| Column::ALL.map(|column| harmless(cell(row, column, self.now)).into_owned());
        let rows = self.rows[self.next..end].iter().map(cells);
        let text = match first {
            Some(headers) => file::first(std::iter::once(headers).chain(rows)),
            None => file::rows(rows),
        };
        self.next = end.max(1);
        Some(Ok(text))
    }
}

fn cell(row: &Session, column: Column, now: Timestamp) -> Cow<'_, str> {
    let time = |at: Option<Timestamp>| at.map(format::iso).unwrap_or_default().into();
    let end = row.end.as_ref();
    match column {
        Column::SessionId => row.id.to_string().into(),
        Column::EnvironmentId => row.environment_id.to_string().into(),
        Column::Environment => (*row.environment).into(),
        Column::Status => row.status.label().into(),
        Column::UserId => row.user_id.to_string().into(),
        Column::Username => (*row.username).into(),
        Column::Connected => if row.connected() { "Yes" } else { "No" }.into(),
        Column::StartDate => time(Some(row.started_at)),
        Column::StartedAgo => format::ago(now - row.started_at).into(),
        Column::ValidUntil => time(Some(row.valid_until)),
        Column::Application => (*row.application).into(),
        Column::Ended => time(end.map(|end| end.at)),
        Column::EndedBy => end.map(|end| &*end.by).unwrap_or_default().into(),
        Column::EndReason => match end {
            Some(end) => match &end.note {
                Some(note) => format!("{}: {note}", end.reason.label()).into(),
                None => end.reason.label().into(),
            },
            None => "".into(),
        },
        Column::Error => row.error.as_deref().unwrap_or_default().into(),
        Column::ConnectedSince => time(row.connected_since),
        Column::NextDeadline => time(session::lifecycle::deadline(row).map(|(at, _)| at)),
        Column::Node => (*row.node).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_is_a_file_with_headers() {
        let now = Timestamp::default();
        let parts: Vec<_> = Parts {
            rows: Vec::new(),
            now,
            next: 0,
        }
        .collect();
        let text: Vec<u8> = parts.into_iter().flat_map(|part| part.unwrap()).collect();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.starts_with("\u{feff}Session ID,Environment ID,Environment,Status,"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
    }
}
