//! Rows of sessions: reading those that changed, and writing one.

use std::collections::{BTreeSet, HashMap};

use futures::TryStreamExt;
use session::{ApplicationId, End, EnvironmentId, Session, SessionId, Timestamp, UserId};
use sqlx::{QueryBuilder, SqliteConnection};
use uuid::Uuid;

use super::{
    Sqlite, events,
    rows::{Columns, Row, hex},
};
use crate::{
    Changes, Result,
    decide::Pair,
    values::{Shared, json, micros, number},
};

/// Every column, in the order of [`Session`].
macro_rules! columns {
    () => {
        "id, environment_id, environment, application_id, application, user_id, username, status, access_epoch, \
         started_at, ready_at, valid_until, connected_since, disconnected_at, ended_at, ended_by, end_reason, end_note, \
         error, teardown, blocked_until, policy, node, version"
    };
}

macro_rules! unended {
    ($column:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM sessions WHERE ended_at IS NULL AND ",
            $column,
            " = ?1 ORDER BY id"
        )
    };
}

pub(super) const ALL: &str = concat!("SELECT ", columns!(), " FROM sessions ORDER BY id");
pub(super) const BY_IDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE id IN (SELECT unhex(value) FROM json_each(?1))"
);
pub(super) const CHANGED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE version > ?1 ORDER BY version, id"
);
pub(super) const LIVE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM (SELECT unhex(value ->> 0) AS person, unhex(value ->> 1) AS program FROM json_each(?1)) \
     CROSS JOIN sessions ON user_id = person AND application_id = program WHERE status IN ('pending', 'active')"
);
pub(super) const UNENDED_OF_USER: &str = unended!("user_id");
pub(super) const UNENDED_OF_ENVIRONMENT: &str = unended!("environment_id");
pub(super) const UNENDED_OF_APPLICATION: &str = unended!("application_id");
pub(super) const BLOCKED: &str = "SELECT user_id, application_id, max(blocked_until) \
     FROM (SELECT unhex(value ->> 0) AS person, unhex(value ->> 1) AS program FROM json_each(?1)) \
     CROSS JOIN sessions ON user_id = person AND application_id = program WHERE blocked_until IS NOT NULL GROUP BY user_id, application_id";
pub(super) const HELD: &str = "SELECT count(*) FROM sessions WHERE user_id = ?1 AND status IN ('pending', 'active')";
pub(super) const SEATS_TAKEN: &str =
    "SELECT count(*) FROM sessions WHERE application_id = ?1 AND status IN ('pending', 'active')";

pub(super) async fn revision(connection: &mut SqliteConnection) -> Result<u64> {
    let row = sqlx::query("SELECT revision FROM log").fetch_one(connection).await?;
    Columns::of(&row).revision()
}

pub(super) async fn set_revision(connection: &mut SqliteConnection, revision: u64) -> Result<()> {
    sqlx::query("UPDATE log SET revision = ?1")
        .bind(number(revision))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn changes(store: &Sqlite, after: u64) -> Result<Changes> {
    let mut snapshot = store.snapshot().await?;
    let revision = revision(&mut snapshot).await?;
    let mut changes = Changes {
        revision,
        ..Changes::default()
    };
    if revision <= after {
        return Ok(changes);
    }
    let mut shared = Shared::default();
    let mut rows = sqlx::query(CHANGED).bind(number(after)).fetch(&mut *snapshot);
    while let Some(row) = rows.try_next().await? {
        changes.sessions.push(session(&row, &mut shared)?);
    }
    drop(rows);
    let mut rows = sqlx::query(events::PURGED).bind(number(after)).fetch(&mut *snapshot);
    while let Some(row) = rows.try_next().await? {
        changes.purged.push(SessionId(Columns::of(&row).id()?));
    }
    drop(rows);
    let mut rows = sqlx::query(events::OF_ACCESS).bind(number(after)).fetch(&mut *snapshot);
    while let Some(row) = rows.try_next().await? {
        changes.access.push(events::event(&row)?);
    }
    drop(rows);
    Ok(changes)
}

/// Those of these sessions that exist.
pub(super) async fn by_ids(connection: &mut SqliteConnection, ids: &[Uuid]) -> Result<Vec<Session>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let shared = &mut Shared::default();
    let rows = sqlx::query(BY_IDS).bind(json(&hex(ids))?).fetch_all(connection).await?;
    rows.iter().map(|row| session(row, shared)).collect()
}

