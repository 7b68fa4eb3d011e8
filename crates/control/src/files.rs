//! Files of a person in kept homes: each person sees and moves their own only, with or without a
//! session.
//!
//! A transfer is an event, which is written before an upload becomes visible and before the first byte
//! of a download.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use environments::{FilesError, HomeFiles, HomePath, Listing, Owner, Reading, Writing};
use session::{
    Actor, EnvironmentId, Event, EventKind, HomeKind, HomeUse, Role, Session, SessionId, Transfer, api::Me,
    event::FileTransfer, printing,
};
use store::EnvironmentRow;
use tokio::io::{AsyncRead, ReadBuf};

use crate::{
    Control, Error, Result,
    authorization::{actor, require},
    logins::Login,
};

/// A folder of a person.
#[derive(Debug)]
pub struct Folder {
    /// The environment that keeps it, and those that the person can choose instead.
    pub environment: EnvironmentRow,
    /// Every environment that keeps homes and that this server reaches.
    pub environments: Vec<EnvironmentRow>,
    /// The folder.
    pub path: HomePath,
    /// Its files.
    pub listing: Listing,
    /// The size of the whole home, if it has a limit and could be measured.
    pub size: Option<HomeUse>,
    /// The permitted directions.
    pub transfer: Transfer,
    /// The applications whose live sessions restrict the directions further than the setting does.
    pub restricted_by: Vec<Restriction>,
}

/// A live session whose application restricts the transfers of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// Name of the application.
    pub application: Arc<str>,
    /// The directions that it permits.
    pub permits: Transfer,
}

/// An upload that has begun. Dropping it leaves nothing.
pub struct Upload {
    control: Arc<Control>,
    writing: Box<dyn Writing>,
    by: Actor,
    login: Option<Arc<Login>>,
    place: Place,
    path: HomePath,
    bytes: u64,
    room: Option<u64>,
}

/// A download. It fails when the login ends.
pub(crate) struct Download {
    pub content: Box<dyn AsyncRead + Send + Unpin>,
    pub login: Option<Arc<Login>>,
}

/// The place of a home.
pub(crate) struct Place {
    pub row: EnvironmentRow,
    pub files: Arc<dyn HomeFiles>,
    pub owner: Owner,
}

impl Download {
    fn of(reading: Reading, login: Option<Arc<Login>>) -> Reading {
        let content = reading.content;
        Reading {
            content: Box::new(Self { content, login }),
            ..reading
        }
    }
}

impl Place {
    /// The environment and its name, for an event.
    pub(crate) fn named(&self) -> (EnvironmentId, Arc<str>) {
        (self.row.id, self.row.name.clone())
    }
}

impl Control {
    /// A folder of this person. Without an environment: in the first that keeps homes.
    pub async fn folder(&self, me: &Me, environment: Option<EnvironmentId>, path: &str) -> Result<Folder> {
        require(me, Role::User)?;
        let path = HomePath::parse(path)?;
        let environments = self.keepers().await?;
        let place = self.place(me, environment).await?;
        let size = self.size(&place).await;
        Ok(Folder {
            transfer: self.permitted(me, place.row.id),
            restricted_by: self.restrictions(me, place.row.id),
            listing: place.files.list(place.owner, &path).await?,
            environment: place.row,
            environments,
            path,
            size,
        })
    }

    /// Opens a file of this person for download.
    pub async fn download(&self, me: &Me, environment: EnvironmentId, path: &str) -> Result<Reading> {
        require(me, Role::User)?;
        self.require_downloads(me, environment)?;
        let path = HomePath::parse(path)?;
        let place = self.place(me, Some(environment)).await?;
        let login = self.login(me)?;
        let reading = place.files.read(place.owner, &path).await?;
        self.log_transfer(&actor(me), place.named(), &path, FileTransfer::Downloaded, reading.size)
            .await?;
        Ok(Download::of(reading, login))
    }

