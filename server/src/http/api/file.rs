//! CSV files of lists, for spreadsheets.

use std::borrow::Cow;

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use session::Timestamp;

/// An answer that a browser saves to a file. The file's name is `name` and the time.
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

/// Byte order mark. Without it, spreadsheets assume another encoding than UTF-8.
const MARK: &str = "\u{feff}";

/// The first rows of the file.
pub fn first<R: IntoIterator<Item: AsRef<[u8]>>>(rows: impl IntoIterator<Item = R>) -> Bytes {
    [MARK.as_bytes(), &self::rows(rows)].concat().into()
}

/// Further rows of the file.
pub fn rows<R: IntoIterator<Item: AsRef<[u8]>>>(rows: impl IntoIterator<Item = R>) -> Bytes {
    let mut text = csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Writing to memory can't fail.
        let _ = text.write_record(row);
    }
    text.into_inner().unwrap_or_default().into()
}

/// Makes a cell safe that a spreadsheet would run as a formula: an apostrophe in front makes it
/// text (OWASP, "CSV injection").
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
