//! The Audit page after its first answer, without the heading. It exists as long as the page; answers
//! are replaced inside it.

use leptos::prelude::*;
use session::{
    Role,
    audit::{Columns, Place, View},
};

use super::{
    audit_url::{self, Asked, AuditUrl},
    columns::menu_columns,
    count::Count,
    live::{Announcement, LiveLine},
    model::{Answer, Model},
    pager::{Pager, Stopped},
    search::{ClearSearch, SearchForm, SearchHelp},
    table::EventsTable,
};
use crate::{
    components::{columns_menu::ColumnsMenu, failure::FailedAction, polled_list::TroubleBanner},
    ui::{
        dynamic::{DynShow, dyn_text, dyn_view},
        empty::EmptyState,
        icon::{Glyph, Icon},
    },
};

/// The search, the table and their tools.
#[component]
pub fn AuditBoard(
    /// View of the first answer.
    asked: Asked,
    /// First answer.
    first: Answer,
    /// Saved choice of columns.
    columns: Columns,
    /// Address of the list.
    url: AuditUrl,
) -> impl IntoView {
    let model = Model::start(asked, first, url);
    let columns = RwSignal::new(columns);
    let failed = RwSignal::new(None);
    view! {
        <LiveLine model />
        <div class="banners">
            <TroubleBanner trouble=model.trouble needed=Role::SystemAdmin />
            <FailedAction failed />
        </div>
        <div class="toolbar">
            <SearchForm model url />
            <Count model />
            <Announcement model />
            <Export model />
            <ColumnsMenu columns=menu_columns(columns, failed) />
            <SearchHelp model />
        </div>
        <div class="filters">
            <Stopped model url />
        </div>
        <EventsTable model url columns />
        <Nothing model url />
        <Pager model url />
    }
    .into_any()
}

/// Link that downloads all matches as a spreadsheet file. An invalid search has none.
#[component]
fn Export(model: Model) -> impl IntoView {
    let href = dyn_text(move || {
        let all = View {
            q: model.answered.read().view.q.clone(),
            ..View::default()
        };
        audit_url::link("/api/v1/events.csv", &all)
    });
    view! {
        <DynShow is=move || model.wrong.read().is_none()>
            <a class="button" href=href rel="external" download>
                <Icon glyph=Glyph::Download />
                "Export CSV"
            </a>
        </DynShow>
    }
    .into_any()
}

/// The empty state below the headers.
#[component]
fn Nothing(model: Model, url: AuditUrl) -> impl IntoView {
    let why = Memo::new(move |_| {
        let nothing = model.page.read().items.is_empty() && model.wrong.read().is_none();
        nothing.then(|| model.answered.get().view)
    });
    dyn_view(move || match why.get() {
        None => ().into_any(),
        Some(View {
            place: Place::Newest,
            q,
            ..
        }) if q.trim().is_empty() => view! {
            <EmptyState title="No events yet">
                <p>"Whatever happens to sessions, to people and to the catalogue is written down and shown here."</p>
            </EmptyState>
        }
        .into_any(),
        Some(View {
            place: Place::Newest,
            q,
            ..
        }) => view! {
            <EmptyState title=format!("No events match “{}”", q.trim())>
                <p>"Searches every column. All words must match."</p>
                <ClearSearch url />
            </EmptyState>
        }
        .into_any(),
        Some(_) => view! {
            <EmptyState title="No events here">
                <a class="button" href=dyn_text(move || url.at(Place::Newest))>
                    "Newest events"
                </a>
            </EmptyState>
        }
        .into_any(),
    })
}
