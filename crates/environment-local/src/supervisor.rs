//! One task for each session: it prepares the session, waits for its end, and removes everything.

use std::{
    ffi::OsString,
    io,
    os::fd::OwnedFd,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, atomic::Ordering},
};

use environments::{Home, Owner, StartSpec};
use tokio::{
    task::spawn_blocking,
    time::{Duration, interval},
};

use crate::{
    environment::{Ending, Session, Shared},
    folder::Folder,
    homes::Home as HomeFolder,
    identities::Identity,
    launcher::Launcher,
    limits::PER_SESSION,
    running::{Event, Running, describe},
    sandbox::{HomeMount, Host, INSIDE, Sandbox},
    syscalls::UserNamespaces,
};

/// The interval of the checks for memory shortage in a running session.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One attempt, and one more for each feature that `Isolation::learn` can do without.
const ATTEMPTS: u32 = 4;

/// Runs a session to its end.
pub(crate) async fn supervise(
    shared: Arc<Shared>,
    launcher: Launcher,
    host: Host,
    session: Arc<Session>,
    spec: StartSpec,
) {
    let namespaces = if spec.allow_user_namespaces {
        UserNamespaces::Allowed
    } else {
        UserNamespaces::Denied
    };
    let prepared = {
        let (shared, session) = (Arc::clone(&shared), Arc::clone(&session));
        spawn_blocking(move || prepare(&shared, &session, namespaces, spec.home)).await
    };
    let mut ending = match prepared
        .map_err(|error| error.to_string())
        .and_then(|prepared| prepared)
    {
        Ok(prepared) => run(&shared, launcher, &host, &session, &spec.command, prepared).await,
        Err(why) => Ending::Lost(why),
    };
    if let Err(error) = clean(&shared, &session).await {
        tracing::error!(session = %session.id, %error, "could not remove the folder of a session");
        ending = Ending::Lost(format!("the folder of the session could not be removed: {error}"));
    }
    shared.forget(&session, ending);
}

/// The resources of a session before its first process, except its folder.
struct Prepared {
    /// The user of a session whose home is not kept.
    identity: Option<Identity>,
    owner: Option<Owner>,
    cgroups: Vec<PathBuf>,
    namespaces: UserNamespaces,
}

fn prepare(shared: &Shared, session: &Session, namespaces: UserNamespaces, home: Home) -> Result<Prepared, String> {
    let isolation = &shared.isolation;
    let (identity, owner) = match home {
        Home::Scratch => (isolation.identities.take()?, None),
        Home::Kept(owner) => (None, Some(owner)),
    };
    let filters = isolation.filters(namespaces);
    let folder = Folder::create(shared.run_dir.path(), session.id, filters).map_err(not_started)?;
    // Stored first, so that it is removed after any error below.
    session.folder.get_or_init(|| folder);
    let cgroups = isolation.cgroups.make(session.id).map_err(not_started)?;
    Ok(Prepared {
        identity,
        owner,
        cgroups,
        namespaces,
    })
}

/// The kept home of the session, if it has one.
async fn home(shared: &Arc<Shared>, owner: Option<Owner>, mount: HomeMount) -> Result<Option<HomeFolder>, String> {
    let Some(owner) = owner else { return Ok(None) };
    let shared = Arc::clone(shared);
    let taken = spawn_blocking(move || {
        let homes = shared.homes.as_ref().ok_or("this server has no folder for homes")?;
        homes.take(owner, &shared.isolation.identities, mount == HomeMount::Path)
    });
    taken.await.map_err(|error| error.to_string())?.map(Some)
}

fn not_started(error: io::Error) -> String {
    format!("the application could not be started: {error}")
}

