//! The end of a session by its windows. Pure: times are arguments.
//!
//! An application lives as long as its first process or a window. One that never shows a window
//! lives by its processes.

use tokio::time::{Duration, Instant};

use crate::readiness::Exit;

/// The time without a window after which an application has been closed though its first process
/// still runs. An application that replaces its only window, such as a splash screen, shows the
/// next one within this time.
const WITHOUT_WINDOW: Duration = Duration::from_secs(10);

/// The same if the first process has ended, and others are left.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

/// The time in which the processes that an application has left behind must show a window.
const FIRST_WINDOW: Duration = Duration::from_secs(10);

/// The life of an application.
#[derive(Debug, Default)]
pub(crate) struct Life {
    windows: usize,
    /// The time since which there is no window; `None` before the first window.
    empty_since: Option<Instant>,
    exited: Option<(Exit, Instant)>,
}

impl Life {
    /// The number of windows has changed.
    pub fn windows(&mut self, count: usize, now: Instant) {
        self.windows = count;
        if count > 0 || self.empty_since.is_some() {
            self.empty_since = Some(now);
        }
    }

    /// The first process has ended. Only the first such report counts.
    pub fn exited(&mut self, exit: Exit, now: Instant) {
        self.exited.get_or_insert((exit, now));
    }

    /// The time at which the application counts as closed, unless something changes before.
    pub fn ends_at(&self) -> Option<Instant> {
        let showed_window = self.empty_since;
        match (self.exited, showed_window) {
            (Some((exit, at)), _) if exit.code != 0 => Some(at),
            _ if self.windows > 0 => None,
            (Some((Exit { left_others: false, .. }, at)), _) => Some(at),
            (Some((_, at)), Some(empty)) => Some(at.max(empty) + LEFT_BEHIND),
            (Some((_, at)), None) => Some(at + FIRST_WINDOW),
            (None, Some(empty)) => Some(empty + WITHOUT_WINDOW),
            (None, None) => None,
        }
    }

    /// The exit code of the first process; 0 if it still runs.
    pub fn code(&self) -> u8 {
        self.exited.map_or(0, |(exit, _)| exit.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(code: u8, left_others: bool) -> Exit {
        Exit { code, left_others }
    }

    #[test]
    fn a_program_without_windows_lives_by_its_process() {
        let now = Instant::now();
        let mut life = Life::default();
        life.windows(0, now);
        assert_eq!(life.ends_at(), None);
        life.exited(exit(0, false), now);
        assert_eq!(life.ends_at(), Some(now));
    }

    #[test]
    fn the_last_window_closes_an_application_that_opens_no_other_one() {
        let now = Instant::now();
        let later = now + Duration::from_secs(3);
        let mut life = Life::default();
        life.windows(1, now);
        assert_eq!(life.ends_at(), None);
        life.windows(0, now);
        assert_eq!(life.ends_at(), Some(now + WITHOUT_WINDOW));
        life.windows(1, later);
        assert_eq!(life.ends_at(), None, "a splash screen made way for the main window");
        life.windows(0, later);
        life.exited(exit(0, false), later);
        assert_eq!(life.ends_at(), Some(later));
    }

    #[test]
    fn an_application_that_forks_and_exits_lives_as_long_as_its_window() {
        let now = Instant::now();
        let later = now + Duration::from_secs(3);
        let mut life = Life::default();
        life.exited(exit(0, true), now);
        assert_eq!(life.ends_at(), Some(now + FIRST_WINDOW));
        life.windows(1, later);
        life.exited(exit(1, false), later);
        assert_eq!(life.ends_at(), None);
        life.windows(0, later);
        assert_eq!(life.ends_at(), Some(later + LEFT_BEHIND));
        assert_eq!(life.code(), 0);
    }

    #[test]
    fn a_failure_ends_at_once() {
        let now = Instant::now();
        let mut life = Life::default();
        life.windows(1, now);
        life.exited(exit(3, true), now);
        assert_eq!((life.ends_at(), life.code()), (Some(now), 3));
    }
}
