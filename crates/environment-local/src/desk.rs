//! The windows of one session, and the commands for them.

use std::collections::HashMap;

use session::windows::{Window, WindowAction};
use tokio::sync::{mpsc, watch};

use crate::readiness::Report;

/// Commands that wait for the sandbox. Further ones are dropped: the user can press again.
const QUEUE: usize = 16;

/// A command for `inside.sh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print the titles of all windows.
    Titles,
    /// Act on a window.
    Window(u32, WindowAction),
}

impl Command {
    /// Its line for `inside.sh`. It has a number as its only argument, so nothing needs quoting.
    pub fn line(self) -> String {
        match self {
            Self::Titles => "titles\n".to_owned(),
            Self::Window(id, WindowAction::Activate) => format!("activate {id:#x}\n"),
            Self::Window(id, WindowAction::Close) => format!("close {id:#x}\n"),
        }
    }
}

/// The side of the environment.
#[derive(Debug)]
pub(crate) struct Desk {
    windows: watch::Sender<Vec<Window>>,
    commands: mpsc::Sender<Command>,
}

impl Desk {
    /// No windows, and the receiver of the commands for the supervisor.
    pub fn new() -> (Self, mpsc::Receiver<Command>) {
        let (commands, received) = mpsc::channel(QUEUE);
        let windows = watch::Sender::new(Vec::new());
        (Self { windows, commands }, received)
    }

    /// The list, which counts as changed at first, and at each change.
    pub fn subscribe(&self) -> watch::Receiver<Vec<Window>> {
        let mut windows = self.windows.subscribe();
        windows.mark_changed();
        self.send(Command::Titles);
        windows
    }

    /// Queues a command.
    pub fn send(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::debug!(?command, "dropped a command for the windows of a session");
        }
    }

    /// Applies a report. Returns true if a window was opened or closed. Titles of windows that are
    /// not in the list are ignored, which bounds the memory.
    pub fn apply(&self, report: &Report) -> bool {
        let mut changed = false;
        self.windows.send_if_modified(|windows| match report {
            Report::Windows(ids) => {
                changed = !ids.iter().eq(windows.iter().map(|window| &window.id));
                if changed {
                    *windows = with_known_titles(ids, windows);
                }
                changed
            }
            Report::Active(id) => {
                let before = windows.clone();
                for window in windows.iter_mut() {
                    window.active = window.id == *id;
                }
                *windows != before
            }
            Report::Title(id, title) => match windows.iter_mut().find(|window| window.id == *id) {
                Some(window) if window.title != *title => {
                    window.title.clone_from(title);
                    true
                }
                _ => false,
            },
            Report::Init(_) | Report::Sound | Report::Ready | Report::Exited(_) | Report::Printed(_) => false,
        });
        if changed && self.windows.receiver_count() > 0 {
            self.send(Command::Titles);
        }
        changed
    }

    /// The number of windows.
    pub fn count(&self) -> usize {
        self.windows.borrow().len()
    }
}

fn with_known_titles(ids: &[u32], windows: &[Window]) -> Vec<Window> {
    let known: HashMap<u32, &Window> = windows.iter().map(|window| (window.id, window)).collect();
    let unknown = |id| Window {
        id,
        title: String::new(),
        active: false,
    };
    let window = |id: &u32| known.get(id).map_or_else(|| unknown(*id), |known| (*known).clone());
    ids.iter().map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_follows_the_reports() {
        let (desk, mut commands) = Desk::new();
        assert!(desk.apply(&Report::Windows(vec![1, 2])));
        assert!(commands.try_recv().is_err(), "nobody reads the titles");
        let windows = desk.subscribe();
        assert_eq!(commands.try_recv(), Ok(Command::Titles));
        desk.apply(&Report::Title(2, "two".into()));
        desk.apply(&Report::Active(2));
        desk.apply(&Report::Title(9, "no such window".into()));
        assert!(desk.apply(&Report::Windows(vec![2, 3])));
        assert_eq!(commands.try_recv(), Ok(Command::Titles));
        let window = |id, title: &str, active| Window {
            id,
            title: title.to_owned(),
            active,
        };
        assert_eq!(*windows.borrow(), [window(2, "two", true), window(3, "", false)]);
        assert!(!desk.apply(&Report::Windows(vec![2, 3])));
        desk.apply(&Report::Active(0));
        assert_eq!(*windows.borrow(), [window(2, "two", false), window(3, "", false)]);
    }

    #[test]
    fn commands_are_bounded() {
        let (desk, mut commands) = Desk::new();
        for id in 0..100 {
            desk.send(Command::Window(id, WindowAction::Close));
        }
        let lines: Vec<String> = std::iter::from_fn(|| commands.try_recv().ok())
            .map(Command::line)
            .collect();
        assert_eq!(lines.len(), QUEUE);
        assert_eq!(lines.last().map(String::as_str), Some("close 0xf\n"));
    }
}
