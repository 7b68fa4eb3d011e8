//! The applications of My apps in sections: running, favourites, recently used, then by category.
//! Each application is in one section.

use std::hash::{DefaultHasher, Hash, Hasher};

use leptos::prelude::*;
use session::api::{AppCard, MyApps, SessionView};

use super::{
    app_search::{AppSearch, haystack, words},
    application_card::{ApplicationCard, MyList},
};
use crate::ui::{
    dynamic::{DynShow, dyn_flag, dyn_text, keyed},
    empty::EmptyState,
    focus,
};

/// The kind of a section. A category can have the title of another kind.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Running = 0,
    Favourites = 1,
    Recent = 2,
    Category = 3,
    Rest = 4,
}

/// A section of the page.
#[derive(Clone, PartialEq)]
struct Section {
    kind: Kind,
    key: u128,
    title: String,
    /// The keys of its cards, each with the id of the application. An application that is edited gets
    /// another key, so that its card is built anew: otherwise most of a card never changes.
    cards: Vec<(u128, u128)>,
}

/// All cards below the search.
#[component]
pub fn AppSections(
    /// The applications.
    list: MyList,
    /// The search.
    search: AppSearch,
    /// Set to open the dialog for this session.
    ending: RwSignal<Option<SessionView>>,
) -> impl IntoView {
    let version = Memo::new(move |_| list.data.read().version.clone());
    let texts = Memo::new(move |_| {
        version.track();
        let data = list.data.read_untracked();
        cards(&data)
            .iter()
            .map(|card| (card.id.number(), haystack(card)))
            .collect::<Vec<_>>()
    });
    // The ids that match, in order; `None` without a search.
    let hits = Memo::new(move |_| {
        let words = words(&search.q.read());
        (!words.is_empty()).then(|| {
            let texts = texts.read();
            let matches = texts
                .iter()
                .filter(|(_, text)| words.iter().all(|word| text.contains(&**word)));
            let mut ids: Vec<_> = matches.map(|(id, _)| *id).collect();
            ids.sort_unstable();
            ids
        })
    });
    let found = move || hits.read().as_ref().map(Vec::len);
    let count = move || {
        let all = cards(&list.data.read()).len();
        let found = found().map(|found| format!("{found} of {all} applications"));
        found.unwrap_or_default()
    };
    let clear = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        search.set(String::new());
        focus::focus_id("search");
    };
    view! {
        <p class="visually-hidden" role="status">{dyn_text(count)}</p>
        <DynShow is=move || found() == Some(0)>
            <EmptyState title=dyn_text(move || format!("No application matches “{}”.", search.q.read().trim()))>
                <a class="button" href="/" on:click=clear>
                    "Clear search"
                </a>
            </EmptyState>
        </DynShow>
        <Board list search hits ending />
    }
    .into_any()
}

