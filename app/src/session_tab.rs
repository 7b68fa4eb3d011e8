//! The session's own tab: plain pages without the browser half, so that nothing but the application's picture loads.
//!
//! `public/tab/tab.js` does the rest in [`live`], and `notices.js` tells how much time is left. When the stream is cut it loads the page anew, and the server answers with
//! [`ended`]: what the user reads is always the log's word, never the tab's guess.

use leptos::prelude::*;
use session::{EndReason, format, wire::SessionView};

use crate::plain_page::document;

/// The application, or that it is starting.
pub fn live(session: &SessionView) -> String {
    let title = session.application.to_string();
    let starting = format!("Starting {title}…");
    let body = view! {
        <main id="screen" data-session=session.id.to_string() aria-label=title.clone()></main>
        <details id="menu" class="menu">
            <summary aria-label="Session menu" title="Session menu (Ctrl+Alt+Shift)"></summary>
            <p id="limits"></p>
            <p id="end-problem" class="reason" role="alert" hidden>
                "The server could not be reached, so the session goes on. Try again."
            </p>
            <p>
                <button type="button" data-end="">
                    "End session"
                </button>
            </p>
        </details>
        <section class="warning" aria-label="Time left">
            <div id="warning" hidden>
                <p role="status">
                    <span id="warning-text"></span>
                    " "
                    <span id="warning-left" aria-hidden="true"></span>
                </p>
                <button type="button" data-end="">
                    "End session now"
                </button>
                <button type="button" id="dismiss" class="quiet">
                    "Dismiss"
                </button>
            </div>
        </section>
        <section id="notice" class="notice" role="status">
            <p id="notice-text">{starting}</p>
            // Appears when nothing has removed it for a while; `noscript` depends on how scripts are turned off.
            <p id="needs-script">"A session needs JavaScript in this tab."</p>
            <button id="notice-action" type="button" hidden></button>
        </section>
        <script type="module" src="/tab/tab.js"></script>
    };
    document(&title, body)
}

/// That it has ended: by whom, why, when.
pub fn ended(session: &SessionView) -> String {
    let by = session.ended_by.as_deref().unwrap_or("system");
    let who = match session.end_reason {
        Some(EndReason::Admin) => format!("Ended by administrator {by}"),
        Some(EndReason::User) => format!("Ended by {by}"),
        _ => "Ended by the system".to_owned(),
    };
    let why = session.end_reason.map(EndReason::sentence);
    let note = session
        .end_note
        .as_deref()
        .map(|note| view! { <p class="reason">"Reason: " {note.to_owned()}</p> });
    let body = view! {
        <main class="page">
            <h1>"Your session has ended"</h1>
            <p>{why}</p>
            {note}
            <dl>
                <dt>"Application"</dt>
                <dd>{session.application.to_string()}</dd>
                <dt>"By"</dt>
                <dd>{who}</dd>
                <dt>"When"</dt>
                <dd>{session.ended_at.map(when)}</dd>
                <dt>"Session ID"</dt>
                <dd>
                    <code>{session.id.to_string()}</code>
                </dd>
            </dl>
            <p>
                <a class="primary" href="/">
                    "My apps"
                </a>
            </p>
        </main>
    };
    document("Your session has ended", body)
}

/// That it is in Error: what went wrong.
pub fn failed(session: &SessionView) -> String {
    let error = session
        .error
        .as_deref()
        .unwrap_or("The environment gave no reason.")
        .to_owned();
    let body = view! {
        <main class="page">
            <h1>{format!("{} is not running", session.application)}</h1>
            <p class="reason">{error}</p>
            <dl>
                <dt>"Started"</dt>
                <dd>{when(session.started_at)}</dd>
                <dt>"Session ID"</dt>
                <dd>
                    <code>{session.id.to_string()}</code>
                </dd>
            </dl>
            <p>
                "Launch it again from My apps. If this goes on, give the session id to your support team."
            </p>
            <p>
                <a class="primary" href="/">
                    "My apps"
                </a>
            </p>
        </main>
    };
    document("Session error", body)
}

fn when(at: session::Timestamp) -> impl IntoView {
    view! { <time datetime=format::iso(at)>{format::utc(at)}</time> }
}
