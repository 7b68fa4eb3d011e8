//! Moments and ages on screen.

use leptos::prelude::*;
use session::{Timestamp, format};

use crate::ui::{
    clock::Clock,
    dynamic::dyn_text,
    time::{Detail, is_alive, local},
};

/// A moment: UTC in the server's HTML, the person's time zone after hydration. Hover and focus show
/// the full ISO time.
#[component]
pub fn Moment(
    /// Moment to show.
    #[prop(into)]
    at: Signal<Timestamp>,
    /// Level of detail.
    #[prop(optional)]
    detail: Detail,
    /// Whether the keyboard can focus it, for places that need the exact time.
    #[prop(optional)]
    focusable: bool,
) -> impl IntoView {
    let alive = is_alive();
    let iso = dyn_text(move || format::iso(at.get()));
    let text = dyn_text(move || {
        let at = at.get();
        alive
            .get()
            .then(|| local(at, detail))
            .flatten()
            .unwrap_or_else(|| match detail {
                Detail::DateAndTime | Detail::Brief => format::utc(at),
                Detail::Second | Detail::Exact => format::utc_seconds(at),
                Detail::TimeOfDay => format::time_of_day(at),
            })
    });
    view! {
        <time
            class="moment"
            datetime=iso
            title=iso
            tabindex=focusable.then_some("0")
        >
            {text}
        </time>
    }
}

/// Time since a moment, by the server's clock.
#[component]
pub fn Age(
    /// Start of the age.
    #[prop(into)]
    since: Signal<Timestamp>,
) -> impl IntoView {
    let clock = expect_clock();
    dyn_text(move || format::ago(clock.now() - since.get()))
}

/// The page's clock. The page provides it with [`Clock::starting_at`].
pub fn expect_clock() -> Clock {
    use_context().unwrap_or_else(|| Clock::starting_at(Timestamp::UNIX_EPOCH))
}
