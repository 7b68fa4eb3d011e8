//! Each error as a problem document: one table with status, code and title, and the detail beside
//! it.

use std::borrow::Cow;

use environments::FilesError;
use session::{
    api::{MAX_NOTE_CHARS, Problem},
    batch::MAX_CHOSEN,
    catalogue::appearance::MAX_PICTURE_BYTES,
    format,
    refusal::LaunchRefusal,
};
use store::StoreError;

use super::{Error, PictureError};

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (status, code, title) = error.kind();
        let mut problem = Self::new(status, code, title, error.detail());
        problem.retry_after = error.retry_after();
        match error {
            Error::Ended(session) | Error::Status(session) | Error::Changed(session) => problem.session = Some(session),
            Error::ApplicationChanged(application) => problem.application = Some(application),
            Error::Invalid(fields) => problem.fields = fields.into(),
            _ => {}
        }
        problem
    }
}

impl Error {
    /// Status, code and title. The code is a contract with programs: it must stay.
    const fn kind(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::SignIn => (401, "sign_in", "You are not signed in"),
            Self::Credentials => (401, "wrong_credentials", "Incorrect username or password"),
            Self::Throttled(_) => (429, "too_many_attempts", "Too many failed sign-ins"),
            Self::PasswordsBusy => (503, "sign_in_busy", "Too many people are signing in"),
            Self::PasswordChangeRequired => (403, "password_change_required", "Change your password first"),
            Self::Blocked => (403, "blocked", "This account is blocked"),
            Self::NoUser(_) => (404, "no_such_user", "There is no such user"),
            Self::Forbidden(_) => (403, "forbidden", "You may not do this"),
            Self::NoSession(_) => (404, "no_such_session", "There is no such session"),
            Self::NoApplication(_) => (404, "no_such_application", "There is no such application"),
            Self::NoEnvironment(_) => (404, "no_such_environment", "There is no such environment"),
            Self::NoEvent(_) => (404, "no_such_event", "There is no such event"),
            Self::Invalid(_) => (422, "invalid_application", "The application can’t be saved as it is"),
            Self::Picture(PictureError::TooLarge(_)) => (413, "picture_too_large", PICTURE),
            Self::Picture(PictureError::Format) => (415, "picture_format", PICTURE),
            Self::Picture(PictureError::Unreadable) => (422, "picture_unreadable", PICTURE),
            Self::ApplicationChanged(_) => (409, "application_changed", "The application has changed"),
            Self::Malformed(_) | Self::InvalidList(_) | Self::InvalidEventView(_) | Self::InvalidEventQuery(_) => {
                (400, "malformed", "The request can't be understood")
            }
            Self::Ended(_) => (410, "session_ended", "Your session has ended"),
            Self::Status(_) => (409, "wrong_status", "The session can't do this now"),
            Self::Changed(_) => (409, "session_changed", "The session has changed"),
            Self::TooSoon { .. } => (429, "refresh_too_soon", "The list was refreshed moments ago"),
            Self::Denied(refusal) => (
                denied_status(*refusal),
                refusal.code(),
                "The application was not launched",
            ),
            Self::TooManyLaunches(_) => (
                429,
                LaunchRefusal::TooManyLaunches.code(),
                "The application was not launched",
            ),
            Self::NoteTooLong(_) => (422, "reason_too_long", "The reason is too long"),
            Self::TooMany(_) => (422, "too_many_sessions", "Too many sessions"),
            Self::NoHomes => (404, "no_homes", "There is no place for your files"),
            Self::FilesOff(_) => (403, "files_off", "This is turned off"),
            Self::FileTooLarge(_) => (413, "file_too_large", "The file is too large"),
            Self::NoUpload => (404, "no_such_upload", "There is no such upload"),
            Self::TooManyUploads => (429, "too_many_uploads", "Too many uploads"),
            Self::TooManyArchives => (429, "too_many_archives", "A folder is being downloaded"),
            Self::ArchiveTooLarge(_) => (422, "archive_too_large", "The folder has too many files"),
            Self::Files(error) => files_kind(error),
            Self::NoSound(_) => (404, "no_sound", "This session has no sound"),
            Self::NotOpen => (409, "not_open", "The session is not open in a tab"),
            Self::Environment(_) => (502, "environment_failed", "The environment failed"),
            Self::NodeAway(_) => (503, "node_away", "The server that runs this session can't be reached"),
            Self::Lost => (503, "database_lost", "The database can't be reached"),
            Self::Tampered(_) => (500, "log_tampered", "The log of events is not as it was written"),
            Self::Stopping => (503, "stopping", "The server is restarting"),
            Self::Store(error) => store_kind(error),
            Self::Internal(_) => UNAVAILABLE,
        }
    }

    /// The reason, and what the person can do.
    fn detail(&self) -> Cow<'static, str> {
        let text: String = match self {
            Self::SignIn => "Sign in and try again.".into(),
            Self::Credentials => "Check both, and that Caps Lock is off.".into(),
            Self::Throttled(seconds) => format!("Wait {seconds} s before you try again."),
            Self::PasswordsBusy => "Try again in a few seconds.".into(),
            Self::PasswordChangeRequired => {
                "It is a temporary password. Sign in with a browser and choose a new one there.".into()
            }
            Self::Blocked => "A System Admin can unblock it.".into(),
            Self::NoUser(name) => format!("No user has the name “{name}”."),
            Self::Forbidden(role) => format!("This needs the role {role}. A System Admin can give it to you."),
            Self::NoSession(id) => {
                format!("No session {id} is in the list. Ended sessions are removed 48 hours after their end.")
            }
            Self::NoApplication(id) => format!("No application has the id {id}."),
            Self::NoEnvironment(id) => format!("No environment has the id {id}."),
            Self::NoEvent(id) => format!("The log has no event with the number {id}."),
            Self::Invalid(fields) => {
                let reasons = fields
                    .iter()
                    .map(|invalid| format!("{}: {}", invalid.field.label(), invalid.reason));
                reasons.collect::<Vec<_>>().join(" ")
            }
            Self::Picture(PictureError::TooLarge(bytes)) => format!(
                "The file has {} kB; at most {} kB are possible.",
                bytes.div_ceil(1024),
                MAX_PICTURE_BYTES / 1024
            ),
            Self::Picture(PictureError::Format) => "Use a PNG, JPEG or WebP file.".into(),
            Self::Picture(PictureError::Unreadable) => {
                "The file is damaged, or wider or higher than 4096 pixels. Save it again in a smaller size.".into()
            }
            Self::ApplicationChanged(_) => {
                "Another administrator saved it after you had opened it. Read the new values, then decide again.".into()
            }
            Self::Malformed(detail) | Self::Environment(detail) | Self::Tampered(detail) => detail.clone(),
            Self::InvalidList(error) => error.to_string(),
            Self::InvalidEventView(error) => error.to_string(),
            Self::InvalidEventQuery(error) => error.to_string(),
            Self::Ended(_) => "Launch the application again.".into(),
            Self::Status(session) => format!("The session is {} now.", session.status),
            Self::Changed(_) => "It changed since you looked at it. Read the new facts, then decide again.".into(),
            Self::TooSoon { .. } => format!(
                "All administrators share one refresh each 30 seconds. The next is possible in {} s.",
                self.retry_after().unwrap_or_default()
            ),
            Self::Denied(refusal) => return refusal.sentence(),
            Self::TooManyLaunches(seconds) => format!("You launched too often. Wait {seconds} s, then try again."),
            Self::NoteTooLong(chars) => {
                format!("It has {chars} characters; at most {MAX_NOTE_CHARS} are possible.")
            }
            Self::TooMany(count) => {
                format!("{count} sessions match; at most {MAX_CHOSEN} can be expired at once. Narrow the search.")
            }
            Self::NoHomes => "The applications of this server delete files when a session ends.".into(),
            Self::FilesOff(what) => format!("{what} are turned off by an administrator."),
            Self::FileTooLarge(room) => format!(
                "There is room for {} only. Nothing of it was stored.",
                format::bytes(*room)
            ),
            Self::NoUpload => "It is done, or nobody continued it for an hour. Begin again.".into(),
            Self::TooManyUploads => "Wait until other uploads are done, then try again.".into(),
            Self::TooManyArchives => "Wait until your other folder has arrived, then try again.".into(),
            Self::ArchiveTooLarge(most) => {
                format!(
                    "An archive can have at most {most} files, and 10,000 of one folder. Download its folders one by one."
                )
            }
            Self::Files(error) => error.to_string(),
            Self::NoSound(why) => format!("There is no sound: {why}."),
            Self::NotOpen => "Open the session in a tab first, with the same login.".into(),
            Self::NodeAway(node) => format!("The node {node} is away. Try again in a moment."),
            Self::Lost => "Nothing can be shown or changed without it. The server keeps trying to reconnect.".into(),
            Self::Stopping => "Try again in a moment.".into(),
            Self::Store(error) => return store_detail(error),
            Self::Internal(_) => UNAVAILABLE_DETAIL.into(),
        };
        text.into()
    }

    /// The number of seconds after which the same request may succeed.
    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Throttled(seconds) | Self::TooManyLaunches(seconds) => Some(*seconds),
            Self::TooSoon { until, now } => {
                // Rounded up, so that a client that waits this long is not refused again.
                let milliseconds = (*until - *now).num_milliseconds().max(1);
                Some(u32::try_from((milliseconds + 999) / 1000).unwrap_or(u32::MAX))
            }
            // The end of the other sessions is unknown. A minute keeps a client from asking all the
            // time.
            Self::Denied(refusal) if denied_status(*refusal) == 429 => Some(60),
            Self::PasswordsBusy | Self::Stopping | Self::NodeAway(_) | Self::Lost => Some(2),
            _ => None,
        }
    }
}

