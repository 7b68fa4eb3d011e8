//! The nodes: which server each is, and its heartbeats.

use std::sync::Arc;

use super::{
    Postgres, Served,
    rows::{Columns, text},
    transaction::Transaction,
};
use crate::{Node, PeerHeartbeats, Result, StoreError};

/// The address comes with the first heartbeat.
const CLAIM: &str = "INSERT INTO nodes (name, server, url, beats, report) VALUES ($1, gen_random_uuid(), '', 1, '{}') \
     ON CONFLICT (name) DO UPDATE SET server = excluded.server, url = '', beats = nodes.beats + 1, seen_at = now() RETURNING server";
const BEAT: &str =
    "UPDATE nodes SET url = $3, beats = beats + 1, report = $4::json, seen_at = now() WHERE name = $1 AND server = $2";
/// Who has not been seen for a day and has left nothing to do. Should it come back all the same, it starts anew.
const FORGET: &str = "DELETE FROM nodes WHERE seen_at < now() - interval '1 day' AND NOT EXISTS \
     (SELECT FROM sessions WHERE node = name AND (ended_at IS NULL OR teardown = 'wanted'))";

/// Makes this server the node of a name. One that was it before writes nothing more into the log from then on: [`Transaction::begin`].
pub(super) async fn claim(store: &Postgres, name: &str) -> Result<Served> {
    let mut transaction = Transaction::begin(store).await?;
    let row = transaction.lease().one(sqlx::query(CLAIM).bind(text(name))).await?;
    let served = Served {
        node: name.to_owned(),
        server: Columns::of(&row).id()?,
    };
    transaction.lease().execute(sqlx::query(FORGET)).await?;
    transaction.commit_unlogged().await?;
    Ok(served)
}

/// One word with the database. It waits for no disk, for it says nothing that anybody needs after a power cut.
pub(super) async fn heartbeat(store: &Postgres, name: &str, url: &str, report: &str) -> Result<PeerHeartbeats> {
    let Some(Served { server, .. }) = store.served else {
        return Ok(PeerHeartbeats::default());
    };
    let mut lease = store.writers.acquire().await?;
    lease.script("BEGIN; SET LOCAL synchronous_commit = off").await?;
    let mine = sqlx::query(BEAT).bind(text(name)).bind(server).bind(url).bind(report);
    if lease.execute(mine).await? == 0 {
        return Err(StoreError::NodeTaken(name.to_owned()));
    }
    let nodes = sqlx::query("SELECT name, url, beats, report FROM nodes ORDER BY name");
    let nodes = lease.all(nodes).await?;
    let granted = lease.optional(sqlx::query("SELECT granted_at FROM sweeps")).await?;
    lease.script("COMMIT").await?;
    lease.release();
    let node = |row| {
        let mut columns = Columns::of(row);
        Ok(Node {
            name: columns.string()?.into(),
            url: columns.string()?.into(),
            beats: columns.count()?,
            report: Arc::from(columns.letters()?),
        })
    };
    Ok(PeerHeartbeats {
        nodes: nodes.iter().map(node).collect::<Result<_>>()?,
        sweep_granted_at: granted.map(|row| Columns::of(&row).time()).transpose()?,
    })
}
