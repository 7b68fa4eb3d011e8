//! Logins.

use session::{Event, EventKind};

use super::{State, event};
use crate::{Login, NewLogin, Result, SignedIn, StoreError, values::truncate_to_micros};

pub(super) fn add(state: &mut State, events: &mut Vec<Event>, new: &NewLogin) -> Result<bool> {
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
}

pub(super) fn signed_in(state: &State, login: &Login) -> Option<SignedIn> {
    let user = state.users.get(&login.user_id)?.clone();
    Some(SignedIn {
        user,
        login: login.clone(),
    })
}
