//! Lists as files for a spreadsheet.

use std::borrow::Cow;

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use session::Timestamp;

/// The answer that a browser saves to a file of this name.
pub fn answer(name: &str, now: Timestamp, body: Body) -> Response {
    let name = format!("attachment; filename=\"{name}-{}.csv\"", now.format("%Y%m%dT%H%M%SZ"));
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/csv; charset=utf-8; header=present".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, body).into_response()
}

/// A byte order mark: without it, a spreadsheet takes UTF-8 for an older encoding.
const MARK: &str = "\u{feff}";

/// The first rows of it.
pub fn first<R: IntoIterator<Item: AsRef<[u8]>>>(rows: impl IntoIterator<Item = R>) -> Bytes {
    [MARK.as_bytes(), &self::rows(rows)].concat().into()
}

/// Some more rows of it.
pub fn rows<R: IntoIterator<Item: AsRef<[u8]>>>(rows: impl IntoIterator<Item = R>) -> Bytes {
    let mut text = csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Writing to memory can't fail.
        let _ = text.write_record(row);
    }
    text.into_inner().unwrap_or_default().into()
}

/// A spreadsheet takes a cell that begins so for a formula; an apostrophe before it makes it text (OWASP, "CSV injection").
pub fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}").into()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_people_wrote_is_a_formula() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-2", "'-2"),
            ("@cmd", "'@cmd"),
            ("\t=1", "'\t=1"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(harmless(text.into()), cell);
        }
    }
}
