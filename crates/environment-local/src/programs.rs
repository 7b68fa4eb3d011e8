//! The programs that must be installed on the host, and their paths.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use environments::EnvironmentError;

/// The search path of the host's own tools. Fixed, so that the server's PATH has no influence.
const HOST_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The search path of applications, and PATH inside the sandbox. Everything is below `/usr`, which
/// a sandbox can read.
pub(crate) const APPLICATION_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games";

/// The socket of a session's printer, for applications and for `printing.sh`.
pub(crate) const PRINTER: &str = "/tmp/.cups/socket";

/// A program that every session needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// File name, without a folder.
    pub name: &'static str,
    /// The Debian package that contains it.
    pub package: &'static str,
}

/// The programs that a session needs, without its application.
pub const NEEDED: [Program; 11] = [
    Program {
        name: "bash",
        package: "bash",
    },
    Program {
        name: "sh",
        package: "dash",
    },
    Program {
        name: "mkfifo",
        package: "coreutils",
    },
    Program {
        name: "setpriv",
        package: "util-linux",
    },
    Program {
        name: "prlimit",
        package: "util-linux",
    },
    Program {
        name: "bwrap",
        package: "bubblewrap",
    },
    Program {
        name: "Xtigervnc",
        package: "tigervnc-standalone-server",
    },
    Program {
        name: "xkbcomp",
        package: "x11-xkb-utils",
    },
    Program {
        name: "matchbox-window-manager",
        package: "matchbox-window-manager",
    },
    Program {
        name: "xprop",
        package: "x11-utils",
    },
    Program {
        name: "wmctrl",
        package: "wmctrl",
    },
];

/// The programs that a session with sound needs beside [`NEEDED`]. Without them a session has no sound.
pub const FOR_SOUND: [Program; 2] = [
    Program {
        name: "pulseaudio",
        package: "pulseaudio",
    },
    Program {
        name: "dd",
        package: "coreutils",
    },
];

impl From<Program> for EnvironmentError {
    fn from(Program { name, package }: Program) -> Self {
        let program = if name == package {
            name.to_owned()
        } else {
            format!("{name} (Debian package {package})")
        };
        Self::Missing { program }
    }
}

/// True if this host has a printer for sessions: the server of CUPS, and the filters that make PDF
/// of other formats. Sessions also run without it.
pub(crate) fn can_print() -> bool {
    const FILTERS: &str = "/usr/lib/cups/filter/pdftopdf";
    find("cupsd", "/usr/sbin").is_some() && Path::new(FILTERS).exists()
}

/// The programs of [`NEEDED`] that are missing on this host.
pub fn missing() -> Vec<Program> {
    NEEDED
        .into_iter()
        .filter(|program| find(program.name, HOST_PATH).is_none())
        .collect()
}

/// True if this host can play sound.
pub(crate) fn can_play_sound() -> bool {
    FOR_SOUND.iter().all(|program| find(program.name, HOST_PATH).is_some())
}

/// The path of one of the host's tools.
pub(crate) fn tool(name: &str) -> Result<PathBuf, EnvironmentError> {
    find(name, HOST_PATH).ok_or_else(|| EnvironmentError::Missing {
        program: name.to_owned(),
    })
}

/// Refuses an application that can't run inside the sandbox.
pub(crate) fn check_application(name: &str) -> Result<(), EnvironmentError> {
    let there = if name.contains('/') {
        // Only these folders exist inside the sandbox. A relative path has another meaning there.
        let visible = ["/usr/", "/bin/", "/sbin/"].iter().any(|root| name.starts_with(root));
        visible && is_program(Path::new(name))
    } else {
        find(name, APPLICATION_PATH).is_some()
    };
    if there {
        Ok(())
    } else {
        Err(EnvironmentError::Missing {
            program: name.to_owned(),
        })
    }
}

fn find(name: &str, path: &str) -> Option<PathBuf> {
    let candidates = path.split(':').map(|folder| Path::new(folder).join(name));
    candidates.into_iter().find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_is_an_executable_file_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = format!("/nowhere:{}", folder.path().display());
        fs::write(folder.path().join("notes"), "").unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        fs::write(folder.path().join("tool"), "").unwrap();
        fs::set_permissions(folder.path().join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find("tool", &path), Some(folder.path().join("tool")));
        for name in ["notes", "folder", "absent"] {
            assert_eq!(find(name, &path), None, "{name}");
        }
    }

    #[test]
    fn the_missing_one_is_named_with_its_package() {
        let message = |name| EnvironmentError::from(NEEDED.into_iter().find(|program| program.name == name).unwrap());
        assert_eq!(
            message("bwrap").to_string(),
            "bwrap (Debian package bubblewrap) is not installed on this host"
        );
        assert_eq!(
            message("matchbox-window-manager").to_string(),
            "matchbox-window-manager is not installed on this host"
        );
    }

    #[test]
    fn applications_outside_the_sandbox_are_missing() {
        for name in [
            "/etc/passwd",
            "/tmp/xterm",
            "./xterm",
            "no-such-program",
            "/usr/bin/no-such-program",
            "/usr",
            "",
        ] {
            let text = check_application(name).unwrap_err().to_string();
            assert_eq!(text, format!("{name} is not installed on this host"));
        }
        assert!(check_application("sh").is_ok());
        assert!(check_application("/usr/bin/env").is_ok());
    }
}
