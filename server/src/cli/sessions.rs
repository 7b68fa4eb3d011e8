//! `cloud-delivery sessions …`: the actions of the Sessions page, for scripts and terminals.

use clap::Subcommand;
use control::Control;
use session::{
    SessionId,
    api::ExpireRequest,
    format,
    view::{MAX_LIMIT, View},
};

use super::message;

/// Verbs of `cloud-delivery sessions`.
#[derive(Subcommand)]
pub enum Verb {
    /// List sessions, newest first: id, status, username, environment, start, valid until.
    List {
        /// Search as on the Sessions page: words, "phrases", user: env: app: status: connected:
        /// node: id:
        #[arg(default_value = "")]
        search: String,
    },
    /// Expire a session: end access to it at once.
    Expire {
        /// ID of the session.
        id: SessionId,
        /// Reason, shown to the user and stored with the session.
        #[arg(long)]
        reason: Option<String>,
        /// Block the user from launching the application again for 15 minutes.
        #[arg(long)]
        block_relaunch: bool,
    },
    /// Stop waiting for the environment to close an ended session whose teardown is overdue.
    GiveUp {
        /// ID of the session.
        id: SessionId,
    },
}

pub async fn run(verb: Verb, control: &Control) -> anyhow::Result<()> {
    let operator = control.operator().await.map_err(message)?;
    match verb {
        Verb::List { search } => list(control, &operator, search),
        Verb::GiveUp { id } => {
            control.give_up_cleanup(&operator, id).await.map_err(message)?;
            println!("{id}: no longer waiting for its environment to close it");
            Ok(())
        }
        Verb::Expire {
            id,
            reason,
            block_relaunch,
        } => {
            let session = control
                .expire(
                    &operator,
                    id,
                    ExpireRequest {
                        reason,
                        block_relaunch,
                        seen: None,
                    },
                )
                .await
                .map_err(message)?;
            let (by, at) = (
                session.ended_by.unwrap_or_default(),
                session.ended_at.map(format::iso).unwrap_or_default(),
            );
            println!("{id} expired at {at} by {by}");
            Ok(())
        }
    }
}

fn list(control: &Control, operator: &session::api::Me, q: String) -> anyhow::Result<()> {
    let mut view = View {
        q,
        limit: MAX_LIMIT,
        ..View::default()
    };
    loop {
        let page = control.list(operator, &view).map_err(message)?;
        for row in page.items {
            let (start, until) = (format::iso(row.started_at), format::iso(row.valid_until));
            println!(
                "{}\t{}\t{}\t{}\t{start}\t{until}",
                row.id,
                row.status.code(),
                row.username,
                row.environment
            );
        }
        view.cursor = page.head.next_cursor;
        if view.cursor.is_none() {
            return Ok(());
        }
    }
}
