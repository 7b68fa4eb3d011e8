//! People and their preferences.

use async_trait::async_trait;
use session::{Actor, ApplicationId, Role, Timestamp, UserId, query::fold};
use store::{
    OwnApplication, People, Result, StoreError, User,
    decide::people::{self as decide, Account, Write},
    values::Shared,
};
use uuid::Uuid;

use crate::{
    Postgres,
    change::Change,
    connections::Lease,
    own_applications,
    rows::{Columns, Moment, text},
    session_rows,
};

/// The columns that [`user`] reads.
macro_rules! user_columns {
    () => {
        "users.id, (SELECT number FROM user_numbers WHERE user_id = users.id) AS number, users.username, users.password_hash, users.role, users.created_at, users.blocked, \
         users.must_change_password"
    };
}
pub(crate) use user_columns;

pub(crate) const BY_IDS: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE id = ANY ($1)");

#[async_trait]
impl People for Postgres {
    async fn users(&self) -> Result<Vec<User>> {
        let all = sqlx::query(concat!("SELECT ", user_columns!(), " FROM users ORDER BY folded"));
        let rows = self.read_all(all).await?;
        rows.iter().map(|row| user(&mut Columns::of(row))).collect()
    }

    async fn user_named(&self, username: &str) -> Result<Option<User>> {
        let folded = fold(username);
        let one = sqlx::query(concat!("SELECT ", user_columns!(), " FROM users WHERE folded = $1")).bind(text(&folded));
        let row = self.read_optional(one).await?;
        row.map(|row| user(&mut Columns::of(&row))).transpose()
    }

    async fn add_user(&self, user: &User, by: &Actor, at: Timestamp) -> Result<()> {
        let mut change = Change::begin(self, by, at).await?;
        let folded = fold(&user.username);
        let insert = sqlx::query(
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
        change.lease().insert(insert, &user.username, "user").await?;
        // Somebody who is added again with the same id keeps the number. The transaction holds the lock
        // of the log, so no other takes the same.
        let number = sqlx::query(
            "INSERT INTO user_numbers (number, user_id) SELECT coalesce(max(number), 0) + 1, $1 FROM user_numbers \
             ON CONFLICT (user_id) DO NOTHING",
        )
        .bind(user.id.0);
        change.lease().execute(number).await?;
        change.commit_one(decide::added(user)).await
    }

    async fn set_role(&self, id: UserId, role: Role, by: &Actor, at: Timestamp) -> Result<()> {
        change(self, id, by, at, |account| decide::set_role(account, role)).await
    }

    async fn set_password(
        &self,
        id: UserId,
        password_hash: &str,
        must_change: bool,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        change(self, id, by, at, |account| {
            Ok(decide::set_password(account, password_hash, must_change))
        })
        .await
    }

    async fn block_user(&self, id: UserId, blocked: bool, by: &Actor, at: Timestamp) -> Result<()> {
        change(self, id, by, at, |account| decide::block(account, blocked)).await
    }

    async fn remove_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        change(self, id, by, at, decide::remove).await
    }

    async fn unlock_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        change(self, id, by, at, |account| Ok(decide::unlock(account))).await
    }

    async fn preference(&self, user_id: UserId, name: &str) -> Result<Option<String>> {
        let one = sqlx::query("SELECT value FROM preferences WHERE user_id = $1 AND name = $2")
            .bind(user_id.0)
            .bind(text(name));
        let row = self.read_optional(one).await?;
        row.map(|row| Columns::of(&row).string()).transpose()
    }

    async fn set_preference(&self, user_id: UserId, name: &str, value: Option<&str>) -> Result<()> {
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
        self.writers.acquire().await?.write(statement, name, "user").await?;
        Ok(())
    }

    async fn own_applications(&self, user_id: UserId) -> Result<Vec<OwnApplication>> {
        own_applications::of(self, user_id).await
    }

    async fn set_favourite(&self, user_id: UserId, id: ApplicationId, favourite: bool) -> Result<()> {
        own_applications::mark(self, user_id, id, favourite).await
    }
}

/// Reads a person, decides a change of them, and writes it, in one transaction.
pub(crate) async fn change(
    store: &Postgres,
    id: UserId,
    by: &Actor,
    at: Timestamp,
    decide: impl FnOnce(&Account) -> Result<Vec<Write>> + Send,
) -> Result<()> {
    let mut change = Change::begin(store, by, at).await?;
    let writes = decide(&account(change.lease(), id).await?)?;
    for write in writes {
        let statement = match write {
            Write::Role(role) => sqlx::query("UPDATE users SET role = $2 WHERE id = $1")
                .bind(id.0)
                .bind(role.code()),
            Write::Password { hash, must_change } => {
                sqlx::query("UPDATE users SET password_hash = $2, must_change_password = $3 WHERE id = $1")
                    .bind(id.0)
                    .bind(text(&hash).into_owned())
                    .bind(must_change)
            }
            Write::Blocked(blocked) => sqlx::query("UPDATE users SET blocked = $2 WHERE id = $1")
                .bind(id.0)
                .bind(blocked),
            Write::Remove => sqlx::query("DELETE FROM users WHERE id = $1").bind(id.0),
            Write::EndLogins => sqlx::query("DELETE FROM logins WHERE user_id = $1").bind(id.0),
            Write::Log(event) => {
                change.log(event);
                continue;
            }
            Write::EndSessions(reason) => {
                change.end(session_rows::UNENDED_OF_USER, id.0, reason).await?;
                continue;
            }
        };
        change.lease().execute(statement).await?;
    }
    change.commit().await
}

async fn account(lease: &mut Lease, id: UserId) -> Result<Account> {
    let found = by_ids(lease, &[id.0]).await?.pop();
    let user = found.ok_or(StoreError::NotFound("user"))?;
    let count =
        sqlx::query("SELECT count(*) FROM users WHERE role = $1 AND NOT blocked").bind(Role::SystemAdmin.code());
    let active_admins = Columns::of(&lease.one(count).await?).value()?;
    Ok(Account { user, active_admins })
}

/// Those of these people that exist.
pub(crate) async fn by_ids(lease: &mut Lease, ids: &[Uuid]) -> Result<Vec<User>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = lease.all(sqlx::query(BY_IDS).bind(ids)).await?;
    rows.iter().map(|row| user(&mut Columns::of(row))).collect()
}

pub(crate) fn user(columns: &mut Columns<'_>) -> Result<User> {
    Ok(User {
        id: UserId(columns.id()?),
        number: columns.count()?,
        username: columns.text(&mut Shared::default())?,
        password_hash: columns.string()?,
        role: Role::from_stored(columns.value()?),
        created_at: columns.time()?,
        blocked: columns.value()?,
        must_change_password: columns.value()?,
    })
}
