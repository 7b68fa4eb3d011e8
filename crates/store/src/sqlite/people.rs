//! People, their logins and their preferences.

use futures::TryStreamExt;
use session::{Role, Timestamp, UserId, query::fold};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{
    Sqlite,
    rows::{Columns, Shared, hex, json, micros},
};
use crate::{Login, Result, SignedIn, StoreError, User};

macro_rules! columns {
    () => {
        "users.id, users.username, users.password_hash, users.role, users.created_at"
    };
}

pub(super) const BY_IDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM users WHERE id IN (SELECT unhex(value) FROM json_each(?1))"
);

pub(super) async fn users(store: &Sqlite) -> Result<Vec<User>> {
    sqlx::query(concat!("SELECT ", columns!(), " FROM users ORDER BY folded"))
        .fetch(&store.readers)
        .map_err(Into::into)
        .and_then(async |row| user(&mut Columns::of(&row)))
        .try_collect()
        .await
}

pub(super) async fn user_named(store: &Sqlite, username: &str) -> Result<Option<User>> {
    let row = sqlx::query(concat!("SELECT ", columns!(), " FROM users WHERE folded = ?1"))
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

pub(super) async fn add_user(store: &Sqlite, user: &User) -> Result<()> {
    let mut transaction = store.begin().await?;
    sqlx::query(
        "INSERT INTO users (id, username, folded, password_hash, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(&user.id.0.as_bytes()[..])
    .bind(&*user.username)
    .bind(fold(&user.username))
    .bind(&*user.password_hash)
    .bind(user.role.code())
    .bind(micros(user.created_at))
    .execute(&mut transaction.connection)
    .await
    .map_err(|error| super::refused(error, &user.username, "user"))?;
    transaction.commit().await
}

pub(super) async fn set_role(store: &Sqlite, id: UserId, role: Role) -> Result<()> {
    let mut transaction = store.begin().await?;
    let Some(user) = by_ids(&mut transaction.connection, &[id.0]).await?.pop() else {
        return Err(StoreError::NoSuch("user"));
    };
    if user.role == Role::SystemAdmin && role != Role::SystemAdmin {
        let admins: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE role = ?1")
            .bind(Role::SystemAdmin.code())
            .fetch_one(&mut transaction.connection)
            .await?;
        if admins < 2 {
            return Err(StoreError::LastSystemAdmin);
        }
    }
    sqlx::query("UPDATE users SET role = ?2 WHERE id = ?1")
        .bind(&id.0.as_bytes()[..])
        .bind(role.code())
        .execute(&mut transaction.connection)
        .await?;
    transaction.commit().await
}

pub(super) async fn set_password(store: &Sqlite, id: UserId, password_hash: &str) -> Result<()> {
    let mut transaction = store.begin().await?;
    let done = sqlx::query("UPDATE users SET password_hash = ?2 WHERE id = ?1")
        .bind(&id.0.as_bytes()[..])
        .bind(password_hash)
        .execute(&mut transaction.connection)
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NoSuch("user"));
    }
    sqlx::query("DELETE FROM logins WHERE user_id = ?1")
        .bind(&id.0.as_bytes()[..])
        .execute(&mut transaction.connection)
        .await?;
    transaction.commit().await
}

pub(super) async fn add_login(store: &Sqlite, login: &Login) -> Result<()> {
    let mut transaction = store.begin().await?;
    sqlx::query("INSERT INTO logins (token_hash, user_id, created_at, seen_at) VALUES (?1, ?2, ?3, ?4)")
        .bind(&login.token_hash[..])
        .bind(&login.user_id.0.as_bytes()[..])
        .bind(micros(login.created_at))
        .bind(micros(login.seen_at))
        .execute(&mut transaction.connection)
        .await
        .map_err(|error| super::refused(error, "this login", "user"))?;
    transaction.commit().await
}

pub(super) async fn login(store: &Sqlite, token_hash: &[u8; 32]) -> Result<Option<SignedIn>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        ", token_hash, logins.created_at, seen_at FROM logins JOIN users ON users.id = user_id WHERE token_hash = ?1"
    ))
    .bind(&token_hash[..])
    .fetch_optional(&store.readers)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut columns = Columns::of(&row);
    let user = user(&mut columns)?;
    let login = Login {
        token_hash: columns.hash()?,
        user_id: user.id,
        created_at: columns.time()?,
        seen_at: columns.time()?,
    };
    Ok(Some(SignedIn { user, login }))
}

pub(super) async fn touch_login(store: &Sqlite, token_hash: &[u8; 32], seen_at: Timestamp) -> Result<()> {
    let mut transaction = store.begin().await?;
    // Requests overlap: the latest counts, not the last.
    sqlx::query("UPDATE logins SET seen_at = max(seen_at, ?2) WHERE token_hash = ?1")
        .bind(&token_hash[..])
        .bind(micros(seen_at))
        .execute(&mut transaction.connection)
        .await?;
    transaction.commit().await
}

pub(super) async fn remove_login(store: &Sqlite, token_hash: &[u8; 32]) -> Result<()> {
    let mut transaction = store.begin().await?;
    sqlx::query("DELETE FROM logins WHERE token_hash = ?1")
        .bind(&token_hash[..])
        .execute(&mut transaction.connection)
        .await?;
    transaction.commit().await
}

pub(super) async fn remove_old_logins(store: &Sqlite, seen_before: Timestamp, created_before: Timestamp) -> Result<()> {
    let mut transaction = store.begin().await?;
    sqlx::query("DELETE FROM logins WHERE seen_at < ?1 OR created_at < ?2")
        .bind(micros(seen_before))
        .bind(micros(created_before))
        .execute(&mut transaction.connection)
        .await?;
    transaction.commit().await
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

fn user(columns: &mut Columns<'_>) -> Result<User> {
    Ok(User {
        id: UserId(columns.id()?),
        username: columns.text(&mut Shared::default())?,
        password_hash: columns.value()?,
        role: Role::from_stored(columns.value()?),
        created_at: columns.time()?,
    })
}