const fn denied_status(refusal: LaunchRefusal) -> u16 {
    match refusal {
        LaunchRefusal::UnknownApplication | LaunchRefusal::UnknownUser => 404,
        LaunchRefusal::UserBlocked => 403,
        LaunchRefusal::TooManySessions | LaunchRefusal::TooManyLaunches => 429,
        LaunchRefusal::ApplicationClosed
        | LaunchRefusal::EnvironmentClosed
        | LaunchRefusal::NoSeat
        | LaunchRefusal::HomeFull
        | LaunchRefusal::RelaunchBlocked(_) => 409,
    }
}

/// Title of each refusal of an upload.
const PICTURE: &str = "This picture can’t be an icon";

const fn files_kind(error: &FilesError) -> (u16, &'static str, &'static str) {
    match error {
        FilesError::NotFound => (404, "no_such_file", "There is no such file"),
        FilesError::Exists => (409, "file_exists", "The name is in use"),
        FilesError::Name => (422, "bad_file_name", "This can’t be the name of a file"),
        FilesError::NotAFile => (422, "not_a_file", "This is no file"),
        FilesError::TooDeep => (422, "folder_too_deep", "The folder is nested too deeply"),
        FilesError::DiskFull => (503, "disk_full", "The server’s disk is full"),
        FilesError::Failed(_) => (503, "files_unavailable", "Your files can’t be used now"),
    }
}

