//! Why a use-case was refused or failed, and what people and programs are told of it.

use session::{
    ApplicationId, EnvironmentId, Role, SessionId, Timestamp,
    batch::MAX_CHOSEN,
    catalogue::{ApplicationView, draft::FieldError},
    wire::{MAX_NOTE_CHARS, Problem, SessionView},
};
use store::{LaunchRefusal, StoreError};

/// The result of every use-case.
pub type Result<T> = std::result::Result<T, Error>;

/// Why it was not done. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignIn,
    /// Wrong user or wrong password: never said which.
    #[error("wrong username or password")]
    Credentials,
    /// Too many failed sign-ins.
    #[error("too many failed sign-ins; {0} s to wait")]
    Throttled(u32),
    /// Too many passwords are being checked.
    #[error("too many password checks are waiting")]
    PasswordsBusy,
    /// The password was drawn for the person, and must be changed first.
    #[error("the password must be changed")]
    PasswordChangeRequired,
    /// The person is blocked.
    #[error("the account is blocked")]
    Blocked,
    /// There is no such person.
    #[error("no user “{0}”")]
    NoUser(String),
    /// The role is not enough.
    #[error("the role {0} is needed")]
    Forbidden(Role),
    /// There is no such session, or none that this person may know of.
    #[error("no session {0}")]
    NoSession(SessionId),
    /// There is no such application.
    #[error("no application {0}")]
    NoApplication(ApplicationId),
    /// There is no such environment.
    #[error("no environment {0}")]
    NoEnvironment(EnvironmentId),
    /// The draft of an application can't be saved.
    #[error("{} wrong fields", .0.len())]
    Invalid(Vec<FieldError>),
    /// The application is no longer what the edit started from.
    #[error("the application was changed meanwhile")]
    ApplicationChanged(Box<ApplicationView>),
    /// What was asked for can't be understood.
    #[error("{0}")]
    Malformed(String),
    /// It has ended.
    #[error("the session has ended")]
    Ended(Box<SessionView>),
    /// Its status does not allow that.
    #[error("the session does not allow that")]
    Status(Box<SessionView>),
    /// It changed in a way that matters since it was seen.
    #[error("the session changed")]
    Changed(Box<SessionView>),
    /// The last refresh is too recent.
    #[error("the next refresh is possible at {until}")]
    TooSoon {
        /// When it is possible.
        until: Timestamp,
        /// The clock when it was asked.
        now: Timestamp,
    },
    /// The launch was refused.
    #[error("the launch was denied")]
    Denied(LaunchRefusal),
    /// The person launched too often.
    #[error("too many launches; {0} s to wait")]
    TooManyLaunches(u32),
    /// The reason for the user is too long.
    #[error("the reason has {0} characters")]
    NoteTooLong(usize),
    /// More sessions were chosen than can be expired at once.
    #[error("{0} sessions were chosen")]
    TooMany(usize),
    /// The environment could not do it.
    #[error("environment: {0}")]
    Environment(String),
    /// The node that runs the session is away.
    #[error("the node {0} is away")]
    NodeAway(std::sync::Arc<str>),
    /// The log has been away for too long.
    #[error("the log is lost")]
    Lost,
    /// The log of events is not as it was written.
    #[error("the log of events is not as it was written: {0}")]
    Tampered(String),
    /// The server is about to stop.
    #[error("the server is stopping")]
    Stopping,
    /// The log could not be written or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of the server ended unexpectedly.
    #[error("{0}")]
    Internal(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let with = |status, code, title: &str, session: Box<SessionView>, detail: &str| Self {
            session: Some(session),
            ..Self::new(status, code, title, detail)
        };
        let later = |code, title, detail: String, seconds| Self {
            retry_after: Some(seconds),
            ..Self::new(429, code, title, detail)
        };
        match error {
            Error::SignIn => Self::new(401, "sign_in", "You are not signed in", "Sign in and try again."),
            Error::Credentials => Self::new(
                401,
                "wrong_credentials",
                "Wrong username or password",
                "Check both, and that Caps Lock is off.",
            ),
            Error::Throttled(seconds) => later(
                "too_many_attempts",
                "Too many failed sign-ins",
                format!("Wait {seconds} s before you try again."),
                seconds,
            ),
            Error::PasswordsBusy => Self {
                retry_after: Some(2),
                ..Self::new(
                    503,
                    "sign_in_busy",
                    "Too many people are signing in",
                    "Try again in a few seconds.",
                )
            },
            Error::Blocked => Self::new(
                403,
                "blocked",
                "This account is blocked",
                "A System Admin can let you in again.",
            ),
            Error::PasswordChangeRequired => Self::new(
                403,
                "password_change_required",
                "Change your password first",
                "It was drawn for you. Sign in with a browser: the page that changes it comes first.",
            ),
            Error::NoUser(name) => Self::new(
                404,
                "no_such_user",
                "There is no such user",
                format!("Nobody has the username “{name}”."),
            ),
            Error::Forbidden(role) => Self::new(
                403,
                "forbidden",
                "You may not do this",
                format!("This needs the role {role}. A System Admin can give it to you."),
            ),
            Error::NoSession(id) => Self::new(
                404,
                "no_such_session",
                "There is no such session",
                format!("No session {id} is in the list. Ended sessions are removed 48 hours after their end."),
            ),
            Error::NoApplication(id) => Self::new(
                404,
                "no_such_application",
                "There is no such application",
                format!("No application has the id {id}."),
            ),
            Error::NoEnvironment(id) => Self::new(
                404,
                "no_such_environment",
                "There is no such environment",
                format!("No environment has the id {id}."),
            ),
            Error::Invalid(fields) => {
                let told = fields
                    .iter()
                    .map(|wrong| format!("{}: {}", wrong.field.label(), wrong.reason));
                let detail = told.collect::<Vec<_>>().join(" ");
                Self {
                    fields: fields.into(),
                    ..Self::new(
                        422,
                        "invalid_application",
                        "The application can’t be saved as it is",
                        detail,
                    )
                }
            }
            Error::ApplicationChanged(application) => Self {
                application: Some(application),
                ..Self::new(
                    409,
                    "application_changed",
                    "The application was changed meanwhile",
                    "Somebody saved it after you had opened it. Read the new values, then decide again.",
                )
            },
            Error::Malformed(detail) => Self::new(400, "malformed", "The request can't be understood", detail),
            Error::Ended(session) => with(
                410,
                "session_ended",
                "Your session has ended",
                session,
                "Launch the application again.",
            ),
            Error::Status(session) => {
                let detail = format!("The session is {} now.", session.status);
                with(409, "wrong_status", "The session can't do this now", session, &detail)
            }
            Error::Changed(session) => with(
                409,
                "session_changed",
                "The session has changed",
                session,
                "It changed since you looked at it. Read the new facts, then decide again.",
            ),
            Error::TooSoon { until, now } => {
                // Rounded up: a client that waits as told is never refused again.
                let milliseconds = (until - now).num_milliseconds().max(1);
                let seconds = u32::try_from((milliseconds + 999) / 1000).unwrap_or(u32::MAX);
                later(
                    "refresh_too_soon",
                    "The list was refreshed moments ago",
                    format!(
                        "All administrators share one refresh each 30 seconds. The next is possible in {seconds} s."
                    ),
                    seconds,
                )
            }
            Error::Denied(refusal) => {
                let status = match refusal {
                    LaunchRefusal::UnknownApplication | LaunchRefusal::UnknownUser => 404,
                    LaunchRefusal::UserBlocked => 403,
                    LaunchRefusal::TooManySessions | LaunchRefusal::TooManyLaunches => 429,
                    LaunchRefusal::ApplicationClosed
                    | LaunchRefusal::EnvironmentClosed
                    | LaunchRefusal::NoSeat
                    | LaunchRefusal::RelaunchBlocked(_) => 409,
                };
                Self {
                    // Not known when a session ends: a client that asks again by itself need not do so more often.
                    retry_after: (status == 429).then_some(60),
                    ..Self::new(
                        status,
                        refusal.code(),
                        "The application was not launched",
                        refusal.sentence().into_owned(),
                    )
                }
            }
            Error::TooManyLaunches(seconds) => later(
                LaunchRefusal::TooManyLaunches.code(),
                "The application was not launched",
                format!("You launched too often. Wait {seconds} s, then try again."),
                seconds,
            ),
            Error::NoteTooLong(chars) => Self::new(
                422,
                "reason_too_long",
                "The reason is too long",
                format!("It has {chars} characters; at most {MAX_NOTE_CHARS} are possible."),
            ),
            Error::TooMany(count) => Self::new(
                422,
                "too_many_sessions",
                "Too many sessions",
                format!("{count} sessions match; at most {MAX_CHOSEN} can be expired at once. Narrow the search."),
            ),
            Error::Environment(detail) => Self::new(502, "environment_failed", "The environment failed", detail),
            Error::Tampered(what) => Self::new(500, "log_tampered", "The log of events is not as it was written", what),
            Error::Stopping => Self {
                retry_after: Some(2),
                ..Self::new(503, "stopping", "The server restarts", "Try again in a moment.")
            },
            Error::NodeAway(node) => Self {
                retry_after: Some(2),
                ..Self::new(
                    503,
                    "node_away",
                    "The server that runs this session can't be reached",
                    format!(
                        "It is the node {node}. Try again in a moment: once it is back, the session opens, or says what became of it."
                    ),
                )
            },
            Error::Lost => Self {
                retry_after: Some(2),
                ..Self::new(
                    503,
                    "database_lost",
                    "The database can't be reached",
                    "Nothing can be shown or changed without it. The server tries again by itself.",
                )
            },
            Error::Store(StoreError::Full) => Self::new(
                503,
                "disk_full",
                "Nothing was changed: the server's disk is full",
                "Free space in the data directory, then try again.",
            ),
            Error::Store(StoreError::Unreachable(_)) => Self::new(
                503,
                "database_unreachable",
                "Nothing was changed: the database can't be reached",
                "The server tries again by itself. Try again in a moment.",
            ),
            Error::Store(StoreError::OutcomeUnknown) => Self::new(
                503,
                "outcome_unknown",
                "It is not known whether this was done",
                "The database was lost in the middle of it. Look before you try again.",
            ),
            Error::Store(StoreError::AlreadyExists(name)) => Self::new(
                409,
                "name_taken",
                "The name is in use",
                format!("“{name}” is in use already."),
            ),
            Error::Store(StoreError::LastSystemAdmin) => Self::new(
                409,
                "last_system_admin",
                "Somebody must stay System Admin",
                "Give the role to somebody else first.",
            ),
            Error::Store(_) | Error::Internal(_) => Self::new(
                503,
                "unavailable",
                "The server could not do this",
                "Nothing was changed as far as we know. Try again; the server's log says more.",
            ),
        }
    }
}
