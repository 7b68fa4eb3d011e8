//! The outcomes of a batch, session by session.

use leptos::prelude::*;
use session::{
    SessionId,
    batch::{Chosen, Outcome},
};

/// Maximum number of listed outcomes; those that need attention come first.
const LISTED: usize = 200;

/// The outcomes of a batch, counted.
pub struct Tally {
    expired: usize,
    changed: usize,
    failed: usize,
    left: usize,
}

impl Tally {
    /// Counts `outcomes`; `chosen` is the size of the whole batch.
    pub fn of(outcomes: &[Outcome], chosen: usize) -> Self {
        let expired = outcomes.iter().filter(|outcome| outcome.session.is_some()).count();
        let changed = outcomes.iter().filter(|outcome| has_changed(outcome)).count();
        Self {
            expired,
            changed,
            failed: outcomes.len() - expired - changed,
            left: chosen - outcomes.len(),
        }
    }

    /// "480 sessions have been expired. 3 changed in the meantime and were left alone."
    pub fn sentence(&self) -> String {
        let mut text = match self.expired {
            1 => "1 session has been expired.".to_owned(),
            count => format!("{count} sessions have been expired."),
        };
        for (count, one, many) in [
            (
                self.changed,
                "changed in the meantime and was left alone",
                "changed in the meantime and were left alone",
            ),
            (self.failed, "could not be expired", "could not be expired"),
            (
                self.left,
                "was left alone because you stopped",
                "were left alone because you stopped",
            ),
        ] {
            match count {
                0 => {}
                1 => text.push_str(&format!(" 1 {one}.")),
                count => text.push_str(&format!(" {count} {many}.")),
            }
        }
        text
    }
}

/// Whether the session changed in a way that could change the administrator's decision.
fn has_changed(outcome: &Outcome) -> bool {
    outcome
        .problem
        .as_ref()
        .is_some_and(|problem| problem.code == "session_changed")
}

/// The counts, then each session, those not expired first, and a button to ask about these again.
#[component]
pub fn Outcomes(
    /// Outcomes of the processed sessions.
    outcomes: Vec<Outcome>,
    /// Sessions of the whole batch.
    sessions: Vec<Chosen>,
    /// Opens the question again for these sessions.
    #[prop(into)]
    again: Callback<Vec<SessionId>>,
) -> impl IntoView {
    let tally = Tally::of(&outcomes, sessions.len());
    let not_expired: Vec<SessionId> = outcomes
        .iter()
        .filter(|outcome| outcome.session.is_none())
        .map(|outcome| outcome.id)
        .collect();
    let many = not_expired.len();
    let of = |expired: bool| {
        outcomes
            .iter()
            .filter(move |outcome| outcome.session.is_some() == expired)
    };
    let line = |outcome: &Outcome| {
        let chosen = sessions.iter().find(|chosen| chosen.id == outcome.id);
        let name =
            chosen.map(|chosen| format!("{}: {} in {}", chosen.username, chosen.application, chosen.environment));
        view! {
            <li>
                <span class="outcome-name">{name}</span>
                {format!(" – {}", said(outcome))}
            </li>
        }
    };
    let more = outcomes.len().saturating_sub(LISTED);
    view! {
        <p role="status">{tally.sentence()}</p>
        <ul class="outcomes" aria-label="Result of each session" tabindex="0">
            {of(false).chain(of(true)).take(LISTED).map(line).collect_view()}
            {(more > 0).then(|| view! { <li>{format!("and {more} more that were expired")}</li> })}
        </ul>
        {(many > 0).then(|| view! {
            <p>
                <button type="button" class="button" on:click=move |_| again.run(not_expired.clone())>
                    {if many == 1 { "Review the remaining session".to_owned() } else { format!("Review the remaining {many} sessions") }}
                </button>
            </p>
        })}
    }
    .into_any()
}

/// One outcome as text.
fn said(outcome: &Outcome) -> String {
    match (&outcome.session, &outcome.problem) {
        (Some(session), _) => format!("expired by {}", session.ended_by.as_deref().unwrap_or("system")),
        (None, Some(problem)) => match &problem.session {
            Some(now) if now.connected => format!("not expired: it is {} and open in a browser tab now", now.status),
            Some(now) => format!("not expired: it is {} now", now.status),
            None => format!("not expired: {}", problem.detail),
        },
        (None, None) => "not expired".to_owned(),
    }
}
