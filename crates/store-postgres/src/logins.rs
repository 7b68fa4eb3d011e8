//! Logins, and the networks that people signed in from.

use async_trait::async_trait;
use session::{Actor, EventKind, Timestamp, UserId, query::fold};
use sqlx::postgres::PgRow;
use store::{Login, Logins, NewLogin, Result, SignedIn, decide};

use crate::{
    Postgres,
    change::Change,
    people::{self, user, user_columns},
    rows::{Columns, Moment, text},
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
impl Logins for Postgres {
    async fn add_login(&self, new: &NewLogin) -> Result<bool> {
        let (login, at) = (&new.login, new.login.created_at);
        let mut change = Change::begin(self, &new.by, at).await?;
        let insert = sqlx::query(
            "INSERT INTO logins (token_hash, user_id, created_at, seen_at) \
             SELECT $1, id, $3, $4 FROM users WHERE id = $2 AND NOT blocked AND password_hash = $5",
        )
        .bind(&login.token_hash[..])
        .bind(login.user_id.0)
        .bind(Moment(at))
        .bind(Moment(login.seen_at))
        .bind(text(&new.verified_hash));
        if change.lease().insert(insert, "this login", "user").await? == 0 {
            change.undo().await?;
            return Ok(false);
        }
        let network = sqlx::query(
            "INSERT INTO sign_in_networks (user_id, network, seen_at) VALUES ($1, $2, $3) \
             ON CONFLICT (user_id, network) DO UPDATE SET seen_at = greatest(sign_in_networks.seen_at, excluded.seen_at)",
        )
        .bind(login.user_id.0)
        .bind(text(&new.network))
        .bind(Moment(at));
        change.lease().execute(network).await?;
        change.commit_one(EventKind::SignedIn).await?;
        Ok(true)
    }

    async fn login(&self, token_hash: &[u8; 32]) -> Result<Option<SignedIn>> {
        let one = sqlx::query(select_logins!("token_hash = $1")).bind(&token_hash[..]);
        let row = self.read_optional(one).await?;
        row.map(|row| signed_in(&row)).transpose()
    }

    async fn logins_of(&self, users: &[UserId]) -> Result<Vec<SignedIn>> {
        let ids: Vec<_> = users.iter().map(|id| id.0).collect();
        let all = sqlx::query(select_logins!("user_id = ANY ($1)")).bind(ids);
        let rows = self.read_all(all).await?;
        rows.iter().map(signed_in).collect()
    }

    async fn touch_logins(&self, used: &[([u8; 32], Timestamp)]) -> Result<()> {
        // In the order of the keys, so that two nodes lock the rows in the same order.
        let mut used: Vec<_> = used.iter().collect();
        used.sort_by_key(|(hash, _)| *hash);
        let (hashes, times): (Vec<_>, Vec<_>) = used.into_iter().map(|(hash, at)| (&hash[..], Moment(*at))).unzip();
        // Nodes and requests overlap: the latest time counts, not the last write.
        let update = sqlx::query(
            "WITH used AS (SELECT * FROM unnest($1::bytea[], $2::timestamptz[]) AS used (hash, at)), \
                  locked AS (SELECT token_hash FROM logins WHERE token_hash IN (SELECT hash FROM used) ORDER BY token_hash FOR UPDATE) \
             UPDATE logins SET seen_at = greatest(seen_at, used.at) FROM used JOIN locked ON locked.token_hash = used.hash \
             WHERE logins.token_hash = used.hash",
        )
        .bind(hashes)
        .bind(times);
        self.writers.acquire().await?.write(update, "", "login").await?;
        Ok(())
    }

    async fn end_login(&self, token_hash: &[u8; 32], by: &Actor, at: Timestamp) -> Result<()> {
        let mut change = Change::begin(self, by, at).await?;
        let delete = sqlx::query("DELETE FROM logins WHERE token_hash = $1").bind(&token_hash[..]);
        if change.lease().execute(delete).await? == 0 {
            return change.undo().await;
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
        for (delete, before) in [
            ("DELETE FROM logins WHERE seen_at < $1", seen_before),
            ("DELETE FROM logins WHERE created_at < $1", created_before),
            ("DELETE FROM sign_in_networks WHERE seen_at < $1", networks_before),
        ] {
            let delete = sqlx::query(delete).bind(Moment(before));
            self.writers.acquire().await?.write(delete, "", "login").await?;
        }
        Ok(())
    }

    async fn signed_in_from(&self, username: &str, network: &str) -> Result<bool> {
        let folded = fold(username);
        let known = sqlx::query(
            "SELECT 1 FROM sign_in_networks JOIN users ON users.id = user_id WHERE folded = $1 AND network = $2",
        )
        .bind(text(&folded))
        .bind(text(network));
        Ok(self.read_optional(known).await?.is_some())
    }
}

fn signed_in(row: &PgRow) -> Result<SignedIn> {
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