    /// Opens a print of a session of this person for download. If the home is not kept, the session
    /// must run on this node.
    pub async fn download_print(&self, me: &Me, id: SessionId, name: &str) -> Result<Reading> {
        let session = self.own_session_fresh(me, id).await?;
        if !self.prints_leave(me, &session) {
            return Err(Error::FilesOff("Downloads"));
        }
        let path = HomePath::parse(printing::FOLDER)?.join(name)?;
        if session.home == Some(HomeKind::Kept) {
            return self.download(me, session.environment_id, &path.to_string()).await;
        }
        if session.status.is_live() && !self.hosts(&session) {
            return Err(Error::NodeAway(session.node.clone()));
        }
        let login = self.login(me)?;
        let environment = self.environments.get(&session.environment_id);
        let reading = environment.ok_or(FilesError::NotFound)?.session_file(id, &path).await?;
        let place = (session.environment_id, session.environment.clone());
        self.log_transfer(&actor(me), place, &path, FileTransfer::Downloaded, reading.size)
            .await?;
        Ok(Download::of(reading, login))
    }

    /// True if the prints of this session may leave it.
    pub(crate) fn prints_leave(&self, me: &Me, session: &Session) -> bool {
        let others = match session.home {
            Some(HomeKind::Kept) => self.permitted(me, session.environment_id),
            Some(HomeKind::Scratch) => self.options.files,
            None => Transfer::Off,
        };
        others.and(session.policy.files).allows_out()
    }

    /// Begins an upload into a folder of this person.
    pub async fn upload(
        self: &Arc<Self>,
        me: &Me,
        environment: EnvironmentId,
        folder: &str,
        name: &str,
    ) -> Result<Upload> {
        require(me, Role::User)?;
        self.require_uploads(me, environment)?;
        let folder = HomePath::parse(folder)?;
        let path = folder.join(name)?;
        let place = self.place(me, Some(environment)).await?;
        place.files.forget_size(place.owner);
        let room = self.size(&place).await.map(|size| size.limit.saturating_sub(size.used));
        let largest = self.options.largest_upload;
        Ok(Upload {
            control: self.clone(),
            writing: place.files.write(place.owner, &folder, name).await?,
            by: actor(me),
            login: self.login(me)?,
            place,
            path,
            bytes: 0,
            room: room.into_iter().chain(largest).min(),
        })
    }

    /// Makes a folder of this person.
    pub async fn make_folder(&self, me: &Me, environment: EnvironmentId, folder: &str, name: &str) -> Result<()> {
        require(me, Role::User)?;
        let path = HomePath::parse(folder)?.join(name)?;
        let place = self.place(me, Some(environment)).await?;
        Ok(place.files.make_folder(place.owner, &path).await?)
    }

    /// Gives a file of this person another name.
    pub async fn rename_file(&self, me: &Me, environment: EnvironmentId, path: &str, name: &str) -> Result<()> {
        require(me, Role::User)?;
        let path = HomePath::parse(path)?;
        let place = self.place(me, Some(environment)).await?;
        Ok(place.files.rename(place.owner, &path, name).await?)
    }

    /// Removes a file of this person, or a folder with everything in it.
    pub async fn remove_file(&self, me: &Me, environment: EnvironmentId, path: &str) -> Result<()> {
        require(me, Role::User)?;
        let path = HomePath::parse(path)?;
        let place = self.place(me, Some(environment)).await?;
        place.files.remove(place.owner, &path).await?;
        place.files.forget_size(place.owner);
        Ok(())
    }

    /// Refuses a person who may not upload into an environment now.
    pub(crate) fn require_uploads(&self, me: &Me, environment: EnvironmentId) -> Result<()> {
        if self.permitted(me, environment).allows_in() {
            Ok(())
        } else {
            Err(Error::FilesOff("Uploads"))
        }
    }

    /// Refuses a person who may not download from an environment now.
    pub(crate) fn require_downloads(&self, me: &Me, environment: EnvironmentId) -> Result<()> {
        if self.permitted(me, environment).allows_out() {
            Ok(())
        } else {
            Err(Error::FilesOff("Downloads"))
        }
    }

    /// The directions in which a person may transfer files of an environment now.
    pub(crate) fn permitted(&self, me: &Me, environment: EnvironmentId) -> Transfer {
        let restrictions = self.restrictions(me, environment);
        let all = restrictions.iter().map(|restriction| restriction.permits);
        all.fold(self.options.files, Transfer::and)
    }

    /// The live sessions of a person that use the kept home and restrict its transfers. Every
    /// application of a person has the same home, so the page Files obeys each of them.
    fn restrictions(&self, me: &Me, environment: EnvironmentId) -> Vec<Restriction> {
        let mut all: Vec<_> = self.replica.live_of(me.user_id).into_values().collect();
        all.retain(|session| session.environment_id == environment && session.home == Some(HomeKind::Kept));
        all.retain(|session| session.policy.files != Transfer::Both);
        all.sort_by(|a, b| a.application.cmp(&b.application));
        let restriction = |session: Arc<session::Session>| Restriction {
            application: session.application.clone(),
            permits: session.policy.files,
        };
        all.into_iter().map(restriction).collect()
    }

