//! The nodes that share the database: their heartbeats, wake-ups, and the turn to sweep.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use session::Timestamp;
use store::{
    Claim, Cluster, Node, PeerHeartbeats, Result, StoreError,
    decide::sweep::{self, Decided},
};

use crate::{
    Postgres,
    database::Served,
    rows::{Columns, Moment, text},
    transaction::Transaction,
};

/// The first heartbeat sets the address.
const CLAIM: &str = "INSERT INTO nodes (name, server, url, beats, report) VALUES ($1, gen_random_uuid(), '', 1, '{}') \
     ON CONFLICT (name) DO UPDATE SET server = excluded.server, url = '', beats = nodes.beats + 1, seen_at = now() RETURNING server";
const BEAT: &str =
    "UPDATE nodes SET url = $3, beats = beats + 1, report = $4::json, seen_at = now() WHERE name = $1 AND server = $2";
/// Forgets nodes that were away for a day and left nothing to do. One that comes back starts over.
const FORGET: &str = "DELETE FROM nodes WHERE seen_at < now() - interval '1 day' AND NOT EXISTS \
     (SELECT FROM sessions WHERE node = name AND (ended_at IS NULL OR teardown = 'wanted'))";
const GRANTED_AT: &str = "SELECT granted_at FROM sweeps";

#[async_trait]
impl Cluster for Postgres {
    async fn changed(&self) {
        // Without a listener this waits indefinitely.
        self.wakeups.notified().await;
    }

    async fn now(&self) -> Result<Option<Timestamp>> {
        let row = self.read_optional(sqlx::query("SELECT clock_timestamp()")).await?;
        row.map(|row| Columns::of(&row).time()).transpose()
    }

    async fn claim_sweep(&self, now: Timestamp, interval: TimeDelta) -> Result<Claim> {
        // Most claims are too early, and are answered without a write.
        let row = self.read_optional(sqlx::query(GRANTED_AT)).await?;
        let granted_at = row.map(|row| Columns::of(&row).time()).transpose()?;
        let early = sweep::claim(granted_at, now, interval);
        if !early.record {
            return Ok(early.claim);
        }
        // The lock of the log protects the row over all nodes.
        let mut transaction = Transaction::begin(self).await?;
        let row = transaction.lease().optional(sqlx::query(GRANTED_AT)).await?;
        let granted_at = row.map(|row| Columns::of(&row).time()).transpose()?;
        let Decided { claim, record } = sweep::claim(granted_at, now, interval);
        if !record {
            transaction.undo().await?;
            return Ok(claim);
        }
        let grant = sqlx::query(
            "INSERT INTO sweeps (granted_at) VALUES ($1) ON CONFLICT (single) DO UPDATE SET granted_at = excluded.granted_at",
        )
        .bind(Moment(now));
        transaction.lease().execute(grant).await?;
        transaction.commit_unlogged().await?;
        Ok(claim)
    }

    /// One short transaction, which does not wait for the disk, because a heartbeat is useless
    /// after a power cut.
    async fn heartbeat(&self, name: &str, url: &str, report: &str) -> Result<PeerHeartbeats> {
        let Some(Served { server, .. }) = self.served else {
            return Ok(PeerHeartbeats::default());
        };
        let mut lease = self.writers.acquire().await?;
        lease.script("BEGIN; SET LOCAL synchronous_commit = off").await?;
        let own = sqlx::query(BEAT).bind(text(name)).bind(server).bind(url).bind(report);
        if lease.execute(own).await? == 0 {
            return Err(StoreError::NodeTaken(name.to_owned()));
        }
        let nodes = sqlx::query("SELECT name, url, beats, report FROM nodes ORDER BY name");
        let nodes = lease.all(nodes).await?;
        let granted = lease.optional(sqlx::query(GRANTED_AT)).await?;
        lease.script("COMMIT").await?;
        lease.release();
        let node = |row| {
            let mut columns = Columns::of(row);
            Ok(Node {
                name: columns.string()?.into(),
                url: columns.string()?.into(),
                beats: columns.count()?,
                report: Arc::from(columns.json_text()?),
            })
        };
        Ok(PeerHeartbeats {
            nodes: nodes.iter().map(node).collect::<Result<_>>()?,
            sweep_granted_at: granted.map(|row| Columns::of(&row).time()).transpose()?,
        })
    }
}

/// Makes this server the node of a name. The server that was it before writes nothing more into the
/// log: [`Transaction::begin`] refuses it.
pub(crate) async fn claim_node(store: &Postgres, name: &str) -> Result<Served> {
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
