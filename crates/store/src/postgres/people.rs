//! People and their preferences.

use session::{Actor, EndReason, EventKind, Role, Timestamp, UserId, event::UserChange, query::fold};
use uuid::Uuid;

use super::{
    Postgres,
    change::Change,
    connections::Lease,
    rows::{Columns, Moment, text},
    sessions,
};
use crate::{Result, StoreError, User, values::Shared};

/// The columns that [`user`] reads.
macro_rules! user_columns {
    () => {
        "users.id, users.username, users.password_hash, users.role, users.created_at, users.blocked, \
         users.must_change_password"
    };
}
pub(super) use user_columns;

pub(super) const BY_IDS: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE id = ANY ($1)");

pub(super) async fn users(store: &Postgres) -> Result<Vec<User>> {
    let all = sqlx::query(concat!("SELECT ", user_columns!(), " FROM users ORDER BY folded"));
    let rows = store.read_all(all).await?;
    rows.iter().map(|row| user(&mut Columns::of(row))).collect()
}

pub(super) async fn user_named(store: &Postgres, username: &str) -> Result<Option<User>> {
    let folded = fold(username);
    let one = sqlx::query(concat!("SELECT ", user_columns!(), " FROM users WHERE folded = $1")).bind(text(&folded));
    let row = store.read_optional(one).await?;
    row.map(|row| user(&mut Columns::of(&row))).transpose()
}

/// Those of these people that exist.
pub(super) async fn by_ids(lease: &mut Lease, ids: &[Uuid]) -> Result<Vec<User>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = lease.all(sqlx::query(BY_IDS).bind(ids)).await?;
    rows.iter().map(|row| user(&mut Columns::of(row))).collect()
}

pub(super) async fn add_user(store: &Postgres, user: &User, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let folded = fold(&user.username);
    let row = sqlx::query(
        "INSERT INTO users (id, username, folded, password_hash, role, created_at, blocked, must_change_password) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(user.id.0)
    .bind(text(&user.username))
    .bind(text(&folded))
    .bind(text(&user.password_hash))
    .bind(user.role.code())
    .bind(Moment(user.created_at))
    .bind(user.blocked)
    .bind(user.must_change_password);
    change.lease().insert(row, &user.username, "user").await?;
    change.log(changed(user, UserChange::Added(user.role)));
    change.commit().await
}

pub(super) async fn set_role(store: &Postgres, id: UserId, role: Role, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.lease(), id).await?;
    if user.role == role {
        return change.undo().await;
    }
    keep_an_admin(change.lease(), &user).await?;
    let update = sqlx::query("UPDATE users SET role = $2 WHERE id = $1")
        .bind(id.0)
        .bind(role.code());
    change.lease().execute(update).await?;
    change.log(changed(&user, UserChange::RoleSet(role)));
    change.commit().await
}

pub(super) async fn set_password(
    store: &Postgres,
    id: UserId,
    (hash, must_change): (&str, bool),
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.lease(), id).await?;
    let update = sqlx::query("UPDATE users SET password_hash = $2, must_change_password = $3 WHERE id = $1")
        .bind(id.0)
        .bind(text(hash))
        .bind(must_change);
    change.lease().execute(update).await?;
    delete_logins(change.lease(), id).await?;
    change.log(changed(&user, UserChange::PasswordSet));
    change.commit().await
}

pub(super) async fn block_user(store: &Postgres, id: UserId, blocked: bool, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.lease(), id).await?;
    if user.blocked == blocked {
        return change.undo().await;
    }
    if blocked {
        keep_an_admin(change.lease(), &user).await?;
        delete_logins(change.lease(), id).await?;
    }
    let update = sqlx::query("UPDATE users SET blocked = $2 WHERE id = $1")
        .bind(id.0)
        .bind(blocked);
    change.lease().execute(update).await?;
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

pub(super) async fn remove_user(store: &Postgres, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.lease(), id).await?;
    keep_an_admin(change.lease(), &user).await?;
    let delete = sqlx::query("DELETE FROM users WHERE id = $1").bind(id.0);
    change.lease().execute(delete).await?;
    change.log(changed(&user, UserChange::Removed));
    change
        .end(sessions::UNENDED_OF_USER, id.0, EndReason::UserRemoved)
        .await?;
    change.commit().await
}

async fn by_id(lease: &mut Lease, id: UserId) -> Result<User> {
    let found = by_ids(lease, &[id.0]).await?.pop();
    found.ok_or(StoreError::NotFound("user"))
}

/// Refuses to take the role or the access from the last System Admin who can sign in.
async fn keep_an_admin(lease: &mut Lease, user: &User) -> Result<()> {
    if user.role != Role::SystemAdmin || user.blocked {
        return Ok(());
    }
    let count =
        sqlx::query("SELECT count(*) FROM users WHERE role = $1 AND NOT blocked").bind(Role::SystemAdmin.code());
    if Columns::of(&lease.one(count).await?).value::<i64>()? < 2 {
        return Err(StoreError::LastSystemAdmin);
    }
    Ok(())
}

pub(super) async fn end_logins(store: &Postgres, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.lease(), id).await?;
    delete_logins(change.lease(), id).await?;
    change.commit_one(changed(&user, UserChange::LoginsEnded)).await
}

pub(super) async fn unlock_user(store: &Postgres, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let user = by_id(change.lease(), id).await?;
    change.commit_one(changed(&user, UserChange::Unlocked)).await
}

async fn delete_logins(lease: &mut Lease, id: UserId) -> Result<()> {
    let delete = sqlx::query("DELETE FROM logins WHERE user_id = $1").bind(id.0);
    lease.execute(delete).await?;
    Ok(())
}

fn changed(user: &User, change: UserChange) -> EventKind {
    EventKind::UserChanged {
        user_id: user.id,
        username: user.username.clone(),
        change,
    }
}

pub(super) async fn preference(store: &Postgres, user_id: UserId, name: &str) -> Result<Option<String>> {
    let one = sqlx::query("SELECT value FROM preferences WHERE user_id = $1 AND name = $2")
        .bind(user_id.0)
        .bind(text(name));
    let row = store.read_optional(one).await?;
    row.map(|row| Columns::of(&row).string()).transpose()
}

pub(super) async fn set_preference(store: &Postgres, user_id: UserId, name: &str, value: Option<&str>) -> Result<()> {
    let statement = match value {
        Some(value) => sqlx::query(
            "INSERT INTO preferences (user_id, name, value) VALUES ($1, $2, $3) \
             ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value",
        )
        .bind(user_id.0)
        .bind(text(name))
        .bind(text(value)),
        None => sqlx::query("DELETE FROM preferences WHERE user_id = $1 AND name = $2")
            .bind(user_id.0)
            .bind(text(name)),
    };
    store.writers.acquire().await?.write(statement, name, "user").await?;
    Ok(())
}

pub(super) fn user(columns: &mut Columns<'_>) -> Result<User> {
    Ok(User {
        id: UserId(columns.id()?),
        username: columns.text(&mut Shared::default())?,
        password_hash: columns.string()?,
        role: Role::from_stored(columns.value()?),
        created_at: columns.time()?,
        blocked: columns.value()?,
        must_change_password: columns.value()?,
    })
}
