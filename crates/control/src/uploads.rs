//! Uploads that go on after a lost connection. The page sends a file in several requests; between them
//! the server keeps the unfinished file.
//!
//! They are in memory, because an unfinished file is worthless after a restart: the page begins again.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::TimeDelta;
use parking_lot::Mutex;
use session::{EnvironmentId, Timestamp, UserId, api::Me};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Control, Error, Result, files::Upload};

/// An upload without a request for this long is given up.
const LIFETIME: TimeDelta = TimeDelta::hours(1);
/// The most unfinished uploads of one person. Each holds three open files.
const MOST_OF_ONE: usize = 16;
/// The most unfinished uploads of all people.
const MOST: usize = 256;

/// The unfinished uploads of this node.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<HashMap<Uuid, Arc<Entry>>>);

struct Entry {
    owner: UserId,
    environment: EnvironmentId,
    length: u64,
    /// Cancelled when another request continues the upload.
    claim: Mutex<CancellationToken>,
    /// `None` after the commit, and after a failure.
    upload: Arc<tokio::sync::Mutex<Option<Upload>>>,
    used_at: Mutex<Timestamp>,
    /// True after the commit. The upload is still known for a while, because its last answer may be lost.
    is_done: AtomicBool,
}

/// A request's claim on an upload. A later request takes it over, because the connection of the earlier
/// one may be lost without this server knowing.
pub struct ClaimedUpload {
    control: Arc<Control>,
    id: Uuid,
    entry: Arc<Entry>,
    upload: OwnedMutexGuard<Option<Upload>>,
    /// Cancelled when another request has claimed the upload.
    pub superseded: CancellationToken,
}

impl Uploads {
    fn add(&self, id: Uuid, entry: Entry) -> Result<()> {
        let mut all = self.0.lock();
        let is_full = |all: &HashMap<_, Arc<Entry>>| {
            let own = all.values().filter(|other| other.owner == entry.owner);
            own.count() >= MOST_OF_ONE || all.len() >= MOST
        };
        if is_full(&all) {
            all.retain(|_, other| !other.is_done.load(Ordering::Relaxed));
        }
        if is_full(&all) {
            return Err(Error::TooManyUploads);
        }
        all.insert(id, Arc::new(entry));
        Ok(())
    }

    /// Another person's upload does not exist.
    fn of(&self, owner: UserId, id: Uuid) -> Result<Arc<Entry>> {
        let all = self.0.lock();
        let entry = all.get(&id).filter(|entry| entry.owner == owner);
        entry.cloned().ok_or(Error::NoUpload)
    }

    fn forget(&self, id: Uuid) {
        self.0.lock().remove(&id);
    }

    fn forget_all(&self) {
        self.0.lock().clear();
    }

    fn forget_unused(&self, now: Timestamp) {
        self.0.lock().retain(|_, entry| now - *entry.used_at.lock() <= LIFETIME);
    }
}

impl Control {
    /// Begins an upload of `length` bytes. Its bytes follow in later requests, unless it has none.
    pub async fn begin_upload(
        self: &Arc<Self>,
        me: &Me,
        environment: EnvironmentId,
        folder: &str,
        name: &str,
        length: u64,
    ) -> Result<Uuid> {
        let upload = self.upload(me, environment, folder, name).await?;
        upload.check_room(length)?;
        let id = self.new_id();
        let entry = Entry {
            owner: me.user_id,
            environment,
            length,
            claim: Mutex::default(),
            upload: Arc::new(tokio::sync::Mutex::new(Some(upload))),
            used_at: Mutex::new(self.now()),
            is_done: AtomicBool::new(false),
        };
        self.uploads.add(id, entry)?;
        self.claim_upload(me, id).await?.finish().await?;
        Ok(id)
    }

    /// Claims an upload. Ends the request that continues it now, whose bytes so far count.
    pub async fn claim_upload(self: &Arc<Self>, me: &Me, id: Uuid) -> Result<ClaimedUpload> {
        let entry = self.uploads.of(me.user_id, id)?;
        // A session that forbids uploads may have been launched since the last request.
        self.require_uploads(me, entry.environment)?;
        let superseded = CancellationToken::new();
        std::mem::replace(&mut *entry.claim.lock(), superseded.clone()).cancel();
        let mut upload = entry.upload.clone().lock_owned().await;
        if let Some(upload) = upload.as_mut() {
            upload.continue_by(self.login(me)?);
        }
        *entry.used_at.lock() = self.now();
        Ok(ClaimedUpload {
            control: self.clone(),
            id,
            entry,
            upload,
            superseded,
        })
    }

    /// Gives an upload up. Nothing of it remains.
    pub async fn cancel_upload(self: &Arc<Self>, me: &Me, id: Uuid) -> Result<()> {
        self.claim_upload(me, id).await?.give_up();
        Ok(())
    }

    /// Gives up all uploads, for a shutdown. Their files would otherwise stay in the homes.
    pub(crate) fn forget_uploads(&self) {
        self.uploads.forget_all();
    }

    /// Gives up the uploads that nobody continues. Runs by timer.
    pub(crate) async fn forget_unused_uploads(&self) -> Result<()> {
        self.uploads.forget_unused(self.now());
        Ok(())
    }
}

impl ClaimedUpload {
    /// The number of bytes that have arrived; the length once the file is whole.
    pub fn offset(&self) -> u64 {
        self.upload.as_ref().map_or(self.entry.length, Upload::bytes)
    }

    /// The number of bytes of the whole file.
    pub fn length(&self) -> u64 {
        self.entry.length
    }

    /// Appends bytes. After a failure the upload is given up, because it is unknown how many of them were
    /// written.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let end = self.offset() + bytes.len() as u64;
        if end > self.entry.length {
            return Err(Error::Malformed(format!(
                "The file has {} bytes, and more arrived.",
                self.entry.length
            )));
        }
        let upload = self.upload.as_mut().ok_or(Error::NoUpload)?;
        *self.entry.used_at.lock() = self.control.now();
        let written = upload.write(bytes).await;
        // After another sign-in the person can continue.
        if !matches!(written, Ok(()) | Err(Error::SignIn)) {
            self.give_up();
        }
        written
    }

    /// Makes the file visible if it is whole. Returns its name then.
    pub async fn finish(mut self) -> Result<Option<String>> {
        if self.offset() < self.entry.length {
            return Ok(None);
        }
        let Some(upload) = self.upload.take() else {
            return Ok(None);
        };
        let name = upload.commit().await;
        if name.is_ok() {
            self.entry.is_done.store(true, Ordering::Relaxed);
        } else {
            self.give_up();
        }
        name.map(Some)
    }

    fn give_up(&mut self) {
        *self.upload = None;
        self.control.uploads.forget(self.id);
    }
}