const UNAVAILABLE: (u16, &str, &str) = (503, "unavailable", "The server could not do this");
const UNAVAILABLE_DETAIL: &str = "Nothing was changed as far as we know. Try again; the server's log says more.";

const fn store_kind(error: &StoreError) -> (u16, &'static str, &'static str) {
    match error {
        StoreError::Full => (503, "disk_full", "Nothing was changed: the server's disk is full"),
        StoreError::Unreachable(_) => (
            503,
            "database_unreachable",
            "Nothing was changed: the database can't be reached",
        ),
        StoreError::OutcomeUnknown => (503, "outcome_unknown", "It is not known whether this was done"),
        StoreError::AlreadyExists(_) => (409, "name_taken", "The name is in use"),
        StoreError::LastSystemAdmin => (409, "last_system_admin", "At least one System Admin must remain"),
        _ => UNAVAILABLE,
    }
}

fn store_detail(error: &StoreError) -> Cow<'static, str> {
    match error {
        StoreError::Full => "Free space in the data directory, then try again.".into(),
        StoreError::Unreachable(_) => "The server keeps trying to reconnect. Try again in a moment.".into(),
        StoreError::OutcomeUnknown => {
            "The connection to the database broke during the change. Check the result before you try again.".into()
        }
        StoreError::AlreadyExists(name) => format!("“{name}” is in use already.").into(),
        StoreError::LastSystemAdmin => "Give the role to another person first.".into(),
        _ => UNAVAILABLE_DETAIL.into(),
    }
}
