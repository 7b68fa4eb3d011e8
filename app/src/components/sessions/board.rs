//! The Sessions page once its first list is there: everything but the heading. It lives as long as the page does; lists
//! come and go inside it.

use crate::ui::dynamic::{dyn_attr, dyn_text, dyn_view};
use leptos::prelude::*;
use session::{
    columns::Choice,
    view::View,
    wire::{SessionList, SessionView},
};

use super::{
    columns_menu::ColumnsMenu,
    connection::{ConnectionBanner, StaleBanners},
    details::DetailsContext,
    expire_dialog::ExpireDialog,
    expire_many_dialog::{Batch, ExpireManyDialog},
    filter_chips::Chips,
    freshness::Freshness,
    model::Model,
    pager::Pager,
    preferences::Preferences,
    search::SearchBox,
    selection::{Selection, SelectionBar},
    table::SessionsTable,
    view_url::{self, ViewUrl},
    watch::Watch,
};
use crate::{
    api::AppError,
    ui::{
        banner::{Banner, Tone},
        clock::{Clock, later},
        empty::EmptyState,
        focus,
        icon::{Glyph, Icon},
        number::Numbers,
    },
};

/// What was done stays on screen this long.
const DONE_MS: u64 = 8000;

/// The list with its tools.
#[component]
pub fn SessionsBoard(
    /// The first list.
    list: SessionList,
    /// What the administrator chose before.
    choice: Choice,
    /// What the details share.
    desk: DetailsContext,
) -> impl IntoView {
    let url = desk.url;
    let clock = Clock::starting_at(list.head.server_time);
    provide_context(clock);
    let model = Model::new(list);
    let watch = Watch::start(model, url, clock);
    let done = RwSignal::new(None::<String>);
    let failed = RwSignal::new(None::<AppError>);

    let fail = move |error: AppError| _ = failed.try_set(Some(error));
    let preferences = Preferences::new(choice, url, Callback::new(fail));
    let selection = Selection::new(model, url);
    let batch = Batch::new(
        selection,
        model,
        Callback::new(move |text| _ = done.try_set(Some(text))),
    );
    Effect::new(move || desk.revision.set(model.head.read().revision));
    Effect::new(move || {
        let fine = watch.is_fine();
        if desk.reachable.get_untracked() != fine {
            desk.reachable.set(fine);
        }
    });
    let expired = move |session: SessionView| {
        done.set(Some(sentence(&session)));
        model.patch(session);
        focus::rescue(TABLE_ID);
    };
    Effect::new(move || {
        if let Some(shown) = done.get() {
            later(DONE_MS, move || {
                if done.try_get_untracked().flatten().as_ref() == Some(&shown) {
                    done.set(None);
                }
            });
        }
    });
    view! {
        <Freshness model clock on_failure=fail />
        <div class="banners">
            <ConnectionBanner watch model />
            <StaleBanners model />
            {dyn_view(move || failed.get().map(|error| view! {
                <Banner tone=Tone::Danger>
                    <strong>{error.0.title.clone()}</strong>
                    " "
                    {error.0.detail.clone()}
                    " "
                    <button type="button" class="button button-small" on:click=move |_| failed.set(None)>
                        "Dismiss"
                    </button>
                </Banner>
            }).into_any())}
        </div>
        <div class="filters">
            <Chips model url />
            <SelectionBar selection model url reachable=desk.reachable on_expire=move |()| batch.ask() />
        </div>
        <div class="toolbar">
            <SearchBox url />
            <Count model url watch />
            <Export url />
            <ColumnsMenu preferences />
        </div>
        <SessionsTable
            model
            url
            choice=preferences.choice
            watch
            target=desk.target
            selection
            on_sort=move |sort| preferences.sort(sort)
        />
        <EmptyList model url />
        <Pager model url />
        <ExpireDialog target=desk.target on_expired=expired />
        <ExpireManyDialog batch />
        <div class="toast" role="status">
            {dyn_view(move || done.get().map(|text| view! { <p>{text}</p> }).into_any())}
        </div>
    }
}

