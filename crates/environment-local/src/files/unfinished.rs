//! A file that is being written: it has its name only when it is whole.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::OwnedFd,
};

use async_trait::async_trait;
use environments::{FilesError, Writing};
use rustix::{
    fs::{AtFlags, fsync, linkat, unlinkat},
    io::Errno,
};
use tokio::task::spawn_blocking;

use super::failure;
use crate::as_user::as_user;

/// The most attempts to find an unused name.
const NUMBERS: u32 = 1000;

/// An unfinished file.
pub(super) struct Part {
    pub file: File,
    /// The folder that the file will be in, and its name there.
    pub folder: OwnedFd,
    pub name: String,
    /// The folder that the file is in, and its name there.
    pub unfinished: OwnedFd,
    pub part: String,
    pub uid: Option<u32>,
}

/// `None` only while a step runs, and after the commit.
pub(super) struct Unfinished(pub Option<Part>);

impl Unfinished {
    async fn step<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Part) -> io::Result<T> + Send + 'static,
    ) -> Result<T, FilesError> {
        let mut part = self
            .0
            .take()
            .ok_or_else(|| FilesError::Failed("the upload has failed before".to_owned()))?;
        let done = spawn_blocking(move || (work(&mut part), part)).await;
        let (done, part) = done.map_err(|error| FilesError::Failed(error.to_string()))?;
        self.0 = Some(part);
        done.map_err(failure)
    }
}

#[async_trait]
impl Writing for Unfinished {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        let bytes = bytes.to_vec();
        self.step(move |part| part.file.write_all(&bytes)).await
    }

    async fn commit(mut self: Box<Self>) -> Result<String, FilesError> {
        self.step(|part| {
            part.file.sync_all()?;
            let uid = part.uid;
            as_user(uid, || part.publish())
        })
        .await
    }
}

impl Part {
    /// Links the file to the first name that is not in use.
    fn publish(&self) -> io::Result<String> {
        for number in 1..=NUMBERS {
            let name = numbered(&self.name, number);
            match linkat(&self.unfinished, &self.part, &self.folder, &name, AtFlags::empty()) {
                Ok(()) => {
                    fsync(&self.folder)?;
                    return Ok(name);
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::EXIST.into())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After a commit the file has its other name. A crash before this leaves it to `unfinished`.
        let removed = as_user(self.uid, || {
            Ok(unlinkat(&self.unfinished, &self.part, AtFlags::empty())?)
        });
        if let Err(error) = removed {
            tracing::debug!(%error, "could not remove an unfinished upload");
        }
    }
}

/// `report.txt`, `report (2).txt`, …; at most 255 bytes.
fn numbered(name: &str, number: u32) -> String {
    if number == 1 {
        return name.to_owned();
    }
    let (stem, end) = match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    };
    let mark = format!(" ({number})");
    let mut stem = stem.to_owned();
    while !stem.is_empty() && stem.len() + mark.len() + end.len() > 255 {
        stem.pop();
    }
    format!("{stem}{mark}{end}")
}
