//! An application on "My apps": launch it, resume its session or end its session.

use crate::ui::dynamic::{DynShow, dyn_attr, dyn_text, dyn_view};
use leptos::{ev::SubmitEvent, prelude::*};
use session::{
    HomeKind,
    api::{MyApplication, SessionView},
    homes,
};

use crate::{
    api::sessions::end_session,
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
pub type MyList = PolledList<Vec<MyApplication>>;

/// The card of an application. Its forms work without JavaScript; with JavaScript, "End session"
/// needs a confirmation.
#[component]
pub fn ApplicationCard(
    /// Current state of the application.
    application: Memo<Option<MyApplication>>,
    /// List that contains it.
    list: MyList,
    /// Set to open the dialog for this session.
    ending: RwSignal<Option<SessionView>>,
) -> impl IntoView {
    let session = Memo::new(move |_| {
        application
            .read()
            .as_ref()
            .and_then(|application| application.session.clone())
    });
    let live = Memo::new(move |_| session.read().is_some());
    // A live session keeps the home of its launch.
    let scratch = Memo::new(move |_| {
        let application = application.read();
        let home = application
            .as_ref()
            .and_then(|app| app.session.as_ref().map_or(app.home, |session| session.home));
        home == Some(HomeKind::Scratch)
    });
    let fixed = application.get_untracked();
    let (id, name) = fixed
        .as_ref()
        .map(|app| (app.id.to_string(), app.name.to_string()))
        .unwrap_or_default();
    let heading = format!("app-{id}");
    let (labelled_by, described_by) = (heading.clone(), heading.clone());
    let launch_text = dyn_text(move || {
        application
            .read()
            .as_ref()
            .map(|app| app.launch_text.to_string())
            .unwrap_or_default()
    });
    // Offline, the form would open the browser's own error page in a new tab.
    let submit = move |event: SubmitEvent| {
        if list.trouble.get_untracked().is_some() {
            event.prevent_default();
        }
    };
    let blocked = move || !application.read().as_ref().is_some_and(|app| app.open) || list.trouble.read().is_some();
    let alive = time::is_alive();
    let time_zone = move || if alive.get() { time::zone() } else { None }.unwrap_or_default();
    let launch = move || {
        view! {
            <form method="post" action="/launch" target="_blank" on:submit=submit>
                <input type="hidden" name="application" value=id.clone() />
                // Only the browser knows it. The languages are in a header of the request.
                <input type="hidden" name="time_zone" value=dyn_text(time_zone) />
                <button
                    type="submit"
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
        <article class="card" aria-labelledby=labelled_by>
            <h2 class="card-title" id=heading>
                <bdi>{name}</bdi>
            </h2>
            <div class="card-state">
                <DynShow is=live otherwise=move || view! { <NotRunning application /> }>
                    <CardState session />
                </DynShow>
            </div>
            <DynShow is=scratch>
                <p class="quiet card-files">"Files are deleted when the session ends."</p>
            </DynShow>
            <div class="card-actions">
                <DynShow is=live otherwise=launch>
                    <LiveActions session ending />
                </DynShow>
            </div>
        </article>
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
fn NotRunning(application: Memo<Option<MyApplication>>) -> impl IntoView {
    dyn_view(move || match application.get() {
        Some(MyApplication { open: false, .. }) => {
            view! { <p class="quiet">"Closed to launches at the moment"</p> }.into_any()
        }
        Some(MyApplication {
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
fn LiveActions(session: Memo<Option<SessionView>>, ending: RwSignal<Option<SessionView>>) -> impl IntoView {
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
        <a class="button button-primary" href=dyn_text(path) rel="external" target="_blank" title="Opens in a new tab">
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
        list.send(sending, end_session(session.id), move |applications, ended| {
            ending.set(None);
            focus::rescue("content");
            for application in applications.iter_mut().filter(|app| app.id == ended.application_id) {
                application.session = None;
            }
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
