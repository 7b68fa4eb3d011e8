//! Kept homes, seen from inside of sessions and from the host.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use environment_local::Options;
use environments::{Environment, Home, Owner, StartSpec};
use session::{SessionId, UserId};
use uuid::Uuid;

use crate::kit::{Trial, end_of, holder, is_root, processes, spec, unprivileged, unprivileged_uid};

fn owner(number: u32) -> Owner {
    Owner {
        user_id: UserId(Uuid::from_u128(u128::from(number))),
        number,
    }
}

fn at_home(of: u32, script: &str) -> StartSpec {
    StartSpec {
        home: Home::Kept(owner(of)),
        ..spec(&["sh", "-c", script])
    }
}

impl Trial {
    /// An environment that keeps homes.
    fn with_homes() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let homes = Some(folder.path().join("homes"));
        Self::in_folder(
            folder,
            Options {
                homes,
                ..Options::default()
            },
        )
    }

    fn home(&self, of: u32) -> PathBuf {
        self.folder.path().join("homes").join(owner(of).user_id.to_string())
    }

    /// Runs a script in a session to its end, which must have the status 7.
    async fn finish(&mut self, of: u32, script: &str) {
        let spec = at_home(of, &format!("set -e; {script}; exit 7"));
        self.environment.start(spec.clone()).await.unwrap();
        assert_eq!(
            self.lost(spec.session_id).await,
            "the application ended with status 7",
            "{script}"
        );
        assert_eq!(processes(spec.session_id), []);
        assert!(
            !self
                .folder
                .path()
                .join("run")
                .join(spec.session_id.to_string())
                .exists()
        );
    }

    /// Starts a session that goes on after the script.
    async fn during(&mut self, of: u32, script: &str) -> SessionId {
        let spec = at_home(of, &format!("{script}; exec sleep 1000"));
        self.environment.start(spec.clone()).await.unwrap();
        assert_eq!(self.next_signal().await, environments::Signal::Ready(spec.session_id));
        spec.session_id
    }
}

#[tokio::test]
async fn files_are_there_in_the_next_session_byte_for_byte() {
    let mut trial = Trial::with_homes();
    trial.finish(1, "head -c 3000000 /dev/urandom >data; sha256sum data >sum; mkdir -p Documents/deep; printf 'a\\0b' >Documents/deep/x").await;
    trial
        .finish(
            1,
            "sha256sum -c sum >/dev/null; test \"$(od -An -c Documents/deep/x | tr -d ' ')\" = 'a\\0b'",
        )
        .await;
    let data = fs::read(trial.home(1).join("data")).unwrap();
    assert_eq!(data.len(), 3_000_000);
    let facts = trial.home(1).join("data").metadata().unwrap();
    assert_eq!(
        facts.uid(),
        trial.home(1).metadata().unwrap().uid(),
        "its owner is the home's"
    );
    assert_eq!(facts.mode() & 0o077, 0, "nobody else may read it");
}

#[tokio::test]
async fn the_settings_that_a_person_changed_stay() {
    let mut trial = Trial::with_homes();
    trial
        .finish(1, "grep -q ls ~/.bashrc; echo mine >~/.bashrc; rm ~/.Xdefaults")
        .await;
    trial
        .finish(1, "test \"$(cat ~/.bashrc)\" = mine; test -s ~/.Xdefaults")
        .await;
}

#[tokio::test]
async fn sessions_of_one_person_share_a_home_at_the_same_time_and_nobody_else_sees_it() {
    let mut trial = Trial::with_homes();
    let one = trial.during(1, "echo x >shared").await;
    trial
        .finish(1, "while ! test -s shared; do :; done; echo y >answer")
        .await;
    trial.finish(2, "test ! -e shared; echo other >shared").await;
    assert_eq!(fs::read_to_string(trial.home(1).join("shared")).unwrap(), "x\n");
    assert_eq!(fs::read_to_string(trial.home(1).join("answer")).unwrap(), "y\n");
    let uids: Vec<_> = processes(one).into_iter().map(|seen| seen.uid).collect();
    let (of_one, of_other) = (
        trial.home(1).metadata().unwrap().uid(),
        trial.home(2).metadata().unwrap().uid(),
    );
    assert!(!uids.is_empty() && uids.iter().all(|uid| *uid == of_one), "{uids:?}");
    assert_eq!(is_root(), of_one != of_other);
    trial.environment.stop(one).await.unwrap();
}

