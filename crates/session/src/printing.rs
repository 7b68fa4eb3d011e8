//! Prints of a session's application: each becomes a PDF in a folder of the home.

use serde::{Deserialize, Serialize};

use crate::names;

/// The folder of prints, in the home of a session.
pub const FOLDER: &str = "Printed";

/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 255;

/// The end of a job of a session's printer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Print {
    /// A file.
    Done {
        /// Its name in [`FOLDER`]. The application can report any name; the file may not exist.
        name: String,
    },
    /// It could not be stored, or was no document.
    Failed,
}

impl Print {
    /// A print with this name; `None` if it can be no name of a print.
    pub fn of_name(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".pdf")?;
        let possible = !stem.is_empty() && !stem.starts_with('.') && !name.contains('/');
        let is_name = possible && name.len() <= LONGEST_NAME && names::forbidden(name).is_none();
        is_name.then(|| Self::Done { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_has_the_name_of_a_visible_file_in_its_folder() {
        for name in ["a.pdf", "Bericht (2).pdf", "שלום.pdf", "a.b.pdf"] {
            assert_eq!(Print::of_name(name), Some(Print::Done { name: name.into() }));
        }
        let long = format!("{}.pdf", "x".repeat(252));
        for name in [
            "",
            ".pdf",
            "..pdf",
            "a",
            "a.PDF",
            "../a.pdf",
            "a/b.pdf",
            "a\u{202e}.pdf",
            "a\n.pdf",
            "a\0.pdf",
            &long,
        ] {
            assert_eq!(Print::of_name(name), None, "{name}");
        }
    }
}
