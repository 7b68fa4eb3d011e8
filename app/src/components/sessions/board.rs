//! The Sessions page after its first list is loaded, without the heading. It exists as long as the
//! page; lists are replaced inside it.

use crate::ui::dynamic::{DynShow, dyn_attr, dyn_text, dyn_view};
use leptos::prelude::*;
use session::{
    Status,
    api::{SessionList, SessionView},
    columns::Choice,
    query::advice,
    view::View,
};

use super::{
    connection::{ConnectionBanner, StaleBanners},
    details::DetailsContext,
    expire_dialog::ExpireDialog,
    expire_many_dialog::{Batch, ExpireManyDialog},
    filter_chips::Chips,
    freshness::Freshness,
    model::{Model, TABLE_ID},
    narrow_tools::NarrowTools,
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
    components::{columns_menu::ColumnsMenu, failure::FailedAction},
    ui::{
        clock::{Clock, later},
        empty::EmptyState,
        focus,
        icon::{Glyph, Icon},
        number::Numbers,
        toast::Toaster,
    },
};

/// The list and its tools.
#[component]
pub fn SessionsBoard(
    /// First list.
    list: SessionList,
    /// Saved choice of columns and order.
    choice: Choice,
    /// State shared with the details panel.
    context: DetailsContext,
) -> impl IntoView {
    let url = context.url;
    let clock = Clock::starting_at(list.head.server_time);
    provide_context(clock);
    let model = Model::new(list);
    let watch = Watch::start(model, url, clock);
    let toaster = Toaster::expect();
    let failed = RwSignal::new(None::<AppError>);

    let fail = move |error: AppError| _ = failed.try_set(Some(error));
    let preferences = Preferences::new(choice, url, Callback::new(fail));
    let selection = Selection::new(model, url);
    let batch = Batch::new(selection, model, Callback::new(move |text| toaster.show(text)));
    Effect::new(move || context.revision.set(model.head.read().revision));
    Effect::new(move || {
        let fine = watch.is_fine();
        if context.reachable.get_untracked() != fine {
            context.reachable.set(fine);
        }
    });
    let expired = move |session: SessionView| {
        toaster.show(sentence(&session));
        model.patch(session);
        focus::rescue(TABLE_ID);
    };
    view! {
        <Freshness model clock live=Signal::derive(move || watch.is_fine()) on_failure=fail />
        <div class="banners">
            <ConnectionBanner watch model />
            <StaleBanners model />
            <FailedAction failed />
        </div>
        <div class="filters">
            <Chips model url />
            <SelectionBar selection model url reachable=context.reachable on_expire=move |()| batch.ask() />
        </div>
        <div class="toolbar">
            <SearchBox url />
            <Count model url watch />
            <Export url />
            <ColumnsMenu columns=preferences.menu_columns() />
            <NarrowTools url choice=preferences.choice selection on_sort=Callback::new(move |sort| preferences.sort(sort)) />
        </div>
        <SessionsTable
            model
            url
            choice=preferences.choice
            watch
            target=context.target
            selection
            on_sort=move |sort| preferences.sort(sort)
        />
        <EmptyList model url />
        <Pager model url />
        <ExpireDialog target=context.target on_expired=expired />
        <ExpireManyDialog batch />
    }
}

/// Link that downloads the list as a spreadsheet file.
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

/// "12 of 340 sessions". Screen readers announce it after a search, not after every change of the
/// list.
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

/// Reason for an empty list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EmptyReason {
    Empty,
    NoMatch,
    PastTheEnd,
}

/// The empty state below the headers.
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
        Some(EmptyReason::NoMatch) => view! { <NoMatch url /> }.into_any(),
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

/// No session matches the search, the filter chip, or both. The text names each of them and offers
/// a link to clear it.
#[component]
fn NoMatch(url: ViewUrl) -> impl IntoView {
    let searches = Memo::new(move |_| !url.get().q.trim().is_empty());
    let chip = Memo::new(move |_| match url.get() {
        View { connected: true, .. } => Some("Connected"),
        View { status, .. } => status.map(Status::label),
    });
    let title = Signal::derive(move || {
        let q = url.get().q;
        match (q.trim(), chip.get()) {
            ("", Some(chip)) => format!("No sessions match the filter {chip}"),
            (q, None) => format!("No sessions match “{q}”"),
            (q, Some(chip)) => format!("No sessions match “{q}” and the filter {chip}"),
        }
    });
    let hint = dyn_text(move || {
        let q = url.get().q;
        let general = || "Searches all sessions, including hidden ID columns. All words must match.".to_owned();
        if q.trim().is_empty() {
            String::new()
        } else {
            advice(&q).unwrap_or_else(general)
        }
    });
    let unsearched = dyn_text(move || {
        let q = String::new();
        url.link(&View {
            q,
            ..url.get().from_the_top()
        })
    });
    let unfiltered = dyn_text(move || {
        let all = View {
            status: None,
            connected: false,
            ..url.get().from_the_top()
        };
        url.link(&all)
    });
    view! {
        <EmptyState title>
            <p>{hint}</p>
            <DynShow is=searches>
                <a class="button" href=unsearched data-noscroll="true">
                    "Clear search"
                </a>
            </DynShow>
            <DynShow is=move || chip.get().is_some()>
                <a class="button" href=unfiltered data-noscroll="true">
                    "Show every status"
                </a>
            </DynShow>
        </EmptyState>
    }
    .into_any()
}

/// Toast text after an expire, also if another administrator was faster.
fn sentence(session: &SessionView) -> String {
    let by = session.ended_by.as_deref().unwrap_or("system");
    format!(
        "The session of {} in {} has been expired by {by}.",
        session.username, session.environment
    )
}
