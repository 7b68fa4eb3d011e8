//! The session's own tab: plain pages without the browser bundle, so that only the application's
//! picture loads.
//!
//! `public/tab/tab.js` runs [`live`] and the sections of its [`menu`]. When the stream ends, the
//! page reloads and the server responds with [`ended`]. So the user reads the reason from the log,
//! never a guess by the tab.

mod menu;

use leptos::prelude::*;
use session::{EndReason, HomeKind, api::SessionView, homes};

use crate::plain_page::{document, local_times, moment};

/// Shown before it matters: while the session starts, and in its menu.
const NOT_KEPT: &str = "Files that you save here are deleted when the session ends.";

/// The page of a live session: the application, or a note that it is starting.
pub fn live(session: &SessionView) -> String {
    let title = session.application.to_string();
    let starting = format!("Starting {title}…");
    let scratch = session.home == Some(HomeKind::Scratch);
    let body = view! {
        <div id="last-picture" aria-hidden="true"></div>
        <main id="screen" data-session=session.id.to_string() aria-label=title.clone()></main>
        {menu::bar()}
        {menu::panel(session)}
        {menu::keys()}
        <dialog id="end-dialog" class="end-dialog" aria-labelledby="end-title" aria-describedby="end-text">
            <h2 id="end-title">{format!("End {title}?")}</h2>
            <p id="end-text">{homes::end_consequence(session.home)}</p>
            <p class="menu-actions">
                <button type="button" id="end-cancel" autofocus>
                    "Cancel"
                </button>
                <button type="button" id="end-confirm" class="danger">
                    {if scratch { "End session and delete files" } else { "End session and lose unsaved work" }}
                </button>
            </p>
        </dialog>
        <section class="warning" aria-label="Time left">
            <div id="warning" hidden>
                <p role="status">
                    <span id="warning-text"></span>
                    " "
                    <span id="warning-left" aria-hidden="true"></span>
                </p>
                <button type="button" id="dismiss">
                    "Dismiss"
                </button>
                <button type="button" class="quiet" data-end="">
                    "End session…"
                </button>
            </div>
        </section>
        <p id="drop-target" class="drop-target" hidden></p>
        <p id="toast" class="toast" role="status"></p>
        <section id="notice" class="notice" role="status">
            <p id="notice-text">{starting}</p>
            <p id="notice-left" aria-hidden="true"></p>
            {scratch.then(|| view! { <p id="not-kept">{NOT_KEPT}</p> })}
            // CSS shows this after a delay unless the script removes it first. `noscript` would
            // depend on how scripts are disabled.
            <p id="needs-script">"A session needs JavaScript in this tab."</p>
            <button id="notice-action" type="button" hidden></button>
        </section>
        <script type="module" src="/tab/tab.js"></script>
    };
    document(&title, body)
}

/// The page of an ended session: who ended it, when and why.
pub fn ended(session: &SessionView) -> String {
    let by = session.ended_by.as_deref().unwrap_or("system");
    let who = match session.end_reason {
        Some(EndReason::Admin) => format!("Administrator ({by})"),
        Some(EndReason::User) => by.to_owned(),
        _ => "The system".to_owned(),
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
                <dt>"Ended by"</dt>
                <dd>{who}</dd>
                <dt>"When"</dt>
                <dd>{session.ended_at.map(moment)}</dd>
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
        {local_times()}
    };
    document("Your session has ended", body)
}

/// The page of a session in Error, with the error text.
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
                <dd>{moment(session.started_at)}</dd>
                <dt>"Session ID"</dt>
                <dd>
                    <code>{session.id.to_string()}</code>
                </dd>
            </dl>
            <p>
                "Try launching it again from My apps. If it keeps failing, send the session ID to your support team."
            </p>
            <p>
                <a class="primary" href="/">
                    "My apps"
                </a>
            </p>
        </main>
        {local_times()}
    };
    document("Session error", body)
}
