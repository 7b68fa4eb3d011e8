//! The kept homes of people: a folder for each, below one root. The folder has the name of the
//! person's id, mode 0700, and belongs to a user of the host that is only this person's.
//!
//! Only the server can add a folder to the root or replace one, so the path of a home needs no
//! further protection. `usage` measures a home.

mod usage;

use std::{
    collections::HashMap,
    fs::DirBuilder,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::DirBuilderExt,
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use environments::Owner;
use rustix::{
    fs::{AtFlags, Dir, Mode, OFlags, chownat, fchmod, fstat, fsync, mkdirat, open, openat},
    io::Errno,
    process::{Gid, Uid, geteuid},
};
use session::UserId;
use tokio::{task::spawn_blocking, time::Instant};

use crate::{as_user::as_user, identities::Identities};

/// The mode of a home.
const PRIVATE: Mode = Mode::RWXU;
/// A measurement is repeated after this time, and after [`TIMES`] times its own duration.
const FRESH: Duration = Duration::from_secs(10);
/// The same for a home that had reached its limit: its owner has probably just deleted files.
const FRESH_IF_FULL: Duration = Duration::from_secs(1);
/// At most a twentieth of the time is spent on measurements of one home.
const TIMES: u32 = 20;

/// The root of all homes.
#[derive(Debug)]
pub(crate) struct Homes {
    root: PathBuf,
    handle: OwnedFd,
    /// A lock for each person, so that two measurements of one home never run at once.
    measured: Mutex<HashMap<UserId, Arc<tokio::sync::Mutex<Option<Measured>>>>>,
}

/// The home of one person, ready for a session.
#[derive(Debug)]
pub(crate) struct Home {
    pub path: PathBuf,
    /// The user of the host that owns it; `None` = the server's own.
    pub uid: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Measured {
    at: Instant,
    took: Duration,
    size: u64,
}

impl Homes {
    /// Opens the root, and makes it if it is missing.
    pub fn open(root: &Path) -> io::Result<Self> {
        // The users of sessions must be able to pass through it, but not to list it.
        DirBuilder::new().recursive(true).mode(0o711).create(root)?;
        let root = root.canonicalize()?;
        let handle = open(
            &root,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        Ok(Self {
            root,
            handle,
            measured: Mutex::default(),
        })
    }

    /// The home of a person, made if it is missing. With `reached_by_path`, its user must be able to
    /// reach it. The error is a text for people. Blocks.
    pub fn take(&self, owner: Owner, identities: &Identities, reached_by_path: bool) -> Result<Home, String> {
        let uid = identities.of_home(owner.number)?;
        let path = self.root.join(owner.user_id.to_string());
        let failed = |error: io::Error| format!("the home {} can't be used: {error}", path.display());
        self.folder(owner.user_id, uid).map_err(failed)?;
        if reached_by_path && uid.is_some() {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let reach = || {
                open(&path, flags, Mode::empty())?;
                Ok(())
            };
            as_user(uid, reach).map_err(|_| {
                format!(
                    "the users of sessions can't reach the homes in {}: give each folder above them the mode 0711, or \
                     set homes_dir to another folder",
                    self.root.display()
                )
            })?;
        }
        Ok(Home { path, uid })
    }

    /// Opens the folder of a home, after it was made and given to its user if that was necessary.
    fn folder(&self, person: UserId, uid: Option<u32>) -> io::Result<OwnedFd> {
        let name = person.to_string();
        match mkdirat(&self.handle, &name, PRIVATE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(&self.handle, &name, flags, Mode::empty())?;
        let own = geteuid().as_raw();
        let wanted = uid.unwrap_or(own);
        let facts = fstat(&folder)?;
        if facts.st_uid == wanted {
            // Its owner may have opened it to others.
            if facts.st_mode & 0o7777 != 0o700 {
                as_user(uid, || {
                    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                    Ok(fchmod(openat(&folder, ".", flags, Mode::empty())?, PRIVATE)?)
                })?;
            }
            return Ok(folder);
        }
        // New, or left by a crash before the next lines. A folder with files is never given away.
        if facts.st_uid != own || !is_empty(&folder)? {
            let (is, path) = (facts.st_uid, self.root.join(&name));
            return Err(io::Error::other(format!(
                "it belongs to user {is} and not to user {wanted}. To give it to its owner: chown -R {wanted}:{wanted} {}",
                path.display()
            )));
        }
        let (user, group) = (Uid::from_raw(wanted), Gid::from_raw(wanted));
        chownat(&folder, "", Some(user), Some(group), AtFlags::EMPTY_PATH).map_err(|error| match error {
            Errno::PERM => io::Error::other("the server lacks the capability CAP_CHOWN: update its systemd unit"),
            error => error.into(),
        })?;
        fsync(&self.handle)?;
        Ok(folder)
    }

    /// The size of a home in bytes; 0 if there is none. Stops at `enough`.
    pub async fn size(self: &Arc<Self>, person: UserId, enough: u64) -> io::Result<u64> {
        let slot = {
            let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(measured.entry(person).or_default())
        };
        let mut last = slot.lock_owned().await;
        if let Some(known) = last.filter(|known| known.holds(enough)) {
            return Ok(known.size);
        }
        let homes = Arc::clone(self);
        // The task keeps the lock, so that a caller that gives up starts no second measurement.
        let measuring = spawn_blocking(move || {
            let at = Instant::now();
            let size = homes.measure(person, enough)?;
            let took = at.elapsed();
            *last = Some(Measured { at, took, size });
            Ok(size)
        });
        measuring.await.map_err(io::Error::other)?
    }

    fn measure(&self, person: UserId, enough: u64) -> io::Result<u64> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = match openat(&self.handle, person.to_string(), flags, Mode::empty()) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let owner = fstat(&folder)?.st_uid;
        let user = (owner != geteuid().as_raw()).then_some(owner);
        as_user(user, || usage::of(folder.as_fd(), enough))
    }
}

impl Measured {
    /// True if it is recent enough.
    fn holds(&self, enough: u64) -> bool {
        let (fresh, times) = if self.size >= enough {
            (FRESH_IF_FULL, 2)
        } else {
            (FRESH, TIMES)
        };
        self.at.elapsed() < fresh.max(self.took * times)
    }
}

fn is_empty(folder: &OwnedFd) -> io::Result<bool> {
    for entry in Dir::read_from(openat(
        folder,
        ".",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?)? {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
