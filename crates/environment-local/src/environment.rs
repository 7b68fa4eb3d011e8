//! The port: starting, observing, stopping and connecting to sessions.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use environments::{
    Duplex, Environment, EnvironmentError, FilesError, Home, HomeFiles, HomePath, Observed, Prints, Reading, Signal,
    Signals, Sound, StartSpec, Windows,
};
use session::{SessionId, UserId, printing::Print, windows::WindowAction};
use tokio::{
    net::{UnixStream, unix::pipe},
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    desk::{Command, Desk},
    files::{self, LocalFiles},
    folder::{Folder, RunDir},
    homes::Homes,
    isolation::Isolation,
    launcher::Launcher,
    leftovers,
    limits::PER_SESSION,
    processes::Process,
    programs, sandbox, supervisor,
};

/// The kind, in the catalogue.
pub const KIND: &str = "local";

/// The time limit of [`Environment::stop`]. A stop usually takes 50 ms.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Refuse to start sessions if this host can't limit their memory and their processes.
    pub require_limits: bool,
    /// The folder of kept homes, made if it is missing; `None` = a session with a kept home is refused.
    pub homes: Option<PathBuf>,
}

/// Sessions on this host. Dropping it ends them all.
#[derive(Debug)]
pub struct LocalEnvironment {
    shared: Arc<Shared>,
    launcher: Launcher,
}

/// The state that the sessions' tasks share. It holds no [`Launcher`], so that they don't keep its
/// thread alive.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) run_dir: RunDir,
    pub(crate) isolation: Isolation,
    pub(crate) homes: Option<Arc<Homes>>,
    pub(crate) require_limits: bool,
    pub(crate) signals: Signals,
    pub(crate) sessions: Mutex<HashMap<SessionId, Arc<Session>>>,
}

/// One session, from the accepted start until nothing of it is left.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) ready: AtomicBool,
    /// True once its server of sound runs.
    pub(crate) sound: AtomicBool,
    pub(crate) folder: OnceLock<Folder>,
    pub(crate) desk: Desk,
    /// Its user of the host; `None` is the server's.
    pub(crate) user: OnceLock<Option<u32>>,
    /// The first process inside, known once the session is ready.
    pub(crate) inside: OnceLock<Arc<Process>>,
    /// The last print. Of prints in quick succession, a reader gets the last: it bounds the notices.
    pub(crate) prints: watch::Sender<Option<Print>>,
    /// Cancelled when the session must end.
    pub(crate) stop: CancellationToken,
    /// Cancelled when nothing of it is left.
    pub(crate) gone: CancellationToken,
}

