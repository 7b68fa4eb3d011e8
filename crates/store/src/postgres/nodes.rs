//! The heartbeats of the nodes.

use std::sync::Arc;

use super::{
    Postgres,
    rows::{Columns, text},
};
use crate::{Heard, Node, Result};

/// One word with the database. It waits for no disk, for it says nothing that anybody needs after a power cut.
const BEAT: &str = "INSERT INTO nodes (name, url, beats, report) VALUES ($1, $2, 1, $3::json) \
     ON CONFLICT (name) DO UPDATE SET url = excluded.url, beats = nodes.beats + 1, report = excluded.report";

pub(super) async fn beat(store: &Postgres, name: &str, url: &str, report: &str) -> Result<Heard> {
    let mut lease = store.writers.lend().await?;
    lease.script("BEGIN; SET LOCAL synchronous_commit = off").await?;
    let mine = sqlx::query(BEAT).bind(text(name)).bind(url).bind(report);
    lease.execute(mine).await?;
    let nodes = sqlx::query("SELECT name, url, beats, report FROM nodes ORDER BY name");
    let nodes = lease.all(nodes).await?;
    let granted = lease.optional(sqlx::query("SELECT granted_at FROM sweeps")).await?;
    lease.script("COMMIT").await?;
    lease.give_back();
    let node = |row| {
        let mut columns = Columns::of(row);
        Ok(Node {
            name: columns.string()?.into(),
            url: columns.string()?.into(),
            beats: columns.count()?,
            report: Arc::from(columns.letters()?),
        })
    };
    Ok(Heard {
        nodes: nodes.iter().map(node).collect::<Result<_>>()?,
        sweep_granted_at: granted.map(|row| Columns::of(&row).time()).transpose()?,
    })
}
