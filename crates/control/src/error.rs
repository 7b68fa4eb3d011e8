//! The errors of the use-cases. `problem` turns each into the answer that people and programs get.

mod problem;

use environments::FilesError;
use session::{
    ApplicationId, EnvironmentId, Role, SessionId, Timestamp,
    api::SessionView,
    audit,
    catalogue::{ApplicationView, draft::FieldError},
    view::InvalidView,
};
use store::{LaunchRefusal, StoreError};

use crate::replica::InvalidList;

/// The result of every use-case.
pub type Result<T> = std::result::Result<T, Error>;

/// A refused or failed use-case. It has changed nothing, except where the store does not know the
/// outcome ([`StoreError::OutcomeUnknown`]).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request has no login, or its login has ended.
    #[error("not signed in")]
    SignIn,
    /// The username or the password is wrong. The error does not reveal which.
    #[error("incorrect username or password")]
    Credentials,
    /// Too many failed sign-ins; the number of seconds until the next attempt is allowed.
    #[error("too many failed sign-ins; try again in {0} s")]
    Throttled(u32),
    /// The queue of password checks is full.
    #[error("too many password checks are queued")]
    PasswordsBusy,
    /// The password is temporary: the person must change it before anything else.
    #[error("the temporary password must be changed first")]
    PasswordChangeRequired,
    /// The account of the person is blocked.
    #[error("the account is blocked")]
    Blocked,
    /// No account has this username.
    #[error("there is no user “{0}”")]
    NoUser(String),
    /// The use-case needs this role.
    #[error("this needs the role {0}")]
    Forbidden(Role),
    /// No session has this id, or the person may not see it.
    #[error("there is no session {0}")]
    NoSession(SessionId),
    /// No application has this id.
    #[error("there is no application {0}")]
    NoApplication(ApplicationId),
    /// No environment has this id.
    #[error("there is no environment {0}")]
    NoEnvironment(EnvironmentId),
    /// The log has no event with this number.
    #[error("there is no event {0}")]
    NoEvent(u64),
    /// The draft of an application has invalid fields.
    #[error("invalid fields: {}", .0.len())]
    Invalid(Vec<FieldError>),
    /// The upload can't become an icon.
    #[error("the picture was refused: {0}")]
    Picture(PictureError),
    /// Another administrator changed the application since the edit began.
    #[error("another administrator changed the application")]
    ApplicationChanged(Box<ApplicationView>),
    /// The request is invalid; the text is a sentence that says why.
    #[error("{0}")]
    Malformed(String),
    /// A parameter of the list of sessions is invalid.
    #[error(transparent)]
    InvalidList(#[from] InvalidList),
    /// A parameter of the list of events is invalid.
    #[error(transparent)]
    InvalidEventView(#[from] audit::InvalidView),
    /// The search of the list of events cannot run.
    #[error(transparent)]
    InvalidEventQuery(#[from] audit::InvalidQuery),
    /// The session has ended.
    #[error("the session has ended")]
    Ended(Box<SessionView>),
    /// The status of the session does not allow the command.
    #[error("the session does not allow this in its status")]
    Status(Box<SessionView>),
    /// The session changed in a way that matters since the caller saw it.
    #[error("the session has changed")]
    Changed(Box<SessionView>),
    /// The last sweep is too recent.
    #[error("the next sweep can start at {until}")]
    TooSoon {
        /// The earliest start of the next sweep.
        until: Timestamp,
        /// The time of the request, by the same clock.
        now: Timestamp,
    },
    /// The store refused the launch.
    #[error("the launch was refused")]
    Denied(LaunchRefusal),
    /// The person launches too often; the number of seconds until the next launch is allowed.
    #[error("too many launches; try again in {0} s")]
    TooManyLaunches(u32),
    /// The reason for the user is too long; its length in characters.
    #[error("the reason is too long: {0} characters")]
    NoteTooLong(usize),
    /// The selection has more sessions than can be expired at once; their number.
    #[error("too many sessions to expire at once: {0}")]
    TooMany(usize),
    /// No environment that this server reaches keeps homes, or not the one that was asked for.
    #[error("no kept home")]
    NoHomes,
    /// An administrator has turned this kind of transfer off.
    #[error("{0} are off")]
    FilesOff(&'static str),
    /// An upload exceeds a limit; the bytes that were left.
    #[error("the file exceeds {0} bytes")]
    FileTooLarge(u64),
    /// The upload is unknown: it is done, was given up, or belongs to another person.
    #[error("no such upload")]
    NoUpload,
    /// The person, or all people together, have too many unfinished uploads.
    #[error("too many unfinished uploads")]
    TooManyUploads,
    /// The person downloads a folder already, or too many people do.
    #[error("too many folders are being downloaded")]
    TooManyArchives,
    /// A folder has more files than an archive can have; the limit.
    #[error("more than {0} files")]
    ArchiveTooLarge(usize),
    /// The files of a home refused a call.
    #[error(transparent)]
    Files(FilesError),
    /// The session has no sound; the reason.
    #[error("no sound: {0}")]
    NoSound(&'static str),
    /// No tab of this login has the session open.
    #[error("no tab has the session open")]
    NotOpen,
    /// The environment failed; its own message.
    #[error("environment: {0}")]
    Environment(String),
    /// The node that hosts the session is away; its name.
    #[error("the node {0} is away")]
    NodeAway(std::sync::Arc<str>),
    /// This node has lost the log for too long, so its replica may be wrong.
    #[error("the database has been unreachable for too long")]
    Lost,
    /// The chain of the log of events is broken; the reason.
    #[error("the log of events was tampered with: {0}")]
    Tampered(String),
    /// The server shuts down.
    #[error("the server is shutting down")]
    Stopping,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of the server itself, such as a panic in a task.
    #[error("{0}")]
    Internal(String),
}

impl From<InvalidView> for Error {
    fn from(error: InvalidView) -> Self {
        Self::InvalidList(error.into())
    }
}

/// The reason why an upload can't become an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The file is too large; its length in bytes.
    #[error("{0} bytes")]
    TooLarge(usize),
    /// It is no PNG, JPEG or WebP.
    #[error("unknown format")]
    Format,
    /// It is broken, or has too many pixels.
    #[error("not readable")]
    Unreadable,
}
