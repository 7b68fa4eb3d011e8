//! Reasons for refused launches: a sentence for people, and a code for addresses and programs.

use std::borrow::Cow;

use crate::{Timestamp, format};

/// Reason for a refused launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaunchRefusal {
    /// The user does not exist.
    UnknownUser,
    /// The application does not exist.
    UnknownApplication,
    /// The application is closed to launches.
    ApplicationClosed,
    /// Its environment is closed to launches.
    EnvironmentClosed,
    /// All seats of the application are in use.
    NoSeat,
    /// The user is blocked.
    UserBlocked,
    /// An administrator expired the user's session of this application and blocked a relaunch until
    /// this time.
    RelaunchBlocked(Timestamp),
    /// The user has reached the maximum number of live sessions per person.
    TooManySessions,
    /// The user launched too often within a minute.
    TooManyLaunches,
    /// The user's kept home has reached its size limit.
    HomeFull,
}

impl LaunchRefusal {
    /// Code for programs and addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::UnknownApplication => "unknown_application",
            Self::ApplicationClosed => "application_closed",
            Self::EnvironmentClosed => "environment_closed",
            Self::NoSeat => "no_seat",
            Self::UserBlocked => "blocked",
            Self::RelaunchBlocked(_) => "relaunch_blocked",
            Self::TooManySessions => "too_many_live_sessions",
            Self::TooManyLaunches => "too_many_launches",
            Self::HomeFull => "home_full",
        }
    }

    /// Whether it concerns the user, regardless of the application.
    pub const fn is_of_user(self) -> bool {
        matches!(
            self,
            Self::UnknownUser
                | Self::UnknownApplication
                | Self::UserBlocked
                | Self::TooManySessions
                | Self::TooManyLaunches
        )
    }

    /// Explanation for people.
    pub fn sentence(self) -> Cow<'static, str> {
        match self {
            Self::UnknownUser => "There is no such user.".into(),
            Self::UnknownApplication => "There is no such application.".into(),
            Self::ApplicationClosed => "This application is closed to launches.".into(),
            Self::EnvironmentClosed => "The environment of this application is closed to launches.".into(),
            Self::NoSeat => "All seats of this application are taken. Try again later.".into(),
            Self::UserBlocked => "This account is blocked.".into(),
            Self::RelaunchBlocked(until) => {
                let until = format::utc(until);
                format!("An administrator ended your session. You can launch this application again after {until}.")
                    .into()
            }
            Self::TooManySessions => "You have reached the limit of live sessions. End one, then launch again.".into(),
            Self::TooManyLaunches => {
                "You have launched too many applications within a minute. Wait a moment, then try again.".into()
            }
            Self::HomeFull => {
                "Your files have reached their size limit. Delete files that you no longer need, then launch again."
                    .into()
            }
        }
    }
}
