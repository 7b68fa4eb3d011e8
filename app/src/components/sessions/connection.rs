//! Banners for a list that is not live: connection lost, signed out, forbidden, environment down.

use crate::ui::dynamic::dyn_view;
use leptos::prelude::*;
use session::{Role, api::Stale};

use super::{
    model::Model,
    watch::{Link, Watch},
};
use crate::components::{failure::SignInAgain, moment::Moment};
use crate::ui::{
    banner::{Banner, Tone},
    icon::Glyph,
    time::Detail,
};

/// Element id of the banner that explains why Expire is unavailable.
pub const WHY_NOT_ID: &str = "why-not";

/// The banner about a lost connection, login or role.
#[component]
pub fn ConnectionBanner(
    /// State of the page's stream.
    watch: Watch,
    /// List on screen.
    model: Model,
) -> impl IntoView {
    let as_of = Signal::derive(move || model.head.read().server_time);
    let link = Memo::new(move |_| watch.link.get());
    dyn_view(move || {
        match link.get() {
        Link::Fine => ().into_any(),
        Link::Lost => view! {
            <Banner tone=Tone::Danger id=WHY_NOT_ID glyph=Glyph::Offline>
                <strong>"Can’t reach the server. "</strong>
                "The rows are as of "
                <Moment at=as_of detail=Detail::TimeOfDay />
                ". You can’t expire sessions until the connection is back. Reconnecting…"
            </Banner>
        }
        .into_any(),
        Link::SignedOut => view! {
            <Banner tone=Tone::Danger id=WHY_NOT_ID>
                <strong>"Your login has ended. "</strong>
                "The rows are no longer updated, and you can’t expire sessions. "
                <SignInAgain />
            </Banner>
        }
        .into_any(),
        Link::Forbidden => view! {
            <Banner tone=Tone::Danger id=WHY_NOT_ID>
                <strong>"Your role has changed. "</strong>
                {format!("This page needs the role {}. The rows are no longer updated, and you can’t expire sessions.", Role::SystemAdmin)}
            </Banner>
        }
        .into_any(),
    }
    })
}

/// One banner for each environment that did not respond to the last sweep.
#[component]
pub fn StaleBanners(
    /// List on screen.
    model: Model,
) -> impl IntoView {
    let stale = Memo::new(move |_| model.head.read().stale.clone());
    let banner = |stale: Stale| {
        view! {
            <Banner tone=Tone::Warning>
                <strong>{stale.environment.to_string()}</strong>
                {stale.node.map(|node| format!(" on node {node}"))}
                " did not answer the last refresh. Its rows are "
                {match stale.as_of {
                    Some(at) => view! { "as of " <Moment at=Signal::stored(at) detail=Detail::TimeOfDay /> ". " }.into_any(),
                    None => "not confirmed since the server started. ".into_any(),
                }}
                <span class="quiet">{stale.error.to_string()}</span>
            </Banner>
        }
    };
    dyn_view(move || stale.get().into_iter().map(banner).collect_view().into_any())
}
