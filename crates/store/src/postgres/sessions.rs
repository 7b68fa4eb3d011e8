//! Rows of sessions: reading all of them, those that changed, what a batch asks about, and writing many at once.

use std::collections::{BTreeSet, HashMap};

use session::{ApplicationId, End, EnvironmentId, Session, SessionId, Timestamp, UserId};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::{
    Postgres,
    connections::Lease,
    events,
    rows::{Columns, Moment, opt, text},
};
use crate::{
    Changes, Result,
    decide::Pair,
    values::{Shared, json, number},
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
            " = $1 ORDER BY id"
        )
    };
}

pub(super) const BY_IDS: &str = concat!("SELECT ", columns!(), " FROM sessions WHERE id = ANY ($1)");
pub(super) const CHANGED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE version > $1 ORDER BY version, id"
);
pub(super) const LIVE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (person, program) \
     ON user_id = person AND application_id = program WHERE status IN ('pending', 'active')"
);
pub(super) const TAKEN: &str = "SELECT application_id, count(*) FROM sessions \
     WHERE application_id = ANY ($1) AND status IN ('pending', 'active') GROUP BY application_id";
pub(super) const HELD: &str = "SELECT user_id, count(*) FROM sessions \
     WHERE user_id = ANY ($1) AND status IN ('pending', 'active') GROUP BY user_id";
pub(super) const UNENDED_OF_USER: &str = unended!("user_id");
pub(super) const UNENDED_OF_ENVIRONMENT: &str = unended!("environment_id");
pub(super) const UNENDED_OF_APPLICATION: &str = unended!("application_id");
pub(super) const BLOCKED: &str = "SELECT user_id, application_id, max(blocked_until) FROM sessions \
     JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (person, program) ON user_id = person AND application_id = program \
     WHERE blocked_until IS NOT NULL GROUP BY user_id, application_id";

pub(super) async fn revision(lease: &mut Lease) -> Result<u64> {
    let row = lease.one(sqlx::query("SELECT revision FROM log")).await?;
    Columns::of(&row).count()
}

pub(super) async fn load(store: &Postgres) -> Result<Changes> {
    let mut snapshot = store.long_snapshot().await?;
    let revision = revision(&mut snapshot).await?;
    let row = snapshot.one(sqlx::query("SELECT count(*) FROM sessions")).await?;
    // Exactly as large as it will be: growing step by step would take twice the memory at its peak.
    let mut sessions = Vec::with_capacity(Columns::of(&row).count()?);
    let mut shared = Shared::default();
    let all = sqlx::query(concat!("SELECT ", columns!(), " FROM sessions ORDER BY id"));
    snapshot
        .each(all, |row| {
            sessions.push(session(row, &mut shared)?);
            Ok(())
        })
        .await?;
    store.end(snapshot).await?;
    Ok(Changes {
        revision,
        sessions,
        ..Changes::default()
    })
}

pub(super) async fn changes(store: &Postgres, after: u64) -> Result<Changes> {
    let revision = store.current_revision().await?;
    let mut changes = Changes {
        revision,
        ..Changes::default()
    };
    // Most askers are up to date, and need no snapshot for that.
    if revision <= after {
        return Ok(changes);
    }
    let mut snapshot = store.long_snapshot().await?;
    changes.revision = self::revision(&mut snapshot).await?;
    let mut shared = Shared::default();
    let changed = sqlx::query(CHANGED).bind(number(after));
    snapshot
        .each(changed, |row| {
            changes.sessions.push(session(row, &mut shared)?);
            Ok(())
        })
        .await?;
    let purged = sqlx::query(events::PURGED).bind(number(after));
    snapshot
        .each(purged, |row| {
            changes.purged.push(SessionId(Columns::of(row).id()?));
            Ok(())
        })
        .await?;
    let access = sqlx::query(events::OF_ACCESS).bind(number(after));
    snapshot
        .each(access, |row| {
            changes.access.push(events::event(row)?);
            Ok(())
        })
        .await?;
    store.end(snapshot).await?;
    Ok(changes)
}

/// Those of these sessions that exist.
pub(super) async fn by_ids(lease: &mut Lease, ids: &[Uuid]) -> Result<Vec<Session>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    read(&lease.all(sqlx::query(BY_IDS).bind(ids)).await?)
}

