//! The port to the files of kept homes, for a person who need not have a session open.
//!
//! Each call works with the rights of the person alone, follows no link, and never leaves the home.

use std::fmt;

use async_trait::async_trait;
use session::Timestamp;
use tokio::io::AsyncRead;

use crate::Owner;

/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 255;
/// The deepest path, in names.
const DEEPEST: usize = 100;

/// A path below a home. It has no empty, absolute, `.` or `..` part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HomePath(Vec<String>);

impl HomePath {
    /// Reads a path with `/` between its names; an empty text is the home itself.
    ///
    /// # Errors
    /// If a part can be no name of a file.
    pub fn parse(text: &str) -> Result<Self, FilesError> {
        let mut path = Self::default();
        for name in text.split('/').filter(|_| !text.is_empty()) {
            path = path.join(name)?;
        }
        Ok(path)
    }

    /// The path of a file in this folder.
    ///
    /// # Errors
    /// If `name` can be no name of a file.
    pub fn join(&self, name: &str) -> Result<Self, FilesError> {
        let possible = !matches!(name, "" | "." | "..") && !name.contains(['/', '\0']);
        if !possible || name.len() > LONGEST_NAME || self.0.len() >= DEEPEST {
            return Err(FilesError::Name);
        }
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Ok(Self(names))
    }

    /// The folder that contains it, and its name; `None` for the home itself.
    pub fn split(&self) -> Option<(Self, &str)> {
        let (name, folder) = self.0.split_last()?;
        Some((Self(folder.to_vec()), name))
    }

    /// The names from the home on.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for HomePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// The kind of an [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A regular file.
    File,
    /// Anything else, such as a link. It can only be renamed and removed.
    Other,
}

/// A file in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its kind.
    pub kind: EntryKind,
    /// Its name; unreadable characters are replaced.
    pub name: String,
    /// True if the name had no unreadable character, so that the file can be found by it.
    pub is_exact: bool,
    /// Its size in bytes.
    pub size: u64,
    /// The time of its last change.
    pub modified: Timestamp,
}

/// The files of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Folders first, then by name.
    pub entries: Vec<Entry>,
    /// True if the folder has more files than are listed.
    pub is_cut: bool,
}

/// A file that is being read.
pub struct Reading {
    /// Its size in bytes when it was opened.
    pub size: u64,
    /// Its content. An application can still change it.
    pub content: Box<dyn AsyncRead + Send + Unpin>,
}

/// A file that is being written. It appears with its name when it is committed, whole. Dropping it
/// before leaves nothing.
#[async_trait]
pub trait Writing: Send {
    /// Appends bytes.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError>;
    /// Puts the file on the disk and gives it its name. A name that is in use gets a number:
    /// `report (2).txt`. Returns the name.
    async fn commit(self: Box<Self>) -> Result<String, FilesError>;
}

/// The refusal or failure of a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// No file has this name, or a part of the path is no folder. Links are never followed.
    #[error("There is no such file. Somebody may have moved or deleted it.")]
    NotFound,
    /// The name is in use.
    #[error("Something with this name exists already.")]
    Exists,
    /// It can be no name of a file.
    #[error("A name has 1 to 255 bytes and no slash.")]
    Name,
    /// It is no regular file.
    #[error("Only files can be downloaded.")]
    NotAFile,
    /// The folder is nested too deeply to be removed.
    #[error("This folder is nested too deeply. Delete the innermost folders first.")]
    TooDeep,
    /// The disk of the homes is full.
    #[error("The server’s disk is full. Nothing was stored.")]
    DiskFull,
    /// Any other failure, for administrators.
    #[error("The files can’t be used now: {0}")]
    Failed(String),
}

/// The files of kept homes.
#[async_trait]
pub trait HomeFiles: Send + Sync {
    /// Makes the next measurement of the home a fresh one, because its size has changed.
    fn forget_size(&self, owner: Owner);
    /// The files in a folder.
    async fn list(&self, owner: Owner, folder: &HomePath) -> Result<Listing, FilesError>;
    /// Opens a regular file. Never waits for a pipe or a device.
    async fn read(&self, owner: Owner, file: &HomePath) -> Result<Reading, FilesError>;
    /// Begins a file in a folder.
    async fn write(&self, owner: Owner, folder: &HomePath, name: &str) -> Result<Box<dyn Writing>, FilesError>;
    /// Makes a folder.
    async fn make_folder(&self, owner: Owner, folder: &HomePath) -> Result<(), FilesError>;
    /// Gives a file another name in its folder. Never replaces one.
    async fn rename(&self, owner: Owner, file: &HomePath, name: &str) -> Result<(), FilesError>;
    /// Removes a file, or a folder with everything in it.
    async fn remove(&self, owner: Owner, file: &HomePath) -> Result<(), FilesError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leads_out() {
        let path = HomePath::parse("Documents/a b.txt").unwrap();
        assert_eq!(path.to_string(), "Documents/a b.txt");
        assert_eq!(path.split().unwrap().1, "a b.txt");
        assert_eq!(HomePath::parse("").unwrap().split(), None);
        let long = "x".repeat(256);
        let deep = ["x"; 101].join("/");
        for wrong in [
            "/",
            "/etc/passwd",
            "..",
            "a/../..",
            "a//b",
            "./a",
            "a/",
            "a\0b",
            &long,
            &deep,
        ] {
            assert_eq!(HomePath::parse(wrong), Err(FilesError::Name), "{wrong}");
        }
        assert_eq!(path.join("a/b"), Err(FilesError::Name));
    }
}
