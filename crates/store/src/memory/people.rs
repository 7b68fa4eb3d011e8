//! People.

use session::{Actor, EndReason, Event, EventKind, Role, Timestamp, UserId, event::UserChange, query::fold};

use super::{State, event, sessions};
use crate::{Result, StoreError, User, values::truncate_to_micros};

pub(super) fn named<'a>(state: &'a State, username: &str) -> Option<&'a User> {
    let wanted = fold(username);
    state.users.values().find(|user| fold(&user.username) == wanted)
}

pub(super) fn known(state: &State, id: UserId) -> Result<User> {
    let user = state.users.get(&id).cloned();
    user.ok_or(StoreError::NotFound("user"))
}

pub(super) fn add(state: &mut State, events: &mut Vec<Event>, user: &User, by: &Actor, at: Timestamp) -> Result<()> {
    if state.users.contains_key(&user.id) || named(state, &user.username).is_some() {
        return Err(StoreError::AlreadyExists(user.username.to_string()));
    }
    let created_at = truncate_to_micros(user.created_at);
    state.users.insert(
        user.id,
        User {
            created_at,
            ..user.clone()
        },
    );
    events.push(changed(user, by, at, UserChange::Added(user.role)));
    Ok(())
}

pub(super) fn set_role(
    state: &mut State,
    events: &mut Vec<Event>,
    id: UserId,
    role: Role,
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    let user = known(state, id)?;
    if user.role == role {
        return Ok(());
    }
    keep_an_admin(state, &user)?;
    events.push(changed(&user, by, at, UserChange::RoleSet(role)));
    state.users.insert(id, User { role, ..user });
    Ok(())
}

pub(super) fn set_password(
    state: &mut State,
    events: &mut Vec<Event>,
    id: UserId,
    (password_hash, must_change_password): (&str, bool),
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    let user = known(state, id)?;
    state.logins.retain(|_, login| login.user_id != id);
    events.push(changed(&user, by, at, UserChange::PasswordSet));
    let changed = User {
        password_hash: password_hash.to_owned(),
        must_change_password,
        ..user
    };
    state.users.insert(id, changed);
    Ok(())
}

pub(super) fn block(
    state: &mut State,
    events: &mut Vec<Event>,
    id: UserId,
    blocked: bool,
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    let user = known(state, id)?;
    if user.blocked == blocked {
        return Ok(());
    }
    if blocked {
        keep_an_admin(state, &user)?;
        state.logins.retain(|_, login| login.user_id != id);
        events.push(changed(&user, by, at, UserChange::Blocked));
        sessions::end(state, events, EndReason::UserBlocked, (by, at), |session| {
            session.user_id == id
        })?;
    } else {
        events.push(changed(&user, by, at, UserChange::Unblocked));
    }
    state.users.insert(id, User { blocked, ..user });
    Ok(())
}

pub(super) fn remove(state: &mut State, events: &mut Vec<Event>, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
    let user = known(state, id)?;
    keep_an_admin(state, &user)?;
    state.users.remove(&id);
    state.logins.retain(|_, login| login.user_id != id);
    state.preferences.retain(|(of, _), _| *of != id);
    state.networks.retain(|(of, _), _| *of != id);
    events.push(changed(&user, by, at, UserChange::Removed));
    sessions::end(state, events, EndReason::UserRemoved, (by, at), |session| {
        session.user_id == id
    })
}

pub(super) fn end_logins(
    state: &mut State,
    events: &mut Vec<Event>,
    id: UserId,
    by: &Actor,
    at: Timestamp,
) -> Result<()> {
    let user = known(state, id)?;
    state.logins.retain(|_, login| login.user_id != id);
    events.push(changed(&user, by, at, UserChange::LoginsEnded));
    Ok(())
}

pub(super) fn unlock(state: &State, events: &mut Vec<Event>, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
    let user = known(state, id)?;
    events.push(changed(&user, by, at, UserChange::Unlocked));
    Ok(())
}

/// Refuses to take the role or the access from the last System Admin who can sign in.
fn keep_an_admin(state: &State, user: &User) -> Result<()> {
    let can = |user: &User| user.role == Role::SystemAdmin && !user.blocked;
    if can(user) && state.users.values().filter(|user| can(user)).count() == 1 {
        return Err(StoreError::LastSystemAdmin);
    }
    Ok(())
}

fn changed(user: &User, by: &Actor, at: Timestamp, change: UserChange) -> Event {
    let what = EventKind::UserChanged {
        user_id: user.id,
        username: user.username.clone(),
        change,
    };
    event(by, at, what)
}
