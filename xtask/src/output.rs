//! The output of xtask: progress goes to standard error, results go to standard output.

use std::io::Write;

/// Prints the current step.
pub fn progress(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// Prints one line of the result. A closed pipe (`| head`) is not an error.
pub fn result(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", line.as_ref());
}
