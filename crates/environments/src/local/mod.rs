//! The `local` environment: each session is a real application on this host, in a sandbox and on a display of its own.
//!
//! It is not a scheduler and keeps nothing across a restart of the server: all sandboxes end with it, even when it is
//! killed. It knows no policy; what it refuses is only what this host can't do.
//!
//! The parts: `programs` (what must be installed), `identities` (a user id each), `limits` (what a session may use),
//! `cgroups` (which enforce that), `syscalls` (those that are denied), `folder` (socket and files), `sandbox` (the command
//! line, with `outside.sh` and `inside.sh`), `launcher` (the one thread that spawns), `readiness` (what a sandbox reports),
//! `running` (from spawn to the last process), `supervisor` (one task a session), `leftovers` (after a crash). To give
//! applications one more thing: a line in `sandbox`, and in its test.

mod cgroups;
mod folder;

mod identities;
mod isolation;
mod launcher;
mod leftovers;
mod limits;
mod processes;
mod programs;
mod readiness;
mod running;
mod sandbox;
mod supervisor;
mod syscalls;

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use session::SessionId;
use tokio::{net::UnixStream, time::timeout};
use tokio_util::sync::CancellationToken;

pub use self::programs::{NEEDED, Program, missing};
use self::{
    folder::{Folder, RunDir},
    isolation::Isolation,
    launcher::Launcher,
    limits::PER_SESSION,
};
use crate::{Duplex, Environment, EnvironmentError, Observed, Signal, Signals, StartSpec};

/// How long [`Environment::stop`] waits before it says that a session does not end. It takes some 50 ms.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// What an administrator sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Refuse to start sessions where nothing limits their memory and their processes.
    pub require_limits: bool,
}

/// Sessions on this host. Dropping it ends them all.
#[derive(Debug)]
pub struct LocalEnvironment {
    shared: Arc<Shared>,
    launcher: Launcher,
}

/// What the sessions' tasks share. It holds no [`Launcher`], so that they don't keep its thread alive.
#[derive(Debug)]
struct Shared {
    run_dir: RunDir,
    isolation: Isolation,
    require_limits: bool,
    signals: Signals,
    sessions: Mutex<HashMap<SessionId, Arc<Session>>>,
}

/// One session, from the accepted start until nothing of it is left.
#[derive(Debug)]
struct Session {
    id: SessionId,
    ready: AtomicBool,
    folder: OnceLock<Folder>,
    /// Cancelled when it shall end.
    stop: CancellationToken,
    /// Cancelled when nothing of it is left.
    gone: CancellationToken,
}

impl LocalEnvironment {
    /// Takes `run_dir` (made if need be, with mode 0700) and ends and removes what an earlier server left in it.
    /// Blocks for as long as that takes. Programs that this host lacks are no error here: see [`missing`].
    ///
    /// # Errors
    /// If another server uses the folder, or something in it can't be ended or removed.
    pub fn new(run_dir: PathBuf, options: Options, signals: Signals) -> Result<Arc<Self>, EnvironmentError> {
        let unusable = |error: io::Error| {
            EnvironmentError::Failed(format!(
                "the folder for sessions, {}, can't be used: {error}",
                run_dir.display()
            ))
        };
        let taken = RunDir::take(&run_dir).map_err(unusable)?;
        let isolation = Isolation::detect()?;
        isolation.report();
        let left = leftovers::clear(taken.path(), &isolation.cgroups).map_err(unusable)?;
        if left > 0 {
            tracing::info!(sessions = left, "removed what an earlier server left");
        }
        let shared = Shared {
            run_dir: taken,
            isolation,
            require_limits: options.require_limits,
            signals,
            sessions: Mutex::default(),
        };
        let launcher = Launcher::new().map_err(unusable)?;
        Ok(Arc::new(Self {
            shared: Arc::new(shared),
            launcher,
        }))
    }
}

impl Drop for LocalEnvironment {
    fn drop(&mut self) {
        // The end of the launcher's thread would do it as well, but leave the folders.
        for session in self.shared.sessions().values() {
            session.stop.cancel();
        }
    }
}

/// How a session ended that nobody stopped.
enum Ending {
    /// The application ended by itself and without an error.
    Closed,
    /// Anything else; the text is for people.
    Lost(String),
}

