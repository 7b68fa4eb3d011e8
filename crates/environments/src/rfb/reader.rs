//! Collects the beginning of a message across the boundaries of chunks.

/// A header that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Header(Vec<u8>);

impl Header {
    /// Moves bytes from `input` until the header has `wanted` bytes. True if it is complete then.
    pub(super) fn fill(&mut self, input: &mut &[u8], wanted: usize) -> bool {
        let missing = wanted.saturating_sub(self.0.len());
        let (taken, rest) = input.split_at(missing.min(input.len()));
        self.0.extend_from_slice(taken);
        *input = rest;
        self.0.len() >= wanted
    }

    /// Empties the header and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl std::ops::Deref for Header {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl std::ops::DerefMut for Header {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub(super) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
