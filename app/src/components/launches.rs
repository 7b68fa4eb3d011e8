//! Open or closed to launches: for environments and applications alike.

use leptos::prelude::*;
use session::view::View;

use super::view_url;
use crate::ui::{
    dynamic::{attribute, words},
    icon::{Glyph, Icon},
};

/// "Open" or "Closed".
#[component]
pub fn Launches(
    /// The answer.
    open: Signal<bool>,
) -> impl IntoView {
    view! {
        <span class="connected" class:connected-yes=open>
            <Icon glyph=Signal::derive(move || if open.get() { Glyph::Check } else { Glyph::Dash }) />
            <span>{words(move || if open.get() { "Open" } else { "Closed" }.to_owned())}</span>
        </span>
    }
    .into_any()
}

/// Closes what is open to launches, and opens what is closed. It stays where it is, and keeps the focus.
#[component]
pub fn LaunchesButton(
    /// Of what; part of the button's name.
    name: Signal<String>,
    /// Is it open?
    open: Signal<bool>,
    /// Is a press on its way?
    sending: RwSignal<bool>,
    /// Open it, or close it.
    on_press: Callback<bool>,
) -> impl IntoView {
    let text = move || {
        if open.get() {
            "Close to launches"
        } else {
            "Open to launches"
        }
    };
    let press = move |_| {
        if !sending.get_untracked() {
            sending.set(true);
            on_press.run(!open.get_untracked());
        }
    };
    view! {
        <button
            type="button"
            class="button button-small needs-js"
            aria-label=words(move || format!("{}: {}", text(), name.get()))
            aria-disabled=attribute(move || sending.get().then_some("true"))
            on:click=press
        >
            {words(move || text().to_owned())}
        </button>
    }
    .into_any()
}

/// What a press has done, for the toast.
pub fn sentence(name: &str, open: bool) -> String {
    if open {
        format!("{name} is open to launches.")
    } else {
        format!("{name} is closed to launches. Its live sessions go on.")
    }
}

/// How many sessions are live; a link to them for those who may see them.
#[component]
pub fn LiveSessions(
    /// How many.
    count: Signal<u32>,
    /// Of what.
    name: Signal<String>,
    /// Its id.
    id: String,
    /// How the search names them: `env` or `app`. `None` for who may not see the Sessions page.
    search: Option<&'static str>,
) -> impl IntoView {
    let number = words(move || count.get().to_string());
    let Some(field) = search else {
        return view! { <span class="tabular">{number}</span> }.into_any();
    };
    let href = move || {
        let name = name.read();
        // The search has no way to write a quote inside a phrase.
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
            href=words(href)
            aria-label=words(move || {
                let noun = if count.get() == 1 { "session" } else { "sessions" };
                format!("{} live {noun} of {}", count.get(), name.get())
            })
        >
            {number}
        </a>
    }
    .into_any()
}
