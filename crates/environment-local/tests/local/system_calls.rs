//! The system calls that are denied to applications.

use environments::{Environment, StartSpec};

use crate::kit::{Trial, end_of, spec, with_mounts};

/// Each line ends the application with its own status if the sandbox has a hole.
const NAMESPACES_AND_MOUNTS: &str = "
    unshare --user true 2>/dev/null && exit 11
    unshare --user --map-root-user mount -t tmpfs -o size=12g none /tmp 2>/dev/null && exit 12
    mount -t tmpfs -o size=12g none /tmp 2>/dev/null && exit 13
    unshare --net true 2>/dev/null && exit 14
    unshare --mount true 2>/dev/null && exit 15
    exit 7";

#[tokio::test]
async fn namespaces_and_mounts_are_denied() {
    let mut trial = Trial::new();
    let id = trial.start(&["sh", "-c", NAMESPACES_AND_MOUNTS]).await;
    assert_eq!(trial.lost(id).await, "the application ended with status 7");
    trial.leaves_nothing(id);
}

/// In many containers `/proc/sys` is read-only, so bwrap can't set the kernel's limit: only the
/// filter is left.
#[tokio::test]
async fn the_filter_alone_denies_namespaces_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = with_mounts("mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys");
    let reason = end_of(folder.path(), &mut server, &["sh", "-c", NAMESPACES_AND_MOUNTS]);
    assert!(reason.contains("the application ended with status 7"), "{reason}");
}

#[tokio::test]
async fn an_application_that_may_make_user_namespaces_still_mounts_nothing() {
    let script = "
        unshare --user true || exit 11
        unshare --user --pid --net --ipc --fork true || exit 12
        unshare --user --map-root-user mount -t tmpfs -o size=12g none /tmp 2>/dev/null && exit 13
        unshare --user --mount true 2>/dev/null && exit 14
        exit 7";
    let mut trial = Trial::new();
    let spec = StartSpec {
        allow_user_namespaces: true,
        ..spec(&["sh", "-c", script])
    };
    trial.environment.start(spec.clone()).await.unwrap();
    assert_eq!(trial.lost(spec.session_id).await, "the application ended with status 7");
}

#[tokio::test]
async fn calls_that_no_application_needs_are_denied_and_others_are_not() {
    const NEW_USER: i64 = 0x1000_0000;
    const SHARE_FILES: i64 = 0x200;
    const ALG: i64 = 38;
    const TYPE_INTO_TERMINAL: i64 = 0x5412;
    let denied = libc::EPERM;
    let cases = [
        (libc::SYS_bpf, [0, 0, 0], denied),
        (libc::SYS_keyctl, [0, 0, 0], denied),
        (libc::SYS_userfaultfd, [0, 0, 0], denied),
        (libc::SYS_io_uring_setup, [1, 0, 0], denied),
        (libc::SYS_unshare, [NEW_USER, 0, 0], denied),
        (libc::SYS_unshare, [SHARE_FILES, 0, 0], 0),
        (libc::SYS_clone3, [0, 0, 0], libc::ENOSYS),
        (libc::SYS_personality, [8, 0, 0], denied),
        (libc::SYS_personality, [0xFFFF_FFFF, 0, 0], 0),
        (libc::SYS_socket, [ALG, 5, 0], libc::EAFNOSUPPORT),
        (libc::SYS_socket, [1, 1, 0], 0),
        (libc::SYS_ioctl, [0, TYPE_INTO_TERMINAL, 0], denied),
        // The same request in the lower half of a longer number.
        (libc::SYS_ioctl, [0, (1 << 32) + TYPE_INTO_TERMINAL, 0], denied),
        (libc::SYS_ioctl, [0, 0x5401, 0], libc::ENOTTY),
        // The second table of x86-64: `getpid`.
        (0x4000_0000 + libc::SYS_getpid, [0, 0, 0], libc::ENOSYS),
    ];
    // The status is 100 plus the index of the first unexpected case.
    let mut script = String::from("sub run { $! = 0; syscall($_[0], $_[1], $_[2], $_[3]) == -1 ? $! + 0 : 0 }\n");
    for (index, (number, [first, second, third], error)) in cases.iter().enumerate() {
        let call = format!("run({number}, {first}, {second}, {third})");
        script.push_str(&format!("{call} == {error} or exit({});\n", 100 + index));
    }
    script.push_str("exit(7);");
    let mut trial = Trial::new();
    let id = trial.start(&["perl", "-e", &script]).await;
    assert_eq!(trial.lost(id).await, "the application ended with status 7");
}
