//! The windows of a session's application, as its tab lists them.

use serde::{Deserialize, Serialize};

/// The largest number of windows in a list.
pub const MOST: usize = 64;

/// The largest length of a title, in characters.
pub const LONGEST_TITLE: usize = 200;

/// A top-level window or a dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Identifies the window in its session.
    pub id: u32,
    /// Chosen by the application: see [`clean_title`]. May be empty.
    pub title: String,
    /// True for the window that has the keyboard.
    pub active: bool,
}

/// An action on a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowAction {
    /// Raise it and give it the keyboard.
    Activate,
    /// Ask the application to close it. The application may ask about unsaved work first.
    Close,
}

/// The title without control characters and without characters that change the direction of the
/// text around them, in at most [`LONGEST_TITLE`] characters.
pub fn clean_title(title: &str) -> String {
    let direction = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: &char| !c.is_control() && !direction(*c);
    title.trim().chars().filter(shown).take(LONGEST_TITLE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_short_line_in_one_direction() {
        assert_eq!(clean_title(" notes.txt – Editor\n"), "notes.txt – Editor");
        assert_eq!(clean_title("a\u{1b}[31m\u{202e}b\u{2066}c\u{7}"), "a[31mbc");
        assert_eq!(clean_title(&"ä".repeat(999)).chars().count(), LONGEST_TITLE);
    }
}
