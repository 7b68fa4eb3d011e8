//! A fingerprint of the inputs of the browser half, which decides whether to build it again.
//!
//! It depends on contents, not on times: a fresh clone with an existing target directory builds nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::Profile;

/// The sources of the browser half and of its build. The lock files cover the dependencies.
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

/// One line that changes whenever the site may change. It contains the root, because the addresses of server functions
/// may depend on it.
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

/// Adds a file, or all files below a folder. Ignores a path that does not exist.
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
    fn the_fingerprint_depends_on_content_name_and_profile_but_not_on_time() {
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
