use super::*;

#[test]
fn versions_compare_as_numbers() {
    for version in ["3.51.3", "3.51.10", "3.52.0", "4.0"] {
        assert!(check_version(version).is_ok(), "{version}");
    }
    for version in ["3.51.2", "3.7.0", "3.9.99", "", "x"] {
        assert!(check_version(version).is_err(), "{version}");
    }
}
