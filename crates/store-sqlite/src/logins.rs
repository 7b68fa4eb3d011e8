//! Logins, and the networks that people signed in from.

use async_trait::async_trait;
use session::{Actor, EventKind, Timestamp, UserId, query::fold};
use sqlx::sqlite::SqliteRow;
use store::{
    Login, Logins, NewLogin, Result, SignedIn,
    chain::hex as hash_hex,
    decide,
    values::{json, micros},
};

use crate::{
    Sqlite,
    change::Change,
    error::{constraint, sql},
    people::{self, user, user_columns},
    rows::{Columns, hex},
};

macro_rules! select_logins {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            ", token_hash, logins.created_at, seen_at FROM logins JOIN users ON users.id = user_id WHERE ",
            $condition
        )
    };
}

#[async_trait]
impl Logins for Sqlite {
    async fn add_login(&self, new: &NewLogin) -> Result<bool> {
        let (login, at) = (&new.login, new.login.created_at);
        let mut change = Change::begin(self, &new.by, at).await?;
        let added = sqlx::query(
            "INSERT INTO logins (token_hash, user_id, created_at, seen_at) \
             SELECT ?1, id, ?3, ?4 FROM users WHERE id = ?2 AND blocked = 0 AND password_hash = ?5",
        )
        .bind(&login.token_hash[..])
        .bind(&login.user_id.0.as_bytes()[..])
        .bind(micros(at))
        .bind(micros(login.seen_at))
        .bind(&*new.verified_hash)
        .execute(change.connection())
        .await
        .map_err(|error| constraint(error, "this login", "user"))?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO sign_in_networks (user_id, network, seen_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (user_id, network) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)",
        )
        .bind(&login.user_id.0.as_bytes()[..])
        .bind(&*new.network)
        .bind(micros(at))
        .execute(change.connection())
        .await
        .map_err(sql)?;
        change.commit_one(EventKind::SignedIn).await?;
        Ok(true)
    }

    async fn login(&self, token_hash: &[u8; 32]) -> Result<Option<SignedIn>> {
        let row = sqlx::query(select_logins!("token_hash = ?1"))
            .bind(&token_hash[..])
            .fetch_optional(&self.readers)
            .await
            .map_err(sql)?;
        row.map(|row| signed_in(&row)).transpose()
    }

    async fn logins_of(&self, users: &[UserId]) -> Result<Vec<SignedIn>> {
        let ids: Vec<_> = users.iter().map(|id| id.0).collect();
        let rows = sqlx::query(select_logins!("user_id IN (SELECT unhex(value) FROM json_each(?1))"))
            .bind(json(&hex(&ids))?)
            .fetch_all(&self.readers)
            .await
            .map_err(sql)?;
        rows.iter().map(signed_in).collect()
    }

    async fn touch_logins(&self, used: &[([u8; 32], Timestamp)]) -> Result<()> {
        let used: Vec<_> = used.iter().map(|(hash, at)| (hash_hex(hash), micros(*at))).collect();
        let mut transaction = self.begin().await?;
        // Requests overlap: the latest time counts, not the last write.
        sqlx::query(
            "UPDATE logins SET seen_at = max(seen_at, used.at) \
             FROM (SELECT unhex(value ->> 0) AS hash, value ->> 1 AS at FROM json_each(?1)) AS used \
             WHERE token_hash = used.hash",
        )
        .bind(json(&used)?)
        .execute(&mut transaction.connection)
        .await
        .map_err(sql)?;
        transaction.commit().await
    }

    async fn end_login(&self, token_hash: &[u8; 32], by: &Actor, at: Timestamp) -> Result<()> {
        let mut change = Change::begin(self, by, at).await?;
        let ended = sqlx::query("DELETE FROM logins WHERE token_hash = ?1")
            .bind(&token_hash[..])
            .execute(change.connection())
            .await
            .map_err(sql)?;
        if ended.rows_affected() == 0 {
            return Ok(());
        }
        change.commit_one(EventKind::SignedOut).await
    }

    async fn end_logins(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        people::change(self, id, by, at, |account| Ok(decide::people::end_logins(account))).await
    }

    async fn remove_old_logins(
        &self,
        seen_before: Timestamp,
        created_before: Timestamp,
        networks_before: Timestamp,
    ) -> Result<()> {
        let mut transaction = self.begin().await?;
        for (delete, before) in [
            ("DELETE FROM logins WHERE seen_at < ?1", seen_before),
            ("DELETE FROM logins WHERE created_at < ?1", created_before),
            ("DELETE FROM sign_in_networks WHERE seen_at < ?1", networks_before),
        ] {
            sqlx::query(delete)
                .bind(micros(before))
                .execute(&mut transaction.connection)
                .await
                .map_err(sql)?;
        }
        transaction.commit().await
    }

    async fn signed_in_from(&self, username: &str, network: &str) -> Result<bool> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sign_in_networks JOIN users ON users.id = user_id \
             WHERE folded = ?1 AND network = ?2)",
        )
        .bind(fold(username))
        .bind(network)
        .fetch_one(&self.readers)
        .await
        .map_err(sql)
    }
}

fn signed_in(row: &SqliteRow) -> Result<SignedIn> {
    let mut columns = Columns::of(row);
    let user = user(&mut columns)?;
    let login = Login {
        token_hash: columns.hash()?,
        user_id: user.id,
        created_at: columns.time()?,
        seen_at: columns.time()?,
    };
    Ok(SignedIn { user, login })
}
