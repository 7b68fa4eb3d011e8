//! A node's connection to the store, with injected faults: slow, failing, and cut when the node
//! crashes. The store behind it is the memory model, which outlives every node.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use parking_lot::Mutex;
use session::{
    Actor, ApplicationId, EnvironmentId, Event, Homes, Role, Session, SessionId, Timestamp, UserId,
    audit::Numbered,
    catalogue::{ApplicationSpec, LaunchState},
};
use store::{
    Application, Catalogue, Changes, Checkpoint, Claim, Cluster, Committed, Edited, EnvironmentRow, EventLog,
    EventScan, Hash, Head, Logins, NewLogin, OwnApplication, PeerHeartbeats, People, Result, Sessions, SignedIn,
    StoreError, User, Verified, WriteRequest,
};
use store_testing::Memory;
use tokio::{
    sync::Notify,
    time::{Duration, Instant, sleep},
};

use super::{
    crash_switch::{CrashPoint, CrashSwitch},
    faults::Faults,
    rng::Rng,
    row_invariants::Rows,
};

/// The timeout of a query.
const QUERY_TIMEOUT: Duration = Duration::from_secs(25);

/// The part that all nodes share.
pub struct SharedStore {
    pub memory: Memory,
    pub rows: Arc<Rows>,
    pub faults: Arc<Faults>,
    /// One for each node. Each transaction notifies all.
    pub notifications: Vec<Notify>,
    pub rng: Mutex<Rng>,
}

/// The connection of one incarnation of a node.
pub struct FaultyStore {
    shared: Arc<SharedStore>,
    switch: Arc<CrashSwitch>,
    node: usize,
}

impl FaultyStore {
    /// A connection for this incarnation of a node.
    pub fn new(shared: Arc<SharedStore>, switch: Arc<CrashSwitch>, node: usize) -> Self {
        Self { shared, switch, node }
    }

    async fn delay(&self) {
        let most = self.shared.faults.rates().store_slow;
        let pause = self.shared.rng.lock().millis(most);
        sleep(pause).await;
        self.switch.proceed().await;
    }

    fn chance(&self, chance: u64) -> bool {
        self.shared.rng.lock().percent(chance)
    }

    /// The way of a query to the store. The query may fail here without an effect.
    async fn request(&self) -> Result<()> {
        let began = Instant::now();
        self.switch.proceed().await;
        self.delay().await;
        // The client gives up a query after the timeout, also when its machine slept during the
        // query.
        if began.elapsed() > QUERY_TIMEOUT {
            return Err(StoreError::Unreachable("it took too long".into()));
        }
        if self.chance(self.shared.faults.rates().store_fails) {
            let kind = self.shared.rng.lock().below(4);
            return Err(match kind {
                0 => StoreError::Full,
                1 => StoreError::Busy,
                _ => StoreError::Unreachable("the connection is cut".into()),
            });
        }
        Ok(())
    }

    async fn read<T>(&self, query: impl Future<Output = Result<T>> + Send) -> Result<T> {
        self.request().await?;
        let answer = query.await;
        self.delay().await;
        answer
    }

    async fn transact<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        self.request().await?;
        if self.switch.hits(CrashPoint::BeforeCommit) {
            self.switch.crash();
        }
        self.switch.proceed().await;
        let disk = self.switch.hits(CrashPoint::Disk);
        if disk && self.chance(50) {
            return Err(StoreError::Disk("it failed".into()));
        }
        let done = work.await;
        self.shared.rows.check_transaction(&self.shared.memory).await;
        self.shared.notifications.iter().for_each(Notify::notify_one);
        if self.switch.hits(CrashPoint::AfterCommit) {
            self.switch.crash();
        }
        self.delay().await;
        if disk {
            return Err(StoreError::Disk("it failed".into()));
        }
        if done.is_ok() && self.chance(self.shared.faults.rates().store_loses_answer) {
            return Err(StoreError::OutcomeUnknown);
        }
        done
    }

    fn memory(&self) -> &Memory {
        &self.shared.memory
    }
}

