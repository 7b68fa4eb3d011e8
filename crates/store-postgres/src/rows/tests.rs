use super::*;

#[test]
fn every_text_comes_back_and_most_are_stored_as_they_are() {
    for odd in ["", "é\t\"", "\0", "\u{1a}", "\u{1a}0", "a\0\0b\u{1a}1", "\u{1a}\0"] {
        let stored = text(odd);
        assert!(!stored.contains('\0'), "{odd:?}");
        assert_eq!(plain(&stored).unwrap(), odd);
    }
    assert!(matches!(text("plain"), Cow::Borrowed("plain")));
    assert!(plain("\u{1a}x").is_err());
    assert!(plain("\u{1a}").is_err());
}
