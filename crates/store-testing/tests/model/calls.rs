//! Calls of a store as values, and their answers as texts to compare.

use std::fmt::Debug;

use chrono::TimeDelta;
use session::{
    Actor, ApplicationId, EnvironmentId, Event, Homes, Role, SessionId, Timestamp, UserId,
    audit::Place,
    catalogue::{ApplicationSpec, LaunchState},
};
use store::{Application, EnvironmentRow, EventScan, NewLogin, Store, StoreError, User, WriteRequest};

#[derive(Clone, Debug)]
pub enum Call {
    Write(Vec<WriteRequest>),
    AddUser(User, Timestamp),
    SetRole(UserId, Role, Timestamp),
    SetPassword(UserId, String, bool, Timestamp),
    Block(UserId, bool, Timestamp),
    RemoveUser(UserId, Timestamp),
    Named(String),
    AddLogin(NewLogin),
    Login([u8; 32]),
    LoginsOf(UserId),
    Touch(Vec<([u8; 32], Timestamp)>),
    EndLogin([u8; 32], Timestamp),
    EndLogins(UserId, Timestamp),
    RemoveOldLogins(Timestamp, Timestamp, Timestamp),
    SignedInFrom(String, &'static str),
    Unlock(UserId, Timestamp),
    LogEvent(Event),
    AddEnvironment(EnvironmentRow, Timestamp),
    SetEnvironmentLaunches(EnvironmentId, LaunchState, Timestamp),
    SetHomes(EnvironmentId, Homes, Timestamp),
    AddApplication(Application, Timestamp),
    /// From the present state if the first specification is `None`.
    Edit(ApplicationId, Option<ApplicationSpec>, ApplicationSpec, Timestamp),
    SetApplicationLaunches(ApplicationId, LaunchState, Timestamp),
    Preference(UserId, String),
    SetPreference(UserId, String, Option<String>),
    SetFavourite(UserId, ApplicationId, bool),
    OwnApplications(UserId),
    AddPicture([u8; 32], Vec<u8>, Timestamp),
    Picture([u8; 32]),
    Sweep(Timestamp, i64),
    Changes(u64),
    Events(SessionId),
}

fn administrator() -> Actor {
    Actor::Person {
        user_id: UserId(uuid::Uuid::from_u128(77)),
        username: "admin".into(),
        origin: None,
    }
}

fn text<T: Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        // The text of such an error differs from database to database.
        Err(StoreError::Database(_)) => "refused by the database".into(),
        Err(error) => format!("error: {error}"),
    }
}

impl Call {
    /// Makes the call.
    pub async fn answer(&self, store: &dyn Store) -> String {
        let by = &administrator();
        let answer = match self {
            Self::Write(batch) => match store.write(batch).await {
                // A batch has only one reason to fail: the id of a new session is in use.
                Err(StoreError::AlreadyExists(_) | StoreError::Database(_)) => "refused".into(),
                answer => text(answer),
            },
            Self::AddUser(user, at) => text(store.add_user(user, by, *at).await),
            Self::SetRole(id, role, at) => text(store.set_role(*id, *role, by, *at).await),
            Self::SetPassword(id, hash, must, at) => text(store.set_password(*id, hash, *must, by, *at).await),
            Self::Block(id, blocked, at) => text(store.block_user(*id, *blocked, by, *at).await),
            Self::RemoveUser(id, at) => text(store.remove_user(*id, by, *at).await),
            Self::Named(name) => text(store.user_named(name).await),
            Self::AddLogin(login) => text(store.add_login(login).await),
            Self::Login(token) => text(store.login(token).await),
            Self::LoginsOf(id) => text(store.logins_of(&[*id]).await.map(|mut logins| {
                logins.sort_by_key(|signed_in| signed_in.login.token_hash);
                logins
            })),
            Self::Touch(used) => text(store.touch_logins(used).await),
            Self::EndLogin(token, at) => text(store.end_login(token, by, *at).await),
            Self::EndLogins(id, at) => text(store.end_logins(*id, by, *at).await),
            Self::RemoveOldLogins(seen, created, networks) => {
                text(store.remove_old_logins(*seen, *created, *networks).await)
            }
            Self::SignedInFrom(name, network) => text(store.signed_in_from(name, network).await),
            Self::Unlock(id, at) => text(store.unlock_user(*id, by, *at).await),
            Self::LogEvent(event) => text(store.log_event(event).await),
            Self::AddEnvironment(row, at) => text(store.add_environment(row, by, *at).await),
            Self::SetEnvironmentLaunches(id, to, at) => text(store.set_environment_launches(*id, *to, by, *at).await),
            Self::SetHomes(id, to, at) => text(store.set_homes(*id, *to, by, *at).await),
            Self::AddApplication(row, at) => text(store.add_application(row, by, *at).await),
            Self::Edit(id, seen, wanted, at) => {
                let applications = store.applications().await.unwrap();
                let is = applications.iter().find(|row| row.id == *id).map(Application::spec);
                let seen = seen.clone().or(is).unwrap_or_else(|| wanted.clone());
                text(store.update_application(*id, &seen, wanted, by, *at).await)
            }
            Self::SetApplicationLaunches(id, to, at) => text(store.set_application_launches(*id, *to, by, *at).await),
            Self::Preference(id, name) => text(store.preference(*id, name).await),
            Self::SetPreference(id, name, value) => text(store.set_preference(*id, name, value.as_deref()).await),
            Self::SetFavourite(user, id, favourite) => text(store.set_favourite(*user, *id, *favourite).await),
            Self::OwnApplications(user) => text(store.own_applications(*user).await),
            Self::AddPicture(hash, png, at) => text(store.add_picture(*hash, png, *at).await),
            Self::Picture(hash) => text(store.picture(*hash).await),
            Self::Sweep(at, seconds) => text(store.claim_sweep(*at, TimeDelta::seconds(*seconds)).await),
            Self::Changes(after) => text(store.changes(*after).await),
            Self::Events(id) => text(store.events(*id).await),
        };
        if self.reads() {
            return answer;
        }
        format!("{answer}, revision {}", text(store.revision().await))
    }

    const fn reads(&self) -> bool {
        use Call::{Changes, Events, Login, LoginsOf, Named, OwnApplications, Picture, Preference, SignedInFrom};
        matches!(
            self,
            Named(_)
                | Login(_)
                | LoginsOf(_)
                | SignedInFrom(..)
                | Preference(..)
                | OwnApplications(_)
                | Picture(_)
                | Changes(_)
                | Events(_)
        )
    }
}

const ALL: EventScan = EventScan {
    session: None,
    from: None,
    until: None,
    place: Place::Newest,
    limit: 100_000,
};

/// The whole content of a store, and the hash over all its events.
pub async fn everything(store: &dyn Store) -> String {
    let mut loaded = store.load().await.unwrap();
    loaded.sessions.sort_by_key(|session| session.id);
    let mut parts = Vec::new();
    let purged = store.changes(0).await.unwrap().purged;
    for user in store.users().await.unwrap() {
        parts.push(text(store.own_applications(user.id).await));
    }
    let ids = loaded.sessions.iter().map(|session| session.id).chain(purged);
    for id in ids {
        parts.push(text(store.events(id).await));
    }
    parts.extend([
        text(Ok(loaded)),
        text(store.changes(0).await),
        text(store.users().await),
        text(store.environments().await),
        text(store.applications().await),
        text(store.scan_events(&ALL).await),
        text(store.verify_events(&[]).await),
    ]);
    parts.join("\n")
}
