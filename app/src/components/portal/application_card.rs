//! An application on "My apps": launch it, resume its session or end its session.

use std::sync::Arc;

use crate::ui::dynamic::{DynShow, dyn_attr, dyn_flag, dyn_text, dyn_view};
use leptos::{ev::SubmitEvent, prelude::*};
use session::{
    ApplicationId,
    api::{AppCard, LastFailure, MyApps, SessionView},
    homes,
};

use super::{app_icon::app_icon, app_search::AppSearch};
use crate::{
    api::{applications::set_favourite, sessions::end_session},
    components::{moment::Moment, polled_list::PolledList, status::StatusBadge, timeline::UserDeadline},
    ui::{
        banner::{Banner, Tone},
        dialog::Dialog,
        focus,
        icon::{Glyph, Icon},
        time::{self, Detail},
    },
};

/// The applications of My apps.
pub type MyList = PolledList<MyApps>;

/// The state of one application.
#[derive(Clone, PartialEq)]
struct State {
    card: AppCard,
    session: Option<SessionView>,
    failed: Option<LastFailure>,
    favourite: bool,
}

impl State {
    fn of(apps: &MyApps, id: u128) -> Option<Self> {
        let card = apps.cards.as_ref()?.items.iter().find(|card| card.id.number() == id)?;
        let failed = apps.failed.iter().find(|(failed, _)| *failed == card.id);
        let session = apps.sessions.iter().find(|session| session.application_id == card.id);
        Some(Self {
            card: card.clone(),
            session: session.cloned(),
            failed: failed.map(|(_, failure)| failure.clone()),
            favourite: apps.favourites.contains(&card.id),
        })
    }
}

/// The card of an application. Its forms work without JavaScript; with JavaScript, "End session"
/// needs a confirmation.
#[component]
pub fn ApplicationCard(
    /// Id of the application.
    id: u128,
    /// List that contains it.
    list: MyList,
    /// The search of the page.
    search: AppSearch,
    /// Whether the search finds it.
    shown: Signal<bool>,
    /// Set to open the dialog for this session.
    ending: RwSignal<Option<SessionView>>,
) -> impl IntoView {
    let application = Memo::new(move |_| State::of(&list.data.read(), id));
    let session = Memo::new(move |_| {
        application
            .read()
            .as_ref()
            .and_then(|application| application.session.clone())
    });
    let live = Memo::new(move |_| session.read().is_some());
    // A live session keeps the home of its launch.
    let files = move || {
        let application = application.read();
        let home = application
            .as_ref()
            .and_then(|app| app.session.as_ref().map_or(app.card.home, |session| session.home));
        homes::outlook(home).to_owned()
    };
    let fixed = application.get_untracked();
    let Some(AppCard {
        id, name, appearance, ..
    }) = fixed.map(|app| app.card)
    else {
        return ().into_any();
    };
    let star = star(application, list, search, &name);
    let heading = format!("app-{id}");
    let (labelled_by, described_by) = (heading.clone(), heading.clone());
    let launch_text = dyn_text(move || {
        application
            .read()
            .as_ref()
            .map(|app| app.card.launch_text.to_string())
            .unwrap_or_default()
    });
    // Offline, the form would open the browser's own error page in a new tab.
    let submit = move |event: SubmitEvent| {
        if list.trouble.get_untracked().is_some() {
            event.prevent_default();
        }
    };
    let blocked =
        move || !application.read().as_ref().is_some_and(|app| app.card.open) || list.trouble.read().is_some();
    let alive = time::is_alive();
    let time_zone = move || if alive.get() { time::zone() } else { None }.unwrap_or_default();
    let launch = move || {
        view! {
            <form method="post" action="/launch" target="_blank" on:submit=submit>
                <input type="hidden" name="application" value=id.to_string() />
                // Only the browser knows it. The languages are in a header of the request.
                <input type="hidden" name="time_zone" value=dyn_text(time_zone) />
                <button
                    type="submit"
                    id=format!("go-{id}")
                    class="button button-primary"
                    aria-describedby=described_by.clone()
                    aria-disabled=dyn_attr(move || blocked().then_some("true"))
                >
                    {launch_text}
                </button>
            </form>
        }
        .into_any()
    };
    view! {
        <li hidden=dyn_flag(move || !shown.get() || application.read().is_none())>
        <article class="card" aria-labelledby=labelled_by>
            <div class="card-head">
                {app_icon(appearance.icon.as_deref())}
                <h3 class="card-title" id=heading>
                    <bdi>{name.to_string()}</bdi>
                </h3>
            </div>
            {(!appearance.description.is_empty())
                .then(|| view! { <p class="card-text" dir="auto">{appearance.description.to_string()}</p> })}
            <div class="card-state">
                <DynShow is=live otherwise=move || view! { <NotRunning application /> }>
                    <CardState session />
                </DynShow>
            </div>
            <p class="quiet card-files">{dyn_text(files)}</p>
            <div class="card-actions">
                <DynShow is=live otherwise=launch>
                    <LiveActions id session ending />
                </DynShow>
                {star}
            </div>
        </article>
        </li>
    }
    .into_any()
}

