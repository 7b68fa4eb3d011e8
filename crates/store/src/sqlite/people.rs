//! People and their preferences.

use futures::TryStreamExt;
use session::{Actor, EndReason, EventKind, Role, Timestamp, UserId, event::UserChange, query::fold};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    Sqlite,
    change::Change,
    rows::{Columns, hex},
    sessions,
};
use crate::{
    Result, StoreError, User,
    values::{Shared, json, micros},
};

/// The columns that [`user`] reads.
macro_rules! user_columns {
    () => {
        "users.id, users.username, users.password_hash, users.role, users.created_at, users.blocked, \
         users.must_change_password"
    };
}
pub(super) use user_columns;

pub(super) const BY_IDS: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users WHERE id IN (SELECT unhex(value) FROM json_each(?1))"
);

pub(super) async fn users(store: &Sqlite) -> Result<Vec<User>> {
    sqlx::query(concat!("SELECT ", user_columns!(), " FROM users ORDER BY folded"))
        .fetch(&store.readers)
        .map_err(Into::into)
        .and_then(async |row| user(&mut Columns::of(&row)))
        .try_collect()
        .await
}

pub(super) async fn user_named(store: &Sqlite, username: &str) -> Result<Option<User>> {
    let row = sqlx::query(concat!("SELECT ", user_columns!(), " FROM users WHERE folded = ?1"))
        .bind(fold(username))
        .fetch_optional(&store.readers)
        .await?;
    row.map(|row| user(&mut Columns::of(&row))).transpose()
}

/// Those of these people that exist.
pub(super) async fn by_ids(connection: &mut SqliteConnection, ids: &[Uuid]) -> Result<Vec<User>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(BY_IDS).bind(json(&hex(ids))?).fetch_all(connection).await?;
    rows.iter().map(|row| user(&mut Columns::of(row))).collect()
}

pub(super) async fn add_user(store: &Sqlite, user: &User, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    sqlx::query(
        "INSERT INTO users (id, username, folded, password_hash, role, created_at, blocked, must_change_password) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(&user.id.0.as_bytes()[..])
    .bind(&*user.username)
    .bind(fold(&user.username))
    .bind(&*user.password_hash)
    .bind(user.role.code())
    .bind(micros(user.created_at))
    .bind(user.blocked)
    .bind(user.must_change_password)
    .execute(change.connection())
    .await
    .map_err(|error| super::refused(error, &user.username, "user"))?;
    change.log(changed(user, UserChange::Added(user.role)));
    change.commit().await
}

pub(super) async fn set_role(store: &Sqlite, id: UserId, role: Role, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.connection(), id).await?;
    if user.role == role {
        return Ok(());
    }
    keep_an_admin(change.connection(), &user).await?;
    sqlx::query("UPDATE users SET role = ?2 WHERE id = ?1")
        .bind(&id.0.as_bytes()[..])
        .bind(role.code())
        .execute(change.connection())
        .await?;
    change.log(changed(&user, UserChange::RoleSet(role)));
    change.commit().await
}

pub(super) async fn set_password(
    store: &Sqlite,
    id: UserId,
    (hash, must_change): (&str, bool),
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.connection(), id).await?;
    sqlx::query("UPDATE users SET password_hash = ?2, must_change_password = ?3 WHERE id = ?1")
        .bind(&id.0.as_bytes()[..])
        .bind(hash)
        .bind(must_change)
        .execute(change.connection())
        .await?;
    delete_logins(change.connection(), id).await?;
    change.log(changed(&user, UserChange::PasswordSet));
    change.commit().await
}

