//! Builds what a browser loads: `target/site`, in the layout that leptos expects with `hash-files = true`.
//!
//! ```text
//! site/hash.txt                            js, wasm and css each with the hash in their file names
//! site/pkg/cloud-delivery.<hash>.{js,wasm,css}
//! site/novnc/{core,vendor}                 noVNC's modules as npm has them
//! site/…                                   public/ as it is
//! ```
//! Each file worth it has its brotli form beside it, with `.br` added. It is built in a folder of its own and put in
//! place when whole: a running server never serves half of it. To add a kind of file, add a function to `assets`.

mod assets;
mod browser;
mod compress;
mod inputs;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

pub use self::inputs::collect;
use crate::say;
use crate::workspace::Workspace;

/// The first part of the names of the files in `pkg`: `output-name` in the leptos section of Cargo.toml.
const NAME: &str = "cloud-delivery";

/// How the browser half is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build, with checks and names.
    Dev,
    /// Small, as it is served.
    Release,
}

/// Brings `target/site` up to date with its sources. Does nothing when no source has changed since.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<()> {
    let site = workspace.site();
    let stamp = workspace.target.join("site.stamp");
    let fingerprint = inputs::fingerprint(&workspace.root, profile)?;
    let built = fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == fingerprint);
    if built && site.join("hash.txt").exists() {
        return publish_hashes(workspace);
    }

    let fresh = workspace.target.join("site.new");
    remove(&fresh)?;
    fs::create_dir_all(fresh.join("pkg"))?;

    let hashes = [
        ("js", browser::build(workspace, profile, &fresh)?),
        ("wasm", name_by_hash(&fresh, "wasm")?),
        ("css", assets::css(&workspace.root, &fresh)?),
    ];
    let hashes: String = hashes.iter().map(|(kind, hash)| format!("{kind}: {hash}\n")).collect();
    fs::write(fresh.join("hash.txt"), &hashes)?;
    assets::copy_public(&workspace.root, &fresh)?;
    assets::copy_novnc(&workspace.root, &fresh)?;

    say::progress("      compressing with brotli");
    compress::all(&fresh, if profile == Profile::Release { 11 } else { 5 })?;
    say::result(compress::sizes(&fresh)?);

    remove(&stamp)?;
    remove(&site)?;
    fs::rename(&fresh, &site).with_context(|| format!("could not put {} in place", site.display()))?;
    publish_hashes(workspace)?;
    fs::write(&stamp, fingerprint)?;
    Ok(())
}

/// Leptos looks for `hash.txt` beside the program; cargo-leptos puts it there, so do we, for both builds of the server.
fn publish_hashes(workspace: &Workspace) -> Result<()> {
    for folder in ["debug", "release"] {
        let folder = workspace.target.join(folder);
        fs::create_dir_all(&folder)?;
        fs::copy(workspace.site().join("hash.txt"), folder.join("hash.txt"))?;
    }
    Ok(())
}

/// Renames `pkg/cloud-delivery.<kind>` to carry the hash of its content, and returns that hash.
fn name_by_hash(site: &Path, kind: &str) -> Result<String> {
    let plain = site.join("pkg").join(format!("{NAME}.{kind}"));
    let content = fs::read(&plain).with_context(|| format!("could not read {}", plain.display()))?;
    let hash = short_hash(&content);
    fs::rename(&plain, site.join("pkg").join(format!("{NAME}.{hash}.{kind}")))?;
    Ok(hash)
}

/// Sixteen hexadecimal digits: enough that two builds never share a name.
fn short_hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
