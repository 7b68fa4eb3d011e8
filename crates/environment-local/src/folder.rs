//! A session's folder on the host: the socket of its display, the FIFO of its sound, and the files
//! that its sandbox gets by descriptor. Only the server can enter it.

use std::{
    fs::{self, DirBuilder},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{fs::DirBuilderExt, net::UnixListener},
    },
    path::{Path, PathBuf},
};

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, flock, mknodat, open};
use session::SessionId;

use crate::syscalls::Filters;

/// The user database inside: one user, with a name and a home for shells.
const PASSWD: &str = "user:x:1000:1000:User:/home/user:/bin/bash\n";
/// The groups inside.
const GROUP: &str = "user:x:1000:\n";

/// The folder of all sessions of one server. It is locked, so no other server can use it.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    _lock: OwnedFd,
}

impl RunDir {
    /// Makes the folder if it is missing, and locks it.
    pub fn take(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let path = path.canonicalize()?;
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC;
        let lock = open(path.join("lock"), flags, Mode::RUSR | Mode::WUSR)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
            rustix::io::Errno::WOULDBLOCK => io::Error::other("another server uses it"),
            other => other.into(),
        })?;
        Ok(Self { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The folder of one session.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    handle: OwnedFd,
}

impl Folder {
    /// Makes the folder with everything in it except the socket.
    pub fn create(run_dir: &Path, session: SessionId, filters: &Filters) -> io::Result<Self> {
        let path = run_dir.join(session.to_string());
        DirBuilder::new().mode(0o700).create(&path)?;
        let handle = open(&path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        fs::write(path.join("xauthority"), xauthority(&rand::random()))?;
        fs::write(path.join("passwd"), PASSWD)?;
        fs::write(path.join("group"), GROUP)?;
        for (name, program) in filters.files() {
            fs::write(path.join(name), program)?;
        }
        Ok(Self { path, handle })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the socket for the display, in place of an earlier one.
    pub fn listen(&self) -> io::Result<UnixListener> {
        fs::remove_file(self.socket()).or_else(unless_absent)?;
        UnixListener::bind(self.socket())
    }

    /// Makes the FIFO for the sound. `outside.sh` opens it if it exists.
    pub fn make_sound(&self) -> io::Result<()> {
        Ok(mknodat(
            &self.handle,
            "sound",
            FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )?)
    }

    /// The path of the FIFO for the sound, valid in this process only.
    pub fn sound(&self) -> PathBuf {
        self.path.join("sound")
    }

    /// The socket's address, valid in this process only. It goes through the descriptor of the
    /// folder, because the address of a socket has at most 107 bytes, and data directories can be
    /// longer.
    pub fn socket(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/display", self.handle.as_raw_fd()))
    }

    /// Removes the folder with everything in it. Succeeds if it is gone already.
    pub fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.path).or_else(unless_absent)
    }
}

fn unless_absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

/// An Xauthority file with one entry for any display: family, address, number, name and secret,
/// each after its length in two bytes (libXau, `XauWriteAuth`).
fn xauthority(secret: &[u8; 16]) -> Vec<u8> {
    const FAMILY_WILD: [u8; 2] = [0xFF, 0xFF];
    const NAME: &[u8] = b"MIT-MAGIC-COOKIE-1";
    let mut file = FAMILY_WILD.to_vec();
    for part in [b"", b"", NAME, secret.as_slice()] {
        // No part is longer than 18 bytes.
        file.extend([0, part.len() as u8]);
        file.extend(part);
    }
    file
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::PermissionsExt, net::UnixStream};

    use uuid::Uuid;

    use super::*;
    use crate::syscalls::UserNamespaces;

    #[test]
    fn a_long_path_is_no_obstacle_and_nobody_else_may_enter() {
        let root = tempfile::tempdir().unwrap();
        let run_dir = RunDir::take(&root.path().join("x".repeat(100)).join("y".repeat(100))).unwrap();
        let filters = Filters::new(UserNamespaces::Denied).unwrap();
        let folder = Folder::create(run_dir.path(), SessionId(Uuid::now_v7()), &filters).unwrap();
        let mode = folder.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let listener = folder.listen().unwrap();
        UnixStream::connect(folder.socket()).unwrap();
        listener.accept().unwrap();
        folder.remove().unwrap();
        folder.remove().unwrap();
        assert!(!folder.path().exists());
    }

    #[test]
    fn two_servers_cannot_share_a_folder() {
        let root = tempfile::tempdir().unwrap();
        let first = RunDir::take(root.path()).unwrap();
        assert_eq!(
            RunDir::take(root.path()).unwrap_err().to_string(),
            "another server uses it"
        );
        drop(first);
        RunDir::take(root.path()).unwrap();
    }

    #[test]
    fn the_secret_is_where_xlib_looks() {
        let file = xauthority(&[7; 16]);
        assert_eq!(file[..6], [255, 255, 0, 0, 0, 0]);
        assert_eq!(file[6..26], *b"\0\x12MIT-MAGIC-COOKIE-1");
        assert_eq!(file[26..], [&[0, 16][..], &[7; 16]].concat());
    }
}
