use super::*;

#[test]
fn fifteen_is_the_oldest() {
    for version in [Some(150_000), Some(150_018), Some(180_001), None] {
        assert!(check_version(version).is_ok(), "{version:?}");
    }
    for (version, named) in [(140_019, "14.19"), (90_624, "9.6"), (130_000, "13.0")] {
        let refused = check_version(Some(version)).unwrap_err();
        assert!(
            matches!(&refused, StoreError::OldPostgres(old, 15) if old == named),
            "{refused:?}"
        );
        assert!(refused.to_string().contains("at least 15 is needed"), "{refused}");
    }
}
