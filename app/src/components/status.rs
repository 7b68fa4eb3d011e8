//! Badges for a session's status and connection: a label, an icon and a colour.

use crate::ui::dynamic::dyn_text;
use leptos::prelude::*;
use session::Status;

use crate::ui::icon::{Glyph, Icon};

/// The badge of a status.
#[component]
pub fn StatusBadge(
    /// Status to show.
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

/// Whether the session is open in a browser tab.
#[component]
pub fn Connected(
    /// Whether it is open in a tab.
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
