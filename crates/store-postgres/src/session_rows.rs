//! Rows of sessions: the statements to read and write them.

use std::collections::{BTreeSet, HashMap};

use session::{ApplicationId, End, EnvironmentId, HomeKind, Session, SessionId, Timestamp, UserId};
use sqlx::{
    postgres::{PgArguments, PgRow},
    query::Query,
};
use store::{
    Result,
    decide::reads::Pair,
    values::{Shared, json, number},
};
use uuid::Uuid;

use crate::{
    connections::Lease,
    rows::{Columns, Moment, opt, text},
};

/// Every column, in the order of [`Session`].
macro_rules! columns {
    () => {
        "id, environment_id, environment, application_id, application, user_id, username, status, access_epoch, \
         started_at, ready_at, valid_until, connected_since, disconnected_at, ended_at, ended_by, end_reason, end_note, \
         error, teardown, blocked_until, policy, home, node, version"
    };
}

macro_rules! unended {
    ($column:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM sessions WHERE ended_at IS NULL AND ",
            $column,
            " = $1 ORDER BY id"
        )
    };
}

pub(crate) const ALL: &str = concat!("SELECT ", columns!(), " FROM sessions ORDER BY id");
pub(crate) const BY_IDS: &str = concat!("SELECT ", columns!(), " FROM sessions WHERE id = ANY ($1)");
pub(crate) const CHANGED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE version > $1 ORDER BY version, id"
);
pub(crate) const LIVE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (person, program) \
     ON user_id = person AND application_id = program WHERE status IN ('pending', 'active')"
);
pub(crate) const TAKEN: &str = "SELECT application_id, count(*) FROM sessions \
     WHERE application_id = ANY ($1) AND status IN ('pending', 'active') GROUP BY application_id";
pub(crate) const HELD: &str = "SELECT user_id, count(*) FROM sessions \
     WHERE user_id = ANY ($1) AND status IN ('pending', 'active') GROUP BY user_id";
pub(crate) const UNENDED_OF_USER: &str = unended!("user_id");
pub(crate) const UNENDED_OF_ENVIRONMENT: &str = unended!("environment_id");
pub(crate) const UNENDED_OF_APPLICATION: &str = unended!("application_id");
pub(crate) const BLOCKED: &str = "SELECT user_id, application_id, max(blocked_until) FROM sessions \
     JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (person, program) ON user_id = person AND application_id = program \
     WHERE blocked_until IS NOT NULL GROUP BY user_id, application_id";

/// The log's revision.
pub(crate) async fn revision(lease: &mut Lease) -> Result<u64> {
    let row = lease.one(sqlx::query("SELECT revision FROM log")).await?;
    Columns::of(&row).count()
}

/// Those of these sessions that exist.
pub(crate) async fn by_ids(lease: &mut Lease, ids: &[Uuid]) -> Result<Vec<Session>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    read(&lease.all(sqlx::query(BY_IDS).bind(ids)).await?)
}

/// The live sessions of these people and applications.
pub(crate) async fn live(lease: &mut Lease, pairs: &BTreeSet<Pair>) -> Result<Vec<Session>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let (people, applications) = columns_of(pairs);
    read(&lease.all(sqlx::query(LIVE).bind(people).bind(applications)).await?)
}

/// The end of the relaunch block of each of these pairs that has one.
pub(crate) async fn blocked(lease: &mut Lease, pairs: &BTreeSet<Pair>) -> Result<HashMap<Pair, Timestamp>> {
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let (people, applications) = columns_of(pairs);
    let rows = lease.all(sqlx::query(BLOCKED).bind(people).bind(applications)).await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::of(row);
            let pair = (UserId(columns.id()?), ApplicationId(columns.id()?));
            Ok((pair, columns.time()?))
        })
        .collect()
}

/// The number of live sessions of each of these applications.
pub(crate) async fn taken(lease: &mut Lease, applications: &[Uuid]) -> Result<HashMap<ApplicationId, i64>> {
    if applications.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = lease.all(sqlx::query(TAKEN).bind(applications)).await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::of(row);
            Ok((ApplicationId(columns.id()?), columns.value()?))
        })
        .collect()
}

/// The number of live sessions of each of these people.
pub(crate) async fn held(lease: &mut Lease, people: &BTreeSet<UserId>) -> Result<HashMap<UserId, i64>> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let people: Vec<_> = people.iter().map(|user| user.0).collect();
    let rows = lease.all(sqlx::query(HELD).bind(people)).await?;
    rows.iter()
        .map(|row| {
            let mut columns = Columns::of(row);
            Ok((UserId(columns.id()?), columns.value()?))
        })
        .collect()
}

/// Sessions that have not ended, by one of the statements `UNENDED_OF_…`.
pub(crate) async fn unended(lease: &mut Lease, statement: &'static str, of: Uuid) -> Result<Vec<Session>> {
    read(&lease.all(sqlx::query(statement).bind(of)).await?)
}

