//! A checksum of the rows on a page, so that the page can detect a divergence from the server.

use crate::{SessionId, api::SessionView};

/// FNV-1a, 32 bits, over `id:version` and a line feed for each row from top to bottom. A version
/// identifies one state of a row, so equal versions mean equal rows. Not the crate `fnv` (64 bits):
/// 32 bits fit a JavaScript number, and any client can compute this in five lines.
pub fn of<'a>(rows: impl IntoIterator<Item = &'a SessionView>) -> u32 {
    of_versions(rows.into_iter().map(|row| (row.id, row.version)))
}

/// The same checksum, from ids and versions.
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
        // FNV-1a of "00000000-0000-0000-0000-000000000001:1
        // ", computed independently.
        assert_eq!(of_versions([(one, 1)]), CHECKED);
    }

    const CHECKED: u32 = 0x71a1_93b7;
}
