//! Detects changed sources and the halves of the product they belong to. It polls, because that works on every file
//! system.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::site::collect;

/// The work that a change requires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Build the browser half.
    pub browser: bool,
    /// Build and restart the server.
    pub server: bool,
}

/// The sources, and whether they are part of the browser half and of the server. The first match counts.
const SOURCES: [(&str, bool, bool); 9] = [
    ("app", true, true),
    ("crates/session", true, true),
    ("Cargo.toml", true, true),
    ("Cargo.lock", true, true),
    ("frontend", true, false),
    ("style", true, false),
    ("public", true, false),
    ("crates", false, true),
    ("server", false, true),
];

type Snapshot = BTreeMap<PathBuf, (SystemTime, u64)>;

/// Polls the sources for changes.
pub struct Watch {
    root: PathBuf,
    last: Snapshot,
}

impl Watch {
    /// Takes the first snapshot of the sources below `root`.
    pub fn new(root: &Path) -> Result<Self> {
        Ok(Self {
            root: root.to_owned(),
            last: snapshot(root)?,
        })
    }

    /// Returns after a change that was followed by one poll without changes, because editors write in several steps.
    pub fn wait_for_changes(&mut self, interval: Duration) -> Result<Changes> {
        let mut changes = Changes::default();
        loop {
            pause(interval);
            let new = self.poll()?;
            changes.browser |= new.browser;
            changes.server |= new.server;
            if changes != Changes::default() && new == Changes::default() {
                return Ok(changes);
            }
        }
    }

    /// Returns the changes since the last poll.
    fn poll(&mut self) -> Result<Changes> {
        let now = snapshot(&self.root)?;
        let gone = self.last.keys().filter(|path| !now.contains_key(*path));
        let new = now
            .iter()
            .filter(|(path, state)| self.last.get(*path) != Some(state))
            .map(|(path, _)| path);
        let mut changes = Changes::default();
        for path in gone.chain(new) {
            let path = path.strip_prefix(&self.root).unwrap_or(path);
            // `crates/session` comes before `crates`.
            if let Some((_, browser, server)) = SOURCES.iter().find(|(source, ..)| path.starts_with(source)) {
                changes.browser |= browser;
                changes.server |= server;
            }
        }
        self.last = now;
        Ok(changes)
    }
}

fn snapshot(root: &Path) -> Result<Snapshot> {
    let mut files = BTreeSet::new();
    for (source, ..) in SOURCES {
        collect(&root.join(source), &mut files)?;
    }
    // A file may disappear after it was listed.
    let state = |path: PathBuf| {
        let metadata = fs::metadata(&path).ok()?;
        Some((path, (metadata.modified().ok()?, metadata.len())))
    };
    Ok(files.into_iter().filter_map(state).collect())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command-line tool with nothing else to do on this thread"
)]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_change_rebuilds_the_halves_that_contain_the_source() {
        let root = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(root.path()).unwrap();
        for (file, browser, server) in [
            ("app/src/lib.rs", true, true),
            ("crates/session/src/lib.rs", true, true),
            ("crates/store/migrations/1.sql", false, true),
            ("server/src/main.rs", false, true),
            ("style/main.css", true, false),
            ("docs/ARCHITECTURE.md", false, false),
        ] {
            put(root.path(), file, "a");
            assert_eq!(watch.poll().unwrap(), Changes { browser, server }, "new {file}");
            put(root.path(), file, "longer");
            assert_eq!(watch.poll().unwrap(), Changes { browser, server }, "changed {file}");
            assert_eq!(watch.poll().unwrap(), Changes::default(), "unchanged {file}");
            fs::remove_file(root.path().join(file)).unwrap();
            assert_eq!(watch.poll().unwrap(), Changes { browser, server }, "removed {file}");
        }
    }
}
