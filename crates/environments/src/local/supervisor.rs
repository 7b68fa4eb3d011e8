//! One task a session: it makes what the session needs, waits for its end, and leaves nothing.

use std::{
    ffi::OsString,
    io,
    os::fd::OwnedFd,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, atomic::Ordering},
};

use tokio::task::spawn_blocking;

use super::{
    Ending, Session, Shared,
    folder::Folder,
    identities::Identity,
    launcher::Launcher,
    running::{Event, Running, describe},
    sandbox::{Host, INSIDE, Proc, Sandbox},
};

/// What bwrap says where a new `/proc` is forbidden, as in many containers.
const NO_PROC: &str = "Can't mount proc";

/// Runs a session from here to its end.
pub(super) async fn supervise(
    shared: Arc<Shared>,
    launcher: Launcher,
    host: Host,
    session: Arc<Session>,
    application: Vec<String>,
) {
    let prepared = {
        let (shared, session) = (Arc::clone(&shared), Arc::clone(&session));
        spawn_blocking(move || prepare(&shared, &session)).await
    };
    let mut ending = match prepared
        .map_err(|error| error.to_string())
        .and_then(|prepared| prepared)
    {
        Ok(prepared) => run(&shared, launcher, &host, &session, &application, prepared).await,
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
    cgroup: Option<PathBuf>,
}

fn prepare(shared: &Shared, session: &Session) -> Result<Prepared, String> {
    let identity = shared.identities.take()?;
    let folder = Folder::create(shared.run_dir.path(), session.id).map_err(not_started)?;
    // Kept first, so that it is removed whatever comes next.
    session.folder.get_or_init(|| folder);
    let cgroup = shared.memory.make(session.id).map_err(not_started)?;
    Ok(Prepared { identity, cgroup })
}

fn not_started(error: io::Error) -> String {
    format!("the application could not be started: {error}")
}

/// Runs the sandbox until nothing of it is left, and tells how it ended. The identity is given back after that.
async fn run(
    shared: &Shared,
    launcher: Launcher,
    host: &Host,
    session: &Session,
    application: &[String],
    Prepared { identity, cgroup }: Prepared,
) -> Ending {
    let Some(folder) = session.folder.get() else {
        return Ending::Lost("the session has no folder".to_owned());
    };
    let sandbox = |proc| Sandbox {
        host,
        proc,
        session: session.id,
        uid: identity.as_ref().map(Identity::uid),
        folder: folder.path(),
        cgroup: cgroup.as_deref(),
    };
    if !shared.without_proc.load(Ordering::Acquire) {
        let line = sandbox(Proc::Own).command_line(INSIDE, application);
        let ending = attempt(shared, launcher.clone(), session, folder, line).await;
        let ready = session.ready.load(Ordering::Acquire);
        let why = match ending {
            Ending::Lost(why) if !ready && !session.stop.is_cancelled() && why.contains(NO_PROC) => why,
            ending => return ending,
        };
        tracing::warn!(why, "this host lets sandboxes have no /proc; they get an empty one");
        shared.without_proc.store(true, Ordering::Release);
    }
    let line = sandbox(Proc::Empty).command_line(INSIDE, application);
    attempt(shared, launcher, session, folder, line).await
}

/// Runs one command line to its end and tells how it ended.
async fn attempt(
    shared: &Shared,
    launcher: Launcher,
    session: &Session,
    folder: &Folder,
    line: Vec<OsString>,
) -> Ending {
    let ready = || session.ready.load(Ordering::Acquire);
    match to_the_end(shared, launcher, session, folder, line).await {
        Ok((status, _)) if status.success() && ready() => Ending::Closed,
        Ok((status, last_words)) => Ending::Lost(describe(status, &last_words, ready())),
        Err(why) => Ending::Lost(why),
    }
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
    loop {
        tokio::select! {
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
        shared.memory.remove(session.id);
        session.folder.get().map_or(Ok(()), Folder::remove)
    };
    spawn_blocking(remove).await.map_err(io::Error::other)?
}
