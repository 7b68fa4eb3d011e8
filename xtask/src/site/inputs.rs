//! What the browser half is made of, to see whether it must be built again.
//!
//! Compares contents, not times: a fresh clone with a kept target directory builds nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::Profile;

/// Folders and files whose contents reach the browser, or decide how they do. The rest follows from the lock files.
const INPUTS: [&str; 10] = [
    "app",
    "frontend",
    "crates/session",
    "style",
    "public",
    "xtask/src/site",
    "Cargo.toml",
    "Cargo.lock",
    "package-lock.json",
    ".cargo/config.toml",
];

/// One line that changes when the site would. The root is part of it, because the addresses of server functions may be.
pub fn fingerprint(root: &Path, profile: Profile) -> Result<String> {
    let mut files = BTreeSet::new();
    for input in INPUTS {
        collect(&root.join(input), &mut files)?;
    }
    let mut digest = Sha256::new();
    for file in &files {
        let content = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
        digest.update(file.strip_prefix(root)?.as_os_str().as_encoded_bytes());
        digest.update([0]);
        digest.update(content.len().to_le_bytes());
        digest.update(content);
    }
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let profile = match profile {
        Profile::Dev => "dev",
        Profile::Release => "release",
    };
    Ok(format!("{profile} {} {digest}\n", root.display()))
}

/// Adds `path` itself or, for a folder, every file below it. What does not exist adds nothing.
pub fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.insert(path.to_owned());
    } else if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("could not list {}", path.display()))? {
            collect(&entry?.path(), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_with_content_name_and_profile_and_not_with_time() {
        let root = tempfile::tempdir().unwrap();
        let style = root.path().join("style");
        fs::create_dir(&style).unwrap();
        fs::write(style.join("a.css"), "a").unwrap();
        let first = fingerprint(root.path(), Profile::Dev).unwrap();

        fs::write(style.join("a.css"), "a").unwrap();
        assert_eq!(first, fingerprint(root.path(), Profile::Dev).unwrap());
        assert_ne!(first, fingerprint(root.path(), Profile::Release).unwrap());

        fs::write(style.join("a.css"), "b").unwrap();
        let changed = fingerprint(root.path(), Profile::Dev).unwrap();
        assert_ne!(first, changed);

        fs::rename(style.join("a.css"), style.join("b.css")).unwrap();
        assert_ne!(changed, fingerprint(root.path(), Profile::Dev).unwrap());
    }
}
