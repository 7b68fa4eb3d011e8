//! The key that signs the log of events. Every reader of the key can forge a log, so only the
//! file's owner may have access.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use anyhow::{Context, bail};
use store::chain::Key;

/// Reads the key from a file: at least 32 bytes, not counting a line break at the end.
pub fn read(path: &Path) -> anyhow::Result<Key> {
    let name = path.display();
    let context = || format!("audit_key_file: {name}");
    let bytes = fs::read(path).with_context(context)?;
    let mode = fs::metadata(path).with_context(context)?.mode();
    if mode & 0o077 != 0 {
        bail!("audit_key_file: other users can access {name}; run chmod 600 on it");
    }
    let key = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    Key::new(key).with_context(|| {
        let least = Key::SHORTEST;
        format!("audit_key_file: {name} has fewer than {least} bytes; openssl rand -hex 32 makes a key")
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_long_enough_and_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let written = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            read(&path).map(drop)
        };
        let key = "0123456789abcdef".repeat(2);
        written(&format!("{key}\n"), 0o600).unwrap();
        written(&key, 0o400).unwrap();
        for (text, mode, why) in [(&*key, 0o640, "chmod 600"), (&key[1..], 0o600, "fewer than 32 bytes")] {
            let refused = written(text, mode).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
        assert!(
            read(&folder.path().join("none"))
                .unwrap_err()
                .to_string()
                .contains("audit_key_file")
        );
    }
}
