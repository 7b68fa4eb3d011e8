//! "Last refreshed" and the Refresh button. The server allows one refresh in 30 s for all
//! administrators together; the page shows a refused refresh as information, not as an error.

use crate::ui::dynamic::{dyn_attr, dyn_text, dyn_view};
use chrono::TimeDelta;
use leptos::{prelude::*, task::spawn_local};

use super::model::Model;
use crate::components::moment::{Age, Moment};
use crate::{
    api::{AppError, sessions::refresh_sessions},
    ui::{
        clock::Clock,
        icon::{Glyph, Icon},
    },
};

const TOO_SOON: &str =
    "The sessions were refreshed a moment ago. All administrators share one refresh every 30 seconds.";

/// The time of the last refresh and the Refresh button.
#[component]
pub fn Freshness(
    /// List on screen.
    model: Model,
    /// The server's clock.
    clock: Clock,
    /// Whether the list is live.
    live: Signal<bool>,
    /// Called if a refresh fails for any reason but the rate limit.
    #[prop(into)]
    on_failure: Callback<AppError>,
) -> impl IntoView {
    let refreshing = RwSignal::new(false);
    let asked_too_soon = RwSignal::new(false);
    let as_of = Memo::new(move |_| model.head.read().as_of);
    let wait = Memo::new(move |_| seconds_up(model.head.read().next_refresh_at - clock.now()));
    Effect::new(move || {
        if wait.get() == 0 {
            asked_too_soon.set(false);
        }
    });
    let refresh = move |_| {
        if refreshing.get_untracked() {
            return;
        }
        if wait.get_untracked() > 0 {
            asked_too_soon.set(true);
            return;
        }
        refreshing.set(true);
        spawn_local(async move {
            match refresh_sessions().await {
                Ok(answer) => {
                    clock.tick();
                    model.refreshed(answer);
                }
                Err(error) if error.code() == "refresh_too_soon" => {
                    let wait = TimeDelta::seconds(error.0.retry_after.unwrap_or(1).into());
                    model.refresh_not_before(clock.now_untracked() + wait);
                    asked_too_soon.try_set(true);
                }
                Err(error) => on_failure.run(error),
            }
            refreshing.try_set(false);
        });
    };
    let label = dyn_text(move || match (refreshing.get(), wait.get()) {
        (true, _) => "Refreshing…".to_owned(),
        (false, 0) => "Refresh".to_owned(),
        (false, seconds) => format!("Refresh (in {seconds} s)"),
    });
    view! {
        <div class="freshness">
            <p class="live-line">
                <span class="live" class:live-on=live title="Rows follow every change. A refresh also asks each environment for its sessions.">
                    {dyn_text(move || if live.get() { "Live" } else { "Not live" }.to_owned())}
                </span>
            </p>
            <p class="freshness-time">
                "Last refreshed "
                {dyn_view(move || match as_of.get() {
                    Some(at) => {
                        view! {
                            <Moment at=Signal::stored(at) focusable=true />
                            <span class="quiet">" (" <Age since=Signal::stored(at) /> " ago)"</span>
                        }
                            .into_any()
                    }
                    None => view! { <span class="quiet">"not yet"</span> }.into_any(),
                })}
            </p>
            <button
                type="button"
                class="button needs-js"
                aria-disabled=dyn_attr(move || (refreshing.get() || wait.get() > 0).then_some("true"))
                aria-describedby="refresh-note"
                on:click=refresh
            >
                <Icon glyph=Glyph::Refresh />
                <span class="tabular">{label}</span>
            </button>
            <p class="freshness-note" id="refresh-note" role="status">
                {dyn_text(move || if asked_too_soon.get() { TOO_SOON } else { "" }.to_owned())}
            </p>
        </div>
    }
    .into_any()
}

/// Remaining time in whole seconds, rounded up.
fn seconds_up(left: TimeDelta) -> i64 {
    (left.num_milliseconds().max(0) + 999) / 1000
}
