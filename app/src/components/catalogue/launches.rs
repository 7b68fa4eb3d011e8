//! The launch state (open or closed) of environments and applications.

use leptos::prelude::*;
use session::{catalogue::LaunchState, view::View};

use crate::components::sessions::view_url;
use crate::ui::{
    dialog::Dialog,
    dynamic::{DynShow, dyn_attr, dyn_text},
    icon::{Glyph, Icon},
};

/// Shows "Open" or "Closed".
#[component]
pub fn Launches(
    /// Whether it is open to launches.
    open: Signal<bool>,
) -> impl IntoView {
    view! {
        <span class="connected" class:connected-yes=open>
            <Icon glyph=Signal::derive(move || if open.get() { Glyph::Check } else { Glyph::Dash }) />
            <span>{dyn_text(move || if open.get() { "Open" } else { "Closed" }.to_owned())}</span>
        </span>
    }
    .into_any()
}

/// Buttons that change the launch state. The first toggles between open and closed; it stays in
/// place and keeps the focus. The second also ends the live sessions, after a confirmation.
#[component]
pub fn LaunchesActions(
    /// Name of the environment or application, part of the buttons' accessible names.
    name: Signal<String>,
    /// Whether it is open to launches.
    open: Signal<bool>,
    /// Number of its live sessions.
    live: Signal<u32>,
    /// Whether a request is in flight.
    sending: RwSignal<bool>,
    /// What closing affects. If set, closing needs a confirmation.
    #[prop(optional, into)]
    concerns: Option<Signal<String>>,
    /// Sends the new state.
    on_press: Callback<LaunchState>,
) -> impl IntoView {
    let text = move || {
        if open.get() {
            "Close to launches"
        } else {
            "Open to launches"
        }
    };
    let send = move |to| {
        if !sending.get_untracked() {
            sending.set(true);
            on_press.run(to);
        }
    };
    let closing = RwSignal::new(false);
    let press = move |_| match (open.get_untracked(), concerns) {
        (true, Some(_)) => closing.set(true),
        (true, None) => send(LaunchState::Closed),
        (false, _) => send(LaunchState::Open),
    };
    let close = move |_| {
        closing.set(false);
        send(LaunchState::Closed);
    };
    let asked = RwSignal::new(false);
    let count = move || match live.get() {
        1 => "1 live session".to_owned(),
        many => format!("{many} live sessions"),
    };
    let ending = move || match live.get() {
        1 => "its live session ends".to_owned(),
        many => format!("its {many} live sessions end"),
    };
    let end = move |_| {
        asked.set(false);
        send(LaunchState::ClosedAndEnded);
    };
    view! {
        <button
            type="button"
            class="button button-small needs-js"
            aria-label=dyn_text(move || format!("{}: {}", text(), name.get()))
            aria-disabled=dyn_attr(move || sending.get().then_some("true"))
            on:click=press
        >
            {dyn_text(move || text().to_owned())}
        </button>
        <DynShow is=move || { live.get() > 0 || asked.get() }>
            <button
                type="button"
                class="button button-small button-danger-quiet needs-js"
                aria-label=dyn_text(move || format!("Close and end sessions: {}", name.get()))
                aria-haspopup="dialog"
                on:click=move |_| asked.set(true)
            >
                "Close and end sessions"
            </button>
        </DynShow>
        {concerns.map(|concerns| view! {
            <Dialog open=closing on_close=move |()| closing.set(false) labelled_by="close-title" described_by="close-consequence">
                <div class="dialog-body">
                    <h2 id="close-title" class="dialog-title">
                        {dyn_text(move || format!("Close {} to launches", name.get()))}
                    </h2>
                    <p id="close-consequence" class="consequence">{concerns}</p>
                    <div class="dialog-actions">
                        <button type="button" class="button" autofocus on:click=move |_| closing.set(false)>
                            "Cancel"
                        </button>
                        <button type="button" class="button button-danger" on:click=close>
                            "Close to launches"
                        </button>
                    </div>
                </div>
            </Dialog>
        })}
        <Dialog open=asked on_close=move |()| asked.set(false) labelled_by="end-title" described_by="end-consequence">
            <div class="dialog-body">
                <h2 id="end-title" class="dialog-title">
                    {dyn_text(move || format!("Close {} and end its sessions", name.get()))}
                </h2>
                <p id="end-consequence" class="consequence">
                    {dyn_text(move || {
                        format!(
                            "This closes {} to launches, and {} at once. Applications close, and unsaved work is lost. There is no undo.",
                            name.get(),
                            ending(),
                        )
                    })}
                </p>
                <div class="dialog-actions">
                    <button type="button" class="button" autofocus on:click=move |_| asked.set(false)>
                        "Cancel"
                    </button>
                    <button type="button" class="button button-danger" on:click=end>
                        {dyn_text(move || format!("End {}", count()))}
                    </button>
                </div>
            </div>
        </Dialog>
    }
    .into_any()
}

/// Toast text after a change.
pub fn sentence(name: &str, to: LaunchState) -> String {
    match to {
        LaunchState::Open => format!("{name} is open to launches."),
        LaunchState::Closed => format!("{name} is closed to launches. Its live sessions keep running."),
        LaunchState::ClosedAndEnded => format!("{name} is closed to launches. Its sessions have ended."),
    }
}

/// Number of live sessions; a link to them for people who may open the Sessions page.
#[component]
pub fn LiveSessions(
    /// Number of live sessions.
    count: Signal<u32>,
    /// Name of the environment or application.
    name: Signal<String>,
    /// Its id.
    id: String,
    /// Search field, `env` or `app`; `None` if the person may not open the Sessions page.
    search: Option<&'static str>,
) -> impl IntoView {
    let number = dyn_text(move || count.get().to_string());
    let Some(field) = search else {
        return view! { <span class="tabular">{number}</span> }.into_any();
    };
    let href = move || {
        let name = name.read();
        // The search syntax can't escape a quote inside a phrase, so use the id.
        let what = if name.contains('"') { &id } else { &*name };
        let q = format!("{field}:\"{what}\"");
        format!(
            "{}{}",
            view_url::SESSIONS_PATH,
            view_url::search(&View { q, ..View::default() })
        )
    };
    view! {
        <a
            class="tabular"
            href=dyn_text(href)
            aria-label=dyn_text(move || {
                let noun = if count.get() == 1 { "session" } else { "sessions" };
                format!("{} live {noun} of {}", count.get(), name.get())
            })
        >
            {number}
        </a>
    }
    .into_any()
}