impl LocalEnvironment {
    /// Takes `run_dir` (made if it is missing, with mode 0700), and ends and removes the sessions
    /// of an earlier server in it. Blocks during that time. A missing program is no error here: see
    /// [`missing`](crate::missing).
    ///
    /// # Errors
    /// If another server uses the folder, a session in it can't be ended or removed, or the folder of
    /// homes can't be made.
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
        if !programs::can_play_sound() {
            tracing::info!("sessions have no sound: pulseaudio (Debian package pulseaudio) is not installed");
        }
        let left = leftovers::clear(taken.path(), &isolation.cgroups).map_err(unusable)?;
        if left > 0 {
            tracing::info!(sessions = left, "removed the sessions of an earlier server");
        }
        let homes = options.homes.as_deref().map(open_homes).transpose()?;
        let shared = Shared {
            homes,
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

fn open_homes(root: &Path) -> Result<Arc<Homes>, EnvironmentError> {
    Homes::open(root).map(Arc::new).map_err(|error| {
        EnvironmentError::Failed(format!(
            "the folder for homes, {}, can't be used: {error}",
            root.display()
        ))
    })
}

impl Drop for LocalEnvironment {
    fn drop(&mut self) {
        // The end of the launcher's thread also ends the sessions, but leaves their folders.
        for session in self.shared.sessions().values() {
            session.stop.cancel();
        }
    }
}

/// The end of a session without a stop.
pub(crate) enum Ending {
    /// The application ended by itself and without an error.
    Closed,
    /// Anything else; the text is for people.
    Lost(String),
}

impl Shared {
    fn sessions(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a command to a session that runs.
    fn command(&self, id: SessionId, command: Command) {
        if let Some(session) = self.sessions().get(&id) {
            session.desk.send(command);
        }
    }

    /// Marks a session as ready and reports it, unless it is being stopped. One lock protects both,
    /// so no signal follows a stop.
    pub(crate) fn announce_ready(&self, session: &Session) {
        let _sessions = self.sessions();
        // Only the first report counts: the application could repeat it.
        if !session.stop.is_cancelled() && !session.ready.swap(true, Ordering::AcqRel) {
            self.report(Signal::Ready(session.id));
        }
    }

    /// Forgets a session of which nothing is left, and reports its end, unless it was stopped.
    pub(crate) fn forget(&self, session: &Session, ending: Ending) {
        let mut sessions = self.sessions();
        sessions.remove(&session.id);
        if !session.stop.is_cancelled() {
            self.report(match ending {
                Ending::Closed => Signal::Closed(session.id),
                Ending::Lost(why) => Signal::Lost(session.id, why),
            });
        }
        session.gone.cancel();
    }

    fn report(&self, signal: Signal) {
        if self.signals.send(signal).is_err() {
            tracing::debug!("dropped a signal: the server no longer receives them");
        }
    }
}

#[async_trait]
impl Environment for LocalEnvironment {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn start(&self, spec: StartSpec) -> Result<(), EnvironmentError> {
        let Some(application) = spec.command.first() else {
            return Err(EnvironmentError::Failed("the application has no command".to_owned()));
        };
        if matches!(spec.home, Home::Kept(_)) && self.shared.homes.is_none() {
            return Err(EnvironmentError::Failed(
                "this server has no folder for homes".to_owned(),
            ));
        }
        if self.shared.require_limits && !self.shared.isolation.enforced().is_enough() {
            let words = self.shared.isolation.enforced().words(PER_SESSION);
            return Err(EnvironmentError::Failed(format!(
                "the setting require_limits asks for limits that this host does not enforce ({words})"
            )));
        }
        programs::check_application(application)?;
        let host = sandbox::Host::read()?;
        let session = match self.shared.sessions().entry(spec.session_id) {
            Entry::Occupied(running) if running.get().stop.is_cancelled() => {
                return Err(EnvironmentError::Failed("the session is being ended".to_owned()));
            }
            Entry::Occupied(_) => return Ok(()),
            Entry::Vacant(free) => {
                let (session, commands) = Session::new(spec.session_id);
                (Arc::clone(free.insert(Arc::new(session))), commands)
            }
        };
        let (session, commands) = session;
        let (shared, launcher) = (Arc::clone(&self.shared), self.launcher.clone());
        tokio::spawn(supervisor::supervise(shared, launcher, host, session, spec, commands));
        Ok(())
    }

    fn limits(&self) -> Option<String> {
        Some(self.shared.isolation.enforced().words(PER_SESSION))
    }

    async fn home_size(&self, person: UserId, enough: u64) -> Result<u64, EnvironmentError> {
        let Some(homes) = &self.shared.homes else { return Ok(0) };
        let failed = |error| EnvironmentError::Failed(format!("the home of {person} can't be measured: {error}"));
        homes.size(person, enough).await.map_err(failed)
    }

    fn home_files(&self) -> Option<Arc<dyn HomeFiles>> {
        self.shared.homes.as_ref()?;
        Some(Arc::new(LocalFiles(Arc::clone(&self.shared))))
    }

    async fn session_file(&self, id: SessionId, file: &HomePath) -> Result<Reading, FilesError> {
        let session = self.shared.sessions().get(&id).cloned();
        files::read_inside(session.ok_or(FilesError::NotFound)?, file.clone()).await
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
        let too_long = |_| EnvironmentError::Failed(format!("the session still runs {STOP_TIMEOUT:?} after its end"));
        timeout(STOP_TIMEOUT, gone.cancelled()).await.map_err(too_long)
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

    fn sound(&self, id: SessionId) -> Option<Sound> {
        let session = self.shared.sessions().get(&id).cloned()?;
        if session.stop.is_cancelled() || !session.sound.load(Ordering::Acquire) {
            return None;
        }
        let opened = pipe::OpenOptions::new().open_receiver(session.folder.get()?.sound());
        let opened = opened.inspect_err(|error| tracing::warn!(session = %id, %error, "could not open the sound"));
        Some(Box::new(opened.ok()?))
    }

    fn windows(&self, id: SessionId) -> Option<Windows> {
        Some(self.shared.sessions().get(&id)?.desk.subscribe())
    }

    fn prints(&self, id: SessionId) -> Option<Prints> {
        Some(self.shared.sessions().get(&id)?.prints.subscribe())
    }

    fn refresh_titles(&self, id: SessionId) {
        self.shared.command(id, Command::Titles);
    }

    fn act_on_window(&self, id: SessionId, window: u32, action: WindowAction) {
        self.shared.command(id, Command::Window(window, action));
    }
}

impl Session {
    fn new(id: SessionId) -> (Self, mpsc::Receiver<Command>) {
        let (stop, gone) = (CancellationToken::new(), CancellationToken::new());
        let (desk, commands) = Desk::new();
        let session = Self {
            id,
            ready: AtomicBool::new(false),
            sound: AtomicBool::new(false),
            folder: OnceLock::new(),
            desk,
            user: OnceLock::new(),
            inside: OnceLock::new(),
            prints: watch::Sender::new(None),
            stop,
            gone,
        };
        (session, commands)
    }
}