/// The live sessions of these people and applications.
pub(super) async fn live(lease: &mut Lease, pairs: &BTreeSet<Pair>) -> Result<Vec<Session>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let (people, applications) = columns_of(pairs);
    read(&lease.all(sqlx::query(LIVE).bind(people).bind(applications)).await?)
}

/// Until when these people may not launch these applications, where there is such a time.
pub(super) async fn blocked(lease: &mut Lease, pairs: &BTreeSet<Pair>) -> Result<HashMap<Pair, Timestamp>> {
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

/// How many sessions of these applications are live.
pub(super) async fn taken(lease: &mut Lease, applications: &[Uuid]) -> Result<HashMap<ApplicationId, i64>> {
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

/// How many live sessions these people have.
pub(super) async fn held(lease: &mut Lease, people: &BTreeSet<UserId>) -> Result<HashMap<UserId, i64>> {
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

/// Those that have not ended, by one of the `UNENDED_OF_…` questions.
pub(super) async fn unended(lease: &mut Lease, question: &'static str, of: Uuid) -> Result<Vec<Session>> {
    read(&lease.all(sqlx::query(question).bind(of)).await?)
}

/// Adds rows. All get the version `revision`.
pub(super) async fn insert(lease: &mut Lease, revision: u64, sessions: &[Session]) -> Result<()> {
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
         error, teardown, blocked_until, policy::json, node, $24 \
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[], \
         $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], \
         $14::timestamptz[], $15::timestamptz[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], \
         $21::timestamptz[], $22::text[], $23::text[]) AS added (id, environment_id, environment, application_id, application, user_id, \
         username, status, access_epoch, started_at, ready_at, valid_until, connected_since, disconnected_at, ended_at, \
         ended_by, end_reason, end_note, error, teardown, blocked_until, policy, node)"
    ))
    .bind(column(sessions, |session| session.id.0))
    .bind(column(sessions, |session| session.environment_id.0))
    .bind(column(sessions, |session| text(&session.environment)))
    .bind(column(sessions, |session| session.application_id.0))
    .bind(column(sessions, |session| text(&session.application)))
    .bind(column(sessions, |session| session.user_id.0))
    .bind(column(sessions, |session| text(&session.username)))
    .bind(column(sessions, |session| session.status.code()))
    .bind(column(sessions, |session| i64::from(session.access_epoch)))
    .bind(column(sessions, |session| Moment(session.started_at)))
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
    .bind(policies)
    .bind(column(sessions, |session| text(&session.node)))
    .bind(number(revision));
    lease.execute(statement).await?;
    Ok(())
}

/// Writes what transitions may change. Everything else of a session is fixed at launch.
pub(super) async fn update(lease: &mut Lease, sessions: &[Session]) -> Result<()> {
    if sessions.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(
        "UPDATE sessions SET status = now.status, access_epoch = now.access_epoch, ready_at = now.ready_at, \
         valid_until = now.valid_until, connected_since = now.connected_since, disconnected_at = now.disconnected_at, \
         ended_at = now.ended_at, ended_by = now.ended_by, end_reason = now.end_reason, end_note = now.end_note, \
         error = now.error, teardown = now.teardown, blocked_until = now.blocked_until, version = now.version \
         FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], \
         $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], \
         $14::timestamptz[], $15::bigint[]) AS now (id, status, access_epoch, ready_at, valid_until, connected_since, \
         disconnected_at, ended_at, ended_by, end_reason, end_note, error, teardown, blocked_until, version) \
         WHERE sessions.id = now.id",
    )
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
    .bind(column(sessions, |session| number(session.version)));
    lease.execute(statement).await?;
    Ok(())
}

/// A column of many rows, as a statement takes it.
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

fn session(row: &PgRow, shared: &mut Shared) -> Result<Session> {
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
        policy: shared.policy(columns.letters()?)?,
        node: columns.text(shared)?,
        version: columns.count()?,
    })
}

fn end(columns: &mut Columns<'_>, shared: &mut Shared) -> Result<Option<End>> {
    let (at, by) = (columns.opt_time()?, columns.opt_text(shared)?);
    let (reason, note) = (columns.opt_parsed()?, columns.opt_text(shared)?);
    // The table allows all of them or none.
    Ok(at
        .zip(by)
        .zip(reason)
        .map(|((at, by), reason)| End { at, by, reason, note }))
}