/// The switch of a favourite. A plain form without JavaScript.
fn star(application: Memo<Option<State>>, list: MyList, search: AppSearch, name: &Arc<str>) -> AnyView {
    let is_on = move || application.read().as_ref().is_some_and(|app| app.favourite);
    let Some(id) = application.read_untracked().as_ref().map(|app| app.card.id) else {
        return ().into_any();
    };
    let (label, name) = (format!("Favourite: {name}"), name.clone());
    let sending = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if sending.get_untracked() || list.trouble.get_untracked().is_some() {
            return;
        }
        sending.set(true);
        let (on, name) = (!untrack(is_on), name.clone());
        list.send(sending, set_favourite(id, on), move |apps, ()| {
            focus::keep();
            apps.favourites.retain(|favourite| *favourite != id);
            if on {
                apps.favourites.push(id);
            }
            let what = if on {
                "is a favourite."
            } else {
                "is no longer a favourite."
            };
            format!("{name} {what}")
        });
    };
    let q = search.q.get_untracked();
    view! {
        <form class="card-star" method="post" action="/favourites" on:submit=submit>
            <input type="hidden" name="application" value=id.to_string() />
            <input type="hidden" name="favourite" value=dyn_text(move || (!is_on()).to_string()) />
            {(!q.is_empty()).then(|| view! { <input type="hidden" name="q" value=q.clone() /> })}
            <button
                type="submit"
                class="button button-star"
                id=format!("star-{id}")
                role="switch"
                aria-label=label
                aria-checked=dyn_attr(move || Some(if is_on() { "true" } else { "false" }))
                title="Favourite"
            >
                <Icon glyph=Glyph::Star />
            </button>
        </form>
    }
    .into_any()
}

#[component]
fn CardState(session: Memo<Option<SessionView>>) -> impl IntoView {
    dyn_view(move || {
        let card = |session: SessionView| {
            view! {
                <StatusBadge status=session.status />
                <UserDeadline session />
            }
        };
        session.get().map(card).into_any()
    })
}

/// Content without a live session: the last failure, and Launch or the reason why it is
/// unavailable.
#[component]
fn NotRunning(application: Memo<Option<State>>) -> impl IntoView {
    dyn_view(move || match application.get() {
        Some(State { card, .. }) if !card.open => {
            view! { <p class="quiet">"Closed to launches at the moment"</p> }.into_any()
        }
        Some(State {
            failed: Some(failed), ..
        }) => view! {
            <p class="cell-note-error">
                "Failed " <Moment at=Signal::stored(failed.at) detail=Detail::Brief /> ": " {failed.error.to_string()}
            </p>
        }
        .into_any(),
        _ => view! { <p class="quiet">"Not running"</p> }.into_any(),
    })
}

#[component]
fn LiveActions(
    id: ApplicationId,
    session: Memo<Option<SessionView>>,
    ending: RwSignal<Option<SessionView>>,
) -> impl IntoView {
    let path = move || {
        let session = session.read();
        session
            .as_ref()
            .map(|session| format!("/sessions/{}", session.id))
            .unwrap_or_default()
    };
    let ask = move |event: SubmitEvent| {
        event.prevent_default();
        ending.set(session.get_untracked());
    };
    view! {
        <a class="button button-primary" id=format!("go-{id}") href=dyn_text(path) rel="external" target="_blank" title="Opens in a new tab">
            "Resume"
            <Icon glyph=Glyph::NewTab />
        </a>
        <form method="post" action=dyn_text(move || format!("{}/end", path())) on:submit=ask>
            <button type="submit" class="button button-danger-quiet">
                "End session"
            </button>
        </form>
    }
    .into_any()
}

/// Asks for confirmation before the person's own session ends.
#[component]
pub fn EndDialog(
    /// Session to end; the dialog is open while this is set.
    ending: RwSignal<Option<SessionView>>,
    /// List that contains the application.
    list: MyList,
) -> impl IntoView {
    let sending = RwSignal::new(false);
    let close = move || ending.set(None);
    let end = move |_| {
        let Some(session) = ending.get_untracked().filter(|_| !sending.get_untracked()) else {
            return;
        };
        sending.set(true);
        list.send(sending, end_session(session.id), move |apps, ended| {
            ending.set(None);
            focus::rescue("content");
            apps.sessions.retain(|session| session.id != ended.id);
            format!("Your session of {} has ended.", ended.application)
        });
    };
    view! {
        <Dialog
            open=Signal::derive(move || ending.read().is_some())
            on_close=move |()| close()
            labelled_by="end-title"
            described_by="end-consequence"
        >
            <div class="dialog-body">
                <h2 id="end-title" class="dialog-title">
                    {dyn_text(move || {
                        let session = ending.read();
                        session.as_ref().map(|session| format!("End your session of {}?", session.application)).unwrap_or_default()
                    })}
                </h2>
                <p id="end-consequence">
                    {dyn_text(move || {
                        let home = ending.read().as_ref().and_then(|session| session.home);
                        homes::end_consequence(home).to_owned()
                    })}
                </p>
                <DynShow is=move || list.failed.read().is_some()>
                    <Banner tone=Tone::Danger>
                        {dyn_text(move || list.failed.read().as_ref().map(|error| error.0.detail.clone()).unwrap_or_default())}
                    </Banner>
                </DynShow>
                <div class="dialog-actions">
                    <button type="button" class="button" autofocus on:click=move |_| close()>
                        "Cancel"
                    </button>
                    <button
                        type="button"
                        class="button button-danger"
                        aria-disabled=dyn_attr(move || sending.get().then_some("true"))
                        on:click=end
                    >
                        {dyn_text(move || if sending.get() { "Ending…" } else { "End session" }.to_owned())}
                    </button>
                </div>
            </div>
        </Dialog>
    }
    .into_any()
}
