//! The size of a home: the blocks of its files, as `du` counts them, and a part for each name, because
//! empty files cost space as well.
//!
//! It never follows a link and never leaves the file system of the home. A person can neither hide
//! files in a folder without permissions nor in a very deep one.

use std::{
    collections::HashSet,
    fs, io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    os::unix::fs::PermissionsExt,
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, statat},
    io::Errno,
};

/// Bytes that each name counts beside its blocks: an inode and a part of a folder.
const NAME: u64 = 512;
/// Each level holds a file descriptor. A deeper tree counts as full.
const DEEPEST: usize = 200;

/// The size of everything below `folder` in bytes, or at least `enough`. Runs with the rights of the
/// owner.
pub(super) fn of(folder: BorrowedFd<'_>, enough: u64) -> io::Result<u64> {
    let device = fstat(folder)?.st_dev;
    let mut size = 0;
    let mut linked = HashSet::new();
    let mut levels = vec![Dir::new(open(folder, c".")?)?];
    loop {
        let depth = levels.len();
        let Some(level) = levels.last_mut() else { break };
        let Some(entry) = level.read() else {
            levels.pop();
            continue;
        };
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let parent = level.fd()?;
        let facts = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(facts) => facts,
            // An application has just removed it.
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        let is_folder = FileType::from_raw_mode(facts.st_mode) == FileType::Directory;
        let counted = !is_folder && facts.st_nlink > 1 && !linked.insert(facts.st_ino);
        if facts.st_dev != device || counted {
            continue;
        }
        size += u64::try_from(facts.st_blocks).unwrap_or_default() * 512 + NAME;
        if size >= enough {
            break;
        }
        if is_folder {
            if depth == DEEPEST {
                return Ok(enough);
            }
            match open(parent, name) {
                Ok(inner) => levels.push(Dir::new(inner)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(size)
}

/// Opens a folder. If its owner lacks the permission to list it, it gets that first.
fn open(parent: BorrowedFd<'_>, name: &std::ffi::CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(parent, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {}
        opened => return Ok(opened?),
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(parent, name, flags, Mode::empty())?;
    // Through its descriptor, because a name could lead elsewhere by now.
    let path = format!("/proc/self/fd/{}", folder.as_raw_fd());
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(folder.as_fd(), ".", flags, Mode::empty())?)
}