/// Adds rows. All get the version `revision`.
pub(crate) async fn insert(lease: &mut Lease, revision: u64, sessions: &[Session]) -> Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    let policies = sessions
        .iter()
        .map(|session| json(&session.policy))
        .collect::<Result<Vec<_>>>()?;
    let statement = sqlx::query(concat!(
        "INSERT INTO sessions (",
        columns!(),
        ") SELECT id, environment_id, environment, application_id, application, user_id, username, status, access_epoch, \
         started_at, ready_at, valid_until, connected_since, disconnected_at, ended_at, ended_by, end_reason, end_note, \
         error, teardown, blocked_until, policy::json, home, node, $1 \
         FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], \
         $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], \
         $15::timestamptz[], $16::uuid[], $17::text[], $18::uuid[], $19::text[], $20::uuid[], $21::text[], \
         $22::timestamptz[], $23::text[], $24::text[], $25::text[]) AS added (id, status, access_epoch, ready_at, valid_until, \
         connected_since, disconnected_at, ended_at, ended_by, end_reason, end_note, error, teardown, blocked_until, \
         environment_id, environment, application_id, application, user_id, username, started_at, policy, home, node)"
    ))
    .bind(number(revision));
    let statement = bind_mutable(statement, sessions)
        .bind(column(sessions, |session| session.environment_id.0))
        .bind(column(sessions, |session| text(&session.environment)))
        .bind(column(sessions, |session| session.application_id.0))
        .bind(column(sessions, |session| text(&session.application)))
        .bind(column(sessions, |session| session.user_id.0))
        .bind(column(sessions, |session| text(&session.username)))
        .bind(column(sessions, |session| Moment(session.started_at)))
        .bind(policies)
        .bind(column(sessions, |session| session.home.map(HomeKind::code)))
        .bind(column(sessions, |session| text(&session.node)));
    lease.execute(statement).await?;
    Ok(())
}

/// Updates rows: the columns that a transition may change. The others are fixed at launch.
pub(crate) async fn update(lease: &mut Lease, sessions: &[Session]) -> Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(
        "UPDATE sessions SET status = now.status, access_epoch = now.access_epoch, ready_at = now.ready_at, \
         valid_until = now.valid_until, connected_since = now.connected_since, disconnected_at = now.disconnected_at, \
         ended_at = now.ended_at, ended_by = now.ended_by, end_reason = now.end_reason, end_note = now.end_note, \
         error = now.error, teardown = now.teardown, blocked_until = now.blocked_until, version = now.version \
         FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], \
         $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], \
         $14::text[], $15::timestamptz[]) AS now (version, id, status, access_epoch, ready_at, valid_until, \
         connected_since, disconnected_at, ended_at, ended_by, end_reason, end_note, error, teardown, blocked_until) \
         WHERE sessions.id = now.id",
    )
    .bind(column(sessions, |session| number(session.version)));
    lease.execute(bind_mutable(statement, sessions)).await?;
    Ok(())
}

/// Binds the ids, and the columns that a transition may change.
fn bind_mutable<'q>(
    statement: Query<'q, sqlx::Postgres, PgArguments>,
    sessions: &'q [Session],
) -> Query<'q, sqlx::Postgres, PgArguments> {
    statement
        .bind(column(sessions, |session| session.id.0))
        .bind(column(sessions, |session| session.status.code()))
        .bind(column(sessions, |session| i64::from(session.access_epoch)))
        .bind(column(sessions, |session| opt(session.ready_at)))
        .bind(column(sessions, |session| Moment(session.valid_until)))
        .bind(column(sessions, |session| opt(session.connected_since)))
        .bind(column(sessions, |session| opt(session.disconnected_at)))
        .bind(column(sessions, |session| end_of(session, |end| Moment(end.at))))
        .bind(column(sessions, |session| end_of(session, |end| text(&end.by))))
        .bind(column(sessions, |session| end_of(session, |end| end.reason.code())))
        .bind(column(sessions, note))
        .bind(column(sessions, |session| session.error.as_deref().map(text)))
        .bind(column(sessions, |session| session.teardown.code()))
        .bind(column(sessions, |session| opt(session.blocked_until)))
}

/// A column of many rows as the parameter of a statement.
fn column<'a, T>(sessions: &'a [Session], of: impl Fn(&'a Session) -> T) -> Vec<T> {
    sessions.iter().map(of).collect()
}

fn columns_of(pairs: &BTreeSet<Pair>) -> (Vec<Uuid>, Vec<Uuid>) {
    pairs.iter().map(|(user, application)| (user.0, application.0)).unzip()
}

fn end_of<'a, T>(session: &'a Session, of: impl Fn(&'a End) -> T) -> Option<T> {
    session.end.as_ref().map(of)
}

fn note(session: &Session) -> Option<std::borrow::Cow<'_, str>> {
    session.end.as_ref()?.note.as_deref().map(text)
}

fn read(rows: &[PgRow]) -> Result<Vec<Session>> {
    let shared = &mut Shared::default();
    rows.iter().map(|row| session(row, shared)).collect()
}

pub(crate) fn session(row: &PgRow, shared: &mut Shared) -> Result<Session> {
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
        access_epoch: columns.count()?,
        started_at: columns.time()?,
        ready_at: columns.opt_time()?,
        valid_until: columns.time()?,
        connected_since: columns.opt_time()?,
        disconnected_at: columns.opt_time()?,
        end: end(&mut columns, shared)?,
        error: columns.opt_text(shared)?,
        teardown: columns.parsed()?,
        blocked_until: columns.opt_time()?,
        policy: shared.policy(columns.json_text()?)?,
        home: columns.opt_parsed()?,
        node: columns.text(shared)?,
        version: columns.count()?,
    })
}

fn end(columns: &mut Columns<'_>, shared: &mut Shared) -> Result<Option<End>> {
    let (at, by) = (columns.opt_time()?, columns.opt_text(shared)?);
    let (reason, note) = (columns.opt_parsed()?, columns.opt_text(shared)?);
    // The table allows either all three or none.
    Ok(at
        .zip(by)
        .zip(reason)
        .map(|((at, by), reason)| End { at, by, reason, note }))
}
