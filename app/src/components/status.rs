//! The status of a session and whether it is connected: a word, an icon and a colour.

use crate::ui::dynamic::dyn_text;
use leptos::prelude::*;
use session::Status;

use crate::ui::icon::{Glyph, Icon};

/// A status.
#[component]
pub fn StatusBadge(
    /// Which.
    #[prop(into)]
    status: Signal<Status>,
) -> impl IntoView {
    let glyph = Signal::derive(move || match status.get() {
        Status::Pending => Glyph::Waiting,
        Status::Active => Glyph::Running,
        Status::Expired => Glyph::Ended,
        Status::Error => Glyph::Failed,
    });
    view! {
        <span class=dyn_text(move || format!("badge badge-{}", status.get().code()))>
            <Icon glyph />
            <span>{dyn_text(move || status.get().label().to_owned())}</span>
        </span>
    }
}

/// Open in a browser tab right now?
#[component]
pub fn Connected(
    /// The answer.
    #[prop(into)]
    connected: Signal<bool>,
) -> impl IntoView {
    view! {
        <span class="connected" class:connected-yes=connected>
            <Icon glyph=Signal::derive(move || if connected.get() { Glyph::Check } else { Glyph::Dash }) />
            <span>{dyn_text(move || if connected.get() { "Yes" } else { "No" }.to_owned())}</span>
        </span>
    }
}
