//! Sees which sources have changed, and which half of the product they belong to. Polls: it works on every file system.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::site::collect;

/// What a change makes necessary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The browser half must be built.
    pub browser: bool,
    /// The server must be built and restarted.
    pub server: bool,
}

/// Sources, and which halves are made of them: browser, server.
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

/// The sources as they were when last looked at.
pub struct Watch {
    root: PathBuf,
    seen: Snapshot,
}

impl Watch {
    /// Looks at the sources below `root` for the first time.
    pub fn new(root: &Path) -> Result<Self> {
        Ok(Self {
            root: root.to_owned(),
            seen: snapshot(root)?,
        })
    }

    /// Returns as soon as something has changed and then stayed the same for one look: editors write in several steps.
    pub fn wait_for_changes(&mut self, look_every: Duration) -> Result<Changes> {
        let mut changes = Changes::default();
        loop {
            pause(look_every);
            let new = self.look()?;
            changes.browser |= new.browser;
            changes.server |= new.server;
            if changes != Changes::default() && new == Changes::default() {
                return Ok(changes);
            }
        }
    }

    /// What has changed since the last look.
    fn look(&mut self) -> Result<Changes> {
        let now = snapshot(&self.root)?;
        let gone = self.seen.keys().filter(|path| !now.contains_key(*path));
        let new = now
            .iter()
            .filter(|(path, state)| self.seen.get(*path) != Some(state))
            .map(|(path, _)| path);
        let mut changes = Changes::default();
        for path in gone.chain(new) {
            let path = path.strip_prefix(&self.root).unwrap_or(path);
            // The first that fits: crates/session stands before crates.
            if let Some((_, browser, server)) = SOURCES.iter().find(|(source, ..)| path.starts_with(source)) {
                changes.browser |= browser;
                changes.server |= server;
            }
        }
        self.seen = now;
        Ok(changes)
    }
}

fn snapshot(root: &Path) -> Result<Snapshot> {
    let mut files = BTreeSet::new();
    for (source, ..) in SOURCES {
        collect(&root.join(source), &mut files)?;
    }
    // A file that has vanished between listing and looking is one that is not there.
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
    fn each_source_rebuilds_the_halves_made_of_it() {
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
            assert_eq!(watch.look().unwrap(), Changes { browser, server }, "new {file}");
            put(root.path(), file, "longer");
            assert_eq!(watch.look().unwrap(), Changes { browser, server }, "changed {file}");
            assert_eq!(watch.look().unwrap(), Changes::default(), "quiet {file}");
            fs::remove_file(root.path().join(file)).unwrap();
            assert_eq!(watch.look().unwrap(), Changes { browser, server }, "removed {file}");
        }
    }
}
