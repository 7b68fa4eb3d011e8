//! Builds the browser half with cargo, the split by route, wasm-bindgen (as a library) and wasm-opt.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use super::{NAME, Profile, split};
use crate::output;
use crate::workspace::{Workspace, run};

const TARGET: &str = "wasm32-unknown-unknown";

/// The features that rustc enables for wasm by default. wasm-opt needs them as options, because wasm-bindgen removes
/// their section.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// The compiled browser half.
pub struct BrowserHalf {
    /// The hash in the names of its files.
    pub hash: String,
    /// For each piece, the names of its modules without hash and extension.
    pub pieces: BTreeMap<String, Vec<String>>,
}

/// Compiles the crate `frontend` and writes its modules and their JavaScript to `pkg`.
pub fn build(workspace: &Workspace, profile: Profile, site: &Path) -> Result<BrowserHalf> {
    output::progress(match profile {
        Profile::Release => "      compiling the browser half, about 5 min the first time, 2 min after a change",
        Profile::Dev => "      compiling the browser half, about 3 min the first time",
    });
    let pkg = site.join("pkg");
    let linked = link(workspace, profile)?;
    let split = split::split(&linked, &workspace.target, &pkg)?;
    bind(&split.main, profile, &pkg)?;
    if profile == Profile::Release {
        output::progress("      optimising with wasm-opt, about 30 s");
        optimise(&workspace.root, &pkg)?;
    }
    let hash = split::name_by_hash(&pkg, &split.pieces)?;
    Ok(BrowserHalf {
        hash,
        pieces: split.pieces,
    })
}

/// Compiles and links one module, with the relocations that the split needs. Only the last crate gets the argument, so
/// that its dependencies are not compiled again.
fn link(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let (cargo_profile, folder) = match profile {
        Profile::Release => ("wasm-release", "wasm-release"),
        Profile::Dev => ("dev", "debug"),
    };
    run(workspace
        .cargo()
        .args(["rustc", "--package", "frontend", "--lib", "--no-default-features"])
        .args(["--target", TARGET, "--profile", cargo_profile])
        .args(["--", "-C", "link-args=--emit-relocs"]))?;
    Ok(workspace.target.join(TARGET).join(folder).join("frontend.wasm"))
}

/// Writes the main module without wasm-bindgen's descriptions, and the JavaScript that loads it.
fn bind(main: &Path, profile: Profile, pkg: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(main)
        .out_name(NAME)
        .web(true)?
        // The pieces share the table of the main module.
        .keep_lld_exports(true)
        .remove_name_section(profile == Profile::Release)
        .remove_producers_section(true)
        .generate(pkg)
        .context("wasm-bindgen could not write the browser half")?;
    fs::rename(pkg.join(format!("{NAME}_bg.wasm")), pkg.join(format!("{NAME}.wasm")))?;
    Ok(())
}

fn optimise(root: &Path, pkg: &Path) -> Result<()> {
    for entry in fs::read_dir(pkg)? {
        let module = entry?.path();
        if module.extension().is_some_and(|kind| kind == "wasm") {
            // Shows the messages of a failure only: the names that the split leaves in a piece cause warnings.
            let done = Command::new(root.join("node_modules/.bin/wasm-opt"))
                .arg("-Oz")
                .args(WASM_FEATURES)
                .arg(&module)
                .arg("-o")
                .arg(&module)
                .output()
                .context("wasm-opt comes with the npm packages: run scripts/setup")?;
            if !done.status.success() {
                let messages = String::from_utf8_lossy(&done.stderr);
                bail!("wasm-opt could not optimise {}: {messages}", module.display());
            }
        }
    }
    Ok(())
}