#[async_trait]
impl Sessions for FaultyStore {
    async fn load(&self) -> Result<Changes> {
        self.read(self.memory().load()).await
    }
    async fn changes(&self, after: u64) -> Result<Changes> {
        self.read(self.memory().changes(after)).await
    }
    async fn revision(&self) -> Result<u64> {
        self.read(self.memory().revision()).await
    }
    async fn write(&self, batch: &[WriteRequest]) -> Result<Committed> {
        self.transact(self.memory().write(batch)).await
    }
    async fn seed(&self, sessions: &[Session]) -> Result<()> {
        self.transact(self.memory().seed(sessions)).await
    }
}

#[async_trait]
impl EventLog for FaultyStore {
    async fn events(&self, id: SessionId) -> Result<Vec<Event>> {
        self.read(self.memory().events(id)).await
    }
    async fn scan_events(&self, scan: &EventScan) -> Result<Vec<Numbered>> {
        self.read(self.memory().scan_events(scan)).await
    }
    async fn verify_events(&self, heads: &[Hash]) -> Result<Verified> {
        self.read(self.memory().verify_events(heads)).await
    }
    async fn head(&self) -> Result<Head> {
        self.read(self.memory().head()).await
    }
    async fn event_hash(&self, number: u64) -> Result<Option<Hash>> {
        self.read(self.memory().event_hash(number)).await
    }
    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        self.transact(self.memory().add_checkpoint(checkpoint)).await
    }
    async fn checkpoints(&self) -> Result<Vec<Checkpoint>> {
        self.read(self.memory().checkpoints()).await
    }
    async fn log_event(&self, event: &Event) -> Result<()> {
        self.transact(self.memory().log_event(event)).await
    }
}

#[async_trait]
impl Cluster for FaultyStore {
    async fn changed(&self) {
        loop {
            self.shared.notifications[self.node].notified().await;
            self.switch.proceed().await;
            if !self.switch.drops_notifications() {
                return;
            }
        }
    }
    async fn claim_sweep(&self, now: Timestamp, interval: TimeDelta) -> Result<Claim> {
        self.transact(async {
            let claim = self.memory().claim_sweep(now, interval).await?;
            if claim == Claim::Granted {
                self.shared.rows.sweep_granted(now);
            }
            Ok(claim)
        })
        .await
    }
    async fn heartbeat(&self, name: &str, url: &str, report: &str) -> Result<PeerHeartbeats> {
        self.read(self.memory().heartbeat(name, url, report)).await
    }
}

#[async_trait]
impl People for FaultyStore {
    async fn users(&self) -> Result<Vec<User>> {
        self.read(self.memory().users()).await
    }
    async fn user_named(&self, username: &str) -> Result<Option<User>> {
        self.read(self.memory().user_named(username)).await
    }
    async fn add_user(&self, user: &User, by: &Actor, at: Timestamp) -> Result<()> {
        self.transact(self.memory().add_user(user, by, at)).await
    }
    async fn set_role(&self, id: UserId, role: Role, by: &Actor, at: Timestamp) -> Result<()> {
        self.transact(self.memory().set_role(id, role, by, at)).await
    }
    async fn set_password(
        &self,
        id: UserId,
        password_hash: &str,
        must_change: bool,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        self.transact(self.memory().set_password(id, password_hash, must_change, by, at))
            .await
    }
    async fn block_user(&self, id: UserId, blocked: bool, by: &Actor, at: Timestamp) -> Result<()> {
        self.transact(self.memory().block_user(id, blocked, by, at)).await
    }
    async fn remove_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        self.transact(self.memory().remove_user(id, by, at)).await
    }
    async fn unlock_user(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        self.transact(self.memory().unlock_user(id, by, at)).await
    }
    async fn preference(&self, user_id: UserId, name: &str) -> Result<Option<String>> {
        self.read(self.memory().preference(user_id, name)).await
    }
    async fn set_preference(&self, user_id: UserId, name: &str, value: Option<&str>) -> Result<()> {
        self.transact(self.memory().set_preference(user_id, name, value)).await
    }
    async fn own_applications(&self, user_id: UserId) -> Result<Vec<OwnApplication>> {
        self.read(self.memory().own_applications(user_id)).await
    }
    async fn set_favourite(&self, user_id: UserId, id: ApplicationId, favourite: bool) -> Result<()> {
        self.transact(self.memory().set_favourite(user_id, id, favourite)).await
    }
}

