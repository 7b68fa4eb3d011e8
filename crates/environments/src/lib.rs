//! Where sessions run: one small port, [`Environment`], and what stands behind it.
//!
//! This crate knows how to start, observe, connect to and stop a session's application. It knows nothing of users,
//! rows, policies or HTTP, and never decides that a session should end.
//!
//! To add an environment: a module of its own here that implements [`Environment`], one line in its test that runs
//! [`conformance`], and one arm in the server's composition root. Nothing else names it.

pub mod conformance;
pub mod local;
pub mod rfb;
pub mod simulated;

use async_trait::async_trait;
use session::SessionId;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
};

/// What an environment needs to know to start one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartSpec {
    /// The session; also the name of everything the environment makes for it.
    pub session_id: SessionId,
    /// Program and arguments, never a shell line. `command[0]` is looked up on the environment's own search path.
    pub command: Vec<String>,
    /// May the application make user namespaces of its own, as the sandboxes of browsers do?
    pub allow_user_namespaces: bool,
}

/// What an environment tells about a session without being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The application is up and can be connected to.
    Ready(SessionId),
    /// Its user closed the application: it ended by itself and without an error.
    Closed(SessionId),
    /// The session failed, or never came up, without [`Environment::stop`] having been called. The text is for people.
    Lost(SessionId, String),
}

/// Where an environment sends its signals; given to it when it is made.
pub type Signals = mpsc::UnboundedSender<Signal>;

/// One thing that really runs, as the sweep sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Whose it is.
    pub session_id: SessionId,
    /// True once it can be connected to.
    pub ready: bool,
}

/// The byte stream (RFB) between a tab and the application.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Why an environment could not do what was asked. The texts are shown to people.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A program this environment stands on is missing.
    #[error("{program} is not installed on this host")]
    Missing {
        /// Name of the program, as in its package.
        program: String,
    },
    /// The environment runs no such session.
    #[error("the environment runs no session {0}")]
    Unknown(SessionId),
    /// It could not be done; why.
    #[error("{0}")]
    Failed(String),
}

/// The port. All calls may come at once and from any task.
#[async_trait]
pub trait Environment: Send + Sync + 'static {
    /// The kind, e.g. `local`; shown to administrators.
    fn kind(&self) -> &'static str;

    /// What limits the resources of a session here, in words for administrators. `None`: sessions use nothing of this host.
    fn limits(&self) -> Option<String> {
        None
    }

    /// Returns when the start is accepted; [`Signal::Ready`] or [`Signal::Lost`] follows. A start has no time limit here: the caller
    /// stops a session that is not ready in time. Starting a session that already runs is success and starts nothing.
    async fn start(&self, spec: StartSpec) -> Result<(), EnvironmentError>;

    /// What really runs now.
    async fn observe(&self) -> Result<Vec<Observed>, EnvironmentError>;

    /// Ends a session and returns when nothing of it is left. Idempotent: "already gone" is success. No signal follows.
    async fn stop(&self, id: SessionId) -> Result<(), EnvironmentError>;

    /// Opens a new byte stream to a ready session.
    async fn connect(&self, id: SessionId) -> Result<Box<dyn Duplex>, EnvironmentError>;
}
