//! One task a session: it makes what the session needs, waits for its end, and leaves nothing.

use std::{
    ffi::OsString,
    io,
    os::fd::OwnedFd,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, atomic::Ordering},
};

use tokio::{
    task::spawn_blocking,
    time::{Duration, interval},
};

use super::{
    Ending, Session, Shared,
    folder::Folder,
    identities::Identity,
    launcher::Launcher,
    limits::PER_SESSION,
    running::{Event, Running, describe},
    sandbox::{Host, INSIDE, Sandbox},
    syscalls::UserNamespaces,
};
use crate::StartSpec;

/// How often a session that runs is asked whether it has run out of memory.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One attempt, and one more for each thing that `Isolation::learn` knows how to go without.
const ATTEMPTS: u32 = 3;

/// Runs a session from here to its end.
pub(super) async fn supervise(
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
        spawn_blocking(move || prepare(&shared, &session, namespaces)).await
    };
    let mut ending = match prepared
        .map_err(|error| error.to_string())
        .and_then(|prepared| prepared)
    {
        Ok(prepared) => run(&shared, launcher, &host, &session, &spec.command, prepared).await,
        Err(why) => Ending::Lost(why),
    };
    if let Err(error) = clean(&shared, &session).await {
        tracing::error!(session = %session.id, %error, "the folder of a session could not be removed");
        ending = Ending::Lost(format!("the folder of the session could not be removed: {error}"));
    }
    shared.forget(&session, ending);
}

/// What a session has of its own before its first process, besides its folder.
struct Prepared {
    identity: Option<Identity>,
    cgroups: Vec<PathBuf>,
    namespaces: UserNamespaces,
}

fn prepare(shared: &Shared, session: &Session, namespaces: UserNamespaces) -> Result<Prepared, String> {
    let isolation = &shared.isolation;
    let identity = isolation.identities.take()?;
    let filters = isolation.filters(namespaces);
    let folder = Folder::create(shared.run_dir.path(), session.id, filters).map_err(not_started)?;
    // Kept first, so that it is removed whatever comes next.
    session.folder.get_or_init(|| folder);
    let cgroups = isolation.cgroups.make(session.id).map_err(not_started)?;
    Ok(Prepared {
        identity,
        cgroups,
        namespaces,
    })
}

fn not_started(error: io::Error) -> String {
    format!("the application could not be started: {error}")
}

/// Runs the sandbox until nothing of it is left, and says how it ended. The identity is given back after that.
async fn run(
    shared: &Shared,
    launcher: Launcher,
    host: &Host,
    session: &Session,
    application: &[String],
    prepared: Prepared,
) -> Ending {
    let Some(folder) = session.folder.get() else {
        return Ending::Lost("the session has no folder".to_owned());
    };
    // Each attempt after the first goes without one thing more that this host refuses.
    for _ in 0..ATTEMPTS {
        let sandbox = Sandbox {
            host,
            proc: shared.isolation.proc(),
            session: session.id,
            uid: prepared.identity.as_ref().map(Identity::uid),
            folder: folder.path(),
            cgroups: &prepared.cgroups,
            processes: shared.isolation.processes,
            namespaces: prepared.namespaces,
            namespace_limit: shared.isolation.namespace_limit(),
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

/// Runs one command line to its end and says how it ended.
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

/// How it ended by itself, and its last words; `Err` if it had to be ended.
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
    // From here on only the environment itself keeps the launcher's thread alive.
    drop(launcher);
    let seen = watch(shared, session, &mut running).await;
    let ended = running.end(session.id).await.map_err(|error| {
        tracing::error!(session = %session.id, %error, "a sandbox could not be ended");
        format!("the application could not be ended: {error}")
    })?;
    seen.map(|()| ended)
}

/// Returns when the sandbox must end or has ended; `Err` says why it must, unless it was asked to. How long a start may take is
/// the application's policy, which `control` applies: it stops the session.
async fn watch(shared: &Shared, session: &Session, running: &mut Running) -> Result<(), String> {
    let mut look = interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = look.tick() => {
                // v1 ends one process, which need not be the application; what is left of the session is of no use.
                if let Some(why) = shared.isolation.cgroups.hits(session.id).memory_words(PER_SESSION) {
                    return Err(why);
                }
            }
            event = running.next() => match event {
                Ok(Event::Ready) => shared.announce_ready(session),
                Ok(Event::Ended) => return Ok(()),
                Err(error) => return Err(format!("the application can't be watched: {error}")),
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
