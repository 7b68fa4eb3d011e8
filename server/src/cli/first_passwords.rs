//! Shows the passwords that a first start generated: on a terminal, otherwise in a file that only
//! its owner can read. Standard output that is no terminal usually goes to a journal, which others
//! can read.

use std::{
    fs::OpenOptions,
    io::{IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::Context;
use control::FirstStart;

/// Name of the file, in the data directory.
const FILE: &str = "first-passwords";

/// Prints the passwords, or writes the file.
pub fn show(first: &FirstStart, data_dir: &Path) -> anyhow::Result<()> {
    if first.people.is_empty() {
        return Ok(());
    }
    if std::io::stdout().is_terminal() {
        println!(
            "First start. Each of these passwords must be changed at the first sign-in:\n{}",
            lines(first)
        );
        return Ok(());
    }
    let path = data_dir.join(FILE);
    write(&path, &lines(first)).with_context(|| format!("could not write the first passwords: {}", path.display()))?;
    println!(
        "First start. The first passwords are in {}; each must be changed at the first sign-in",
        path.display()
    );
    Ok(())
}

fn lines(first: &FirstStart) -> String {
    let line = |(username, password): &(&str, _)| format!("  {username:<8} {password}\n");
    first.people.iter().map(line).collect()
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    // Opening an existing file would keep its mode, which may allow others to read it.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let first = FirstStart {
            people: vec![("admin", "secret".into()), ("student", "other".into())],
        };
        write(&path, &lines(&first)).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "  admin    secret\n  student  other\n"
        );
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