/// The live sessions of these people and applications.
pub(super) async fn live(connection: &mut SqliteConnection, pairs: &BTreeSet<Pair>) -> Result<Vec<Session>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let shared = &mut Shared::default();
    let rows = sqlx::query(LIVE).bind(list(pairs)?).fetch_all(connection).await?;
    rows.iter().map(|row| session(row, shared)).collect()
}

/// Those that have not ended, by one of the `UNENDED_OF_…` questions.
pub(super) async fn unended(
    connection: &mut SqliteConnection,
    question: &'static str,
    of: Uuid,
) -> Result<Vec<Session>> {
    let shared = &mut Shared::default();
    let rows = sqlx::query(question)
        .bind(&of.as_bytes()[..])
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| session(row, shared)).collect()
}

/// Until when these people may not launch these applications, where there is such a time.
pub(super) async fn blocked(
    connection: &mut SqliteConnection,
    pairs: &BTreeSet<Pair>,
) -> Result<HashMap<Pair, Timestamp>> {
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(BLOCKED).bind(list(pairs)?).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::of(row);
            let pair = (UserId(columns.id()?), ApplicationId(columns.id()?));
            Ok((pair, columns.time()?))
        })
        .collect()
}

/// Pairs as a statement takes many of them.
fn list(pairs: &BTreeSet<Pair>) -> Result<String> {
    let pairs = pairs.iter().map(|(user, application)| hex(&[user.0, application.0]));
    json(&pairs.collect::<Vec<_>>())
}

/// How many sessions of an application are live.
pub(super) async fn taken(connection: &mut SqliteConnection, of: ApplicationId) -> Result<i64> {
    let count = sqlx::query_scalar(SEATS_TAKEN).bind(&of.0.as_bytes()[..]);
    Ok(count.fetch_one(connection).await?)
}

/// How many live sessions a person has.
pub(super) async fn held(connection: &mut SqliteConnection, id: UserId) -> Result<i64> {
    let row = sqlx::query(HELD)
        .bind(&id.0.as_bytes()[..])
        .fetch_one(connection)
        .await?;
    Columns::of(&row).value()
}

/// Adds rows, as many as there are. All get the version `revision`.
pub(super) async fn insert_all(connection: &mut SqliteConnection, revision: u64, rows: &[Session]) -> Result<()> {
    for some in parts(rows) {
        insert(connection, revision, some).await?;
    }
    Ok(())
}

/// Adds rows, at most a few hundred at a time. All get the version `revision`.
pub(super) async fn insert(connection: &mut SqliteConnection, revision: u64, sessions: &[Session]) -> Result<()> {
    let policies = sessions
        .iter()
        .map(|session| json(&session.policy))
        .collect::<Result<Vec<_>>>()?;
    let mut query = QueryBuilder::<sqlx::Sqlite>::new(concat!("INSERT INTO sessions (", columns!(), ") "));
    query.push_values(sessions.iter().zip(policies), |mut row, (session, policy)| {
        let end = session.end.as_ref();
        row.push_bind(&session.id.0.as_bytes()[..])
            .push_bind(&session.environment_id.0.as_bytes()[..])
            .push_bind(&*session.environment)
            .push_bind(&session.application_id.0.as_bytes()[..])
            .push_bind(&*session.application)
            .push_bind(&session.user_id.0.as_bytes()[..])
            .push_bind(&*session.username)
            .push_bind(session.status.code())
            .push_bind(session.access_epoch)
            .push_bind(micros(session.started_at))
            .push_bind(session.ready_at.map(micros))
            .push_bind(micros(session.valid_until))
            .push_bind(session.connected_since.map(micros))
            .push_bind(session.disconnected_at.map(micros))
            .push_bind(end.map(|end| micros(end.at)))
            .push_bind(end.map(|end| &*end.by))
            .push_bind(end.map(|end| end.reason.code()))
            .push_bind(end.and_then(|end| end.note.as_deref()))
            .push_bind(session.error.as_deref())
            .push_bind(session.teardown.code())
            .push_bind(session.blocked_until.map(micros))
            .push_bind(policy)
            .push_bind(&*session.node)
            .push_bind(number(revision));
    });
    query.build().execute(connection).await?;
    Ok(())
}

