//! The text messages of a session's stream: notices to the tab about the remaining time and the
//! windows, and requests of the tab. Pure: the current time and the time of last use are arguments.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    HomeUse, Session, Timestamp, Transfer,
    lifecycle::Timer,
    printing::Print,
    windows::{Window, WindowAction},
};

/// Minutes before the end at which a tab gets a warning (docs/spec.md §5).
pub const WARNINGS: [u32; 3] = [1, 5, 15];

/// A message from the server to a tab, sent as JSON in a text message of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// Limits of the session, sent once when the tab attaches.
    Limits {
        /// The server's clock.
        server_time: Timestamp,
        /// Latest time of access.
        valid_until: Timestamp,
        /// Seconds without use after which the server disconnects the tab.
        idle_seconds: Option<u32>,
        /// Seconds without a tab after which the session expires.
        disconnected_seconds: Option<u32>,
        /// Directions of the clipboard. The relay enforces them; the tab only explains them.
        clipboard: Transfer,
        /// Whether the tab can play sound.
        sound: SoundState,
        /// Directions of uploads and downloads of the user's files.
        files: Transfer,
    },
    /// A limit is near.
    Warning {
        /// The server's clock.
        server_time: Timestamp,
        /// The limit and its time.
        #[serde(flatten)]
        warning: Warning,
    },
    /// The last warning no longer holds, because the tab was used.
    Calm,
    /// The kept home of the user is nearly full, or no longer.
    Home {
        /// Its size and its limit.
        #[serde(flatten)]
        size: HomeUse,
        /// True if the user must be warned.
        warn: bool,
        /// True if further launches are refused.
        full: bool,
    },
    /// A text was copied in the application, and the policy forbids to send it to the tab.
    ClipboardKept,
    /// A text that was copied in the application is too long for the tab, and was not sent.
    ClipboardTooLong,
    /// The windows of the application, sent at each change.
    Windows {
        /// In the order in which they were opened.
        windows: Vec<Window>,
    },
    /// The application has printed.
    Printed {
        /// The end of the job.
        #[serde(flatten)]
        print: Print,
        /// True if the user may download the file.
        download: bool,
    },
    /// The answer to [`TabRequest::Ping`].
    Pong {
        /// The value of the request.
        at: u32,
    },
}

/// Whether a tab can play the sound of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundState {
    /// The tab can open it.
    Available,
    /// The policy of the application forbids it.
    Off,
    /// The environment can play no sound.
    Missing,
}

/// A request of a tab, in a text message of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TabRequest {
    /// Asks for an answer, to measure the time that it takes.
    Ping {
        /// Chosen by the tab, and returned.
        at: u32,
    },
    /// Asks for the titles of the windows, which have no message of their own.
    Titles,
    /// Acts on a window.
    Window {
        /// The window, from the last [`Notice::Windows`].
        id: u32,
        /// The action.
        action: WindowAction,
    },
}

/// A limit that a tab is about to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Time of the limit.
    pub at: Timestamp,
    /// Limit that acts at this time.
    pub timer: Timer,
    /// Upper bound for the remaining minutes, one of [`WARNINGS`].
    pub minutes: u32,
}

/// Time at which a tab last used at `used_at` is disconnected; `None` if the limit is Off.
pub fn idle_at(session: &Session, used_at: Timestamp) -> Option<Timestamp> {
    let limit = session.policy.idle_seconds?.get();
    Some(used_at + TimeDelta::seconds(limit.into()))
}

