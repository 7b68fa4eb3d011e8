//! The composition root. No other file names a concrete store or environment.
//!
//! To add a kind of environment: one entry in [`KINDS`]. To add a database: one arm in [`store`].

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use chrono::TimeDelta;
use control::{Clock, Control, Environments, FirstStart, Options};
use environment_local::LocalEnvironment;
use environment_simulated::{Simulated, SimulatedPlan};
use environments::{Environment, EnvironmentError, Signals};
use session::{Actor, ApplicationId, EnvironmentId, Homes, Policy, catalogue::appearance::Appearance};
use store::{Application, EnvironmentRow, Store, StoreError};
use store_postgres::Postgres;
use store_sqlite::Sqlite;
use tokio::{sync::mpsc, task::JoinSet};
use uuid::Uuid;

use crate::{
    audit_key,
    clock::{SystemClock, Time},
    http::peers::HttpPeers,
    settings::Settings,
};

/// Opens an environment. `None` if the settings disable its kind.
type OpenEnvironment = fn(&Settings, Signals) -> Result<Option<Arc<dyn Environment>>, EnvironmentError>;

/// Each kind of environment by its name in the catalogue.
const KINDS: [(&str, OpenEnvironment); 2] = [
    (environment_local::KIND, |settings, signals| {
        let options = environment_local::Options {
            require_limits: settings.require_limits,
            homes: Some(settings.homes()),
        };
        Ok(Some(LocalEnvironment::new(
            settings.data_dir.join("run"),
            options,
            signals,
        )?))
    }),
    (environment_simulated::KIND, |settings, signals| {
        Ok(settings
            .simulated
            .then(|| Simulated::new(SimulatedPlan::default(), signals) as _))
    }),
];

/// The parts of a running server.
pub struct Served {
    pub control: Arc<Control>,
    /// The accounts that a first start created, with their temporary passwords.
    pub first_start: Option<FirstStart>,
    tasks: JoinSet<()>,
}

