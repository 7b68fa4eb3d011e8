//! The Applications page once its first list is there.

use leptos::{prelude::*, task::spawn_local};
use session::{
    Role,
    catalogue::{Admission, ApplicationView, draft::Field},
    policy::PolicyLimit,
};

use super::{
    launches::{Launches, LaunchesActions, LiveSessions, sentence},
    polled_list::{PolledList, TroubleBanner, row},
};
use crate::components::{
    addresses::{NEW_APPLICATION_PATH, application_path},
    failure::FailedAction,
};
use crate::{
    api::{
        AppError,
        applications::{admit_application, list_applications},
    },
    ui::{
        dynamic::{DynShow, dyn_flag, dyn_text, keyed},
        empty::EmptyState,
        toast::Toaster,
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

/// The table and what is said about it.
#[component]
pub fn ApplicationsBoard(
    /// The first list.
    applications: Vec<ApplicationView>,
    /// Of whoever looks: only a System Admin gets to the sessions from here.
    role: Role,
) -> impl IntoView {
    let kept = PolledList::start(applications, list_applications);
    let failed = RwSignal::new(None::<AppError>);
    let keys = Signal::derive(move || kept.data.read().iter().map(|row| row.id.number()).collect());
    let row = move |key| {
        let list = kept.data.read_untracked();
        let first = list.iter().find(|row| row.id.number() == key).cloned();
        first
            .map(|first| view! { <ApplicationRow first kept failed role /> })
            .into_any()
    };
    view! {
        <div class="lead-line">
            <p class="lead">
                "What people can launch from My apps. A change counts for future launches only; closing refuses new ones. Live sessions go on."
                <span class="no-js-only">" Changing anything here needs JavaScript."</span>
            </p>
            <a class="button button-primary" href=NEW_APPLICATION_PATH>
                "New application"
            </a>
        </div>
        <div class="banners">
            <TroubleBanner trouble=kept.trouble needed=Role::AppAdmin />
            <FailedAction failed />
        </div>
        <div class="table-scroll" role="region" aria-label="Table of applications" tabindex="0">
            <table class="table" aria-label="Applications">
                <thead>
                    <tr>
                        {HEADERS.map(|header| view! { <th scope="col">{header}</th> }).collect_view()}
                        <td class="col-action"></td>
                    </tr>
                </thead>
                <tbody>
                    {keyed(keys, row)}
                </tbody>
            </table>
        </div>
        <DynShow is=move || kept.data.read().is_empty()>
            <EmptyState title="No applications yet">
                <p>"People see an application on My apps as soon as you add it here."</p>
            </EmptyState>
        </DynShow>
    }
    .into_any()
}

#[component]
fn ApplicationRow(
    first: ApplicationView,
    kept: PolledList<Vec<ApplicationView>>,
    failed: RwSignal<Option<AppError>>,
    role: Role,
) -> impl IntoView {
    let id = first.id;
    let application = row(kept, first, move |list, _| {
        list.iter().find(|row| row.id == id).cloned()
    });
    let field = move |field| dyn_text(move || application.read().words(field));
    let name = field(Field::Name);
    let open = dyn_flag(move || application.read().open);
    let live = Signal::derive(move || application.read().live);
    let (sending, told) = (RwSignal::new(false), Toaster::expect());
    let press = Callback::new(move |to: Admission| {
        spawn_local(async move {
            match admit_application(id, to).await {
                Ok(now) => {
                    told.say(sentence(&now.spec.name, to));
                    kept.change(|list| {
                        list.iter_mut()
                            .filter(|row| row.id == id)
                            .for_each(|row| *row = now.clone())
                    });
                    failed.try_set(None);
                }
                Err(error) => _ = failed.try_set(Some(error)),
            }
            sending.try_set(false);
        });
    });
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
                <LiveSessions count=live name id=id.to_string() search=(role >= Role::SystemAdmin).then_some("app") />
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

/// "Start 5 min · Never connected 10 min · …", broken only between limits.
fn limits(application: &ApplicationView) -> String {
    let policy = &application.spec.policy;
    let told = PolicyLimit::ALL.map(|limit| format!("{} {}", limit.label(), limit.words(policy)));
    told.map(|limit| limit.replace(' ', "\u{a0}")).join(" · ")
}