#[tokio::test]
async fn the_home_is_all_of_the_host_that_a_session_can_write() {
    let mut trial = Trial::with_homes();
    let secret = trial.folder.path().join("secret");
    fs::write(&secret, "x").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o666)).unwrap();
    let (secret, home) = (secret.display().to_string(), trial.home(1).display().to_string());
    let script = format!(
        "test ! -e {secret}; test ! -e {home}; ! ls .. | grep -v '^user$'; test \"$(ls -A /tmp | grep -v -e X11 -e '^.cups$')\" = '';
         ln -s {secret} out; ! cat out 2>/dev/null; ! chown 0 . 2>/dev/null; ! mknod device c 1 3 2>/dev/null;
         cp /bin/true program; chmod 4755 program; ./program; test \"$(stat -c %u .)\" = 1000"
    );
    trial.finish(1, &script).await;
    // The link that was planted leads nowhere inside, and no part of the server follows it.
    assert!(trial.environment.home_size(owner(1).user_id, u64::MAX).await.unwrap() < 1 << 20);
}

#[tokio::test]
async fn a_kept_home_needs_a_folder_for_homes() {
    let trial = Trial::new();
    let refused = trial.environment.start(at_home(1, "true")).await.unwrap_err();
    assert_eq!(refused.to_string(), "this server has no folder for homes");
    assert_eq!(
        trial.environment.home_size(owner(1).user_id, u64::MAX).await.unwrap(),
        0
    );
}

#[tokio::test]
async fn a_killed_server_leaves_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo saved >file; sync; exec sleep 1000";
    let mut server = Command::new(holder());
    server.args(["--home".as_ref(), folder.path().join("run").as_os_str()]);
    let mut child = server
        .args(["sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let home = folder.path().join("homes").join(owner(1).user_id.to_string());
    crate::kit::until("the file", || {
        fs::read_to_string(home.join("file")).is_ok_and(|text| text == "saved\n")
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let output = end_of(
        &folder.path().join("run"),
        Command::new(holder()).arg("--home"),
        &["sh", "-c", "grep -qx saved file && exit 7"],
    );
    assert!(output.contains("status 7"), "{output}");
}

/// Runs a server twice, and checks that the second session has the file of the first.
fn keeps(folder: &Path, mut server: impl FnMut() -> Command) -> u32 {
    for script in ["echo saved >file; exit 7", "grep -qx saved file && exit 7"] {
        let output = end_of(&folder.join("run"), server().arg("--home"), &["sh", "-c", script]);
        assert!(output.contains("status 7"), "{script}: {output}");
    }
    let home = folder.join("homes").join(owner(1).user_id.to_string());
    assert_eq!(home.metadata().unwrap().mode() & 0o7777, 0o700);
    home.join("file").metadata().unwrap().uid()
}

#[tokio::test]
async fn a_server_without_privileges_keeps_homes_as_its_own_user() {
    let folder = tempfile::tempdir().unwrap();
    let of = keeps(folder.path(), || unprivileged(folder.path()));
    assert_eq!(of, unprivileged_uid());
}

#[tokio::test]
async fn the_packaged_unit_keeps_homes_with_its_five_capabilities() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    drop(unprivileged(folder.path()));
    let server = || {
        let uid = unprivileged_uid().to_string();
        let few = "+setuid,+setgid,+setpcap,+kill,+chown";
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--no-new-privs"]);
        command.args(["--inh-caps", few, "--ambient-caps", few]);
        command
            .arg(format!("--bounding-set=-all,{few}"))
            .arg(folder.path().join("hold"));
        command
    };
    let of = keeps(folder.path(), server);
    assert!(of != unprivileged_uid() && of != 0, "{of}");
    // As systemd makes StateDirectory= without our mode.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::chown(folder.path(), Some(unprivileged_uid()), None).unwrap();
    let output = end_of(&folder.path().join("run"), server().arg("--home"), &["true"]);
    assert!(
        output.contains("can't reach the homes") && output.contains("mode 0711"),
        "{output}"
    );
}
