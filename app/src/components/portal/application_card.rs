//! An application on "My apps": launch it, go back to it, end it.

use crate::ui::dynamic::{DynShow, dyn_attr, dyn_text, dyn_view};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use session::wire::{MyApplication, SessionView};

use crate::components::{moment::Moment, status::StatusBadge};
use crate::{
    api::sessions::end_session,
    ui::{
        banner::{Banner, Tone},
        dialog::Dialog,
        icon::{Glyph, Icon},
    },
};

/// The card of an application. Its forms work without JavaScript; with it, "End session" asks first.
#[component]
pub fn ApplicationCard(
    /// The application as it is now.
    application: Memo<Option<MyApplication>>,
    /// The session to ask about: set to open the dialog.
    ending: RwSignal<Option<SessionView>>,
) -> impl IntoView {
    let session = Memo::new(move |_| {
        application
            .read()
            .as_ref()
            .and_then(|application| application.session.clone())
    });
    let live = Memo::new(move |_| session.read().is_some());
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
    view! {
        <article class="card" aria-labelledby=labelled_by>
            <h2 class="card-title" id=heading>
                <bdi>{name}</bdi>
            </h2>
            <div class="card-state">
                <DynShow
                    is=move || live.get()
                    otherwise=|| view! { <p class="quiet">"Not running"</p> }
                >
                    <CardState session />
                </DynShow>
            </div>
            <div class="card-actions">
                <DynShow is=move || live.get()>
                    <LiveActions session ending />
                </DynShow>
                <form method="post" action="/launch" target="_blank">
                    <input type="hidden" name="application" value=id />
                    <button
                        type="submit"
                        class="button"
                        class:button-primary=Signal::derive(move || !live.get())
                        aria-describedby=described_by
                    >
                        {launch_text}
                    </button>
                </form>
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
                <p class="quiet">"Available until " <Moment at=Signal::stored(session.valid_until) /></p>
            }
        };
        session.get().map(card).into_any()
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

/// Asks before it ends one of the person's own sessions.
#[component]
pub fn EndDialog(
    /// The session to ask about; open while there is one.
    ending: RwSignal<Option<SessionView>>,
    /// Something changed: ask the server again.
    #[prop(into)]
    on_done: Callback<()>,
) -> impl IntoView {
    let sending = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let close = move || {
        ending.set(None);
        problem.set(None);
    };
    let end = move |_| {
        let Some(session) = ending.get_untracked().filter(|_| !sending.get_untracked()) else {
            return;
        };
        sending.set(true);
        spawn_local(async move {
            match end_session(session.id).await {
                Ok(_) => close(),
                Err(error) => problem.set(Some(error.0.detail)),
            }
            sending.set(false);
            on_done.run(());
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
                <p id="end-consequence">"The application closes. Unsaved work is lost."</p>
                <DynShow is=move || problem.get().is_some()>
                    <Banner tone=Tone::Danger>{dyn_text(move || problem.get().unwrap_or_default())}</Banner>
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
