//! Rows of sessions: the statements to read and write them.

use std::collections::{BTreeSet, HashMap};

use session::{ApplicationId, End, EnvironmentId, HomeKind, Session, SessionId, Timestamp, UserId};
use sqlx::{QueryBuilder, SqliteConnection, SqliteExecutor, query_builder::Separated};
use store::{
    Result,
    decide::reads::Pair,
    values::{Shared, json, micros, number},
};
use uuid::Uuid;

use crate::{
    error::sql,
    rows::{Columns, Row, hex},
};

/// Every column, in the order of [`Session`].
macro_rules! columns {
    () => {
        "id, environment_id, environment, application_id, application, user_id, username, status, access_epoch, \
         started_at, ready_at, valid_until, connected_since, disconnected_at, ended_at, ended_by, end_reason, end_note, \
         error, teardown, blocked_until, policy, home, node, version"
    };
}

/// Every column, in the order of an insert: those that are fixed, and those that a transition may
/// change.
macro_rules! inserted {
    () => {
        "id, environment_id, environment, application_id, application, user_id, username, started_at, policy, home, node, version, \
         status, access_epoch, ready_at, valid_until, connected_since, disconnected_at, ended_at, ended_by, end_reason, \
         end_note, error, teardown, blocked_until"
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

pub(crate) const ALL: &str = concat!("SELECT ", columns!(), " FROM sessions ORDER BY id");
pub(crate) const BY_IDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE id IN (SELECT unhex(value) FROM json_each(?1))"
);
pub(crate) const CHANGED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE version > ?1 ORDER BY version, id"
);
pub(crate) const LIVE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM (SELECT unhex(value ->> 0) AS person, unhex(value ->> 1) AS program FROM json_each(?1)) \
     CROSS JOIN sessions ON user_id = person AND application_id = program WHERE status IN ('pending', 'active')"
);
pub(crate) const UNENDED_OF_USER: &str = unended!("user_id");
pub(crate) const UNENDED_OF_ENVIRONMENT: &str = unended!("environment_id");
pub(crate) const UNENDED_OF_APPLICATION: &str = unended!("application_id");
pub(crate) const BLOCKED: &str = "SELECT user_id, application_id, max(blocked_until) \
     FROM (SELECT unhex(value ->> 0) AS person, unhex(value ->> 1) AS program FROM json_each(?1)) \
     CROSS JOIN sessions ON user_id = person AND application_id = program WHERE blocked_until IS NOT NULL GROUP BY user_id, application_id";
pub(crate) const HELD: &str = "SELECT count(*) FROM sessions WHERE user_id = ?1 AND status IN ('pending', 'active')";
pub(crate) const SEATS_TAKEN: &str =
    "SELECT count(*) FROM sessions WHERE application_id = ?1 AND status IN ('pending', 'active')";

/// The log's revision.
pub(crate) async fn revision(executor: impl SqliteExecutor<'_>) -> Result<u64> {
    let row = sqlx::query("SELECT revision FROM log")
        .fetch_one(executor)
        .await
        .map_err(sql)?;
    Columns::of(&row).revision()
}

pub(crate) async fn set_revision(connection: &mut SqliteConnection, revision: u64) -> Result<()> {
    sqlx::query("UPDATE log SET revision = ?1")
        .bind(number(revision))
        .execute(connection)
        .await
        .map_err(sql)?;
    Ok(())
}

/// Those of these sessions that exist.
pub(crate) async fn by_ids(connection: &mut SqliteConnection, ids: &[Uuid]) -> Result<Vec<Session>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let shared = &mut Shared::default();
    let rows = sqlx::query(BY_IDS)
        .bind(json(&hex(ids))?)
        .fetch_all(connection)
        .await
        .map_err(sql)?;
    rows.iter().map(|row| session(row, shared)).collect()
}

/// The live sessions of these people and applications.
pub(crate) async fn live(connection: &mut SqliteConnection, pairs: &BTreeSet<Pair>) -> Result<Vec<Session>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let shared = &mut Shared::default();
    let rows = sqlx::query(LIVE)
        .bind(list(pairs)?)
        .fetch_all(connection)
        .await
        .map_err(sql)?;
    rows.iter().map(|row| session(row, shared)).collect()
}

/// Sessions that have not ended, by one of the statements `UNENDED_OF_…`.
pub(crate) async fn unended(
    connection: &mut SqliteConnection,
    statement: &'static str,
    of: Uuid,
) -> Result<Vec<Session>> {
    let shared = &mut Shared::default();
    let rows = sqlx::query(statement)
        .bind(&of.as_bytes()[..])
        .fetch_all(connection)
        .await
        .map_err(sql)?;
    rows.iter().map(|row| session(row, shared)).collect()
}

/// The end of the relaunch block of each of these pairs that has one.
pub(crate) async fn blocked(
    connection: &mut SqliteConnection,
    pairs: &BTreeSet<Pair>,
) -> Result<HashMap<Pair, Timestamp>> {
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(BLOCKED)
        .bind(list(pairs)?)
        .fetch_all(connection)
        .await
        .map_err(sql)?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::of(row);
            let pair = (UserId(columns.id()?), ApplicationId(columns.id()?));
            Ok((pair, columns.time()?))
        })
        .collect()
}