/// Runs the sandbox until nothing of it is left, and returns its end. The identity is free again
/// after that.
async fn run(
    shared: &Arc<Shared>,
    launcher: Launcher,
    host: &Host,
    session: &Session,
    application: &[String],
    prepared: Prepared,
) -> Ending {
    let Some(folder) = session.folder.get() else {
        return Ending::Lost("the session has no folder".to_owned());
    };
    // Each further attempt does without one more feature that this host refuses.
    for _ in 0..ATTEMPTS {
        let home_mount = shared.isolation.home_mount(host);
        let home = match home(shared, prepared.owner, home_mount).await {
            Ok(home) => home,
            Err(why) => return Ending::Lost(format!("the application could not be started: {why}")),
        };
        let own = prepared.identity.as_ref().map(Identity::uid);
        let sandbox = Sandbox {
            host,
            proc: shared.isolation.proc(),
            session: session.id,
            uid: home.as_ref().map_or(own, |home| home.uid),
            folder: folder.path(),
            cgroups: &prepared.cgroups,
            processes: shared.isolation.processes,
            namespaces: prepared.namespaces,
            namespace_limit: shared.isolation.namespace_limit(),
            home: home.as_ref().map(|home| &*home.path),
            home_mount,
        };
        let line = sandbox.command_line(INSIDE, application);
        let ending = attempt(shared, launcher.clone(), session, folder, line).await;
        let ready = session.ready.load(Ordering::Acquire);
        match &ending {
            Ending::Lost(why) if !ready && !session.stop.is_cancelled() && shared.isolation.learn(why) => {}
            _ => return ending,
        }
    }
    Ending::Lost("the application could not be started: this host does not allow a sandbox".to_owned())
}

/// Runs one command line and returns its end.
async fn attempt(
    shared: &Shared,
    launcher: Launcher,
    session: &Session,
    folder: &Folder,
    line: Vec<OsString>,
) -> Ending {
    let ready = || session.ready.load(Ordering::Acquire);
    let ended = to_the_end(shared, launcher, session, folder, line).await;
    let hits = shared.isolation.cgroups.hits(session.id);
    if let Some(why) = hits.memory_words(PER_SESSION) {
        return Ending::Lost(why);
    }
    let why = match ended {
        Ok((status, _)) if status.success() && ready() => return Ending::Closed,
        Ok((status, last_words)) => describe(status, &last_words, ready()),
        Err(why) => why,
    };
    Ending::Lost(match hits.processes_words(PER_SESSION) {
        Some(limit) => format!("{why}; {limit}"),
        None => why,
    })
}

/// Its status and its last output if it ended by itself; `Err` if it had to be ended.
async fn to_the_end(
    shared: &Shared,
    launcher: Launcher,
    session: &Session,
    folder: &Folder,
    line: Vec<OsString>,
) -> Result<(ExitStatus, String), String> {
    let socket = OwnedFd::from(folder.listen().map_err(not_started)?);
    let mut running = Running::spawn(&launcher, line, Stdio::from(socket))
        .await
        .map_err(not_started)?;
    // From here on only the environment keeps the launcher's thread alive.
    drop(launcher);
    let seen = watch(shared, session, &mut running).await;
    let ended = running.end(session.id).await.map_err(|error| {
        tracing::error!(session = %session.id, %error, "could not end a sandbox");
        format!("the application could not be ended: {error}")
    })?;
    seen.map(|()| ended)
}

/// Returns when the sandbox has ended or must end; `Err` is the reason if it was not a stop. The
/// time limit of a start is in the application's policy: `control` applies it and stops the
/// session.
async fn watch(shared: &Shared, session: &Session, running: &mut Running) -> Result<(), String> {
    let mut look = interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = look.tick() => {
                // In v1 the kernel kills one process, which may not be the application. The rest of
                // the session is useless.
                if let Some(why) = shared.isolation.cgroups.hits(session.id).memory_words(PER_SESSION) {
                    return Err(why);
                }
            }
            event = running.next() => match event {
                Ok(Event::Ready) => shared.announce_ready(session),
                Ok(Event::Ended) => return Ok(()),
                Err(error) => return Err(format!("the application can't be monitored: {error}")),
            },
            () = session.stop.cancelled() => return Ok(()),
        }
    }
}

async fn clean(shared: &Arc<Shared>, session: &Arc<Session>) -> io::Result<()> {
    let (shared, session) = (Arc::clone(shared), Arc::clone(session));
    let remove = move || {
        shared.isolation.cgroups.remove(session.id);
        session.folder.get().map_or(Ok(()), Folder::remove)
    };
    spawn_blocking(remove).await.map_err(io::Error::other)?
}
