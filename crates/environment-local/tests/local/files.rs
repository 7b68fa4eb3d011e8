//! The files of kept homes through the port, against everything that a session can plant there.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use environment_local::Options;
use environments::{EntryKind, Environment, FilesError, HomeFiles, HomePath, Owner};
use session::UserId;
use tokio::io::AsyncReadExt;
use uuid::Uuid;

use crate::kit::{Trial, is_root};

const OWNER: Owner = Owner {
    user_id: UserId(Uuid::from_u128(1)),
    number: 1,
};

struct Place {
    trial: Trial,
    files: Arc<dyn HomeFiles>,
}

fn path(text: &str) -> HomePath {
    HomePath::parse(text).unwrap()
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let homes = Some(folder.path().join("homes"));
        let trial = Trial::in_folder(
            folder,
            Options {
                homes,
                ..Options::default()
            },
        );
        let files = trial.environment.home_files().unwrap();
        files.list(OWNER, &path("")).await.unwrap();
        Self { trial, files }
    }

    fn home(&self) -> PathBuf {
        self.trial.folder.path().join("homes").join(OWNER.user_id.to_string())
    }

    /// Gives something that the test made to the owner of the home.
    fn give(&self, file: &Path) {
        let uid = self.home().metadata().unwrap().uid();
        lchown(file, Some(uid), Some(uid)).unwrap();
    }

    async fn upload(&self, folder: &str, name: &str, parts: &[&[u8]]) -> Result<String, FilesError> {
        let mut writing = self.files.write(OWNER, &path(folder), name).await?;
        for part in parts {
            writing.write(part).await?;
        }
        writing.commit().await
    }

    async fn read(&self, file: &str) -> Result<Vec<u8>, FilesError> {
        let mut reading = self.files.read(OWNER, &path(file)).await?;
        let mut bytes = Vec::new();
        reading.content.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(reading.size, bytes.len() as u64);
        Ok(bytes)
    }

    async fn names(&self, folder: &str) -> Vec<String> {
        let listing = self.files.list(OWNER, &path(folder)).await.unwrap();
        listing.entries.into_iter().map(|entry| entry.name).collect()
    }
}

#[tokio::test]
async fn a_file_arrives_whole_and_belongs_to_its_person() {
    let place = Place::new().await;
    let data = vec![7; 3 << 20];
    assert_eq!(
        place.upload("", "data", &[&data[..1], &data[1..]]).await.unwrap(),
        "data"
    );
    assert_eq!(place.read("data").await.unwrap(), data);
    let facts = place.home().join("data").metadata().unwrap();
    assert_eq!(facts.uid(), place.home().metadata().unwrap().uid());
    assert_eq!((facts.mode() & 0o777, facts.nlink()), (0o600, 1));
    assert_eq!(is_root(), facts.uid() != 0 || !is_root());
}

#[tokio::test]
async fn an_upload_that_is_dropped_leaves_nothing() {
    let place = Place::new().await;
    let mut writing = place.files.write(OWNER, &path(""), "half").await.unwrap();
    writing.write(b"half").await.unwrap();
    assert_eq!(place.names("").await, [""; 0], "not visible before it is whole");
    drop(writing);
    assert_eq!(fs::read_dir(place.home().join(".cloud-delivery")).unwrap().count(), 0);
}

#[tokio::test]
async fn two_uploads_of_one_name_are_two_files() {
    let place = Place::new().await;
    let (one, two) = tokio::join!(
        place.upload("", "a.tar.gz", &[b"1"]),
        place.upload("", "a.tar.gz", &[b"2"])
    );
    let mut names = [one.unwrap(), two.unwrap()];
    names.sort();
    assert_eq!(names, ["a.tar (2).gz", "a.tar.gz"]);
    let long = "x".repeat(255);
    place.upload("", &long, &[]).await.unwrap();
    assert_eq!(
        place.upload("", &long, &[]).await.unwrap(),
        format!("{} (2)", "x".repeat(251))
    );
}