/// The list as a file for a spreadsheet.
#[component]
fn Export(url: ViewUrl) -> impl IntoView {
    let href = dyn_text(move || {
        format!(
            "/api/v1/sessions.csv{}",
            view_url::search(&url.resolved().from_the_top())
        )
    });
    view! {
        <a class="button" href=href rel="external" download>
            <Icon glyph=Glyph::Download />
            "Export CSV"
        </a>
    }
    .into_any()
}

/// "12 of 340 sessions". Spoken when somebody searched, not whenever a session comes or goes.
#[component]
fn Count(model: Model, url: ViewUrl, watch: Watch) -> impl IntoView {
    let spoken = RwSignal::new(false);
    let generation = StoredValue::new(0_u32);
    Effect::new(move |before: Option<String>| {
        let q = url.get().q;
        if before.is_some_and(|before| before != q) {
            spoken.set(true);
        }
        q
    });
    Effect::new(move || {
        if !watch.changing.get() && spoken.get() {
            generation.update_value(|number| *number += 1);
            let number = generation.get_value();
            later(2000, move || {
                if generation.try_get_value() == Some(number) {
                    spoken.set(false);
                }
            });
        }
    });
    let numbers = Numbers::here();
    let text = dyn_text(move || {
        let head = model.head.read();
        let noun = if head.all == 1 { "session" } else { "sessions" };
        format!("{} of {} {noun}", numbers.text(head.total), numbers.text(head.all))
    });
    view! {
        <p class="count tabular" role="status" aria-live=dyn_attr(move || Some(if spoken.get() { "polite" } else { "off" }))>
            {text}
        </p>
    }
}

/// Why there are no rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EmptyReason {
    Empty,
    NoMatch,
    PastTheEnd,
}

/// What stands below the headers when there are no rows.
#[component]
fn EmptyList(model: Model, url: ViewUrl) -> impl IntoView {
    let why = Memo::new(move |_| {
        let head = model.head.read();
        match (model.order.read().is_empty(), head.all, head.total) {
            (false, ..) => None,
            (true, 0, _) => Some(EmptyReason::Empty),
            (true, _, 0) => Some(EmptyReason::NoMatch),
            (true, ..) => Some(EmptyReason::PastTheEnd),
        }
    });
    dyn_view(move || match why.get() {
        None => ().into_any(),
        Some(EmptyReason::Empty) => view! {
            <EmptyState title="No sessions yet">
                <p>"A session appears here as soon as somebody launches an application from My apps."</p>
            </EmptyState>
        }
        .into_any(),
        Some(EmptyReason::NoMatch) => view! {
            <EmptyState title=Signal::derive(move || match url.get() {
                View { q, .. } if !q.trim().is_empty() => format!("No sessions match “{}”", q.trim()),
                _ => "No sessions match".to_owned(),
            })>
                <p>"The search covers every session, also the hidden ID columns. Each word must be found."</p>
                <a class="button" href=dyn_text(move || url.link(&cleared(url.get()))) data-noscroll="true">
                    "Clear search"
                </a>
            </EmptyState>
        }
        .into_any(),
        Some(EmptyReason::PastTheEnd) => view! {
            <EmptyState title="This page is past the end of the list">
                <a class="button" href=dyn_text(move || url.link(&url.get().from_the_top()))>
                    "First page"
                </a>
            </EmptyState>
        }
        .into_any(),
    })
}

/// The same order, without any filter.
fn cleared(view: View) -> View {
    View {
        sort: view.sort,
        limit: view.limit,
        ..View::default()
    }
}

/// What an accepted expire tells: also when somebody else was quicker.
fn sentence(session: &SessionView) -> String {
    let by = session.ended_by.as_deref().unwrap_or("system");
    format!(
        "The session of {} in {} has been expired by {by}.",
        session.username, session.environment
    )
}
