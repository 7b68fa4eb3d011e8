//! The test fixture: SQLite in a temporary folder, a simulated environment, a clock that the test
//! moves, an administrator and two students.
#![expect(clippy::unwrap_used, reason = "a fixture that can't be made is a failed test")]

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use control::{Attachment, Client, Control, ManualClock, Options};
use environment_simulated::{Simulated, SimulatedPlan};
use environments::{Duplex, Environment};
use session::{
    Actor, ApplicationId, EnvironmentId, Policy, Role, SessionId, Status,
    api::{Me, SessionView},
};
use store::{Application, EnvironmentRow, Store};
use store_sqlite::Sqlite;
use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use uuid::Uuid;

/// A timeout that is long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const PASSWORD: &str = "correct horse";
pub const HOME: &str = "127.0.0.1";

/// A request from an address.
pub fn client(address: &str) -> Client {
    Client {
        address: address.parse().unwrap(),
        request_id: "a request".into(),
    }
}

pub struct Fixture {
    pub control: Arc<Control>,
    pub store: Arc<dyn Store>,
    /// The same store, with its concrete type.
    pub sqlite: Arc<Sqlite>,
    pub clock: Arc<ManualClock>,
    pub environment: Arc<Simulated>,
    pub admin: Me,
    pub student: Me,
    pub other: Me,
    pub desktop: ApplicationId,
    pub folder: TempDir,
    _tasks: JoinSet<()>,
}

pub const ENVIRONMENT: EnvironmentId = EnvironmentId(Uuid::from_u128(1));
pub const DESKTOP: ApplicationId = ApplicationId(Uuid::from_u128(2));

impl Fixture {
    pub async fn new() -> Self {
        Self::with(SimulatedPlan::default()).await
    }

    pub async fn with(plan: SimulatedPlan) -> Self {
        Self::reached(plan, Options::default(), |environment| environment).await
    }

    /// With other options, and with a wrapper around the environment.
    pub async fn reached(
        plan: SimulatedPlan,
        options: Options,
        through: impl FnOnce(Arc<Simulated>) -> Arc<dyn Environment>,
    ) -> Self {
        let start = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self::in_folder(folder, Arc::new(ManualClock::new(start)), plan, options, through).await
    }

    /// The same data after a crash: the old process is gone, the clock goes on.
    pub async fn restart(self) -> Self {
        let Self {
            folder,
            clock,
            control,
            store,
            sqlite,
            _tasks,
            ..
        } = self;
        drop((control, _tasks, store, sqlite));
        let (plan, options) = (SimulatedPlan::default(), Options::default());
        Self::in_folder(folder, clock, plan, options, |environment| environment).await
    }

    async fn in_folder(
        folder: TempDir,
        clock: Arc<ManualClock>,
        plan: SimulatedPlan,
        options: Options,
        through: impl FnOnce(Arc<Simulated>) -> Arc<dyn Environment>,
    ) -> Self {
        let sqlite = Arc::new(Sqlite::open(folder.path()).await.unwrap());
        let store: Arc<dyn Store> = sqlite.clone();
        if store.environments().await.unwrap().is_empty() {
            seed(&*store).await;
        }
        let (signals, received) = mpsc::unbounded_channel();
        let environment = Simulated::new(plan, signals);
        let reached = through(environment.clone());
        let options = Options {
            reload_grace: Duration::from_millis(20),
            ..options
        };
        let control = Control::open(
            store.clone(),
            HashMap::from([(ENVIRONMENT, reached)]),
            clock.clone(),
            options,
        )
        .await
        .unwrap();
        if control.users().await.unwrap().is_empty() {
            for (name, role) in [
                ("admin", Role::SystemAdmin),
                ("student", Role::User),
                ("other", Role::User),
            ] {
                control.add_user(name, PASSWORD, role).await.unwrap();
            }
        }
        let _tasks = control.start(received).await;
        let mut people = Vec::new();
        for name in ["admin", "student", "other"] {
            let token = control.sign_in(name, PASSWORD, &client(HOME)).await.unwrap();
            people.push(control.authenticate(&token).await.unwrap().unwrap());
        }
        let [admin, student, other] = people.try_into().unwrap();
        Self {
            control,
            store,
            sqlite,
            clock,
            environment,
            admin,
            student,
            other,
            desktop: DESKTOP,
            folder,
            _tasks,
        }
    }

    /// Launches for the student and waits until it is Active.
    pub async fn active(&self) -> SessionId {
        let id = self.control.launch(&self.student, self.desktop).await.unwrap().id;
        self.wait_for_status(id, Status::Active).await;
        id
    }

    /// Waits until the list shows this status, and returns the row.
    pub async fn wait_for_status(&self, id: SessionId, status: Status) -> SessionView {
        self.wait_for(id, |row| row.status == status).await
    }

    /// Waits until the list shows a row for which the condition holds, and returns the row.
    pub async fn wait_for(&self, id: SessionId, condition: impl Fn(&SessionView) -> bool) -> SessionView {
        // Without a login: a test may move the clock beyond its end.
        let admin = Me {
            login: None,
            ..self.admin.clone()
        };
        let mut watch = self.control.watch(&admin, session::view::View::default()).unwrap();
        let seen = timeout(PATIENCE, async {
            loop {
                let row = self.row(id);
                if condition(&row) {
                    return row;
                }
                watch.next().await.unwrap();
            }
        });
        seen.await.unwrap_or_else(|_| panic!("it stayed {:?}", self.row(id)))
    }

    pub fn row(&self, id: SessionId) -> SessionView {
        self.control.session(&self.admin, id).unwrap()
    }

    /// Opens the session in a tab of the student.
    pub async fn open(&self, id: SessionId) -> (Attachment, Box<dyn Duplex>) {
        self.control.attach(&self.student, id).await.unwrap()
    }

    pub fn advance(&self, time: TimeDelta) {
        self.clock.advance(time);
    }
}

pub async fn seed(store: &dyn Store) {
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let row = EnvironmentRow {
        id: ENVIRONMENT,
        name: "Lab".into(),
        kind: "simulated".into(),
        open: true,
        homes: None,
    };
    store.add_environment(&row, &Actor::System, at).await.unwrap();
    let application = Application {
        id: DESKTOP,
        name: "Desktop".into(),
        launch_text: "Launch".into(),
        environment_id: ENVIRONMENT,
        command: vec!["desktop".into()],
        policy: Policy::default(),
        seats: None,
        appearance: Default::default(),
        open: true,
    };
    store.add_application(&application, &Actor::System, at).await.unwrap();
}
