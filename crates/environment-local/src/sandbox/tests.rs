//! Checks the command line as an auditor would.

use super::*;

fn line(uid: Option<u32>, proc: Proc, cgroups: &[PathBuf]) -> Vec<String> {
    let standard = (UserNamespaces::Denied, NamespaceLimit::KernelAndFilter);
    line_with(uid, proc, cgroups, ProcessLimit::Cgroup, standard)
}

fn line_with(
    uid: Option<u32>,
    proc: Proc,
    cgroups: &[PathBuf],
    processes: ProcessLimit,
    namespaces: (UserNamespaces, NamespaceLimit),
) -> Vec<String> {
    line_of(uid, proc, cgroups, processes, namespaces, (None, HomeMount::Private))
}

fn line_at_home(home_mount: HomeMount) -> Vec<String> {
    let standard = (UserNamespaces::Denied, NamespaceLimit::KernelAndFilter);
    let home = (Some(Path::new("/data/homes/one")), home_mount);
    line_of(Some(4711), Proc::Own, &[], ProcessLimit::Cgroup, standard, home)
}

fn line_of(
    uid: Option<u32>,
    proc: Proc,
    cgroups: &[PathBuf],
    processes: ProcessLimit,
    (namespaces, namespace_limit): (UserNamespaces, NamespaceLimit),
    (home, home_mount): (Option<&Path>, HomeMount),
) -> Vec<String> {
    let host = Host {
        bash: "/bin/bash".into(),
        sh: "/bin/sh".into(),
        setpriv: "/bin/setpriv".into(),
        prlimit: "/bin/prlimit".into(),
        bwrap: "/bin/bwrap".into(),
        mounting: Some(("/bin/unshare".into(), "/bin/mount".into())),
        roots: vec![("/bin", Some("usr/bin".into())), ("/lib", None)],
        printing: true,
    };
    let session = SessionId(uuid::Uuid::nil());
    let locale = Locale {
        lang: "de_DE.UTF-8".into(),
        time_zone: Some("Europe/Berlin".into()),
    };
    let sandbox = Sandbox {
        host: &host,
        proc,
        session,
        uid,
        folder: Path::new("/run/one"),
        cgroups,
        processes,
        namespaces,
        namespace_limit,
        home,
        home_mount,
        locale: &locale,
    };
    let words = sandbox.command_line("script", &["xterm".to_owned(), "-e; rm -rf /".to_owned()]);
    words.into_iter().map(|word| word.into_string().unwrap()).collect()
}

fn at(line: &[String], word: &str) -> usize {
    line.iter()
        .position(|each| each == word)
        .unwrap_or_else(|| panic!("no {word} in {line:?}"))
}

fn holds(line: &[String], words: &[&str]) -> bool {
    line.windows(words.len()).any(|window| window == words)
}

#[test]
fn privileges_fall_before_the_limits_and_the_sandbox() {
    let line = line(Some(4711), Proc::Own, &[]);
    let order = ["/bin/sh", "/bin/setpriv", "/bin/prlimit", "/bin/bwrap", "script"].map(|word| at(&line, word));
    assert!(order.is_sorted(), "{line:?}");
    assert!(holds(
        &line,
        &[
            "--reuid",
            "4711",
            "--regid",
            "4711",
            "--clear-groups",
            "--bounding-set=-all"
        ]
    ));
    assert!(holds(&line, &["--no-new-privs"]));
}

#[test]
fn the_server_is_asked_for_after_its_death_became_a_signal() {
    let line = line(None, Proc::Own, &[]);
    assert!(at(&line, "--pdeathsig") < at(&line, "alive") && at(&line, "alive") < at(&line, "/bin/prlimit"));
    assert!(holds(
        &line,
        &["alive", &std::process::id().to_string(), "/bin/prlimit"]
    ));
}

#[test]
fn a_server_without_privileges_asks_for_nothing_it_may_not() {
    let line = line(None, Proc::Own, &[]);
    for word in ["--reuid", "--clear-groups", "--bounding-set=-all"] {
        assert!(!holds(&line, &[word]), "{word}");
    }
    assert!(holds(&line, &["--no-new-privs"]));
}

#[test]
fn every_namespace_is_its_own_and_the_environment_is_cleared_first() {
    let line = line(None, Proc::Own, &[]);
    for word in ["user", "pid", "ipc", "uts", "net"] {
        assert!(holds(&line, &[&format!("--unshare-{word}")]), "{word}");
    }
    for word in ["--die-with-parent", "--as-pid-1", "--new-session"] {
        assert!(holds(&line, &[word]), "{word}");
    }
    assert!(at(&line, "--clearenv") < at(&line, "--setenv"));
    assert!(!line.iter().any(|word| word.contains("LD_")));
}

