//! The workspace, its target directory, and cargo commands that run from inside `cargo run`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

/// The workspace around the current directory.
pub struct Workspace {
    /// The folder with the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// The absolute path of cargo's target directory, which follows `CARGO_TARGET_DIR` and cargo's settings.
    pub target: PathBuf,
    /// The packages of the workspace, from their manifests.
    pub metadata: Metadata,
}

impl Workspace {
    /// Finds the workspace with `cargo metadata`.
    pub fn find() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .no_deps()
            .exec()
            .context("cargo could not read the workspace")?;
        Ok(Self {
            root: metadata.workspace_root.clone().into_std_path_buf(),
            target: metadata.target_directory.clone().into_std_path_buf(),
            metadata,
        })
    }

    /// `target/site`, the folder with the files that the server serves.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// A cargo command in the workspace's root, with the environment of a shell instead of that of `cargo run`.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(&self.root);
        for variable in SET_BY_CARGO_RUN {
            command.env_remove(variable);
        }
        command
    }
}

/// Runs a command to its end with the standard output and error of this process.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} failed: {status}", command.get_program().display());
    }
    Ok(())
}

/// Variables in which `cargo run` describes xtask. Some build scripts depend on them, such as that of ring. If they
/// stayed set, each build from here after a build by hand would recompile ring and all of its dependents.
const SET_BY_CARGO_RUN: [&str; 14] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];