/// The sections. A card changes its section as soon as no mouse is over the cards: otherwise the
/// next click would hit another card.
#[component]
fn Board(
    list: MyList,
    search: AppSearch,
    /// The ids that match, in order; `None` without a search.
    hits: Memo<Option<Vec<u128>>>,
    ending: RwSignal<Option<SessionView>>,
) -> impl IntoView {
    let sections = RwSignal::new(sections(&list.data.read_untracked()));
    let inside = StoredValue::new(false);
    let arrange = move || {
        let fresh = self::sections(&list.data.read_untracked());
        if !inside.get_value() && *sections.read_untracked() != fresh {
            focus::keep();
            sections.set(fresh);
        }
    };
    Effect::new(move || {
        list.data.track();
        arrange();
    });
    let is_hit = move |id: u128| hits.read().as_ref().is_none_or(|hits| hits.binary_search(&id).is_ok());
    let find = move |key| move |section: &Section| section.key == key;
    let of = move |key| sections.read().iter().find(|section| find(key)(section)).cloned();
    let members = move |key| of(key).map(|section| section.cards).unwrap_or_default();
    let keys_of = move |key| Signal::derive(move || members(key).into_iter().map(|(key, _)| key).collect());
    let title = move |key| dyn_text(move || of(key).map(|section| section.title).unwrap_or_default());
    let is_empty = move |key| dyn_flag(move || !members(key).iter().any(|(_, id)| is_hit(*id)));
    let card = move |key: u128| {
        let sections = sections.read_untracked();
        let mut all = sections.iter().flat_map(|section| &section.cards);
        let Some(id) = all.find(|(of, _)| *of == key).map(|(_, id)| *id) else {
            return ().into_any();
        };
        view! { <ApplicationCard id list search shown=dyn_flag(move || is_hit(id)) ending /> }.into_any()
    };
    let section = move |key: u128| {
        let heading = format!("apps-{key}");
        let labelled_by = heading.clone();
        view! {
            <section class="apps" aria-labelledby=labelled_by hidden=is_empty(key)>
                <h2 class="apps-title" id=heading tabindex="-1">
                    {title(key)}
                </h2>
                <ul class="cards">{keyed(keys_of(key), card)}</ul>
            </section>
        }
        .into_any()
    };
    let link = move |key: u128| {
        view! {
            <li hidden=is_empty(key)>
                // `external` bypasses the router, which would only scroll.
                <a class="chip" href=format!("#apps-{key}") rel="external">
                    {title(key)}
                </a>
            </li>
        }
        .into_any()
    };
    let keys = Signal::derive(move || sections.read().iter().map(|section| section.key).collect());
    let leave = move |_| {
        inside.set_value(false);
        arrange();
    };
    view! {
        <DynShow is=move || { sections.read().len() > 2 }>
            <nav aria-label="Sections">
                <ul class="chips">{keyed(keys, link)}</ul>
            </nav>
        </DynShow>
        <div
            class="board"
            class:board-plain=move || sections.read().len() == 1
            on:pointerenter=move |_| inside.set_value(true)
            on:pointerleave=leave
        >
            {keyed(keys, section)}
        </div>
    }
    .into_any()
}

/// The cards of a list.
fn cards(apps: &MyApps) -> &[AppCard] {
    apps.cards.as_ref().map_or(&[][..], |cards| &cards.items[..])
}

/// Puts each application into the first section that fits.
fn sections(apps: &MyApps) -> Vec<Section> {
    let mut left: Vec<_> = cards(apps).iter().collect();
    let mut sections = Vec::new();
    let mut take = |kind: Kind, title: &str, left: &mut Vec<&AppCard>, fits: &dyn Fn(&AppCard) -> bool| {
        let (taken, others): (Vec<_>, Vec<_>) = left.drain(..).partition(|card| fits(card));
        *left = others;
        if !taken.is_empty() {
            sections.push(Section {
                kind,
                key: key(kind, title),
                title: title.to_owned(),
                cards: taken.iter().map(|card| (card_key(card), card.id.number())).collect(),
            });
        }
    };
    take(Kind::Running, "Running", &mut left, &|card| {
        apps.sessions.iter().any(|session| session.application_id == card.id)
    });
    take(Kind::Favourites, "Favourites", &mut left, &|card| {
        apps.favourites.contains(&card.id)
    });
    take(Kind::Recent, "Recently used", &mut left, &|card| {
        apps.recent.contains(&card.id)
    });
    let categories = apps.cards.as_ref().map_or(&[][..], |cards| &cards.categories[..]);
    for category in categories {
        take(Kind::Category, category, &mut left, &|card| {
            card.appearance.category == *category
        });
    }
    let rest = if categories.is_empty() {
        "All applications"
    } else {
        "Other applications"
    };
    take(Kind::Rest, rest, &mut left, &|_| true);
    // The last one used comes first.
    let place = |(_, id): &(u128, u128)| apps.recent.iter().position(|recent| recent.number() == *id);
    for section in sections.iter_mut().filter(|section| section.kind == Kind::Recent) {
        section.cards.sort_by_key(place);
    }
    sections
}

/// The key of a section, the same on the server and in the browser.
fn key(kind: Kind, title: &str) -> u128 {
    let mut hasher = DefaultHasher::new();
    (kind as u8, title).hash(&mut hasher);
    hasher.finish().into()
}

/// The key of a card, from its id and from the texts that it never changes.
fn card_key(card: &AppCard) -> u128 {
    let (id, look) = (card.id.number(), &card.appearance);
    let mut hasher = DefaultHasher::new();
    (id, &card.name, &look.description, &look.icon).hash(&mut hasher);
    // The second half of an id is random, so the keys differ as the ids do.
    id ^ u128::from(hasher.finish())
}