/// Pairs as the parameter of a statement.
fn list(pairs: &BTreeSet<Pair>) -> Result<String> {
    let pairs = pairs.iter().map(|(user, application)| hex(&[user.0, application.0]));
    json(&pairs.collect::<Vec<_>>())
}

/// The number of live sessions of an application.
pub(crate) async fn taken(connection: &mut SqliteConnection, of: ApplicationId) -> Result<i64> {
    let count = sqlx::query_scalar(SEATS_TAKEN).bind(&of.0.as_bytes()[..]);
    count.fetch_one(connection).await.map_err(sql)
}

/// The number of live sessions of a person.
pub(crate) async fn held(connection: &mut SqliteConnection, id: UserId) -> Result<i64> {
    let row = sqlx::query(HELD)
        .bind(&id.0.as_bytes()[..])
        .fetch_one(connection)
        .await
        .map_err(sql)?;
    Columns::of(&row).value()
}

/// Adds any number of rows. All get the version `revision`.
pub(crate) async fn insert_all(connection: &mut SqliteConnection, revision: u64, rows: &[Session]) -> Result<()> {
    for some in parts(rows) {
        insert(connection, revision, some).await?;
    }
    Ok(())
}

/// Adds at most a few hundred rows. All get the version `revision`.
pub(crate) async fn insert(connection: &mut SqliteConnection, revision: u64, sessions: &[Session]) -> Result<()> {
    let policies = sessions
        .iter()
        .map(|session| json(&session.policy))
        .collect::<Result<Vec<_>>>()?;
    let mut query = QueryBuilder::<sqlx::Sqlite>::new(concat!("INSERT INTO sessions (", inserted!(), ") "));
    query.push_values(sessions.iter().zip(policies), |mut row, (session, policy)| {
        row.push_bind(&session.id.0.as_bytes()[..])
            .push_bind(&session.environment_id.0.as_bytes()[..])
            .push_bind(&*session.environment)
            .push_bind(&session.application_id.0.as_bytes()[..])
            .push_bind(&*session.application)
            .push_bind(&session.user_id.0.as_bytes()[..])
            .push_bind(&*session.username)
            .push_bind(micros(session.started_at))
            .push_bind(policy)
            .push_bind(session.home.map(HomeKind::code))
            .push_bind(&*session.node)
            .push_bind(number(revision));
        bind_mutable(&mut row, session);
    });
    query.build().execute(connection).await.map_err(sql)?;
    Ok(())
}

/// Updates any number of rows: the columns that a transition may change. The others are fixed at
/// launch.
pub(crate) async fn update_all(connection: &mut SqliteConnection, rows: &[Session]) -> Result<()> {
    for some in parts(rows) {
        update(connection, some).await?;
    }
    Ok(())
}

/// Rows in parts of three lengths: three statements, which stay prepared.
fn parts(mut rows: &[Session]) -> impl Iterator<Item = &[Session]> {
    std::iter::from_fn(move || {
        let size = [64, 8, 1].into_iter().find(|size| *size <= rows.len())?;
        let (some, rest) = rows.split_at(size);
        rows = rest;
        Some(some)
    })
}

/// Binds the columns that a transition may change.
fn bind_mutable(row: &mut Separated<'_, sqlx::Sqlite, &'static str>, session: &Session) {
    let end = session.end.as_ref();
    row.push_bind(session.status.code())
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
        .push_bind(session.blocked_until.map(micros));
}

async fn update(connection: &mut SqliteConnection, sessions: &[Session]) -> Result<()> {
    let mut query = QueryBuilder::<sqlx::Sqlite>::new(
        "UPDATE sessions SET version = column2, status = column3, access_epoch = column4, ready_at = column5, \
         valid_until = column6, connected_since = column7, disconnected_at = column8, ended_at = column9, \
         ended_by = column10, end_reason = column11, end_note = column12, error = column13, teardown = column14, \
         blocked_until = column15 FROM (",
    );
    query.push_values(sessions, |mut row, session| {
        row.push_bind(&session.id.0.as_bytes()[..])
            .push_bind(number(session.version));
        bind_mutable(&mut row, session);
    });
    query.push(") WHERE id = column1");
    query.build().execute(connection).await.map_err(sql)?;
    Ok(())
}

pub(crate) fn session<R: Row>(row: &R, shared: &mut Shared) -> Result<Session> {
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
        home: columns.opt_parsed()?,
        node: columns.text(shared)?,
        version: columns.revision()?,
    })
}

fn end<R: Row>(columns: &mut Columns<'_, R>, shared: &mut Shared) -> Result<Option<End>> {
    let (at, by) = (columns.opt_time()?, columns.opt_text(shared)?);
    let (reason, note) = (columns.opt_parsed()?, columns.opt_text(shared)?);
    // The table allows either all three or none.
    Ok(at
        .zip(by)
        .zip(reason)
        .map(|((at, by), reason)| End { at, by, reason, note }))
}