#[tokio::test]
async fn links_pipes_and_devices_lead_nowhere() {
    let place = Place::new().await;
    let home = place.home();
    let outside = place.trial.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "x").unwrap();
    fs::set_permissions(outside.join("secret"), fs::Permissions::from_mode(0o666)).unwrap();
    for (name, target) in [
        ("file", outside.join("secret")),
        ("folder", outside.clone()),
        ("loop", ".".into()),
    ] {
        symlink(target, home.join(name)).unwrap();
        place.give(&home.join(name));
    }
    let pipe = std::process::Command::new("mkfifo")
        .arg(home.join("pipe"))
        .status()
        .unwrap();
    assert!(pipe.success());
    place.give(&home.join("pipe"));
    for file in [
        "file",
        "folder/secret",
        "loop/file",
        "folder",
        "absent",
        ".cloud-delivery",
    ] {
        assert_eq!(place.read(file).await, Err(FilesError::NotFound), "{file}");
    }
    for file in ["pipe", ""] {
        assert_eq!(place.read(file).await, Err(FilesError::NotAFile), "{file}");
    }
    assert_eq!(
        place.upload("folder", "planted", &[b"x"]).await,
        Err(FilesError::NotFound)
    );
    assert_eq!(
        place.files.make_folder(OWNER, &path("folder/planted")).await,
        Err(FilesError::NotFound)
    );
    assert_eq!(
        place.files.list(OWNER, &path("folder")).await,
        Err(FilesError::NotFound)
    );
    assert_eq!(
        place.files.remove(OWNER, &path("folder/secret")).await,
        Err(FilesError::NotFound)
    );
    let listing = place.files.list(OWNER, &path("")).await.unwrap();
    assert!(
        listing.entries.iter().all(|entry| entry.kind == EntryKind::Other),
        "{listing:?}"
    );
    for name in ["file", "folder", "loop", "pipe"] {
        place.files.remove(OWNER, &path(name)).await.unwrap();
    }
    assert_eq!(
        fs::read_dir(&outside).unwrap().count(),
        1,
        "only the links were removed"
    );
    assert_eq!(place.names("").await, [""; 0]);
}

#[tokio::test]
async fn a_folder_goes_with_everything_in_it_and_with_nothing_else() {
    let place = Place::new().await;
    let outside = place.trial.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "x").unwrap();
    place.files.make_folder(OWNER, &path("a")).await.unwrap();
    assert_eq!(
        place.files.make_folder(OWNER, &path("a")).await,
        Err(FilesError::Exists)
    );
    for folder in ["a/b", "a/b/c", "a/d"] {
        place.files.make_folder(OWNER, &path(folder)).await.unwrap();
        for number in 0..50 {
            place.upload(folder, &number.to_string(), &[b"x"]).await.unwrap();
        }
    }
    symlink(&outside, place.home().join("a/b/out")).unwrap();
    place.give(&place.home().join("a/b/out"));
    place.files.remove(OWNER, &path("a")).await.unwrap();
    assert_eq!(place.names("").await, [""; 0]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[tokio::test]
async fn a_rename_never_replaces() {
    let place = Place::new().await;
    place.upload("", "one", &[b"1"]).await.unwrap();
    place.upload("", "two", &[b"2"]).await.unwrap();
    assert_eq!(
        place.files.rename(OWNER, &path("one"), "two").await,
        Err(FilesError::Exists)
    );
    assert_eq!(
        place.files.rename(OWNER, &path("one"), "../two").await,
        Err(FilesError::Name)
    );
    place.files.rename(OWNER, &path("one"), "three").await.unwrap();
    assert_eq!(place.names("").await, ["three", "two"]);
    assert_eq!(place.read("two").await.unwrap(), b"2");
}

#[tokio::test]
async fn files_that_the_person_may_not_read_stay_closed() {
    let place = Place::new().await;
    if !is_root() {
        return;
    }
    let file = place.home().join("of root");
    fs::write(&file, "x").unwrap();
    chown(&file, Some(0), Some(0)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = place.read("of root").await.unwrap_err();
    assert!(matches!(refused, FilesError::Failed(_)), "{refused:?}");
}
