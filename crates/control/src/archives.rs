//! Downloads of whole folders, as zip archives that are made while they are sent.
//!
//! The crate `zip` writes synchronously, so each archive has a thread of its own.

use std::{
    collections::HashSet,
    io::{self, Write},
    sync::Arc,
    thread,
};

use environments::{EntryKind, FilesError, HomeFiles, HomePath, Owner};
use parking_lot::Mutex;
use session::{EnvironmentId, Role, Timestamp, UserId, api::Me, event::FileTransfer};
use tokio::{
    io::{AsyncRead, DuplexStream},
    runtime::Handle,
};
use tokio_util::io::SyncIoBridge;
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::{
    Control, Error, Result,
    authorization::{actor, require},
    files::Download,
};

/// The most files of an archive, so that its list stays small in memory.
const MOST_FILES: usize = 50_000;
/// The most archives at the same time on this node.
const MOST_ARCHIVES: usize = 64;
/// Size of the buffer between the archive and the connection, in bytes.
const BUFFER: usize = 256 * 1024;
/// Fast rather than small: many files are compressed already.
const LEVEL: i64 = 1;

/// The people who download a folder now.
#[derive(Default)]
pub(crate) struct Archives(Arc<Mutex<HashSet<UserId>>>);

/// A running archive. Dropping it lets the person begin another.
struct Running {
    people: Arc<Mutex<HashSet<UserId>>>,
    person: UserId,
}