/// Writes what a transition may change, of as many rows as there are. Everything else of a session is fixed at launch.
pub(super) async fn update_all(connection: &mut SqliteConnection, rows: &[Session]) -> Result<()> {
    for some in parts(rows) {
        update(connection, some).await?;
    }
    Ok(())
}

/// Rows in parts of three lengths, so that there are three statements for them, which stay prepared.
fn parts(mut rows: &[Session]) -> impl Iterator<Item = &[Session]> {
    std::iter::from_fn(move || {
        let size = [64, 8, 1].into_iter().find(|size| *size <= rows.len())?;
        let (some, rest) = rows.split_at(size);
        rows = rest;
        Some(some)
    })
}

async fn update(connection: &mut SqliteConnection, sessions: &[Session]) -> Result<()> {
    let mut query = QueryBuilder::<sqlx::Sqlite>::new(
        "UPDATE sessions SET status = column2, access_epoch = column3, ready_at = column4, valid_until = column5, \
         connected_since = column6, disconnected_at = column7, ended_at = column8, ended_by = column9, \
         end_reason = column10, end_note = column11, error = column12, teardown = column13, blocked_until = column14, \
         version = column15 FROM (",
    );
    query.push_values(sessions, |mut row, session| {
        let end = session.end.as_ref();
        row.push_bind(&session.id.0.as_bytes()[..])
            .push_bind(session.status.code())
            .push_bind(session.access_epoch)
            .push_bind(session.ready_at.map(micros))
            .push_bind(micros(session.valid_until))
            .push_bind(session.connected_since.map(micros))
            .push_bind(session.disconnected_at.map(micros))
            .push_bind(end.map(|end| micros(end.at)))
            .push_bind(end.map(|end| &*end.by))
            .push_bind(end.map(|end| end.reason.code()))
            .push_bind(end.and_then(|end| end.note.as_deref()))
            .push_bind(session.error.as_deref())
            .push_bind(session.teardown.code())
            .push_bind(session.blocked_until.map(micros))
            .push_bind(number(session.version));
    });
    query.push(") WHERE id = column1");
    query.build().execute(connection).await?;
    Ok(())
}

pub(super) fn session<R: Row>(row: &R, shared: &mut Shared) -> Result<Session> {
    let mut columns = Columns::of(row);
    Ok(Session {
        id: SessionId(columns.id()?),
        environment_id: EnvironmentId(columns.id()?),
        environment: columns.text(shared)?,
        application_id: ApplicationId(columns.id()?),
        application: columns.text(shared)?,
        user_id: UserId(columns.id()?),
        username: columns.text(shared)?,
        status: columns.parsed()?,
        access_epoch: columns.number()?,
        started_at: columns.time()?,
        ready_at: columns.opt_time()?,
        valid_until: columns.time()?,
        connected_since: columns.opt_time()?,
        disconnected_at: columns.opt_time()?,
        end: end(&mut columns, shared)?,
        error: columns.opt_text(shared)?,
        teardown: columns.parsed()?,
        blocked_until: columns.opt_time()?,
        policy: shared.policy(columns.str()?)?,
        node: columns.text(shared)?,
        version: columns.revision()?,
    })
}

fn end<R: Row>(columns: &mut Columns<'_, R>, shared: &mut Shared) -> Result<Option<End>> {
    let (at, by) = (columns.opt_time()?, columns.opt_text(shared)?);
    let (reason, note) = (columns.opt_parsed()?, columns.opt_text(shared)?);
    // The table allows all of them or none.
    Ok(at
        .zip(by)
        .zip(reason)
        .map(|((at, by), reason)| End { at, by, reason, note }))
}