impl Shared {
    fn sessions(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks a session as ready and says so, unless it is being stopped: under one lock, so that nothing is said
    /// after a stop.
    fn announce_ready(&self, session: &Session) {
        let _sessions = self.sessions();
        if !session.stop.is_cancelled() {
            session.ready.store(true, Ordering::Release);
            self.say(Signal::Ready(session.id));
        }
    }

    /// Forgets a session of which nothing is left, and says how it ended, unless it was stopped.
    fn forget(&self, session: &Session, ending: Ending) {
        let mut sessions = self.sessions();
        sessions.remove(&session.id);
        if !session.stop.is_cancelled() {
            self.say(match ending {
                Ending::Closed => Signal::Closed(session.id),
                Ending::Lost(why) => Signal::Lost(session.id, why),
            });
        }
        session.gone.cancel();
    }

    fn say(&self, signal: Signal) {
        if self.signals.send(signal).is_err() {
            tracing::debug!("nobody listens to the environment any more");
        }
    }
}

#[async_trait]
impl Environment for LocalEnvironment {
    fn kind(&self) -> &'static str {
        "local"
    }

    async fn start(&self, spec: StartSpec) -> Result<(), EnvironmentError> {
        let Some(application) = spec.command.first() else {
            return Err(EnvironmentError::Failed("the application has no command".to_owned()));
        };
        if self.shared.require_limits && !self.shared.isolation.enforced().is_enough() {
            let words = self.shared.isolation.enforced().words(PER_SESSION);
            return Err(EnvironmentError::Failed(format!(
                "the setting require_limits asks for limits that this host does not enforce ({words})"
            )));
        }
        programs::check_application(application)?;
        let host = sandbox::Host::look()?;
        let session = match self.shared.sessions().entry(spec.session_id) {
            Entry::Occupied(running) if running.get().stop.is_cancelled() => {
                return Err(EnvironmentError::Failed("the session is being ended".to_owned()));
            }
            Entry::Occupied(_) => return Ok(()),
            Entry::Vacant(free) => Arc::clone(free.insert(Arc::new(Session::new(spec.session_id)))),
        };
        let (shared, launcher) = (Arc::clone(&self.shared), self.launcher.clone());
        tokio::spawn(supervisor::supervise(shared, launcher, host, session, spec));
        Ok(())
    }

    fn limits(&self) -> Option<String> {
        Some(self.shared.isolation.enforced().words(PER_SESSION))
    }

    async fn observe(&self) -> Result<Vec<Observed>, EnvironmentError> {
        let observed = |session: &Arc<Session>| Observed {
            session_id: session.id,
            ready: session.ready.load(Ordering::Acquire),
        };
        Ok(self.shared.sessions().values().map(observed).collect())
    }

    async fn stop(&self, id: SessionId) -> Result<(), EnvironmentError> {
        let gone = {
            let sessions = self.shared.sessions();
            let Some(session) = sessions.get(&id) else {
                return Ok(());
            };
            session.stop.cancel();
            session.gone.clone()
        };
        let too_long = |_| EnvironmentError::Failed(format!("the session still runs {STOP_PATIENCE:?} after its end"));
        timeout(STOP_PATIENCE, gone.cancelled()).await.map_err(too_long)
    }

    async fn connect(&self, id: SessionId) -> Result<Box<dyn Duplex>, EnvironmentError> {
        let session = self
            .shared
            .sessions()
            .get(&id)
            .cloned()
            .ok_or(EnvironmentError::Unknown(id))?;
        if session.stop.is_cancelled() {
            return Err(EnvironmentError::Unknown(id));
        }
        let starting = || EnvironmentError::Failed("the application is still starting".to_owned());
        if !session.ready.load(Ordering::Acquire) {
            return Err(starting());
        }
        let folder = session.folder.get().ok_or_else(starting)?;
        let refused = |error| EnvironmentError::Failed(format!("the application's display can't be reached: {error}"));
        Ok(Box::new(UnixStream::connect(folder.socket()).await.map_err(refused)?))
    }
}

impl Session {
    fn new(id: SessionId) -> Self {
        let (stop, gone) = (CancellationToken::new(), CancellationToken::new());
        Self {
            id,
            ready: AtomicBool::new(false),
            folder: OnceLock::new(),
            stop,
            gone,
        }
    }
}
