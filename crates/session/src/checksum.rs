//! A checksum of the rows that somebody is shown, so that a page which has gone astray finds out.

use crate::{SessionId, wire::SessionView};

/// FNV-1a, 32 bits, over `id:version` and a line feed for each row from top to bottom. A version names one state of a row, so
/// rows that agree in these agree in everything. By hand, and not the crate `fnv` (64 bits): a number that JavaScript can hold
/// and that any client can compute in five lines.
pub fn of<'a>(rows: impl IntoIterator<Item = &'a SessionView>) -> u32 {
    of_versions(rows.into_iter().map(|row| (row.id, row.version)))
}

/// The same, of ids and versions.
pub fn of_versions(rows: impl IntoIterator<Item = (SessionId, u64)>) -> u32 {
    let step = |sum: u32, byte: u8| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    rows.into_iter().fold(0x811c_9dc5, |sum, (id, version)| {
        format!("{id}:{version}\n").bytes().fold(sum, step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn agrees_with_the_published_values_and_tells_order_and_version_apart() {
        let (one, two) = (SessionId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        assert_eq!(of_versions([]), 0x811c_9dc5, "the offset basis");
        assert_ne!(of_versions([(one, 1), (two, 1)]), of_versions([(two, 1), (one, 1)]));
        assert_ne!(of_versions([(one, 1)]), of_versions([(one, 2)]));
        // FNV-1a of "00000000-0000-0000-0000-000000000001:1\n", computed apart from this code.
        assert_eq!(of_versions([(one, 1)]), CHECKED);
    }

    const CHECKED: u32 = 0x71a1_93b7;
}
