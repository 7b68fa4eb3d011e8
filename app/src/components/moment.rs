//! Moments and ages on screen.

use leptos::prelude::*;
use session::{Timestamp, format};

use crate::ui::{
    clock::Clock,
    dynamic::dyn_text,
    time::{Detail, is_alive, local},
};

/// A moment: UTC as the server drew it, the person's own zone once the page is alive. The full ISO time shows on hover and
/// on focus.
#[component]
pub fn Moment(
    /// When.
    #[prop(into)]
    at: Signal<Timestamp>,
    /// How much of it.
    #[prop(optional)]
    detail: Detail,
    /// Can the keyboard reach it? Where the exact time may matter.
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

/// How long ago something was, by the server's clock.
#[component]
pub fn Age(
    /// Since when.
    #[prop(into)]
    since: Signal<Timestamp>,
) -> impl IntoView {
    let clock = expect_clock();
    dyn_text(move || format::ago(clock.now() - since.get()))
}

/// The page's clock: [`Clock::starting_at`] was provided by the page.
pub fn expect_clock() -> Clock {
    use_context().unwrap_or_else(|| Clock::starting_at(Timestamp::UNIX_EPOCH))
}
