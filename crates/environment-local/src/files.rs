//! The files of kept homes: each step runs with the rights of their owner, relative to the descriptor
//! of the home. The kernel refuses every link and every way out (`openat2`).
//!
//! A new file is written in a hidden folder of the home and then linked to its name, so that it
//! appears whole or not at all. A link never replaces a file.

mod unfinished;

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use environments::{Entry, EntryKind, FilesError, HomeFiles, HomePath, Listing, Owner, Reading, Writing};
use rustix::{
    fs::{
        AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, fstat, mkdirat, openat2, renameat_with,
        statat, unlinkat,
    },
    io::Errno,
};
use session::Timestamp;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use self::unfinished::{Part, Unfinished};
use crate::{
    as_user::as_user,
    environment::{Session, Shared},
    sandbox::HOME,
};

/// The folder of unfinished files.
const UNFINISHED: &str = ".cloud-delivery";
/// An unfinished file of a server that crashed is removed after this time.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// The most files of a listing.
const MOST: usize = 10_000;
/// Each level of a removal holds a file descriptor.
const DEEPEST: usize = 200;

const RESOLVE: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_XDEV);

/// A home and its user of the host.
struct Opened {
    home: OwnedFd,
    uid: Option<u32>,
}

impl Shared {
    /// Runs `work` with the rights of the owner, on a thread that may block.
    async fn with_home<T: Send + 'static>(
        self: &Arc<Self>,
        owner: Owner,
        work: impl FnOnce(&Opened) -> io::Result<T> + Send + 'static,
    ) -> Result<T, FilesError> {
        let shared = Arc::clone(self);
        let done = spawn_blocking(move || {
            let homes = shared
                .homes
                .as_ref()
                .ok_or_else(|| io::Error::other("this server keeps no homes"))?;
            let (home, uid) = homes.open_for(owner, &shared.isolation.identities)?;
            let opened = Opened { home, uid };
            as_user(uid, || work(&opened))
        });
        done.await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(failure)
    }
}

/// The files of homes for the port.
#[derive(Debug)]
pub(crate) struct LocalFiles(pub Arc<Shared>);

#[async_trait]
impl HomeFiles for LocalFiles {
    fn forget_size(&self, owner: Owner) {
        if let Some(homes) = &self.0.homes {
            homes.forget_size(owner.user_id);
        }
    }

    async fn list(&self, owner: Owner, folder: &HomePath) -> Result<Listing, FilesError> {
        let folder = folder.clone();
        self.0
            .with_home(owner, move |opened| {
                list(&opened.folder(&folder)?, folder.names().is_empty())
            })
            .await
    }

    async fn read(&self, owner: Owner, file: &HomePath) -> Result<Reading, FilesError> {
        let file = file.clone();
        let opened = self
            .0
            .with_home(owner, move |opened| open_file(opened.home.as_fd(), &file));
        opened.await?.ok_or(FilesError::NotAFile)
    }

    async fn write(&self, owner: Owner, folder: &HomePath, name: &str) -> Result<Box<dyn Writing>, FilesError> {
        let target = folder.join(name)?;
        let begun = self.0.with_home(owner, move |opened| {
            let (folder, name) = target.split().ok_or(Errno::ISDIR)?;
            let folder = opened.folder(&folder)?;
            let unfinished = unfinished(opened.home.as_fd())?;
            let part = Uuid::new_v4().to_string();
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let file = openat2(&unfinished, &part, flags, Mode::RUSR | Mode::WUSR, RESOLVE)?;
            remove_stale(&unfinished, fstat(&file)?.st_mtime)?;
            Ok(Part {
                file: File::from(file),
                folder,
                unfinished,
                part,
                name: name.to_owned(),
                uid: opened.uid,
            })
        });
        Ok(Box::new(Unfinished(Some(begun.await?))))
    }

    async fn make_folder(&self, owner: Owner, folder: &HomePath) -> Result<(), FilesError> {
        let (parent, name) = split(folder)?;
        self.0
            .with_home(owner, move |opened| {
                Ok(mkdirat(opened.folder(&parent)?, name, Mode::RWXU)?)
            })
            .await
    }

    async fn rename(&self, owner: Owner, file: &HomePath, name: &str) -> Result<(), FilesError> {
        let (parent, from) = split(file)?;
        parent.join(name)?;
        let to = name.to_owned();
        self.0
            .with_home(owner, move |opened| {
                let folder = opened.folder(&parent)?;
                Ok(renameat_with(&folder, from, &folder, to, RenameFlags::NOREPLACE)?)
            })
            .await
    }

    async fn remove(&self, owner: Owner, file: &HomePath) -> Result<(), FilesError> {
        let (parent, name) = split(file)?;
        let removed = self.0.with_home(owner, move |opened| {
            let folder = opened.folder(&parent)?;
            match unlinkat(&folder, &name, AtFlags::empty()) {
                // A folder.
                Err(Errno::ISDIR | Errno::PERM) => remove_tree(&folder, &name),
                done => Ok(done.map(|()| true)?),
            }
        });
        if removed.await? {
            Ok(())
        } else {
            Err(FilesError::TooDeep)
        }
    }
}

impl Opened {
    fn folder(&self, path: &HomePath) -> io::Result<OwnedFd> {
        beneath(
            self.home.as_fd(),
            path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        )
    }
}