#[async_trait]
impl Logins for FaultyStore {
    async fn add_login(&self, new: &NewLogin) -> Result<bool> {
        self.transact(self.memory().add_login(new)).await
    }
    async fn login(&self, token_hash: &[u8; 32]) -> Result<Option<SignedIn>> {
        self.read(self.memory().login(token_hash)).await
    }
    async fn logins_of(&self, users: &[UserId]) -> Result<Vec<SignedIn>> {
        self.read(self.memory().logins_of(users)).await
    }
    async fn touch_logins(&self, used: &[([u8; 32], Timestamp)]) -> Result<()> {
        self.transact(self.memory().touch_logins(used)).await
    }
    async fn end_login(&self, token_hash: &[u8; 32], by: &Actor, at: Timestamp) -> Result<()> {
        self.transact(self.memory().end_login(token_hash, by, at)).await
    }
    async fn end_logins(&self, id: UserId, by: &Actor, at: Timestamp) -> Result<()> {
        self.transact(self.memory().end_logins(id, by, at)).await
    }
    async fn remove_old_logins(
        &self,
        seen_before: Timestamp,
        created_before: Timestamp,
        networks_before: Timestamp,
    ) -> Result<()> {
        let memory = self.memory();
        self.transact(memory.remove_old_logins(seen_before, created_before, networks_before))
            .await
    }
    async fn signed_in_from(&self, username: &str, network: &str) -> Result<bool> {
        self.read(self.memory().signed_in_from(username, network)).await
    }
}

#[async_trait]
impl Catalogue for FaultyStore {
    async fn environments(&self) -> Result<Vec<EnvironmentRow>> {
        self.read(self.memory().environments()).await
    }
    async fn add_environment(&self, row: &EnvironmentRow, by: &Actor, at: Timestamp) -> Result<()> {
        self.transact(self.memory().add_environment(row, by, at)).await
    }
    async fn set_environment_launches(
        &self,
        id: EnvironmentId,
        to: LaunchState,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        self.transact(self.memory().set_environment_launches(id, to, by, at))
            .await
    }
    async fn set_homes(&self, id: EnvironmentId, to: Homes, by: &Actor, at: Timestamp) -> Result<bool> {
        self.transact(self.memory().set_homes(id, to, by, at)).await
    }
    async fn applications(&self) -> Result<Vec<Application>> {
        self.read(self.memory().applications()).await
    }
    async fn add_application(&self, application: &Application, by: &Actor, at: Timestamp) -> Result<()> {
        self.transact(self.memory().add_application(application, by, at)).await
    }
    async fn update_application(
        &self,
        id: ApplicationId,
        seen: &ApplicationSpec,
        wanted: &ApplicationSpec,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Edited> {
        self.transact(self.memory().update_application(id, seen, wanted, by, at))
            .await
    }
    async fn set_application_launches(
        &self,
        id: ApplicationId,
        to: LaunchState,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        self.transact(self.memory().set_application_launches(id, to, by, at))
            .await
    }
    async fn add_picture(&self, hash: [u8; 32], png: &[u8], at: Timestamp) -> Result<()> {
        self.transact(self.memory().add_picture(hash, png, at)).await
    }
    async fn picture(&self, hash: [u8; 32]) -> Result<Option<Vec<u8>>> {
        self.read(self.memory().picture(hash)).await
    }
}
