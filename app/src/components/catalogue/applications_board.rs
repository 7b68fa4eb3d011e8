//! The Applications page, after its first list is loaded.

use leptos::prelude::*;
use session::{
    Role,
    catalogue::{ApplicationView, LaunchState, draft::Field},
    policy::PolicyLimit,
};

use super::{
    launches::{Launches, LaunchesActions, LiveSessions, sentence},
    table::CatalogueTable,
};
use crate::{
    api::applications::{list_applications, set_application_launches},
    components::{
        addresses::{NEW_APPLICATION_PATH, application_path},
        polled_list::{PolledList, row},
    },
    ui::{
        dynamic::{dyn_flag, dyn_text},
        empty::EmptyState,
    },
};

const HEADERS: [&str; 8] = [
    "Application",
    "Launch text",
    "Environment",
    "Command",
    "Seats",
    "Limits",
    "Launches",
    "Live sessions",
];

/// The introduction and the table.
#[component]
pub fn ApplicationsBoard(
    /// First list.
    applications: Vec<ApplicationView>,
    /// Role of the signed-in person.
    role: Role,
) -> impl IntoView {
    let list = PolledList::start(applications, |_| list_applications());
    let keys = Signal::derive(move || list.data.read().iter().map(|row| row.id.number()).collect());
    provide_context(MayOpenSessions(role >= Role::SystemAdmin));
    view! {
        <div class="lead-line">
            <p class="lead">
                "The applications that people can launch from My apps. Changes apply to future launches only. Closing an application refuses new launches; live sessions keep running."
                <span class="no-js-only">" You need JavaScript to change anything here."</span>
            </p>
            <a class="button button-primary" href=NEW_APPLICATION_PATH>
                "New application"
            </a>
        </div>
        <CatalogueTable
            list
            name="Applications"
            region="Table of applications"
            needed=Role::AppAdmin
            headers=&HEADERS
            keys
            row=application_row
            empty=|| {
                view! {
                    <EmptyState title="No applications yet">
                        <p>"People see an application on My apps as soon as you add it here."</p>
                    </EmptyState>
                }
            }
        />
    }
    .into_any()
}

/// Whether the live count links to the Sessions page. Only a System Admin may open it.
#[derive(Clone, Copy)]
struct MayOpenSessions(bool);

fn application_row(list: PolledList<Vec<ApplicationView>>, key: u128) -> AnyView {
    let rows = list.data.read_untracked();
    let first = rows.iter().find(|row| row.id.number() == key).cloned();
    first.map(|first| view! { <ApplicationRow first list /> }).into_any()
}

#[component]
fn ApplicationRow(first: ApplicationView, list: PolledList<Vec<ApplicationView>>) -> impl IntoView {
    let id = first.id;
    let application = row(list, first, move |list, _| {
        list.iter().find(|row| row.id == id).cloned()
    });
    let field = move |field| dyn_text(move || application.read().words(field));
    let name = field(Field::Name);
    let open = dyn_flag(move || application.read().open);
    let live = Signal::derive(move || application.read().live);
    let sending = RwSignal::new(false);
    let press = Callback::new(move |to: LaunchState| {
        list.send(sending, set_application_launches(id, to), move |rows, now| {
            let text = sentence(&now.spec.name, to);
            rows.iter_mut()
                .filter(|row| row.id == id)
                .for_each(|row| *row = now.clone());
            text
        });
    });
    let may_open = use_context::<MayOpenSessions>().is_some_and(|MayOpenSessions(may)| may);
    view! {
        <tr>
            <td class="col-name" data-label=HEADERS[0]>{name}</td>
            <td data-label=HEADERS[1]>{field(Field::LaunchText)}</td>
            <td data-label=HEADERS[2]>{field(Field::Environment)}</td>
            <td class="col-command" data-label=HEADERS[3]>
                <code>{dyn_text(move || application.read().spec.command.join(" "))}</code>
            </td>
            <td class="tabular" data-label=HEADERS[4]>{field(Field::Seats)}</td>
            <td class="col-limits" data-label=HEADERS[5]>{dyn_text(move || limits(&application.read()))}</td>
            <td data-label=HEADERS[6]>
                <Launches open />
            </td>
            <td data-label=HEADERS[7]>
                <LiveSessions count=live name id=id.to_string() search=may_open.then_some("app") />
            </td>
            <td class="col-action">
                <div class="row-actions">
                    <a
                        class="button button-small"
                        href=application_path(id)
                        aria-label=dyn_text(move || format!("Edit {}", name.get()))
                    >
                        "Edit"
                    </a>
                    <LaunchesActions name open live sending on_press=press />
                </div>
            </td>
        </tr>
    }
    .into_any()
}

/// "Start 5 min · Never connected 10 min · …". Lines break only between limits.
fn limits(application: &ApplicationView) -> String {
    let policy = &application.spec.policy;
    let limits = PolicyLimit::ALL.map(|limit| format!("{} {}", limit.label(), limit.words(policy)));
    limits.map(|limit| limit.replace(' ', "\u{a0}")).join(" · ")
}