/// Opens a file in the home of a session that runs, also in one that is not kept.
pub(crate) async fn read_inside(session: Arc<Session>, file: HomePath) -> Result<Reading, FilesError> {
    let opened = spawn_blocking(move || {
        let process = session.inside.get().ok_or(Errno::NOENT)?;
        let user = session.user.get().copied().flatten();
        let inside = HOME.trim_start_matches('/');
        as_user(user, || open_file(process.folder(inside)?.as_fd(), &file))
    });
    let opened = opened.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    opened.map_err(failure)?.ok_or(FilesError::NotAFile)
}

/// Opens a regular file; `None` if it is something else.
fn open_file(home: BorrowedFd<'_>, file: &HomePath) -> io::Result<Option<Reading>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = beneath(home, file, flags)?;
    let facts = fstat(&file)?;
    let is_file = FileType::from_raw_mode(facts.st_mode) == FileType::RegularFile;
    Ok(is_file.then(|| Reading {
        size: u64::try_from(facts.st_size).unwrap_or_default(),
        content: Box::new(tokio::fs::File::from_std(File::from(file))),
    }))
}

fn split(path: &HomePath) -> Result<(HomePath, String), FilesError> {
    let (folder, name) = path.split().ok_or(FilesError::Name)?;
    if folder.names().is_empty() && name == UNFINISHED {
        return Err(FilesError::NotFound);
    }
    Ok((folder, name.to_owned()))
}

/// Opens something below a home.
fn beneath(home: BorrowedFd<'_>, path: &HomePath, flags: OFlags) -> io::Result<OwnedFd> {
    if path.names().first().is_some_and(|name| name == UNFINISHED) {
        return Err(Errno::NOENT.into());
    }
    let relative = if path.names().is_empty() {
        ".".to_owned()
    } else {
        path.to_string()
    };
    Ok(openat2(home, relative, flags, Mode::empty(), RESOLVE)?)
}

/// The folder of unfinished files.
fn unfinished(home: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    match mkdirat(home, UNFINISHED, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat2(home, UNFINISHED, flags, Mode::empty(), RESOLVE)?)
}

/// Removes unfinished files that a crash left long ago. `now` is the file system's time.
fn remove_stale(folder: &OwnedFd, now: i64) -> io::Result<()> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Ok(facts) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
            && now - facts.st_mtime > i64::try_from(STALE.as_secs()).unwrap_or(i64::MAX)
        {
            // Another upload may have removed it.
            let _ = unlinkat(folder, name, AtFlags::empty());
        }
    }
    Ok(())
}

fn list(folder: &OwnedFd, is_home: bool) -> io::Result<Listing> {
    let (mut entries, mut is_cut) = (Vec::new(), false);
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let bytes = name.to_bytes();
        if matches!(bytes, b"." | b"..") || (is_home && bytes == UNFINISHED.as_bytes()) {
            continue;
        }
        if entries.len() == MOST {
            is_cut = true;
            break;
        }
        let facts = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(facts) => facts,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        let exact = name.to_str().ok().filter(|name| !name.chars().any(char::is_control));
        entries.push(Entry {
            kind: match FileType::from_raw_mode(facts.st_mode) {
                FileType::Directory => EntryKind::Folder,
                FileType::RegularFile => EntryKind::File,
                _ => EntryKind::Other,
            },
            is_exact: exact.is_some(),
            name: exact.map_or_else(|| replaced(bytes), str::to_owned),
            size: u64::try_from(facts.st_size).unwrap_or_default(),
            modified: Timestamp::from_timestamp(facts.st_mtime, 0).unwrap_or_default(),
        });
    }
    entries.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    Ok(Listing { entries, is_cut })
}

fn replaced(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    text.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}

/// Removes a folder with everything in it, without recursion. False if it is too deep.
fn remove_tree(parent: &OwnedFd, name: &str) -> io::Result<bool> {
    let open = |parent: BorrowedFd<'_>, name: &std::ffi::CStr| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Dir::new(openat2(parent, name, flags, Mode::empty(), RESOLVE)?)
    };
    let name = std::ffi::CString::new(name)?;
    let mut levels = vec![(open(parent.as_fd(), &name)?, name)];
    while let Some((mut level, own)) = levels.pop() {
        let mut inner = None;
        while let Some(entry) = level.read() {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            match unlinkat(level.fd()?, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(Errno::ISDIR | Errno::PERM) => {
                    inner = Some((open(level.fd()?, name)?, name.to_owned()));
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        match inner {
            Some(_) if levels.len() + 1 >= DEEPEST => return Ok(false),
            Some(inner) => {
                // Read again from its start: the removals have moved its entries.
                level.rewind();
                levels.push((level, own));
                levels.push(inner);
            }
            None => {
                let above = levels.last().map(|(above, _)| above.fd()).transpose()?;
                unlinkat(above.unwrap_or(parent.as_fd()), &own, AtFlags::REMOVEDIR)?;
            }
        }
    }
    Ok(true)
}

fn failure(error: io::Error) -> FilesError {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => FilesError::NotFound,
        Some(Errno::EXIST | Errno::NOTEMPTY) => FilesError::Exists,
        Some(Errno::NAMETOOLONG | Errno::INVAL) => FilesError::Name,
        // No device, or a socket.
        Some(Errno::NXIO | Errno::NODEV) => FilesError::NotAFile,
        Some(Errno::NOSPC | Errno::DQUOT) => FilesError::DiskFull,
        _ => FilesError::Failed(error.to_string()),
    }
}
