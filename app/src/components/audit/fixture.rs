//! Events for the tests of this folder.

use session::{
    Timestamp,
    audit::{Entry, Row},
};

/// An event with this number.
pub fn row(id: u64) -> Row {
    let entry = Entry {
        id,
        at: Timestamp::default(),
        kind: "expired".into(),
        who: "jane".into(),
        what: "Expired by jane".into(),
        session_id: None,
        reason: None,
        address: None,
        request_id: None,
        revision: 1,
    };
    Row { entry, about: None }
}
