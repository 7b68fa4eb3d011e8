//! Builds the browser half with cargo, wasm-bindgen (as a library) and wasm-opt.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::{NAME, Profile, name_by_hash};
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

/// Compiles the crate `frontend` and writes the module and its JavaScript to `pkg`. Returns the hash of the JavaScript.
/// The name of the module has no hash yet.
pub fn build(workspace: &Workspace, profile: Profile, site: &Path) -> Result<String> {
    output::progress(match profile {
        Profile::Release => "      compiling the browser half, about 5 min the first time, 2 min after a change",
        Profile::Dev => "      compiling the browser half, about 3 min the first time",
    });
    let (cargo_profile, folder) = match profile {
        Profile::Release => ("wasm-release", "wasm-release"),
        Profile::Dev => ("dev", "debug"),
    };
    run(workspace
        .cargo()
        .args(["build", "--package", "frontend", "--lib", "--no-default-features"])
        .args(["--target", TARGET, "--profile", cargo_profile]))?;

    let pkg = site.join("pkg");
    Bindgen::new()
        .input_path(workspace.target.join(TARGET).join(folder).join("frontend.wasm"))
        .out_name(NAME)
        .web(true)?
        .remove_name_section(profile == Profile::Release)
        .remove_producers_section(true)
        .generate(&pkg)
        .context("wasm-bindgen could not write the browser half")?;

    let module = pkg.join(format!("{NAME}.wasm"));
    fs::rename(pkg.join(format!("{NAME}_bg.wasm")), &module)?;
    if profile == Profile::Release {
        output::progress("      optimising with wasm-opt, about 30 s");
        run(Command::new(workspace.root.join("node_modules/.bin/wasm-opt"))
            .arg("-Oz")
            .args(WASM_FEATURES)
            .arg(&module)
            .arg("-o")
            .arg(&module))
        .context("wasm-opt comes with the npm packages: run scripts/setup")?;
    }
    name_by_hash(site, "js")
}
