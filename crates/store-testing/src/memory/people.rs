//! People and their preferences.

use async_trait::async_trait;
use session::{
    Actor, ApplicationId, EndReason, Event, EventKind, Role, Timestamp, UserId, event::UserChange, query::fold,
};
use store::{OwnApplication, People, Result, StoreError, User, values::truncate_to_micros};

use super::{Memory, State, batch, event};

#[async_trait]
impl People for Memory {
    async fn users(&self) -> Result<Vec<User>> {
        self.read(|state| {
            let mut all: Vec<_> = state.users.values().cloned().collect();
            all.sort_by_key(|user| fold(&user.username));
            all
        })
    }

    async fn user_named(&self, username: &str) -> Result<Option<User>> {
        self.read(|state| named(state, username).cloned())
    }

    async fn add_user(&self, user: &User, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            if state.users.contains_key(&user.id) || named(state, &user.username).is_some() {
                return Err(StoreError::AlreadyExists(user.username.to_string()));
            }
            let next = u32::try_from(state.numbers.len()).unwrap_or(u32::MAX) + 1;
            let stored = User {
                number: *state.numbers.entry(user.id).or_insert(next),
                created_at: truncate_to_micros(user.created_at),
                ..user.clone()
            };
            state.users.insert(user.id, stored);
            events.push(changed(user, by, at, UserChange::Added(user.role)));
            Ok(())
        })
    }

    async fn set_role(&self, id: UserId, role: Role, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            let user = known(state, id)?;
            if user.role == role {
                return Ok(());
            }
            keep_an_admin(state, &user)?;
            events.push(changed(&user, by, at, UserChange::RoleSet(role)));
            state.users.insert(id, User { role, ..user });
            Ok(())
        })
    }

    async fn set_password(
        &self,
        id: UserId,
        password_hash: &str,
        must_change: bool,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        self.record(|state, events| {
            let user = known(state, id)?;
            state.logins.retain(|_, login| login.user_id != id);
            events.push(changed(&user, by, at, UserChange::PasswordSet));
            let stored = User {
                password_hash: password_hash.to_owned(),
                must_change_password: must_change,
                ..user
            };
            state.users.insert(id, stored);
            Ok(())
        })
    }

    async fn block_user(&self, id: UserId, blocked: bool, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            let user = known(state, id)?;
            if user.blocked == blocked {
                return Ok(());
            }
            if blocked {
                keep_an_admin(state, &user)?;
                state.logins.retain(|_, login| login.user_id != id);
                events.push(changed(&user, by, at, UserChange::Blocked));
                batch::end(state, events, EndReason::UserBlocked, (by, at), |session| {
                    session.user_id == id
                })?;
            } else {
                events.push(changed(&user, by, at, UserChange::Unblocked));
            }
            state.users.insert(id, User { blocked, ..user });
            Ok(())
        })
    }

    async fn remove_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            let user = known(state, id)?;
            keep_an_admin(state, &user)?;
            state.users.remove(&id);
            state.logins.retain(|_, login| login.user_id != id);
            state.preferences.retain(|(of, _), _| *of != id);
            state.networks.retain(|(of, _), _| *of != id);
            state.own_applications.retain(|(of, _), _| *of != id);
            events.push(changed(&user, by, at, UserChange::Removed));
            batch::end(state, events, EndReason::UserRemoved, (by, at), |session| {
                session.user_id == id
            })
        })
    }

    async fn unlock_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        self.record(|state, events| {
            let user = known(state, id)?;
            events.push(changed(&user, by, at, UserChange::Unlocked));
            Ok(())
        })
    }

    async fn preference(&self, user_id: UserId, name: &str) -> Result<Option<String>> {
        self.read(|state| state.preferences.get(&(user_id, name.to_owned())).cloned())
    }

    async fn set_preference(&self, user_id: UserId, name: &str, value: Option<&str>) -> Result<()> {
        self.transact(|state| {
            let key = (user_id, name.to_owned());
            let Some(value) = value else {
                state.preferences.remove(&key);
                return Ok(());
            };
            known(state, user_id)?;
            state.preferences.insert(key, value.to_owned());
            Ok(())
        })
    }

    async fn own_applications(&self, user_id: UserId) -> Result<Vec<OwnApplication>> {
        self.read(|state| {
            let own = state.own_applications.iter();
            own.filter(|((of, _), _)| *of == user_id).map(|(_, own)| *own).collect()
        })
    }

    async fn set_favourite(&self, user_id: UserId, id: ApplicationId, favourite: bool) -> Result<()> {
        self.transact(|state| {
            if !state.users.contains_key(&user_id) || !state.applications.contains_key(&id) {
                return Err(StoreError::NotFound("user or application"));
            }
            own(state, user_id, id).favourite = favourite;
            Ok(())
        })
    }
}

/// The entry of a person and an application, added if it is missing.
pub(super) fn own(state: &mut State, user_id: UserId, id: ApplicationId) -> &mut OwnApplication {
    state.own_applications.entry((user_id, id)).or_insert(OwnApplication {
        id,
        favourite: false,
        used_at: None,
    })
}

pub(super) fn named<'a>(state: &'a State, username: &str) -> Option<&'a User> {
    let wanted = fold(username);
    state.users.values().find(|user| fold(&user.username) == wanted)
}

pub(super) fn known(state: &State, id: UserId) -> Result<User> {
    let user = state.users.get(&id).cloned();
    user.ok_or(StoreError::NotFound("user"))
}

/// Refuses to take the role or the access from the last System Admin who can sign in.
fn keep_an_admin(state: &State, user: &User) -> Result<()> {
    let can = |user: &User| user.role == Role::SystemAdmin && !user.blocked;
    if can(user) && state.users.values().filter(|user| can(user)).count() == 1 {
        return Err(StoreError::LastSystemAdmin);
    }
    Ok(())
}

pub(super) fn changed(user: &User, by: &Actor, at: Timestamp, change: UserChange) -> Event {
    let what = EventKind::UserChanged {
        user_id: user.id,
        username: user.username.clone(),
        change,
    };
    event(by, at, what)
}