impl Archives {
    fn begin(&self, person: UserId) -> Result<Running> {
        let mut people = self.0.lock();
        if people.len() >= MOST_ARCHIVES || !people.insert(person) {
            return Err(Error::TooManyArchives);
        }
        Ok(Running {
            people: self.0.clone(),
            person,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.people.lock().remove(&self.person);
    }
}

/// A file or an empty folder of an archive.
struct Item {
    path: HomePath,
    kind: EntryKind,
    modified: Timestamp,
}

impl Control {
    /// Opens a folder of this person for download as a zip archive. Links, devices and files whose names
    /// are unreadable are left out.
    ///
    /// # Errors
    /// If the folder has too many files, or if the person downloads another folder now.
    pub async fn download_folder(
        &self,
        me: &Me,
        environment: EnvironmentId,
        path: &str,
    ) -> Result<Box<dyn AsyncRead + Send + Unpin>> {
        require(me, Role::User)?;
        self.require_downloads(me, environment)?;
        let folder = HomePath::parse(path)?;
        let place = self.place(me, Some(environment)).await?;
        let running = self.archives.begin(me.user_id)?;
        let (items, bytes) = items(&*place.files, place.owner, &folder).await?;
        let login = self.login(me)?;
        self.log_transfer(&actor(me), place.named(), &folder, FileTransfer::Downloaded, bytes)
            .await?;
        let (reader, writer) = tokio::io::duplex(BUFFER);
        let (files, owner, runtime) = (place.files, place.owner, Handle::current());
        let depth = folder.names().len();
        let work = move || {
            let written = write(&runtime, &*files, owner, depth, &items, writer);
            if let Err(error) = written {
                tracing::debug!(%error, "an archive was not finished");
            }
            drop(running);
        };
        let thread = thread::Builder::new().name("archive".to_owned()).spawn(work);
        thread.map_err(|error| Error::Internal(format!("no thread for an archive: {error}")))?;
        let content = Box::new(reader);
        Ok(Box::new(Download { content, login }))
    }
}

/// Everything below a folder, and the number of its bytes.
async fn items(files: &dyn HomeFiles, owner: Owner, folder: &HomePath) -> Result<(Vec<Item>, u64)> {
    let (mut items, mut bytes, mut folders) = (Vec::new(), 0, vec![folder.clone()]);
    while let Some(folder) = folders.pop() {
        let listing = files.list(owner, &folder).await?;
        if listing.is_cut {
            return Err(Error::ArchiveTooLarge(MOST_FILES));
        }
        for entry in listing.entries.into_iter().filter(|entry| entry.is_exact) {
            let path = folder.join(&entry.name)?;
            match entry.kind {
                EntryKind::Folder => folders.push(path.clone()),
                EntryKind::File => bytes += entry.size,
                EntryKind::Other => continue,
            }
            let (kind, modified) = (entry.kind, entry.modified);
            items.push(Item { path, kind, modified });
        }
        if items.len() > MOST_FILES {
            return Err(Error::ArchiveTooLarge(MOST_FILES));
        }
    }
    Ok((items, bytes))
}

/// Writes the archive. Its names begin below the folder, which has `depth` names.
fn write(
    runtime: &Handle,
    files: &dyn HomeFiles,
    owner: Owner,
    depth: usize,
    items: &[Item],
    to: DuplexStream,
) -> io::Result<()> {
    let to = io::BufWriter::with_capacity(BUFFER, SyncIoBridge::new_with_handle(to, runtime.clone()));
    let mut zip = ZipWriter::new_stream(to);
    for Item { path, kind, modified } in items {
        let name = path.names().get(depth..).unwrap_or_default().join("/");
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(DateTime::try_from(modified.naive_utc()).unwrap_or_default())
            .large_file(true);
        if *kind == EntryKind::Folder {
            zip.add_directory(name, options)?;
            continue;
        }
        let reading = match runtime.block_on(files.read(owner, path)) {
            Ok(reading) => reading,
            // It was removed or replaced since the list was made.
            Err(FilesError::NotFound | FilesError::NotAFile) => continue,
            Err(error) => return Err(io::Error::other(error)),
        };
        zip.start_file(name, options)?;
        io::copy(
            &mut SyncIoBridge::new_with_handle(reading.content, runtime.clone()),
            &mut zip,
        )?;
    }
    zip.finish()?.into_inner().flush()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use async_trait::async_trait;
    use environments::{Entry, Listing, Reading, Writing};
    use tokio::io::AsyncReadExt;
    use zip::ZipArchive;

    use super::*;

    /// `a.txt`, `empty/`, `sub/b.txt`, `sub/loop` (a link), `gone.txt` (removed after the listing), and a
    /// file with an unreadable name.
    struct Files;

    fn entry(name: &str, kind: EntryKind) -> Entry {
        Entry {
            kind,
            name: name.to_owned(),
            is_exact: name != "unreadable",
            size: 5,
            modified: Timestamp::default(),
        }
    }

    #[async_trait]
    impl HomeFiles for Files {
        fn forget_size(&self, _: Owner) {}

        async fn list(&self, _: Owner, folder: &HomePath) -> std::result::Result<Listing, FilesError> {
            let entries = match folder.to_string().as_str() {
                "home" => vec![
                    entry("empty", EntryKind::Folder),
                    entry("sub", EntryKind::Folder),
                    entry("a.txt", EntryKind::File),
                    entry("gone.txt", EntryKind::File),
                    entry("unreadable", EntryKind::File),
                ],
                "home/sub" => vec![entry("b.txt", EntryKind::File), entry("loop", EntryKind::Other)],
                _ => Vec::new(),
            };
            Ok(Listing { entries, is_cut: false })
        }

        async fn read(&self, _: Owner, file: &HomePath) -> std::result::Result<Reading, FilesError> {
            if file.to_string().ends_with("gone.txt") {
                return Err(FilesError::NotFound);
            }
            let content = file.to_string().into_bytes();
            Ok(Reading {
                size: 5,
                content: Box::new(Cursor::new(content)),
            })
        }

        async fn write(&self, _: Owner, _: &HomePath, _: &str) -> std::result::Result<Box<dyn Writing>, FilesError> {
            Err(FilesError::NotFound)
        }

        async fn make_folder(&self, _: Owner, _: &HomePath) -> std::result::Result<(), FilesError> {
            Err(FilesError::NotFound)
        }

        async fn rename(&self, _: Owner, _: &HomePath, _: &str) -> std::result::Result<(), FilesError> {
            Err(FilesError::NotFound)
        }

        async fn remove(&self, _: Owner, _: &HomePath) -> std::result::Result<(), FilesError> {
            Err(FilesError::NotFound)
        }
    }

    #[tokio::test]
    async fn an_archive_has_the_files_and_folders_below_and_no_links() {
        let owner = Owner {
            user_id: UserId::numbered(1),
            number: 1,
        };
        let (items, bytes) = items(&Files, owner, &HomePath::parse("home").unwrap()).await.unwrap();
        assert_eq!(bytes, 15, "a.txt, gone.txt and b.txt");
        let (mut reader, writer) = tokio::io::duplex(100);
        let runtime = Handle::current();
        let written = thread::spawn(move || write(&runtime, &Files, owner, 1, &items, writer));
        let mut archive = Vec::new();
        reader.read_to_end(&mut archive).await.unwrap();
        written.join().unwrap().unwrap();

        let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
        let mut names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
        names.sort();
        assert_eq!(names, ["a.txt", "empty/", "sub/", "sub/b.txt"]);
        let mut text = String::new();
        archive.by_name("sub/b.txt").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "home/sub/b.txt");
    }

    #[test]
    fn a_person_downloads_one_folder_at_a_time() {
        let archives = Archives::default();
        let (one, other) = (UserId::numbered(1), UserId::numbered(2));
        let running = archives.begin(one).unwrap();
        assert!(archives.begin(one).is_err());
        assert!(archives.begin(other).is_ok());
        drop(running);
        assert!(archives.begin(one).is_ok());
    }
}
