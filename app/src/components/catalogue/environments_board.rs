//! The Environments page, after its first list is loaded.

use leptos::prelude::*;
use session::{
    Homes, Role, Timestamp,
    catalogue::{EnvironmentList, EnvironmentState, EnvironmentView, LaunchState},
};

use super::{
    homes::HomesAction,
    launches::{Launches, LaunchesActions, LiveSessions, sentence},
    table::CatalogueTable,
};
use crate::{
    api::environments::{list_environments, set_environment_launches, set_homes},
    components::{
        moment::{Age, Moment},
        polled_list::{PolledList, row},
    },
    ui::{
        clock::Clock,
        dynamic::{dyn_flag, dyn_text, dyn_view},
        empty::EmptyState,
        icon::{Glyph, Icon},
        time::Detail,
    },
};

const HEADERS: [&str; 7] = [
    "Environment",
    "Kind",
    "State",
    "Launches",
    "Last sweep",
    "Result",
    "Live sessions",
];

/// The introduction and the table.
#[component]
pub fn EnvironmentsBoard(
    /// First list.
    list: EnvironmentList,
) -> impl IntoView {
    let clock = Clock::starting_at(list.server_time);
    provide_context(clock);
    let list = PolledList::start(list, |_| list_environments());
    Effect::new(move || clock.set(list.data.read().server_time));
    let keys = Signal::derive(move || list.data.read().items.iter().map(|row| row.id.number()).collect());
    view! {
        <p class="lead">
            "Closing an environment refuses new launches of all its applications. Live sessions keep running."
            <span class="no-js-only">" You need JavaScript to change anything here."</span>
        </p>
        <CatalogueTable
            list
            name="Environments"
            region="Table of environments"
            needed=Role::SystemAdmin
            headers=&HEADERS
            keys
            row=environment_row
            empty=|| {
                view! {
                    <EmptyState title="No environments yet">
                        <p>"An environment appears here when the server is set up to run sessions somewhere."</p>
                    </EmptyState>
                }
            }
        />
    }
    .into_any()
}

fn environment_row(list: PolledList<EnvironmentList>, key: u128) -> AnyView {
    let rows = list.data.read_untracked();
    let first = rows.items.iter().find(|row| row.id.number() == key).cloned();
    first.map(|first| view! { <EnvironmentRow first list /> }).into_any()
}

#[component]
fn EnvironmentRow(first: EnvironmentView, list: PolledList<EnvironmentList>) -> impl IntoView {
    let (id, has_files) = (first.id, first.homes.is_some());
    let environment = row(list, first, move |list, _| {
        list.items.iter().find(|row| row.id == id).cloned()
    });
    let name = dyn_text(move || environment.read().name.to_string());
    let limits = move || environment.read().limits.as_deref().unwrap_or_default().to_owned();
    let files = move || {
        let homes = environment.read().homes;
        homes
            .map(|homes| format!("Files: {}", homes.words()))
            .unwrap_or_default()
    };
    let open = dyn_flag(move || environment.read().open);
    let homes = Signal::derive(move || environment.read().homes.unwrap_or_default());
    let live = Signal::derive(move || environment.read().live);
    let sending = RwSignal::new(false);
    let press = Callback::new(move |to: LaunchState| {
        list.send(sending, set_environment_launches(id, to), move |rows, now| {
            let text = sentence(&now.name, to);
            let items = rows.items.iter_mut().filter(|row| row.id == id);
            items.for_each(|row| *row = now.clone());
            text
        });
    });
    let save = Callback::new(move |to: Homes| {
        list.send(sending, set_homes(id, to), move |rows, now| {
            let text = format!("Files in {}: {}.", now.name, to.words());
            let items = rows.items.iter_mut().filter(|row| row.id == id);
            items.for_each(|row| *row = now.clone());
            text
        });
    });
    // Closing an environment affects many applications, so the dialog states their number first.
    let concerns = dyn_text(move || {
        let environment = environment.read();
        let applications = match environment.applications {
            1 => "application".to_owned(),
            many => format!("{many} applications"),
        };
        let live = match environment.live {
            0 => String::new(),
            1 => " Its live session keeps running.".to_owned(),
            many => format!(" Its {many} live sessions keep running."),
        };
        format!("Nobody can launch its {applications} until you open it again.{live}")
    });
    view! {
        <tr>
            <td class="col-name" data-label=HEADERS[0]>{name}</td>
            <td data-label=HEADERS[1]>
                {dyn_text(move || environment.read().kind.to_string())} <span class="cell-note cell-note-limits">{dyn_text(limits)}</span>
                <span class="cell-note cell-note-limits">{dyn_text(files)}</span>
            </td>
            <td data-label=HEADERS[2]>
                <State state=Signal::derive(move || environment.read().state) />
            </td>
            <td data-label=HEADERS[3]>
                <Launches open />
            </td>
            <td data-label=HEADERS[4]>
                <LastSweep environment />
            </td>
            <td data-label=HEADERS[5]>
                <Found environment />
            </td>
            <td data-label=HEADERS[6]>
                <LiveSessions count=live name id=id.to_string() search=Some("env") />
            </td>
            <td class="col-action">
                <div class="row-actions">
                    <LaunchesActions name open live sending concerns on_press=press />
                    {has_files.then(|| view! { <HomesAction name homes sending on_save=save /> })}
                </div>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn State(state: Signal<EnvironmentState>) -> impl IntoView {
    let look = move || match state.get() {
        EnvironmentState::Answering => ("badge badge-active", Glyph::Check),
        EnvironmentState::Silent => ("badge badge-error", Glyph::Failed),
        EnvironmentState::NotAsked => ("badge badge-pending", Glyph::Waiting),
        EnvironmentState::NotReachable => ("badge", Glyph::Offline),
    };
    view! {
        <span class=dyn_text(move || look().0.to_owned())>
            <Icon glyph=Signal::derive(move || look().1) />
            <span>{dyn_text(move || state.get().label().to_owned())}</span>
        </span>
    }
}

/// Time and age of the last sweep.
#[component]
fn LastSweep(environment: Memo<EnvironmentView>) -> impl IntoView {
    let at = Memo::new(move |_| environment.read().swept.as_ref().map(|swept| swept.at));
    dyn_view(move || match at.get() {
        Some(at) => view! {
            <Moment at=Signal::stored(at) detail=Detail::Brief focusable=true />
            <span class="cell-note"><Age since=Signal::stored(at) /> " ago"</span>
        }
        .into_any(),
        None => view! { <span class="quiet">"None yet"</span> }.into_any(),
    })
}

/// Result of the last sweep.
#[component]
fn Found(environment: Memo<EnvironmentView>) -> impl IntoView {
    let swept = Memo::new(move |_| environment.read().swept.clone());
    dyn_view(move || {
        let Some(swept) = swept.get() else {
            return view! { <span class="quiet">"–"</span> }.into_any();
        };
        match swept.error {
            None if swept.running == 1 => "1 session found".into_any(),
            None => format!("{} sessions found", swept.running).into_any(),
            Some(error) => view! {
                <span class="failed">{error.to_string()}</span>
                {swept.answered_at.map(|at| view! { <LastAnswer at /> })}
            }
            .into_any(),
        }
    })
}

#[component]
fn LastAnswer(at: Timestamp) -> impl IntoView {
    view! {
        <span class="cell-note">
            "last answered " <Moment at=Signal::stored(at) detail=Detail::Brief />
        </span>
    }
    .into_any()
}
