//! How xtask speaks: progress to standard error, findings to standard output.

use std::io::Write;

/// Says what is being done, for the person who waits.
pub fn progress(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// Prints one line of the result. A reader that has gone away (`| head`) is no failure.
pub fn result(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", line.as_ref());
}
