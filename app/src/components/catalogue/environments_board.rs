//! The Environments page once its first list is there.

use leptos::{prelude::*, task::spawn_local};
use session::{
    Role, Timestamp,
    catalogue::{Admission, EnvironmentList, EnvironmentState, EnvironmentView},
};

use super::{
    launches::{Launches, LaunchesActions, LiveSessions, sentence},
    polled_list::{PolledList, TroubleBanner, row},
};
use crate::components::{
    failure::FailedAction,
    moment::{Age, Moment},
};
use crate::{
    api::{
        AppError,
        environments::{admit_environment, list_environments},
    },
    ui::{
        clock::Clock,
        dynamic::{DynShow, dyn_flag, dyn_text, dyn_view, keyed},
        empty::EmptyState,
        icon::{Glyph, Icon},
        time::Detail,
        toast::Toaster,
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

/// The table and what is said about it.
#[component]
pub fn EnvironmentsBoard(
    /// The first list.
    list: EnvironmentList,
) -> impl IntoView {
    let clock = Clock::starting_at(list.server_time);
    provide_context(clock);
    let kept = PolledList::start(list, list_environments);
    Effect::new(move || clock.set(kept.data.read().server_time));
    let failed = RwSignal::new(None::<AppError>);
    let keys = Signal::derive(move || kept.data.read().items.iter().map(|row| row.id.number()).collect());
    let row = move |key| {
        let list = kept.data.read_untracked();
        let first = list.items.iter().find(|row| row.id.number() == key).cloned();
        first
            .map(|first| view! { <EnvironmentRow first kept failed /> })
            .into_any()
    };
    view! {
        <p class="lead">
            "Closing an environment refuses new launches of all its applications. Live sessions go on."
            <span class="no-js-only">" Opening and closing here needs JavaScript."</span>
        </p>
        <div class="banners">
            <TroubleBanner trouble=kept.trouble needed=Role::SystemAdmin />
            <FailedAction failed />
        </div>
        <div class="table-scroll" role="region" aria-label="Table of environments" tabindex="0">
            <table class="table" aria-label="Environments">
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
        <DynShow is=move || kept.data.read().items.is_empty()>
            <EmptyState title="No environments yet">
                <p>"An environment appears here when the server is set up to run sessions somewhere."</p>
            </EmptyState>
        </DynShow>
    }
    .into_any()
}

#[component]
fn EnvironmentRow(
    first: EnvironmentView,
    kept: PolledList<EnvironmentList>,
    failed: RwSignal<Option<AppError>>,
) -> impl IntoView {
    let id = first.id;
    let environment = row(kept, first, move |list, _| {
        list.items.iter().find(|row| row.id == id).cloned()
    });
    let name = dyn_text(move || environment.read().name.to_string());
    let limits = move || environment.read().limits.as_deref().unwrap_or_default().to_owned();
    let open = dyn_flag(move || environment.read().open);
    let live = Signal::derive(move || environment.read().live);
    let (sending, told) = (RwSignal::new(false), Toaster::expect());
    let press = Callback::new(move |to: Admission| {
        spawn_local(async move {
            match admit_environment(id, to).await {
                Ok(now) => {
                    told.say(sentence(&now.name, to));
                    kept.change(|list| {
                        list.items
                            .iter_mut()
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
            <td data-label=HEADERS[1]>
                {dyn_text(move || environment.read().kind.to_string())} <span class="cell-note cell-note-limits">{dyn_text(limits)}</span>
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
                    <LaunchesActions name open live sending on_press=press />
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

/// The moment and its age.
#[component]
fn LastSweep(environment: Memo<EnvironmentView>) -> impl IntoView {
    let at = Memo::new(move |_| environment.read().swept.as_ref().map(|swept| swept.at));
    dyn_view(move || match at.get() {
        Some(at) => view! {
            <Moment at=Signal::stored(at) focusable=true />
            <span class="cell-note"><Age since=Signal::stored(at) /> " ago"</span>
        }
        .into_any(),
        None => view! { <span class="quiet">"None yet"</span> }.into_any(),
    })
}

/// What the last sweep said.
#[component]
fn Found(environment: Memo<EnvironmentView>) -> impl IntoView {
    let swept = Memo::new(move |_| environment.read().swept.clone());
    dyn_view(move || {
        let Some(swept) = swept.get() else {
            return view! { <span class="quiet">"–"</span> }.into_any();
        };
        match swept.error {
            None => format!("{} running", swept.running).into_any(),
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
