//! Builds `target/site`, the files for the browser, in the layout that leptos expects with `hash-files = true`.
//!
//! ```text
//! site/hash.txt                            the hashes in the names of the js, wasm and css files
//! site/pkg/cloud-delivery.<hash>.{js,wasm,css}  the main module, its JavaScript, and the style sheet
//! site/pkg/*.<hash>.wasm                   the pieces of single routes
//! site/pkg/__wasm_split.<hash>.js          loads the pieces
//! site/pkg/__wasm_split_manifest.<hash>.json  the pieces of each lazy route, which the server preloads
//! site/novnc/{core,vendor}                 noVNC's modules from npm
//! site/tus/*.js                            the upload client from npm
//! site/…                                   the files of public/
//! ```
//! Compressible files have a brotli copy beside them, with `.br` added. The site is built in a separate folder and
//! moved into place when it is complete, so that a running server never serves a part of it. To add a kind of file, add
//! a function to `assets`.

mod assets;
mod browser;
mod budget;
mod compress;
mod inputs;
mod split;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

pub use self::inputs::collect;
use crate::output;
use crate::workspace::Workspace;

/// The first part of the names of the files in `pkg`: `output-name` in the leptos section of Cargo.toml.
const NAME: &str = "cloud-delivery";

/// The build profile of the browser half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Fast to build, with debug assertions and names.
    Dev,
    /// Optimised for size, for production.
    Release,
}

/// Updates `target/site`. Does nothing if no source has changed.
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

    let browser = browser::build(workspace, profile, &fresh)?;
    let code = &browser.hash;
    let css = assets::css(&workspace.root, &fresh)?;
    let hashes = [
        ("js", code),
        ("wasm", code),
        ("split", code),
        ("manifest", code),
        ("css", &css),
    ];
    let hashes: String = hashes.iter().map(|(kind, hash)| format!("{kind}: {hash}\n")).collect();
    fs::write(fresh.join("hash.txt"), &hashes)?;
    assets::copy_public(&workspace.root, &fresh)?;
    assets::copy_novnc(&workspace.root, &fresh)?;
    assets::copy_tus(&workspace.root, &fresh)?;

    output::progress("      compressing with brotli");
    compress::all(&fresh, if profile == Profile::Release { 11 } else { 5 })?;
    let sizes = budget::sizes(&fresh, code, &browser.pieces)?;
    output::result(budget::report(&sizes));
    if profile == Profile::Release {
        budget::check(&sizes)?;
    }

    remove(&stamp)?;
    remove(&site)?;
    fs::rename(&fresh, &site).with_context(|| format!("could not move the new site to {}", site.display()))?;
    publish_hashes(workspace)?;
    fs::write(&stamp, fingerprint)?;
    Ok(())
}

/// Copies `hash.txt` beside the debug and the release program, because leptos reads it there.
fn publish_hashes(workspace: &Workspace) -> Result<()> {
    for folder in ["debug", "release"] {
        let folder = workspace.target.join(folder);
        fs::create_dir_all(&folder)?;
        fs::copy(workspace.site().join("hash.txt"), folder.join("hash.txt"))?;
    }
    Ok(())
}

/// Sixteen hexadecimal digits, which are enough to keep two builds apart.
fn short_hash<'a>(contents: impl IntoIterator<Item = &'a Vec<u8>>) -> String {
    let mut digest = Sha256::new();
    for content in contents {
        digest.update(content);
    }
    digest
        .finalize()
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
