//! Each kind of message and rectangle, in all possible pieces, the clipboard, and invalid input.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;

/// The handshake: version, one security type, its result, a screen of 2 × 2 pixels named "x".
fn hello() -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n\x01\x01\x00\x00\x00\x00".to_vec();
    bytes.extend([0, 2, 0, 2, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    bytes.extend([0, 0, 0, 1, b'x']);
    bytes
}

/// A rectangle of 3 × 5 pixels.
fn rectangle(encoding: i32, content: &[u8]) -> Vec<u8> {
    let head = [0, 1, 0, 2, 0, 3, 0, 5];
    [&head[..], &encoding.to_be_bytes(), content].concat()
}

fn update(rectangles: &[Vec<u8>]) -> Vec<u8> {
    let many = u16::try_from(rectangles.len()).unwrap();
    [&[0, 0][..], &many.to_be_bytes(), &rectangles.concat()].concat()
}

/// A message of the extended clipboard.
fn extended(flags: u32, content: &[u8]) -> Vec<u8> {
    let length = -i32::try_from(4 + content.len()).unwrap();
    [&[3, 0, 0, 0][..], &length.to_be_bytes(), &flags.to_be_bytes(), content].concat()
}

/// The content of a clipboard, which claims to have `length` bytes.
fn provided(length: u32, text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&length.to_be_bytes()).unwrap();
    encoder.write_all(text).unwrap();
    extended(clipboard::PROVIDE | clipboard::TEXT, &encoder.finish().unwrap())
}

/// A text that compresses badly.
fn text(bytes: usize) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(1);
    (0..bytes).map(|_| random.random_range(b' '..b'~')).collect()
}

/// One of each message.
fn messages() -> Vec<Vec<u8>> {
    use encoding::*;
    vec![
        update(&[]),
        update(&[rectangle(RAW, &[7; 60]), rectangle(COPY_RECT, &[0; 4])]),
        update(&[rectangle(TIGHT, &[0x80, 1, 2, 3]), rectangle(TIGHT, &[0x90, 2, 3, 3])]),
        update(&[rectangle(TIGHT, &[0x40, 1, 1, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0])]),
        update(&[rectangle(CURSOR, &[3; 65])]),
        update(&[rectangle(VMWARE_CURSOR, &[&[0, 0][..], &[3; 120]].concat())]),
        update(&[rectangle(VMWARE_CURSOR, &[&[1, 0][..], &[3; 60]].concat())]),
        update(&[rectangle(DESKTOP_NAME, &[0, 0, 0, 3, 3, 3, 3])]),
        update(&[rectangle(
            EXTENDED_DESKTOP_SIZE,
            &[&[2, 0, 0, 0][..], &[3; 32]].concat(),
        )]),
        update(&[
            rectangle(DESKTOP_SIZE, &[]),
            rectangle(QEMU_KEY, &[]),
            rectangle(QEMU_LED, &[3]),
        ]),
        // The number of rectangles is not known in advance.
        [
            &[0, 0, 255, 255][..],
            &rectangle(RAW, &[7; 60]),
            &rectangle(LAST_RECT, &[]),
        ]
        .concat(),
        vec![2],
        vec![150],
        vec![248, 0, 0, 0, 128, 0, 0, 0, 3, 3, 3, 3],
        [&[3, 0, 0, 0, 0, 0, 0, 5][..], b"hello"].concat(),
        extended(clipboard::CAPS | clipboard::NOTIFY | 1, &[0; 4]),
        extended(clipboard::NOTIFY | 1, &[]),
        extended(clipboard::REQUEST | 1, &[]),
        extended(clipboard::PEEK, &[]),
        provided(5, b"hello"),
        provided(9000, &text(9000)),
    ]
}

/// Feeds one message after the handshake, then a bell. Returns the message's copy.
fn passed(clipboard: Transfer, message: &[u8]) -> (Copied, Vec<u8>) {
    let mut filter = ServerFilter::new(clipboard);
    filter.feed(&hello(), &mut Vec::new()).unwrap();
    let mut out = Vec::new();
    let copied = filter.feed(&[message, &[2]].concat(), &mut out).unwrap();
    assert_eq!(out.pop(), Some(2), "the next message passes");
    (copied, out)
}

fn refused(stream: &[u8]) -> Option<RfbError> {
    let mut filter = ServerFilter::new(Transfer::Both);
    let error = filter.feed(stream, &mut Vec::new()).err()?;
    assert_eq!(filter.feed(&[2], &mut Vec::new()), Err(error), "it stays refused");
    Some(error)
}

#[test]
fn every_chunk_size_gives_the_same_bytes() {
    let stream = [hello(), messages().concat()].concat();
    for size in (1..200).chain([1000, 5000, stream.len()]) {
        let mut filter = ServerFilter::new(Transfer::Both);
        let mut out = Vec::new();
        for chunk in stream.chunks(size) {
            assert_eq!(filter.feed(chunk, &mut out), Ok(Copied::Passed));
            assert!(filter.held.capacity() <= 4096);
        }
        assert!(out == stream, "in chunks of {size}");
        assert_eq!(filter.phase, Phase::Message);
    }
}

