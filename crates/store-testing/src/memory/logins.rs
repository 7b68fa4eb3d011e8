//! Logins.

use async_trait::async_trait;
use session::{Actor, EventKind, Timestamp, UserId, event::UserChange};
use store::{Login, Logins, NewLogin, Result, SignedIn, StoreError, values::truncate_to_micros};

use super::{Memory, State, event, people};

#[async_trait]
impl Logins for Memory {
    async fn add_login(&self, new: &NewLogin) -> Result<bool> {
        self.record(|state, events| {
            let login = &new.login;
            let account = state.users.get(&login.user_id);
            if !account.is_some_and(|user| !user.blocked && user.password_hash == new.verified_hash) {
                return Ok(false);
            }
            if state.logins.contains_key(&login.token_hash) {
                return Err(StoreError::AlreadyExists("this login".into()));
            }
            let created_at = truncate_to_micros(login.created_at);
            let login = Login {
                created_at,
                seen_at: truncate_to_micros(login.seen_at),
                ..login.clone()
            };
            let last = state
                .networks
                .entry((login.user_id, new.network.clone()))
                .or_insert(created_at);
            *last = created_at.max(*last);
            state.logins.insert(login.token_hash, login);
            events.push(event(&new.by, created_at, EventKind::SignedIn));
            Ok(true)
        })
    }

    async fn login(&self, token_hash: &[u8; 32]) -> Result<Option<SignedIn>> {
        self.read(|state| signed_in(state, state.logins.get(token_hash)?))
    }

    async fn logins_of(&self, users: &[UserId]) -> Result<Vec<SignedIn>> {
        self.read(|state| {
            let logins = state.logins.values().filter(|login| users.contains(&login.user_id));
            logins.filter_map(|login| signed_in(state, login)).collect()
        })
    }

    async fn touch_logins(&self, used: &[([u8; 32], Timestamp)]) -> Result<()> {
        self.transact(|state| {
            for (token_hash, at) in used {
                if let Some(login) = state.logins.get_mut(token_hash) {
                    login.seen_at = login.seen_at.max(truncate_to_micros(*at));
                }
            }
            Ok(())
        })
    }

    async fn end_login(&self, token_hash: &[u8; 32], by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            if state.logins.remove(token_hash).is_some() {
                events.push(event(by, at, EventKind::SignedOut));
            }
            Ok(())
        })
    }

    async fn end_logins(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            let user = people::known(state, id)?;
            state.logins.retain(|_, login| login.user_id != id);
            events.push(people::changed(&user, by, at, UserChange::LoginsEnded));
            Ok(())
        })
    }

    async fn remove_old_logins(
        &self,
        seen_before: Timestamp,
        created_before: Timestamp,
        networks_before: Timestamp,
    ) -> Result<()> {
        self.transact(|state| {
            let stays = |login: &Login| login.seen_at >= seen_before && login.created_at >= created_before;
            state.logins.retain(|_, login| stays(login));
            state.networks.retain(|_, seen_at| *seen_at >= networks_before);
            Ok(())
        })
    }

    async fn signed_in_from(&self, username: &str, network: &str) -> Result<bool> {
        self.read(|state| {
            people::named(state, username).is_some_and(|user| state.networks.contains_key(&(user.id, network.into())))
        })
    }
}

fn signed_in(state: &State, login: &Login) -> Option<SignedIn> {
    let user = state.users.get(&login.user_id)?.clone();
    Some(SignedIn {
        user,
        login: login.clone(),
    })
}
