//! The length of a rectangle in the encoding Tight, for pixels of true colour.

use super::{RfbError, server::encoding::TIGHT};

/// Bytes of a pixel: the encoding leaves the unused fourth out.
const PIXEL: u64 = 3;
/// Data of fewer bytes is neither compressed nor preceded by its length.
const COMPRESSED_FROM: u64 = 12;

/// The known part of a rectangle's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// This many bytes must be held before more is known.
    Wanted(usize),
    /// The rectangle has a header of this length, and this many bytes after it.
    Known(usize, u64),
}

/// Measures a rectangle of this size, of which `held` is the beginning.
///
/// # Errors
/// If it is of a kind that no display sends to a client of plain Tight.
pub(super) fn length(held: &[u8], width: u16, height: u16) -> Result<Length, RfbError> {
    let Some(control) = held.first().map(|control| control >> 4) else {
        return Ok(Length::Wanted(1));
    };
    match control {
        8 => Ok(Length::Known(1, PIXEL)), // one colour
        9 => Ok(compressed(held, 1)),     // JPEG
        0..8 => basic(held, control & 4 != 0, width, height),
        _ => Err(RfbError::UnknownEncoding(TIGHT)),
    }
}

fn basic(held: &[u8], has_filter: bool, width: u16, height: u16) -> Result<Length, RfbError> {
    let (width, height) = (u64::from(width), u64::from(height));
    let mut header = 1 + usize::from(has_filter);
    let filter = if has_filter { held.get(1).copied() } else { Some(0) };
    let size = match filter {
        None => return Ok(Length::Wanted(header)),
        Some(0 | 2) => width * height * PIXEL, // unchanged, or differences
        Some(1) => {
            let Some(last) = held.get(2) else {
                return Ok(Length::Wanted(3));
            };
            let colours = usize::from(*last) + 1;
            header = 3 + 3 * colours;
            // Two colours need one bit for each pixel, in whole bytes for each row.
            height * if colours <= 2 { width.div_ceil(8) } else { width }
        }
        Some(_) => return Err(RfbError::UnknownEncoding(TIGHT)),
    };
    if size < COMPRESSED_FROM {
        Ok(Length::Known(header, size))
    } else {
        Ok(compressed(held, header))
    }
}

/// The length of compressed data: seven bits in each of at most three bytes, the lowest first; the
/// last one has eight.
fn compressed(held: &[u8], at: usize) -> Length {
    let mut length = 0;
    for (number, place) in (at..at + 3).enumerate() {
        let Some(byte) = held.get(place) else {
            return Length::Wanted(place + 1);
        };
        let (bits, more) = if number < 2 {
            (byte & 0x7F, byte & 0x80 != 0)
        } else {
            (*byte, false)
        };
        length |= u64::from(bits) << (7 * number);
        if !more {
            return Length::Known(place + 1, length);
        }
    }
    Length::Known(at + 3, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measures as a filter does: with one more byte after the other.
    fn measured(bytes: &[u8], width: u16, height: u16) -> Option<(usize, u64)> {
        let mut held = 0;
        loop {
            match length(&bytes[..held], width, height).ok()? {
                Length::Wanted(wanted) => {
                    assert!(wanted > held, "it makes progress");
                    held = wanted;
                }
                Length::Known(header, body) => return Some((header, body)),
            }
        }
    }

    #[test]
    fn each_kind_of_rectangle_is_measured() {
        let palette = |colours: u8| [vec![0x40, 1, colours - 1], vec![7; 3 * usize::from(colours)]].concat();
        for (name, bytes, size, expected) in [
            ("one colour", vec![0x80], (640, 480), (1, 3)),
            ("JPEG", vec![0x90, 0x85, 0x01], (640, 480), (3, 133)),
            (
                "three bytes of length",
                vec![0x90, 0xFF, 0xFF, 0xFF],
                (9, 9),
                (4, 0x003F_FFFF),
            ),
            ("plain, short", vec![0x00], (1, 3), (1, 9)),
            ("plain, compressed", vec![0x00, 12], (2, 2), (2, 12)),
            ("stream 3, reset", vec![0x38, 12], (2, 2), (2, 12)),
            ("explicit filter, short", vec![0x40, 0], (3, 1), (2, 9)),
            ("differences", vec![0x40, 2, 0x81, 0x02], (100, 1), (4, 257)),
            ("one colour of a palette", palette(1), (8, 11), (6, 11)),
            ("two colours, short", palette(2), (9, 5), (9, 10)),
            (
                "two colours, compressed",
                [palette(2), vec![5]].concat(),
                (9, 6),
                (10, 5),
            ),
            ("three colours, short", palette(3), (11, 1), (12, 11)),
            (
                "three colours, compressed",
                [palette(3), vec![4]].concat(),
                (12, 1),
                (13, 4),
            ),
            ("no pixel", vec![0x00], (0, 9), (1, 0)),
        ] {
            assert_eq!(measured(&bytes, size.0, size.1), Some(expected), "{name}");
        }
        let full = [vec![0x40, 1, 255], vec![7; 768], vec![3]].concat();
        assert_eq!(measured(&full, 64, 64), Some((772, 3)));
    }

    #[test]
    fn unknown_kinds_are_refused() {
        for bytes in [[0xA0, 0], [0xF0, 0], [0x40, 3]] {
            assert_eq!(measured(&bytes, 64, 64), None, "{bytes:?}");
        }
    }
}