    /// The environments that keep homes and that this server reaches, by name.
    async fn keepers(&self) -> Result<Vec<EnvironmentRow>> {
        let mut rows = self.store.environments().await?;
        rows.retain(|row| {
            let keeps = row.homes.is_some_and(|homes| homes.kind == HomeKind::Kept);
            keeps
                && self
                    .environments
                    .get(&row.id)
                    .is_some_and(|reached| reached.home_files().is_some())
        });
        Ok(rows)
    }

    /// The size of a home, if it has a limit and can be measured.
    async fn size(&self, place: &Place) -> Option<HomeUse> {
        let limit = place.row.homes?.limit()?;
        self.home_use(place.row.id, place.owner.user_id, limit).await
    }

    pub(crate) async fn place(&self, me: &Me, environment: Option<EnvironmentId>) -> Result<Place> {
        let rows = self.keepers().await?;
        let wanted = |row: &EnvironmentRow| environment.is_none_or(|id| row.id == id);
        let row = rows.into_iter().find(wanted).ok_or(Error::NoHomes)?;
        let files = self.environments.get(&row.id).and_then(|reached| reached.home_files());
        let user = self.store.user_named(&me.username).await?;
        let user = user.filter(|user| user.id == me.user_id).ok_or(Error::SignIn)?;
        Ok(Place {
            row,
            files: files.ok_or(Error::NoHomes)?,
            owner: Owner {
                user_id: user.id,
                number: user.number,
            },
        })
    }

    pub(crate) async fn log_transfer(
        &self,
        by: &Actor,
        (environment_id, environment): (EnvironmentId, Arc<str>),
        path: &HomePath,
        transfer: FileTransfer,
        bytes: u64,
    ) -> Result<()> {
        let event = Event {
            at: self.clock.now(),
            session_id: None,
            actor: by.clone(),
            what: EventKind::FileTransferred {
                transfer,
                environment_id,
                environment,
                file: path.to_string().into(),
                bytes,
            },
        };
        Ok(self.store.log_event(&event).await?)
    }
}

impl Upload {
    /// Appends bytes.
    ///
    /// # Errors
    /// If the file would exceed the limit of the home or of an upload, or if the login has ended.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.check_login()?;
        let end = self.bytes + bytes.len() as u64;
        self.check_room(end)?;
        self.writing.write(bytes).await?;
        self.bytes = end;
        Ok(())
    }

    /// The number of bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ties the upload to the login that continues it.
    pub(crate) fn continue_by(&mut self, login: Option<Arc<Login>>) {
        self.login = login;
    }

    /// Refuses a file of `length` bytes if there is no room for it.
    pub(crate) fn check_room(&self, length: u64) -> Result<()> {
        match self.room {
            Some(room) if length > room => Err(Error::FileTooLarge(room)),
            _ => Ok(()),
        }
    }

    fn check_login(&self) -> Result<()> {
        match &self.login {
            Some(login) if login.ended.is_cancelled() => Err(Error::SignIn),
            _ => Ok(()),
        }
    }

    /// Makes the file visible. Returns its name, which has a number if the name was in use.
    pub async fn commit(self) -> Result<String> {
        let Self {
            control,
            writing,
            by,
            place,
            path,
            bytes,
            ..
        } = self;
        // Uploads at the same time had the same room. All of their unfinished files count here.
        place.files.forget_size(place.owner);
        if let Some(size) = control.size(&place).await.filter(|size| size.is_full()) {
            return Err(Error::FileTooLarge(size.limit.saturating_sub(size.used)));
        }
        control
            .log_transfer(&by, place.named(), &path, FileTransfer::Uploaded, bytes)
            .await?;
        Ok(writing.commit().await?)
    }
}

impl AsyncRead for Download {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.login.as_ref().is_some_and(|login| login.ended.is_cancelled()) {
            return Poll::Ready(Err(io::Error::other("the login has ended")));
        }
        Pin::new(&mut self.content).poll_read(context, buffer)
    }
}

impl From<FilesError> for Error {
    fn from(error: FilesError) -> Self {
        Self::Files(error)
    }
}
