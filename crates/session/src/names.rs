//! Valid characters in names: only visible ones, displayed in the order of entry.

/// The first character of a name that is invisible or changes the text direction. With such
/// characters two different names can look the same, or a name can reorder the text beside it.
pub fn forbidden(name: &str) -> Option<char> {
    name.chars()
        .find(|character| character.is_control() || is_invisible(*character))
}

/// The error text for a name with this character.
pub fn reason(character: char) -> String {
    format!(
        "No line breaks, and no control or invisible characters (U+{:04X}).",
        u32::from(character)
    )
}

/// Whether it has no visible form: the code points that Unicode calls default-ignorable
/// (`Default_Ignorable_Code_Point`, which includes direction marks and overrides), and the line and
/// paragraph separators.
const fn is_invisible(character: char) -> bool {
    matches!(
        character as u32,
        0x00AD
            | 0x034F
            | 0x061C
            | 0x115F..=0x1160
            | 0x17B4..=0x17B5
            | 0x180B..=0x180F
            | 0x200B..=0x200F
            | 0x2028..=0x202E
            | 0x2060..=0x206F
            | 0x3164
            | 0xFE00..=0xFE0F
            | 0xFEFF
            | 0xFFA0
            | 0xFFF0..=0xFFFB
            | 0x1BCA0..=0x1BCA3
            | 0x1D173..=0x1D17A
            | 0xE0000..=0xE0FFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_or_turns_the_text_is_found() {
        for character in [
            '\0',
            '\n',
            '\t',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200f}',
            '\u{2028}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2064}',
            '\u{2066}',
            '\u{2069}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            assert_eq!(
                forbidden(&format!("Text{character} Editor")),
                Some(character),
                "{character:?}"
            );
        }
        assert_eq!(
            reason('\u{202e}'),
            "No line breaks, and no control or invisible characters (U+202E)."
        );
    }

    #[test]
    fn names_of_every_script_are_allowed() {
        for name in [
            "Terminal",
            "Björn Ångström",
            "محرر النصوص",
            "文本编辑器",
            "עורך",
            "टर्मिनल",
            "Ηλίας",
            "😀",
            "e\u{301}",
            "a b",
        ] {
            assert_eq!(forbidden(name), None, "{name}");
        }
    }
}
