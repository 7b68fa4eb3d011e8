//! The number of events, as far as they were counted.

use leptos::prelude::*;
use session::{
    Timestamp,
    audit::{Page, Place},
    format,
};

use super::model::Model;
use crate::ui::{
    dynamic::{dyn_attr, dyn_text},
    number::Numbers,
    time::{Detail, is_alive, local},
};

/// The number of matches; on later pages, the position of the page. Screen readers announce it after
/// a search, not after every new event.
#[component]
pub fn Count(
    /// Events on screen.
    model: Model,
) -> impl IntoView {
    let (numbers, alive) = (Numbers::here(), is_alive());
    let text = dyn_text(move || {
        if model.wrong.read().is_some() {
            return String::new();
        }
        let place = model.answered.read().view.place;
        let number = |count: u64| numbers.text(count);
        let time = |at| {
            let local = alive.get().then(|| local(at, Detail::DateAndTime)).flatten();
            local.unwrap_or_else(|| format::utc(at))
        };
        sentence(place, &model.page.read(), number, time)
    });
    view! {
        <p class="count tabular" role="status" aria-live=dyn_attr(move || Some(if model.grew.get() { "off" } else { "polite" }))>
            {text}
        </p>
    }
    .into_any()
}

fn sentence(place: Place, page: &Page, number: impl Fn(u64) -> String, time: impl Fn(Timestamp) -> String) -> String {
    /// Larger numbers are shown as "more than" this one.
    const MANY: u64 = 10_000;
    let noun = if page.found == 1 { "event" } else { "events" };
    let found = number(page.found);
    match (place, page.stopped) {
        (Place::Newest, None) if page.counted => format!("{found} {noun}"),
        (Place::Newest, None) if page.found > MANY => format!("More than {} events", number(MANY)),
        (Place::Newest, None) => format!("At least {found} events"),
        (Place::Newest, Some(searched)) => format!("{found} {noun} among the newest {}", number(searched)),
        _ => match (page.items.last(), page.items.first()) {
            (Some(oldest), Some(newest)) => {
                let count = number(page.items.len() as u64);
                format!("{count} from {} to {}", time(oldest.entry.at), time(newest.entry.at))
            }
            _ => "No events here".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{components::audit::fixture::row, ui::number::grouped};

    fn one() -> Page {
        Page {
            items: vec![row(7)],
            found: 1,
            counted: true,
            ..Page::default()
        }
    }

    #[test]
    fn the_count_says_how_far_was_counted() {
        let some = |found, stopped| Page {
            found,
            counted: false,
            stopped,
            ..one()
        };
        for (place, page, text) in [
            (Place::Newest, one(), "1 event"),
            (Place::Newest, some(10_051, None), "More than 10,000 events"),
            (Place::Newest, some(317, None), "At least 317 events"),
            (
                Place::Newest,
                some(3, Some(200_000)),
                "3 events among the newest 200,000",
            ),
            (
                Place::Before(8),
                one(),
                "1 from 1970-01-01 00:00 UTC to 1970-01-01 00:00 UTC",
            ),
            (Place::Before(8), Page::default(), "No events here"),
        ] {
            let number = |count: u64| grouped(count.try_into().unwrap());
            assert_eq!(sentence(place, &page, number, format::utc), text);
        }
    }
}
