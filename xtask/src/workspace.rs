//! Where the workspace and its target directory are, and how cargo is called from inside `cargo run`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

/// The clone that the command runs in.
pub struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target directory, absolute: `CARGO_TARGET_DIR` and cargo's settings are honoured.
    pub target: PathBuf,
    /// The workspace's own packages, as their manifests declare them.
    pub metadata: Metadata,
}

impl Workspace {
    /// Asks cargo about the workspace around the current directory.
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

    /// The folder that the server serves: `target/site`.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// Cargo, in the workspace's root, with an environment like a person's.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(&self.root);
        for variable in SET_BY_CARGO_RUN {
            command.env_remove(variable);
        }
        command
    }
}

/// Runs a command to its end; its output goes where ours goes.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} failed: {status}", command.get_program().display());
    }
    Ok(())
}

/// `cargo run` describes xtask in these. Build scripts that watch them (ring's, for one) would compile everything above
/// them anew, each time a build from here follows a build by hand.
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
