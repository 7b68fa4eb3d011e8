//! The table of events.

use leptos::prelude::*;
use session::{SessionId, audit::Entry, format};

use crate::components::sessions::view_url::SESSIONS_PATH;

const HEADERS: [&str; 7] = ["Date", "Who", "What", "Session", "Reason", "Address", "Request ID"];

/// The events, newest first; only the headers if there are none.
#[component]
pub fn Events(
    /// Events.
    items: Vec<Entry>,
) -> impl IntoView {
    let headers = HEADERS.map(|header| view! { <th scope="col">{header}</th> });
    view! {
        <div class="table-scroll" role="region" aria-label="Events" tabindex="0">
            <table class="table" aria-label="Audit">
                <thead>
                    <tr>{headers.into_iter().collect_view()}</tr>
                </thead>
                <tbody>{items.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn row(entry: Entry) -> impl IntoView {
    let cell =
        |text: Option<std::sync::Arc<str>>| text.map(|text| view! { <div class="cell">{text.to_string()}</div> });
    let code = |text: String| view! { <code>{text}</code> };
    let session = entry.session_id.map(|id| session(id, entry.about));
    let iso = format::iso(entry.at);
    view! {
        <tr>
            <td class="col-date" data-label=HEADERS[0]>
                <time class="moment" datetime=iso.clone() title=iso>
                    {format::utc_seconds(entry.at)}
                </time>
            </td>
            <td class="col-who" data-label=HEADERS[1]>
                {cell(Some(entry.who))}
            </td>
            <td class="col-what" data-label=HEADERS[2]>
                {entry.what}
            </td>
            <td class="col-ref" data-label=HEADERS[3]>
                {session}
            </td>
            <td class="col-reason" data-label=HEADERS[4]>
                {cell(entry.reason)}
            </td>
            <td class="col-address" data-label=HEADERS[5]>
                {cell(entry.address)}
            </td>
            <td class="col-ref" data-label=HEADERS[6]>
                {entry.request_id.map(|id| code(id.to_string()))}
            </td>
        </tr>
    }
}

/// A link to the session's details, and its user and application while it is in the list.
fn session(id: SessionId, about: Option<String>) -> impl IntoView {
    let about = about.map(|about| view! { <span class="cell-note">{about}</span> });
    view! {
        <div>
            <a href=format!("{SESSIONS_PATH}/{id}")>
                <code>{id.to_string()}</code>
            </a>
            {about}
        </div>
    }
}
