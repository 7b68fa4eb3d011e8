//! File access with the rights of another user.
//!
//! Linux keeps the effective user of each thread. A thread of its own does the work and then ends,
//! so nothing has to be restored, and no other work of the server can run with those rights.

use std::{io, thread};

use rustix::{
    process::{Gid, Uid},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};

/// Runs `work` with the file permissions of `user`; with those of the server if it is `None`. Blocks
/// until it is done.
///
/// # Errors
/// Those of `work`, and if this server may not become that user.
pub(crate) fn as_user<T: Send>(user: Option<u32>, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let Some(user) = user else { return work() };
    thread::scope(|scope| {
        let done = thread::Builder::new()
            .name("files of a user".to_owned())
            .spawn_scoped(scope, move || {
                become_user(user)?;
                work()
            })?;
        done.join()
            .unwrap_or_else(|_| Err(io::Error::other("the access to files panicked")))
    })
}

/// Changes the effective ids of this thread. The real ones stay those of the server, so no process of
/// that user can signal or trace it.
fn become_user(user: u32) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
    set_thread_groups(&[])?;
    set_thread_res_gid(None, gid, None)?;
    Ok(set_thread_res_uid(None, uid, None)?)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt},
    };

    use super::*;

    #[test]
    fn files_are_those_of_the_user_and_the_server_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let before = rustix::process::geteuid();
        if !before.is_root() {
            // Without privileges there is only the server's own user.
            as_user(None, || fs::write(folder.path().join("own"), "")).unwrap();
            return;
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(folder.path().join("secret"), "x").unwrap();
        fs::set_permissions(folder.path().join("secret"), fs::Permissions::from_mode(0o600)).unwrap();
        let path = folder.path().join("file");
        as_user(Some(54_321), || fs::write(&path, "x")).unwrap();
        let made = path.metadata().unwrap();
        assert_eq!((made.uid(), made.gid()), (54_321, 54_321));
        let refused = as_user(Some(54_321), || fs::read(folder.path().join("secret"))).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(rustix::process::geteuid(), before);
        assert_eq!(fs::read(folder.path().join("secret")).unwrap(), b"x");
    }
}
