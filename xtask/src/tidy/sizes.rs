//! Limits the length of files.

use super::Finding;
use super::source::Source;

const WARN_OVER: usize = 400;
const REFUSE_OVER: usize = 600;

/// Checks Rust, TypeScript and style sheets.
pub fn check(source: &Source) -> Option<Finding> {
    if !matches!(source.kind(), "rs" | "ts" | "css") {
        return None;
    }
    let lines = source.text.lines().count();
    if lines <= WARN_OVER {
        return None;
    }
    let mut finding = Finding::new(
        &source.path,
        lines,
        "file-size",
        format!("{lines} lines: consider splitting it"),
    );
    if lines > REFUSE_OVER {
        finding.advice = format!("{lines} lines, at most {REFUSE_OVER} are allowed: split it");
    } else {
        finding.only_warns = true;
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(path: &str, lines: usize) -> Option<bool> {
        check(&Source::new(path, &"a\n".repeat(lines))).map(|finding| finding.only_warns)
    }

    #[test]
    fn long_files_are_warnings_and_longer_ones_are_refused() {
        for path in ["a.rs", "a.ts", "a.css"] {
            assert_eq!(verdict(path, 400), None);
            assert_eq!(verdict(path, 401), Some(true));
            assert_eq!(verdict(path, 600), Some(true));
            assert_eq!(verdict(path, 601), Some(false));
        }
        assert_eq!(verdict("package-lock.json", 5000), None);
    }
}
