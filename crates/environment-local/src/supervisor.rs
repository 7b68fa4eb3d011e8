//! One task for each session: it prepares the session, waits for its end, and removes everything.

use std::{
    ffi::OsString,
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, atomic::Ordering},
};

use environments::{Home, Owner, StartSpec};
use session::regional::Regional;
use tokio::{
    sync::mpsc,
    task::spawn_blocking,
    time::{Duration, Instant, interval, sleep_until},
};

use crate::{
    desk::Command,
    environment::{Ending, Session, Shared},
    folder::Folder,
    homes::Home as HomeFolder,
    identities::Identity,
    launcher::Launcher,
    life::Life,
    limits::PER_SESSION,
    locales::Locale,
    programs::can_play_sound,
    readiness::Report,
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
    mut commands: mpsc::Receiver<Command>,
) {
    let namespaces = if spec.allow_user_namespaces {
        UserNamespaces::Allowed
    } else {
        UserNamespaces::Denied
    };
    let prepared = {
        let (shared, session) = (Arc::clone(&shared), Arc::clone(&session));
        spawn_blocking(move || prepare(&shared, &session, namespaces, spec.home, spec.sound, &spec.regional)).await
    };
    let mut ending = match prepared
        .map_err(|error| error.to_string())
        .and_then(|prepared| prepared)
    {
        Ok(prepared) => {
            let place = Place {
                shared: &shared,
                launcher,
                session: &session,
            };
            place.run(&host, &spec.command, prepared, &mut commands).await
        }
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
    locale: Locale,
}

fn prepare(
    shared: &Shared,
    session: &Session,
    namespaces: UserNamespaces,
    home: Home,
    sound: bool,
    regional: &Regional,
) -> Result<Prepared, String> {
    let isolation = &shared.isolation;
    let (identity, owner) = match home {
        Home::Scratch => (isolation.identities.take()?, None),
        Home::Kept(owner) => (None, Some(owner)),
    };
    let filters = isolation.filters(namespaces);
    let folder = Folder::create(shared.run_dir.path(), session.id, filters).map_err(not_started)?;
    // Stored first, so that it is removed after any error below.
    let folder = session.folder.get_or_init(|| folder);
    if sound && can_play_sound() {
        folder.make_sound().map_err(not_started)?;
    }
    let cgroups = isolation.cgroups.make(session.id).map_err(not_started)?;
    Ok(Prepared {
        identity,
        owner,
        cgroups,
        namespaces,
        locale: Locale::nearest(regional),
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

/// A session and the parts of its environment.
struct Place<'a> {
    shared: &'a Arc<Shared>,
    launcher: Launcher,
    session: &'a Session,
}

impl Place<'_> {
    /// Runs the sandbox until nothing of it is left, and returns its end. The identity is free
    /// again after that.
    async fn run(
        &self,
        host: &Host,
        application: &[String],
        prepared: Prepared,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Ending {
        let Self { shared, session, .. } = self;
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
                locale: &prepared.locale,
            };
            let _ = session.user.set(sandbox.uid);
            let line = sandbox.command_line(INSIDE, application);
            let ending = self.attempt(folder, line, commands).await;
            let ready = session.ready.load(Ordering::Acquire);
            match &ending {
                Ending::Lost(why) if !ready && !session.stop.is_cancelled() && shared.isolation.learn(why) => {}
                _ => return ending,
            }
        }
        Ending::Lost("the application could not be started: this host does not allow a sandbox".to_owned())
    }

    /// Runs one command line and returns its end.
    async fn attempt(&self, folder: &Folder, line: Vec<OsString>, commands: &mut mpsc::Receiver<Command>) -> Ending {
        let ready = || self.session.ready.load(Ordering::Acquire);
        let ended = self.to_the_end(folder, line, commands).await;
        let hits = self.shared.isolation.cgroups.hits(self.session.id);
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

    /// The status of the application, or of the sandbox if that ended first, and its last output.
    /// `Err` if it had to be ended.
    async fn to_the_end(
        &self,
        folder: &Folder,
        line: Vec<OsString>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<(ExitStatus, String), String> {
        let socket = OwnedFd::from(folder.listen().map_err(not_started)?);
        let mut running = Running::spawn(&self.launcher, line, Stdio::from(socket))
            .await
            .map_err(not_started)?;
        let seen = self.watch(&mut running, commands).await;
        let ended = running.end(self.session.id).await.map_err(|error| {
            tracing::error!(session = %self.session.id, %error, "could not end a sandbox");
            format!("the application could not be ended: {error}")
        })?;
        let (status, last_words) = ended;
        Ok((
            seen?.map_or(status, |code| ExitStatus::from_raw(i32::from(code) << 8)),
            last_words,
        ))
    }

    /// Returns when the sandbox has ended or must end; with the exit code of the application if
    /// that has ended. `Err` is the reason if it was not a stop. The time limit of a start is in
    /// the application's policy: `control` applies it and stops the session.
    async fn watch(&self, running: &mut Running, commands: &mut mpsc::Receiver<Command>) -> Result<Option<u8>, String> {
        let Self { shared, session, .. } = self;
        let mut look = interval(LOOK_EVERY);
        let mut life = Life::default();
        loop {
            let ends_at = life.ends_at();
            tokio::select! {
                _ = look.tick() => {
                    // In v1 the kernel kills one process, which may not be the application. The rest of
                    // the session is useless.
                    if let Some(why) = shared.isolation.cgroups.hits(session.id).memory_words(PER_SESSION) {
                        return Err(why);
                    }
                }
                event = running.next() => match event {
                    Ok(Event::Report(report)) => {
                        if report == Report::Ready && let Some(inner) = running.inner() {
                            // Only the first counts: the application could repeat the report.
                            let _ = session.inside.set(inner);
                        }
                        self.note(&report, &mut life);
                    }
                    Ok(Event::Ended) => return Ok(None),
                    Err(error) => return Err(format!("the application can't be monitored: {error}")),
                },
                Some(command) = commands.recv() => running.send(command),
                () = sleep_until(ends_at.unwrap_or_else(Instant::now)), if ends_at.is_some() => {
                    return Ok(Some(life.code()));
                }
                () = session.stop.cancelled() => return Ok(None),
            }
        }
    }

    fn note(&self, report: &Report, life: &mut Life) {
        match report {
            Report::Sound => self.session.sound.store(true, Ordering::Release),
            Report::Ready => self.shared.announce_ready(self.session),
            Report::Exited(exit) => life.exited(*exit, Instant::now()),
            Report::Printed(print) => drop(self.session.prints.send_replace(Some(print.clone()))),
            report => {
                if self.session.desk.apply(report) {
                    life.windows(self.session.desk.count(), Instant::now());
                }
            }
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