pub(super) async fn block_user(store: &Sqlite, id: UserId, blocked: bool, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.connection(), id).await?;
    if user.blocked == blocked {
        return Ok(());
    }
    if blocked {
        keep_an_admin(change.connection(), &user).await?;
        delete_logins(change.connection(), id).await?;
    }
    sqlx::query("UPDATE users SET blocked = ?2 WHERE id = ?1")
        .bind(&id.0.as_bytes()[..])
        .bind(blocked)
        .execute(change.connection())
        .await?;
    let how = if blocked {
        UserChange::Blocked
    } else {
        UserChange::Unblocked
    };
    change.log(changed(&user, how));
    if blocked {
        change
            .end(sessions::UNENDED_OF_USER, id.0, EndReason::UserBlocked)
            .await?;
    }
    change.commit().await
}

pub(super) async fn remove_user(store: &Sqlite, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.connection(), id).await?;
    keep_an_admin(change.connection(), &user).await?;
    sqlx::query("DELETE FROM users WHERE id = ?1")
        .bind(&id.0.as_bytes()[..])
        .execute(change.connection())
        .await?;
    change.log(changed(&user, UserChange::Removed));
    change
        .end(sessions::UNENDED_OF_USER, id.0, EndReason::UserRemoved)
        .await?;
    change.commit().await
}

async fn by_id(connection: &mut SqliteConnection, id: UserId) -> Result<User> {
    let found = by_ids(connection, &[id.0]).await?.pop();
    found.ok_or(StoreError::NotFound("user"))
}

/// Refuses to take the role or the access from the last System Admin who can sign in.
async fn keep_an_admin(connection: &mut SqliteConnection, user: &User) -> Result<()> {
    if user.role != Role::SystemAdmin || user.blocked {
        return Ok(());
    }
    let admins: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE role = ?1 AND blocked = 0")
        .bind(Role::SystemAdmin.code())
        .fetch_one(connection)
        .await?;
    if admins < 2 {
        return Err(StoreError::LastSystemAdmin);
    }
    Ok(())
}

pub(super) async fn end_logins(store: &Sqlite, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.connection(), id).await?;
    delete_logins(change.connection(), id).await?;
    change.commit_one(changed(&user, UserChange::LoginsEnded)).await
}

pub(super) async fn unlock_user(store: &Sqlite, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.connection(), id).await?;
    change.commit_one(changed(&user, UserChange::Unlocked)).await
}

async fn delete_logins(connection: &mut SqliteConnection, id: UserId) -> Result<()> {
    sqlx::query("DELETE FROM logins WHERE user_id = ?1")
        .bind(&id.0.as_bytes()[..])
        .execute(connection)
        .await?;
    Ok(())
}

fn changed(user: &User, change: UserChange) -> EventKind {
    EventKind::UserChanged {
        user_id: user.id,
        username: user.username.clone(),
        change,
    }
}

pub(super) async fn preference(store: &Sqlite, user_id: UserId, name: &str) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT value FROM preferences WHERE user_id = ?1 AND name = ?2")
            .bind(&user_id.0.as_bytes()[..])
            .bind(name)
            .fetch_optional(&store.readers)
            .await?,
    )
}

pub(super) async fn set_preference(store: &Sqlite, user_id: UserId, name: &str, value: Option<&str>) -> Result<()> {
    let mut transaction = store.begin().await?;
    let query = match value {
        Some(value) => sqlx::query(
            "INSERT INTO preferences (user_id, name, value) VALUES (?1, ?2, ?3) \
             ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value",
        )
        .bind(&user_id.0.as_bytes()[..])
        .bind(name)
        .bind(value),
        None => sqlx::query("DELETE FROM preferences WHERE user_id = ?1 AND name = ?2")
            .bind(&user_id.0.as_bytes()[..])
            .bind(name),
    };
    query
        .execute(&mut transaction.connection)
        .await
        .map_err(|error| super::refused(error, name, "user"))?;
    transaction.commit().await
}

pub(super) fn user(columns: &mut Columns<'_>) -> Result<User> {
    Ok(User {
        id: UserId(columns.id()?),
        username: columns.text(&mut Shared::default())?,
        password_hash: columns.value()?,
        role: Role::from_stored(columns.value()?),
        created_at: columns.time()?,
        blocked: columns.value()?,
        must_change_password: columns.value()?,
    })
}
