//! Facts that an administrator needs before ending a session.

use crate::ui::{
    dynamic::{DynShow, dyn_text},
    field,
};
use leptos::{html, prelude::*};
use session::{
    Status,
    api::{MAX_NOTE_CHARS, SessionView},
};

use crate::components::{
    moment::Moment,
    status::{Connected, StatusBadge},
};
use crate::ui::time::Detail;

/// User, environment, application, status and Connected, updated live.
#[component]
pub fn SessionFacts(
    /// Session to show.
    #[prop(into)]
    session: Signal<SessionView>,
) -> impl IntoView {
    view! {
        <dl class="facts">
            <div>
                <dt>"User"</dt>
                <dd><bdi>{dyn_text(move || session.read().username.to_string())}</bdi></dd>
            </div>
            <div>
                <dt>"Environment"</dt>
                <dd><bdi>{dyn_text(move || session.read().environment.to_string())}</bdi></dd>
            </div>
            <div>
                <dt>"Application"</dt>
                <dd><bdi>{dyn_text(move || session.read().application.to_string())}</bdi></dd>
            </div>
            <div>
                <dt>"Status"</dt>
                <dd>
                    <StatusBadge status=Signal::derive(move || session.read().status) />
                </dd>
            </div>
            <div>
                <dt>"Connected"</dt>
                <dd>
                    <Connected connected=Signal::derive(move || session.read().connected) />
                </dd>
            </div>
            <div>
                <dt>"Started"</dt>
                <dd>
                    <Moment at=Signal::derive(move || session.read().started_at) />
                </dd>
            </div>
        </dl>
    }
    .into_any()
}

/// The consequence of an expire.
#[component]
pub fn Consequence(
    /// Session to expire.
    #[prop(into)]
    session: Signal<SessionView>,
    /// Element id, for `aria-describedby`.
    id: &'static str,
) -> impl IntoView {
    view! {
        <p id=id class="consequence">
            {dyn_text(move || {
                let session = session.read();
                let (user, application) = (&session.username, &session.application);
                if session.status == Status::Error {
                    return format!("{application} has failed, so {user} has no access to it. Expiring the session cleans it up. There is no undo.");
                }
                let now = if session.connected { " has it open in a browser tab right now and" } else { "" };
                format!("{user}{now} loses access at once, and {application} closes. Unsaved work is lost. There is no undo.")
            })}
        </p>
    }
}

/// The optional reason, which is saved and shown to the user, and the check box that blocks a
/// relaunch.
#[component]
pub fn ReasonField() -> impl IntoView {
    view! {
        <div class="field">
            <label for="expire-reason">
                "Reason " <span class="field-hint">"(optional, shown to the user)"</span>
            </label>
            <textarea id="expire-reason" name="reason" rows="2" maxlength=MAX_NOTE_CHARS.to_string()></textarea>
        </div>
        <label class="field-check">
            <input type="checkbox" name="block_relaunch" />
            "Block relaunch for 15 minutes"
        </label>
    }
}

/// Reads [`ReasonField`]: the reason (blank is `None`) and whether to block a relaunch.
pub fn written(form: NodeRef<html::Form>) -> (Option<String>, bool) {
    let Some(form) = form.get_untracked() else {
        return (None, false);
    };
    let reason = field::value(&form, "reason").trim().to_owned();
    (
        Some(reason).filter(|text| !text.is_empty()),
        field::is_checked(&form, "block_relaunch"),
    )
}

/// Time, actor and reason of a session's end.
#[component]
pub fn EndedFacts(
    /// Session to show; nothing appears before its end.
    #[prop(into)]
    session: Signal<SessionView>,
) -> impl IntoView {
    let ended_at = Memo::new(move |_| {
        let session = session.read();
        session.ended_at.filter(|_| session.status == Status::Expired)
    });
    view! {
        <DynShow is=move || ended_at.get().is_some()>
            <span class="ended">
                "Expired " <Moment at=Signal::derive(move || ended_at.get().unwrap_or_default()) detail=Detail::Brief />
                " "
                {dyn_text(move || format!("by {}", session.read().ended_by.as_deref().unwrap_or("system")))}
            </span>
        </DynShow>
    }
}