#[test]
fn the_clipboard_goes_in_the_allowed_directions_only() {
    let out_of = [
        [&[3, 0, 0, 0, 0, 0, 0, 5][..], b"hello"].concat(),
        extended(clipboard::NOTIFY | 1, &[]),
        provided(5, b"hello"),
        provided(9000, &text(9000)),
    ];
    let into = [extended(clipboard::REQUEST | 1, &[]), extended(clipboard::PEEK, &[])];
    for transfer in Transfer::ALL {
        let passes = |message: &[u8]| {
            let (copied, out) = passed(transfer, message);
            assert!(out.is_empty() || out == message);
            assert_eq!(
                copied == Copied::Kept,
                out_of.iter().any(|copy| copy == message) && out.is_empty(),
                "{transfer:?} {message:?}"
            );
            !out.is_empty()
        };
        for message in &out_of {
            assert_eq!(passes(message), transfer.allows_out(), "{transfer:?} {message:?}");
        }
        for message in &into {
            assert_eq!(passes(message), transfer.allows_in(), "{transfer:?} {message:?}");
        }
        assert!(
            passes(&extended(clipboard::CAPS | 1, &[0; 4])),
            "capabilities carry no text"
        );
    }
}

#[test]
fn a_text_too_long_is_dropped_and_reported() {
    let fits = MAX_TEXT_OUT;
    assert_eq!(passed(Transfer::Both, &provided(fits, b"")).0, Copied::Passed);
    let bomb = provided(100 << 20, &vec![b'x'; 4 << 20]);
    assert!(bomb.len() < 20_000, "it is small on the network");
    assert_eq!(passed(Transfer::Both, &bomb), (Copied::TooLong, vec![]));
    assert_eq!(passed(Transfer::In, &bomb), (Copied::Kept, vec![]), "dropped anyway");
    let plain = [
        &[3, 0, 0, 0][..],
        &(fits + 1).to_be_bytes(),
        &vec![b'x'; fits as usize + 1],
    ]
    .concat();
    assert_eq!(passed(Transfer::Both, &plain), (Copied::TooLong, vec![]));
}

#[test]
fn content_that_the_tab_did_not_ask_for_is_dropped() {
    let mut rich = provided(5, b"hello");
    rich[11] |= 2;
    let mut broken = provided(5, b"hello");
    broken[12] ^= 0xFF;
    let nothing = extended(clipboard::PROVIDE | 1, &[]);
    let unknown = extended(1 << 30, b"hello");
    for message in [rich, broken, nothing, unknown] {
        assert_eq!(
            passed(Transfer::Both, &message),
            (Copied::Passed, vec![]),
            "{message:?}"
        );
    }
}

#[test]
fn unknown_and_malformed_messages_are_refused_for_good() {
    let after_hello = |bytes: &[u8]| refused(&[&hello(), bytes].concat());
    for kind in (0..=255).filter(|kind| ![0, 2, 3, 150, 248].contains(kind)) {
        assert_eq!(after_hello(&[kind]), Some(RfbError::UnknownMessage(kind)));
    }
    for encoding in [2, 5, 6, 16, 21, 50, -260, -309, -316] {
        let bytes = update(&[rectangle(encoding, &[])]);
        assert_eq!(after_hello(&bytes), Some(RfbError::UnknownEncoding(encoding)));
    }
    let cursor = update(&[rectangle(encoding::VMWARE_CURSOR, &[2, 0])]);
    assert_eq!(
        after_hello(&cursor),
        Some(RfbError::UnknownEncoding(encoding::VMWARE_CURSOR))
    );
    assert_eq!(
        after_hello(&[3, 0, 0, 0, 255, 255, 255, 253]),
        Some(RfbError::UnknownMessage(3))
    );
    assert_eq!(after_hello(&[3, 0, 0, 0, 128, 0, 0, 0]), None, "the longest is dropped");

    assert_eq!(refused(b"RFB 003.007\n"), Some(RfbError::Version));
    assert_eq!(refused(b"RFB 003.008\n\x01\x02"), Some(RfbError::Security(2)));
    assert_eq!(refused(b"RFB 003.008\n\x00"), Some(RfbError::Security(0)));
    assert_eq!(
        refused(b"RFB 003.008\n\x01\x01\x00\x00\x00\x01"),
        Some(RfbError::Refused)
    );
    let mut palette = hello();
    palette[25] = 0;
    assert_eq!(refused(&palette), Some(RfbError::PixelFormat));
}

#[test]
fn rubbish_never_panics_nor_grows_and_cutting_changes_nothing() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut stream = [hello(), messages().concat()].concat();
        for _ in 0..random.random_range(1..9) {
            let at = random.random_range(0..stream.len());
            stream[at] = random.random();
        }
        let (mut whole, mut whole_out) = (ServerFilter::new(Transfer::In), Vec::new());
        let verdict = whole.feed(&stream, &mut whole_out).err();
        let (mut cut, mut cut_out) = (ServerFilter::new(Transfer::In), Vec::new());
        let mut cut_verdict = None;
        for byte in &stream {
            cut_verdict = cut.feed(&[*byte], &mut cut_out).err();
            assert!(cut.held.len() <= 12 + TEXT_HEAD, "seed {seed}");
        }
        assert_eq!((verdict, whole_out), (cut_verdict, cut_out), "seed {seed}");
    }
}
