use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

use uuid::Uuid;

use super::*;

const PLENTY: u64 = 1 << 40;

struct Trial {
    folder: tempfile::TempDir,
    homes: Arc<Homes>,
    identities: Identities,
}

impl Trial {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let homes = Arc::new(Homes::open(&folder.path().join("homes")).unwrap());
        let identities = Identities::detect();
        Self {
            folder,
            homes,
            identities,
        }
    }

    fn take(&self, owner: Owner) -> Result<Home, String> {
        self.homes.take(owner, &self.identities, false)
    }

    fn home(&self, number: u32) -> (Owner, Home) {
        let owner = Owner {
            user_id: UserId(Uuid::from_u128(number.into())),
            number,
        };
        (owner, self.take(owner).unwrap())
    }
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_home_belongs_to_its_person_alone() {
    let trial = Trial::new();
    let (owner, one) = trial.home(1);
    let (_, two) = trial.home(2);
    let facts = one.path.metadata().unwrap();
    assert_eq!(facts.mode() & 0o7777, 0o700);
    assert_eq!(facts.uid(), one.uid.unwrap_or(geteuid().as_raw()));
    assert_eq!(one.uid.is_some(), trial.identities.are_given());
    assert!(one.uid.is_none() || one.uid != two.uid);
    assert_eq!(
        one.path.file_name().unwrap().to_str(),
        Some(&*owner.user_id.to_string())
    );
    permit(&one.path, 0o777);
    assert_eq!(trial.home(1).1.uid, one.uid, "the same user each time");
    assert_eq!(one.path.metadata().unwrap().mode() & 0o7777, 0o700);
}

#[test]
fn a_link_in_place_of_a_home_is_refused() {
    let trial = Trial::new();
    let owner = Owner {
        user_id: UserId(Uuid::from_u128(7)),
        number: 7,
    };
    let elsewhere = trial.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, trial.homes.root.join(owner.user_id.to_string())).unwrap();
    assert!(trial.take(owner).unwrap_err().contains("can't be used"));
}

#[test]
fn a_folder_with_files_of_another_user_is_not_given_away() {
    let trial = Trial::new();
    if !geteuid().is_root() {
        return;
    }
    let (owner, home) = trial.home(3);
    std::os::unix::fs::chown(&home.path, Some(54_321), Some(54_321)).unwrap();
    let refused = trial.take(owner).unwrap_err();
    assert!(
        refused.contains("belongs to user 54321") && refused.contains("chown -R "),
        "{refused}"
    );
    // A crash between the making of the folder and the change of its owner.
    std::os::unix::fs::chown(&home.path, Some(0), Some(0)).unwrap();
    trial.take(owner).unwrap();
    std::os::unix::fs::chown(&home.path, Some(0), Some(0)).unwrap();
    fs::write(home.path.join("file"), "x").unwrap();
    assert!(trial.take(owner).is_err());
}

#[test]
fn a_home_out_of_reach_is_refused_with_the_way_out() {
    let trial = Trial::new();
    let (owner, home) = trial.home(1);
    let reached = |trial: &Trial| trial.homes.take(owner, &trial.identities, true);
    if home.uid.is_none() {
        assert!(reached(&trial).is_ok(), "the server's own user");
        return;
    }
    let refused = reached(&trial).unwrap_err();
    assert!(
        refused.contains("mode 0711") && refused.contains("homes_dir"),
        "{refused}"
    );
    permit(trial.folder.path(), 0o711);
    reached(&trial).unwrap();
}

#[tokio::test]
async fn everything_in_a_home_is_counted_once_and_nothing_else() {
    let trial = Trial::new();
    let (owner, home) = trial.home(1);
    let size = async || {
        let homes = Arc::new(Homes::open(&trial.homes.root).unwrap());
        homes.size(owner.user_id, PLENTY).await.unwrap()
    };
    let small = size().await;
    assert!(small < 1024, "{small}");
    let own = |path: &Path| std::os::unix::fs::lchown(path, home.uid, home.uid).unwrap();
    let mib = vec![7; 1 << 20];
    fs::write(home.path.join("file"), &mib).unwrap();
    fs::hard_link(home.path.join("file"), home.path.join("same")).unwrap();
    fs::write(trial.folder.path().join("large"), vec![7; 8 << 20]).unwrap();
    symlink(trial.folder.path(), home.path.join("out")).unwrap();
    symlink(".", home.path.join("loop")).unwrap();
    let sparse = fs::File::create(home.path.join("sparse")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let hidden = home.path.join("hidden");
    fs::create_dir(&hidden).unwrap();
    fs::write(hidden.join("file"), &mib).unwrap();
    own(&hidden);
    permit(&hidden, 0);
    let all = size().await;
    assert!(((2 << 20)..(2 << 20) + 65_536).contains(&all), "{all}");
}

#[tokio::test]
async fn a_very_deep_tree_counts_as_full() {
    let trial = Trial::new();
    let (owner, home) = trial.home(1);
    as_user(home.uid, || {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let mut folder = openat(trial.homes.folder(owner.user_id, home.uid)?, ".", flags, Mode::empty())?;
        for _ in 0..1000 {
            mkdirat(&folder, "deep", PRIVATE)?;
            folder = openat(&folder, "deep", flags, Mode::empty())?;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(trial.homes.size(owner.user_id, PLENTY).await.unwrap(), PLENTY);
}

#[tokio::test(start_paused = true)]
async fn a_measurement_holds_for_a_while_and_shorter_if_the_home_is_full() {
    let trial = Trial::new();
    let (owner, home) = trial.home(1);
    let size = async |enough| trial.homes.size(owner.user_id, enough).await.unwrap();
    assert!(size(PLENTY).await < 1024);
    fs::write(home.path.join("file"), vec![7; 1 << 20]).unwrap();
    assert!(size(PLENTY).await < 1024, "not measured again");
    tokio::time::advance(FRESH).await;
    assert!(size(PLENTY).await > 1 << 20);
    fs::remove_file(home.path.join("file")).unwrap();
    assert!(size(1 << 19).await >= 1 << 19);
    tokio::time::advance(FRESH_IF_FULL).await;
    assert!(size(1 << 19).await < 1024, "deleted files count at once");
}
