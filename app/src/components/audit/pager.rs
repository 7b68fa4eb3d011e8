//! The other pages of events: links that work without JavaScript.

use leptos::prelude::*;
use session::audit::{LIMITS, Page, Place, View};

use super::{audit_url::AuditUrl, model::Model};
use crate::ui::{
    banner::{Banner, Tone},
    dynamic::{DynShow, dyn_attr, dyn_text, dyn_view},
    icon::{Glyph, Icon},
    number::Numbers,
};

/// Page sizes, Newer, Older.
#[component]
pub fn Pager(
    /// Events on screen.
    model: Model,
    /// Address of the list.
    url: AuditUrl,
) -> impl IntoView {
    let newer = Memo::new(move |_| model.page.read().newer.map(Place::After));
    let older = Memo::new(move |_| model.page.read().older.map(Place::Before));
    let to = move |place: Memo<Option<Place>>| dyn_text(move || url.at(place.get().unwrap_or_default()));
    let limit = move |limit: u16| {
        let href = dyn_text(move || {
            url.link(&View {
                limit,
                place: Place::Newest,
                ..url.view()
            })
        });
        let current = dyn_attr(move || (url.asked.read().view.limit == limit).then_some("true"));
        view! { <a class="limit" href=href aria-current=current data-noscroll="true">{limit}</a> }
    };
    view! {
        <nav class="pager" aria-label="Pages">
            <span class="pager-limits">"Rows " {LIMITS.map(limit)}</span>
            <DynShow is=move || newer.get().is_some()>
                <a class="button" href=to(newer) rel="prev">
                    <Icon glyph=Glyph::Left />
                    "Newer"
                </a>
            </DynShow>
            <DynShow is=move || older.get().is_some()>
                <a class="button" href=to(older) rel="next">
                    "Older"
                    <Icon glyph=Glyph::Right />
                </a>
            </DynShow>
        </nav>
    }
    .into_any()
}

/// A note that the search stopped early, and a link to continue.
#[component]
pub fn Stopped(
    /// Events on screen.
    model: Model,
    /// Address of the list.
    url: AuditUrl,
) -> impl IntoView {
    let numbers = Numbers::here();
    let stopped = Memo::new(move |_| {
        let page = model.page.read();
        Some((
            page.stopped?,
            model.answered.read().view.place,
            next(model.answered.read().view.place, &page),
        ))
    });
    dyn_view(move || {
        let note = |(searched, place, next): (u64, Place, Option<Place>)| {
            let searched = numbers.text(searched);
            let text = match place {
                Place::Newest => format!("Searched the newest {searched} events."),
                Place::Before(_) => format!("Searched {searched} older events."),
                Place::After(_) => format!("Searched {searched} newer events."),
            };
            let name = if let Place::After(_) = place {
                "Search newer events"
            } else {
                "Search older events"
            };
            let on = next.map(|place| view! { <a href=dyn_text(move || url.at(place))>{name}</a> });
            view! { <Banner tone=Tone::Info>{text} " " {on}</Banner> }
        };
        stopped.get().map(note).into_any()
    })
}

/// Continues a search that stopped, in its direction.
fn next(place: Place, page: &Page) -> Option<Place> {
    match place {
        Place::Newest | Place::Before(_) => page.older.map(Place::Before),
        Place::After(_) => page.newer.map(Place::After),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_stopped_goes_on_in_its_direction() {
        let page = Page {
            stopped: Some(200_000),
            newer: Some(7),
            older: Some(3),
            ..Page::default()
        };
        assert_eq!(next(Place::Newest, &page), Some(Place::Before(3)));
        assert_eq!(next(Place::Before(9), &page), Some(Place::Before(3)));
        assert_eq!(next(Place::After(1), &page), Some(Place::After(7)));
    }
}
