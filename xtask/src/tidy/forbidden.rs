//! Code that hides unfinished work, and tests that hide a defect.

use super::Finding;
use super::source::{Source, is_word, line_of};

/// Forbidden in all Rust code. Clippy refuses some of them too, but not in code that is disabled by features.
const RUST: [(&str, &str, &str); 4] = [
    ("todo!", "no-todo", "finish or remove it"),
    ("unimplemented!", "no-todo", "finish or remove it"),
    ("#[ignore", "no-ignored-tests", "make the test run or remove it"),
    (
        "unsafe",
        "no-unsafe",
        "use a safe interface, such as the one of rustix (I-19)",
    ),
];

/// Forbidden in browser tests.
const BROWSER_TESTS: [(&str, &str, &str); 5] = [
    (
        "waitForTimeout",
        "no-sleeps",
        "wait for the visible result: expect(…).toBeVisible()",
    ),
    (
        "setTimeout(",
        "no-sleeps",
        "wait for the visible result: expect(…).toBeVisible()",
    ),
    (".skip(", "no-skipped-tests", "make the test run or remove it"),
    (".fixme(", "no-skipped-tests", "make the test run or remove it"),
    (".only(", "no-skipped-tests", "run all tests"),
];

/// Checks one file for forbidden code and for its opening comment.
pub fn check(source: &Source) -> Vec<Finding> {
    match source.kind() {
        "rs" => {
            let mut findings = words(source, &RUST);
            findings.extend(bare_allows(source));
            findings.extend(introduction(source));
            findings
        }
        "ts" if source.path.starts_with("end2end/") => words(source, &BROWSER_TESTS),
        _ => Vec::new(),
    }
}

fn words(source: &Source, rules: &[(&'static str, &'static str, &'static str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (word, rule, advice) in rules {
        for (position, _) in source.code.match_indices(word) {
            if stands_alone(&source.code, position, word) && !is_time_limit(&source.code, position, word) {
                findings.push(Finding::new(
                    &source.path,
                    line_of(&source.code, position),
                    rule,
                    *advice,
                ));
            }
        }
    }
    findings
}

/// Whether the match is a whole word: `unsafe` does not match `unsafe_code`.
fn stands_alone(code: &str, position: usize, word: &str) -> bool {
    let before = code[..position].chars().next_back().is_some_and(is_word) && word.starts_with(is_word);
    let after = code[position + word.len()..].chars().next().is_some_and(is_word) && word.ends_with(is_word);
    !before && !after
}

/// Playwright's `test.setTimeout(…)` is the limit of a test, not a sleep.
fn is_time_limit(code: &str, position: usize, word: &str) -> bool {
    word == "setTimeout(" && code[..position].ends_with("test.")
}

/// Finds `#[allow(…)]`, which stays after its cause is gone. `#[expect(…, reason = "…")]` warns then.
fn bare_allows(source: &Source) -> Vec<Finding> {
    let attributes = source.code.match_indices("#[").chain(source.code.match_indices("#!["));
    attributes
        .filter(|(position, _)| {
            let attribute = &source.code[*position..];
            let attribute = &attribute[..attribute.find(']').unwrap_or(attribute.len())];
            attribute
                .match_indices("allow(")
                .any(|(at, _)| !attribute[..at].chars().next_back().is_some_and(is_word))
        })
        .map(|(position, _)| {
            let advice = "write #[expect(lint, reason = \"…\")] (I-19)";
            Finding::new(&source.path, line_of(&source.code, position), "no-bare-allow", advice)
        })
        .collect()
}

/// A crate or a folder begins with its purpose, its limits, and how to extend it.
fn introduction(source: &Source) -> Option<Finding> {
    let name = source.path.rsplit('/').next()?;
    let opens = source.text.starts_with("//!");
    let is_root = matches!(name, "lib.rs" | "main.rs") || has_modules(source);
    (is_root && !opens).then(|| {
        Finding::new(
            &source.path,
            1,
            "introduction",
            "begin with //! its purpose, its limits, and how to extend it",
        )
    })
}

/// Does the file declare modules in other files, beside its tests?
fn has_modules(source: &Source) -> bool {
    source.kind() == "rs"
        && source.code.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            matches!(words[..], [.., "mod", name] if name.ends_with(';') && name != "tests;")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&Source::new(path, text))
            .into_iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn unfinished_rust_is_found() {
        for (text, rule) in [
            ("fn f() { todo!() }", "no-todo"),
            ("unimplemented!()", "no-todo"),
            ("#[ignore = \"slow\"]", "no-ignored-tests"),
            ("unsafe { x }", "no-unsafe"),
            ("#[allow(dead_code)]", "no-bare-allow"),
            ("#![allow(dead_code)]", "no-bare-allow"),
            ("#[cfg_attr(test, allow(dead_code))]", "no-bare-allow"),
        ] {
            assert_eq!(rules("app/src/a.rs", text), [rule], "{text}");
        }
        assert!(
            rules(
                "app/src/a.rs",
                "// todo! unsafe #[allow(a)]\n\"unsafe\"; #![forbid(unsafe_code)] disallow(x)"
            )
            .is_empty()
        );
    }

    #[test]
    fn sleeps_and_skips_in_browser_tests_are_found() {
        for text in [
            "page.waitForTimeout(5)",
            "setTimeout(f, 5)",
            "test.skip(a)",
            "test.describe.only(a)",
            "test.fixme(a)",
        ] {
            assert_eq!(rules("end2end/tests/a.spec.ts", text).len(), 1, "{text}");
            assert!(rules("app/a.ts", text).is_empty());
        }
        assert!(
            rules(
                "end2end/tests/a.spec.ts",
                "// setTimeout(\ntest.setTimeout(5); expect(row).toBeVisible()"
            )
            .is_empty()
        );
    }

    #[test]
    fn crates_and_folders_without_an_introduction_are_found() {
        assert_eq!(rules("app/src/lib.rs", "mod a;"), ["introduction"]);
        assert_eq!(rules("app/src/ui.rs", "\n//! Late.\npub mod button;"), ["introduction"]);
        assert!(rules("app/src/ui.rs", "//! Buttons.\npub mod button;").is_empty());
        assert!(rules("app/src/ui/button.rs", "fn a() {}\n#[cfg(test)]\nmod tests;").is_empty());
    }
}
