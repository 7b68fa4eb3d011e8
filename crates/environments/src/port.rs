//! The port: the trait of an environment and its types.

use std::sync::Arc;

use async_trait::async_trait;
use session::{
    SessionId, UserId,
    printing::Print,
    regional::Regional,
    windows::{Window, WindowAction},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, watch},
};

use crate::{FilesError, HomeFiles, HomePath, Reading};

/// The start of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartSpec {
    /// The session; also the name of everything that the environment makes for it.
    pub session_id: SessionId,
    /// The program and its arguments, never a shell line. `command[0]` is searched on the
    /// environment's own path.
    pub command: Vec<String>,
    /// Allows the application to make user namespaces of its own, as the sandboxes of browsers do.
    pub allow_user_namespaces: bool,
    /// The home of the session.
    pub home: Home,
    /// True if the application may play sound. If not, nothing that plays sound starts.
    pub sound: bool,
    /// The languages and the time zone of the user, for the defaults of the application. An environment
    /// takes the nearest that it has.
    pub regional: Regional,
}

/// The home of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// A home of its own, gone with the session.
    Scratch,
    /// The kept home of this person, which all of their sessions share. The environment makes it if
    /// it is missing.
    Kept(Owner),
}

/// The owner of a kept home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The person; also the name of the home.
    pub user_id: UserId,
    /// The number of the person among all people, from 1. It never becomes that of another person,
    /// so an environment can derive a user id of the host from it.
    pub number: u32,
}

/// An unsolicited notice about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The application runs and accepts connections.
    Ready(SessionId),
    /// The user closed the application: it ended by itself and without an error, or its last window
    /// closed.
    Closed(SessionId),
    /// The session failed, or never became ready, without a call of [`Environment::stop`]. The text
    /// is for people.
    Lost(SessionId, String),
}

/// The channel for an environment's signals; passed to its constructor.
pub type Signals = mpsc::UnboundedSender<Signal>;

/// A session that really runs, for the sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The session that the signal is about.
    pub session_id: SessionId,
    /// True once it accepts connections.
    pub ready: bool,
}

/// The windows of one session, in the order in which they were opened.
pub type Windows = watch::Receiver<Vec<Window>>;

/// The last print of one session; `None` before the first. Prints before the subscription do not
/// count as changes.
pub type Prints = watch::Receiver<Option<Print>>;

/// The byte stream (RFB) between a tab and the application.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The sound of a session, as it plays: 48,000 frames a second, each the left and the right sample,
/// as signed numbers of 16 bits, little-endian. The application can write other bytes, and faster.
pub type Sound = Box<dyn AsyncRead + Send + Unpin>;

/// The error of an environment. Its text is shown to people.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A program that this environment needs is missing.
    #[error("{program} is not installed on this host")]
    Missing {
        /// The name of the program, as in its package.
        program: String,
    },
    /// The environment runs no such session.
    #[error("the environment runs no session {0}")]
    Unknown(SessionId),
    /// Any other failure, with its reason.
    #[error("{0}")]
    Failed(String),
}

/// An environment. Any task may make calls at any time, concurrently.
#[async_trait]
pub trait Environment: Send + Sync + 'static {
    /// The kind, e.g. `local`; administrators see it.
    fn kind(&self) -> &'static str;

    /// The resource limits of a session, as a text for administrators. `None`: sessions use no
    /// resources of this host.
    fn limits(&self) -> Option<String> {
        None
    }

    /// Returns when the start is accepted; [`Signal::Ready`] or [`Signal::Lost`] follows. A start
    /// has no time limit here: the caller stops a session that is not ready in time. The start of a
    /// session that already runs succeeds and does nothing.
    async fn start(&self, spec: StartSpec) -> Result<(), EnvironmentError>;

    /// The size of the kept home of a person in bytes; 0 if there is none. A measurement may be some
    /// seconds old, and stops when it has found `enough` bytes. An environment that keeps no homes
    /// answers 0.
    async fn home_size(&self, _person: UserId, _enough: u64) -> Result<u64, EnvironmentError> {
        Ok(0)
    }

    /// The files of kept homes; `None` if this environment keeps none.
    fn home_files(&self) -> Option<Arc<dyn HomeFiles>> {
        None
    }

    /// Opens a file in the home of a session that runs here, also in one that is not kept. Like
    /// [`HomeFiles::read`].
    async fn session_file(&self, _id: SessionId, _file: &HomePath) -> Result<Reading, FilesError> {
        Err(FilesError::NotFound)
    }

    /// The sessions that really run now.
    async fn observe(&self) -> Result<Vec<Observed>, EnvironmentError>;

    /// Ends a session and returns when nothing of it is left. Succeeds if it is gone already. No
    /// signal follows.
    async fn stop(&self, id: SessionId) -> Result<(), EnvironmentError>;

    /// Opens a new byte stream to a ready session.
    async fn connect(&self, id: SessionId) -> Result<Box<dyn Duplex>, EnvironmentError>;

    /// Opens the sound of a ready session. It may begin with sound of the past. Several readers at
    /// once share it, so a caller keeps one. It blocks when nothing plays, and ends when nothing
    /// can play any more. `None`: the session has no sound.
    fn sound(&self, _id: SessionId) -> Option<Sound> {
        None
    }

    /// The windows of a session. They count as changed at first. `None`: this environment knows no windows.
    /// The titles are the application's, and cleaned.
    fn windows(&self, _id: SessionId) -> Option<Windows> {
        None
    }

    /// The prints of a session. `None`: this environment has no printer. The names are the
    /// application's, and checked.
    fn prints(&self, _id: SessionId) -> Option<Prints> {
        None
    }

    /// Reads the titles of the windows again, soon. [`Environment::windows`] follows.
    fn refresh_titles(&self, _id: SessionId) {}

    /// Acts on a window of a session. Returns before the application has reacted. Does nothing if
    /// there is no such window.
    fn act_on_window(&self, _id: SessionId, _window: u32, _action: WindowAction) {}
}