impl Served {
    /// Aborts the background tasks and waits for their end.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Opens the store for exclusive use by this server, then the environments, and starts the
/// background tasks.
pub async fn serve(settings: &Settings) -> anyhow::Result<Served> {
    let store = store(settings, true).await?;
    first_catalogue(&*store, settings.simulated).await?;
    let (signals, received) = mpsc::unbounded_channel();
    let environments = environments(&*store, settings, &signals).await?;
    let lost_after = (settings.database_url.is_some() && settings.database_lost_seconds > 0)
        .then(|| TimeDelta::seconds(settings.database_lost_seconds.into()));
    let options = Options {
        reload_grace: Duration::from_millis(settings.reload_grace_ms.into()),
        node: settings.node().into(),
        node_url: settings.node_url().into(),
        peers: Arc::new(HttpPeers::new()?),
        launches_per_minute: NonZeroU32::new(settings.launches_per_minute),
        live_sessions_per_user: NonZeroU32::new(settings.live_sessions_per_user),
        files: settings.files,
        largest_upload: (settings.upload_limit_mib > 0).then(|| u64::from(settings.upload_limit_mib) << 20),
        audit_key: settings.audit_key_file.as_deref().map(audit_key::read).transpose()?,
        lost_after,
        password_checks: settings.password_checks,
        password_queue: settings.password_queue,
        login_idle: TimeDelta::minutes(settings.login_idle_minutes.into()),
        login_lifetime: TimeDelta::hours(settings.login_max_hours.into()),
    };
    let control = open(store, environments, settings.clock, options).await?;
    let first_start = control
        .first_people(settings.admin_password.as_deref(), settings.trial)
        .await?;
    let tasks = control.start(received).await;
    Ok(Served {
        control,
        first_start,
        tasks,
    })
}

/// Opens the store for one verb of the command line. A server may use it at the same time. Loads
/// the sessions only if the verb needs them.
pub async fn tool(settings: &Settings, sessions: bool) -> anyhow::Result<Arc<Control>> {
    let options = Options {
        audit_key: settings.audit_key_file.as_deref().map(audit_key::read).transpose()?,
        ..Options::default()
    };
    let store = store(settings, false).await?;
    if sessions {
        return open(store, Environments::new(), Time::System, options).await;
    }
    let now = store.now().await?;
    Ok(Control::open_without_sessions(store, Time::System.clock(now), options).await?)
}

/// Opens the store. With `serve`, a second server on the same SQLite folder or with the same node
/// name is refused. Without it, the store is for a tool beside a server.
async fn store(settings: &Settings, serve: bool) -> store::Result<Arc<dyn Store>> {
    let folder = &settings.data_dir;
    let options = store_postgres::Settings {
        notify: settings.database_notify,
        ..Default::default()
    };
    Ok(match (&settings.database_url, serve) {
        (None, true) => Arc::new(Sqlite::serve(folder).await?),
        (None, false) => Arc::new(Sqlite::open(folder).await?),
        (Some(url), true) => Arc::new(Postgres::serve(url, options, settings.node()).await?),
        (Some(url), false) => Arc::new(Postgres::open(url, options).await?),
    })
}

async fn open(
    store: Arc<dyn Store>,
    environments: Environments,
    time: Time,
    options: Options,
) -> anyhow::Result<Arc<Control>> {
    // All nodes that share a database use its clock.
    let now = store.now().await?;
    Ok(Control::open(store, environments, time.clock(now), options).await?)
}

async fn environments(store: &dyn Store, settings: &Settings, signals: &Signals) -> anyhow::Result<Environments> {
    let mut environments = Environments::new();
    for row in store.environments().await? {
        let Some((_, open)) = KINDS.iter().find(|(kind, _)| *kind == &*row.kind) else {
            bail!("environment “{}” has the unknown kind “{}”", row.name, row.kind);
        };
        let opened = open(settings, signals.clone());
        if let Some(environment) = opened.with_context(|| format!("environment “{}”", row.name))? {
            environments.insert(row.id, environment);
        }
    }
    Ok(environments)
}

/// Fills an empty catalogue. Another node that starts at the same time may add a part of it.
async fn first_catalogue(store: &dyn Store, simulated: bool) -> store::Result<()> {
    // Either of the two environments can already exist by then.
    for _ in 0..2 {
        match fill_catalogue(store, simulated).await {
            Err(StoreError::AlreadyExists(_)) => {}
            done => return done,
        }
    }
    Ok(())
}

/// Adds this host with the applications that `make run` installs, and a simulated environment if
/// the settings enable it.
async fn fill_catalogue(store: &dyn Store, simulated: bool) -> store::Result<()> {
    let rows = store.environments().await?;
    if !rows.iter().any(|row| &*row.kind == environment_local::KIND) {
        let applications = [
            ("Calculator", "galculator", &[][..], "calculator"),
            ("Terminal", "xterm", &[], "terminal"),
            ("Text Editor", "mousepad", &["--disable-server"], "text"),
        ];
        let homes = Some(Homes::default());
        let host = add_environment(store, "This host", environment_local::KIND, homes).await?;
        for (name, program, arguments, icon) in applications {
            add_application(store, host, name, (program, arguments), icon).await?;
        }
    }
    if simulated && !rows.iter().any(|row| &*row.kind == environment_simulated::KIND) {
        let name = "Simulated (no real applications)";
        let simulated = add_environment(store, name, environment_simulated::KIND, None).await?;
        add_application(store, simulated, "Simulated desktop", ("desktop", &[]), "desktop").await?;
    }
    Ok(())
}

async fn add_environment(
    store: &dyn Store,
    name: &str,
    kind: &str,
    homes: Option<Homes>,
) -> store::Result<EnvironmentId> {
    let id = EnvironmentId(Uuid::now_v7());
    let row = EnvironmentRow {
        id,
        name: name.into(),
        kind: kind.into(),
        open: true,
        homes,
    };
    store.add_environment(&row, &Actor::System, SystemClock.now()).await?;
    Ok(id)
}

async fn add_application(
    store: &dyn Store,
    environment_id: EnvironmentId,
    name: &str,
    (program, arguments): (&str, &[&str]),
    icon: &str,
) -> store::Result<()> {
    let command = std::iter::once(program)
        .chain(arguments.iter().copied())
        .map(str::to_owned)
        .collect();
    let application = Application {
        id: ApplicationId(Uuid::now_v7()),
        name: name.into(),
        launch_text: "Launch".into(),
        environment_id,
        command,
        policy: Policy::default(),
        seats: None,
        appearance: Appearance {
            icon: Some(icon.into()),
            ..Appearance::default()
        },
        open: true,
    };
    store
        .add_application(&application, &Actor::System, SystemClock.now())
        .await
}