#[test]
fn nothing_of_the_host_is_writable() {
    let line = line(None, Proc::Own, &[]);
    assert!(
        !line
            .iter()
            .any(|word| word == "--bind" || word.starts_with("--dev-bind") || word == "--share-net")
    );
    assert!(holds(&line, &["--ro-bind", "/usr", "/usr"]));
    assert!(holds(&line, &["--symlink", "usr/bin", "/bin"]));
    assert!(holds(&line, &["--ro-bind", "/lib", "/lib"]));
    let sized = line.iter().filter(|word| *word == "--size").count();
    assert_eq!(sized, line.iter().filter(|word| *word == "--tmpfs").count());
    assert!(at(&line, "--ro-bind-data") < line.iter().rposition(|word| word == "--remount-ro").unwrap());
}

#[test]
fn a_kept_home_is_the_only_writable_folder_of_the_host() {
    for (way, source) in [(HomeMount::Private, "/tmp"), (HomeMount::Path, "/data/homes/one")] {
        let line = line_at_home(way);
        assert_eq!(line.iter().filter(|word| *word == "--bind").count(), 1);
        assert!(holds(&line, &["--bind", source, "/home/user"]), "{line:?}");
        assert!(
            !line
                .windows(4)
                .any(|words| words[..] == ["--size", "268435456", "--tmpfs", "/home/user"])
        );
    }
}

#[test]
fn the_server_mounts_a_home_before_it_drops_its_privileges() {
    let line = line_at_home(HomeMount::Private);
    assert!(at(&line, "/bin/unshare") < at(&line, MOUNT) && at(&line, MOUNT) < at(&line, "/bin/setpriv"));
    assert!(holds(
        &line,
        &["mount", "/bin/mount", "/data/homes/one", "/bin/setpriv"]
    ));
    assert!(!holds(&line_at_home(HomeMount::Path), &["/bin/unshare"]));
}

#[test]
fn the_application_is_words_and_never_a_shell_line() {
    let line = line(None, Proc::Own, &[]);
    assert!(line.ends_with(&["/bin/sh", "-c", "script", "inside", "xterm", "-e; rm -rf /"].map(str::to_owned)));
}

#[test]
fn the_folder_and_the_cgroups_are_arguments_of_the_first_script() {
    assert!(holds(
        &line(None, Proc::Own, &[]),
        &["outside", "/run/one", "0", "/bin/setpriv"]
    ));
    let joined = line(None, Proc::Own, &["/sys/procs".into(), "/sys/more".into()]);
    assert!(holds(
        &joined,
        &["outside", "/run/one", "2", "/sys/procs", "/sys/more", "/bin/setpriv"]
    ));
}

#[test]
fn processes_are_limited_in_one_place() {
    let standard = (UserNamespaces::Denied, NamespaceLimit::KernelAndFilter);
    let line = |limit| line_with(None, Proc::Own, &[], limit, standard);
    let inside = ["--", "/bin/prlimit", "--nproc=512", "/bin/sh"];
    assert!(holds(&line(ProcessLimit::Namespace), &inside));
    let by_user = line(ProcessLimit::User);
    assert!(!holds(&by_user, &inside) && at(&by_user, "--nproc=512") < at(&by_user, "/bin/bwrap"));
    for limit in [ProcessLimit::Cgroup, ProcessLimit::None] {
        assert!(!line(limit).iter().any(|word| word.contains("nproc")), "{limit:?}");
    }
}

#[test]
fn user_namespaces_are_stopped_unless_they_are_allowed_or_the_host_does_not_let_us() {
    let standard = line(None, Proc::Own, &[]);
    assert!(holds(&standard, &["--unshare-user"]) && holds(&standard, &["--disable-userns"]));
    for (namespaces, limit) in [
        (UserNamespaces::Allowed, NamespaceLimit::KernelAndFilter),
        (UserNamespaces::Denied, NamespaceLimit::Filter),
    ] {
        let line = line_with(None, Proc::Own, &[], ProcessLimit::Cgroup, (namespaces, limit));
        assert!(!holds(&line, &["--disable-userns"]), "{line:?}");
        for descriptor in ["7", "8", "9"] {
            assert!(holds(&line, &["--add-seccomp-fd", descriptor]), "{line:?}");
        }
    }
}

#[test]
fn a_host_that_forbids_a_new_proc_gets_an_empty_one() {
    assert!(holds(&line(None, Proc::Empty, &[]), &["--dir", "/proc"]));
    assert!(!holds(&line(None, Proc::Empty, &[]), &["--proc"]));
}

#[test]
fn the_mark_names_the_session() {
    assert!(holds(
        &line(None, Proc::Own, &[]),
        &["--setenv", MARK, "00000000-0000-0000-0000-000000000000"]
    ));
}

#[test]
fn the_settings_of_the_user_are_defaults_that_the_application_can_change() {
    let line = line(None, Proc::Own, &[]);
    assert!(holds(&line, &["--setenv", "LANG", "de_DE.UTF-8"]));
    assert!(holds(&line, &["--setenv", "TZ", "Europe/Berlin"]));
    assert!(
        !line.iter().any(|word| word.starts_with("LC_")),
        "LC_ALL would win over the application's own LANG"
    );
}
