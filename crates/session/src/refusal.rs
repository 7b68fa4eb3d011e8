//! Why a launch is refused: the sentence that people read, and the code that addresses and programs carry.

use std::borrow::Cow;

use crate::{Timestamp, format};

/// Why a launch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaunchRefusal {
    /// No such user.
    UnknownUser,
    /// No such application.
    UnknownApplication,
    /// The application is closed to launches.
    ApplicationClosed,
    /// Its environment is closed to launches.
    EnvironmentClosed,
    /// All its seats are taken.
    NoSeat,
    /// The user is blocked.
    UserBlocked,
    /// An administrator expired the user's session of this application and blocked a relaunch until then.
    RelaunchBlocked(Timestamp),
    /// The user has as many live sessions as one person may have.
    TooManySessions,
    /// The user launched too often within a minute.
    TooManyLaunches,
}

impl LaunchRefusal {
    /// A word for programs and addresses.
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
        }
    }

    /// What an address carries: the code, and behind a dot the seconds since 1970 until which a relaunch is blocked.
    pub fn token(self) -> String {
        match self {
            Self::RelaunchBlocked(until) => format!("{}.{}", self.code(), until.timestamp()),
            other => other.code().to_owned(),
        }
    }

    /// The refusal of a [`LaunchRefusal::token`]. An address can be written by anybody, so no other text is ever shown.
    pub fn from_token(token: &str) -> Option<Self> {
        if let Some(until) = token.strip_prefix("relaunch_blocked.") {
            let until = Timestamp::from_timestamp(until.parse().ok()?, 0)?;
            return Some(Self::RelaunchBlocked(until));
        }
        Some(match token {
            "unknown_user" => Self::UnknownUser,
            "unknown_application" => Self::UnknownApplication,
            "application_closed" => Self::ApplicationClosed,
            "environment_closed" => Self::EnvironmentClosed,
            "no_seat" => Self::NoSeat,
            "blocked" => Self::UserBlocked,
            "too_many_live_sessions" => Self::TooManySessions,
            "too_many_launches" => Self::TooManyLaunches,
            _ => return None,
        })
    }

    /// Is it about the user, whatever the application?
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

    /// What people read.
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
                format!(
                    "An administrator ended your session of this application. It can be launched again from {until} on."
                )
                .into()
            }
            Self::TooManySessions => {
                "You have as many sessions as one person may have at once. End one, then launch again.".into()
            }
            Self::TooManyLaunches => "You launched too often. Wait a moment, then try again.".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [LaunchRefusal; 9] = [
        LaunchRefusal::UnknownUser,
        LaunchRefusal::UnknownApplication,
        LaunchRefusal::ApplicationClosed,
        LaunchRefusal::EnvironmentClosed,
        LaunchRefusal::NoSeat,
        LaunchRefusal::UserBlocked,
        LaunchRefusal::RelaunchBlocked(Timestamp::UNIX_EPOCH),
        LaunchRefusal::TooManySessions,
        LaunchRefusal::TooManyLaunches,
    ];

    #[test]
    fn each_refusal_is_found_again_by_its_token() {
        for refusal in ALL {
            assert_eq!(LaunchRefusal::from_token(&refusal.token()), Some(refusal));
            assert!(refusal.token().starts_with(refusal.code()));
        }
    }

    #[test]
    fn no_other_text_is_a_refusal() {
        for token in [
            "",
            "relaunch_blocked",
            "relaunch_blocked.",
            "relaunch_blocked.soon",
            "relaunch_blocked.99999999999999999",
            "Your account was stolen: call 555-0100",
        ] {
            assert_eq!(LaunchRefusal::from_token(token), None, "{token}");
        }
    }
}