/// The warning that applies at `now`, if any, for the earliest limit. There is no warning in the
/// first half of a limit.
pub fn warning(session: &Session, used_at: Timestamp, now: Timestamp) -> Option<Warning> {
    let idle = idle_at(session, used_at).map(|at| (at, Timer::Idle, at - used_at));
    let over = (
        session.valid_until,
        Timer::ValidUntil,
        session.valid_until - session.started_at,
    );
    let (at, timer, limit) = [Some(over), idle].into_iter().flatten().min_by_key(|(at, ..)| *at)?;
    let holds = |minutes: &u32| {
        let before = TimeDelta::minutes(i64::from(*minutes));
        at - now <= before && before * 2 <= limit
    };
    let minutes = WARNINGS.into_iter().find(holds)?;
    Some(Warning { at, timer, minutes })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::{ApplicationId, EnvironmentId, Policy, SessionId, Status, Teardown, UserId};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::default() + TimeDelta::minutes(minutes)
    }

    fn open(total: u32, idle: Option<u32>) -> Session {
        let id = uuid::Uuid::nil();
        let seconds = |minutes: u32| NonZeroU32::new(minutes * 60);
        let policy = Policy {
            total_seconds: seconds(total),
            idle_seconds: idle.and_then(seconds),
            ..Policy::default()
        };
        Session {
            id: SessionId(id),
            environment_id: EnvironmentId(id),
            environment: "This host".into(),
            application_id: ApplicationId(id),
            application: "Terminal".into(),
            user_id: UserId(id),
            username: "student".into(),
            status: Status::Active,
            access_epoch: 0,
            started_at: at(0),
            ready_at: Some(at(0)),
            valid_until: policy.valid_until(at(0)),
            connected_since: Some(at(0)),
            disconnected_at: None,
            end: None,
            error: None,
            teardown: Teardown::NotNeeded,
            blocked_until: None,
            policy,
            home: None,
            node: crate::ONLY_NODE.into(),
            version: 1,
        }
    }

    #[test]
    fn a_tab_is_warned_three_times_of_what_comes_first() {
        let warning = |session: &Session, used_at, now| {
            warning(session, at(used_at), at(now)).map(|warning| (warning.timer, warning.minutes))
        };
        let usual = open(480, Some(30));
        assert_eq!(warning(&usual, 0, 0), None);
        assert_eq!(warning(&usual, 0, 14), None);
        assert_eq!(warning(&usual, 0, 15), Some((Timer::Idle, 15)));
        assert_eq!(warning(&usual, 0, 24), Some((Timer::Idle, 15)));
        assert_eq!(warning(&usual, 0, 25), Some((Timer::Idle, 5)));
        assert_eq!(warning(&usual, 0, 29), Some((Timer::Idle, 1)));
        assert_eq!(warning(&usual, 29, 29), None, "somebody used it");
        assert_eq!(warning(&usual, 464, 464), None);
        assert_eq!(warning(&usual, 465, 465), Some((Timer::ValidUntil, 15)));
        assert_eq!(warning(&usual, 479, 479), Some((Timer::ValidUntil, 1)));
        let never_idle = open(480, None);
        assert_eq!(warning(&never_idle, 0, 464), None);
        assert_eq!(warning(&never_idle, 0, 475), Some((Timer::ValidUntil, 5)));
    }

    #[test]
    fn a_short_limit_is_not_warned_of_from_its_beginning() {
        let short = open(480, Some(4));
        let minutes = |now| warning(&short, at(0), at(now)).map(|warning| warning.minutes);
        assert_eq!([0, 2, 3].map(minutes), [None, None, Some(1)]);
    }

    #[test]
    fn a_request_of_a_tab_has_one_form() {
        let read = |text: &str| serde_json::from_str::<TabRequest>(text).ok();
        let close = TabRequest::Window {
            id: 7,
            action: WindowAction::Close,
        };
        assert_eq!(read(r#"{"kind":"window","id":7,"action":"close"}"#), Some(close));
        assert_eq!(read(r#"{"kind":"ping","at":1}"#), Some(TabRequest::Ping { at: 1 }));
        for wrong in [
            "",
            "{}",
            r#"{"kind":"window","id":-1,"action":"close"}"#,
            r#"{"kind":"window","id":7,"action":"kill"}"#,
            r#"{"kind":"window","id":7,"action":"close","more":1}"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_notice_is_flat_json() {
        let warning = warning(&open(480, Some(30)), at(0), at(29)).unwrap();
        let notice = Notice::Warning {
            server_time: at(29),
            warning,
        };
        assert_eq!(
            serde_json::to_string(&notice).unwrap(),
            r#"{"kind":"warning","server_time":"1970-01-01T00:29:00Z","at":"1970-01-01T00:30:00Z","timer":"idle","minutes":1}"#
        );
    }
}
