//! Each kind of message, complete and in all possible pieces, the limits, and invalid input.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{super::server::encoding, *};

const HELLO: &[u8] = b"RFB 003.008\n\x01\x01";

/// One of each message with its length according to the protocol, and true if it is activity of the
/// user.
fn messages() -> Vec<(&'static str, Vec<u8>, Activity)> {
    use Activity::{None, User};
    let sized = |kind: u8, length: usize| {
        let mut bytes = vec![0xA5; length];
        bytes[0] = kind;
        bytes
    };
    let mut fence = sized(248, 9 + 64);
    fence[8] = 64;
    let mut qemu = sized(255, 12);
    qemu[1] = 0;
    vec![
        ("SetPixelFormat", pixels(32, 24, 255), None),
        ("SetEncodings of none", vec![2, 0, 0, 0], None),
        (
            "SetEncodings of two",
            vec![2, 0, 0, 2, 0, 0, 0, 7, 255, 255, 255, 33],
            None,
        ),
        ("FramebufferUpdateRequest", sized(3, 10), None),
        ("KeyEvent", sized(4, 8), User),
        ("PointerEvent", sized(5, 6), User),
        ("ClientCutText of none", vec![6, 0, 0, 0, 0, 0, 0, 0], User),
        (
            "ClientCutText",
            [&[6, 0, 0, 0, 0, 0, 0, 5][..], b"hello"].concat(),
            User,
        ),
        (
            "capabilities of the clipboard",
            extended(clipboard::CAPS | clipboard::NOTIFY | 1, 4),
            None,
        ),
        ("new clipboard", extended(clipboard::NOTIFY | 1, 0), User),
        ("wish for the clipboard", extended(clipboard::REQUEST | 1, 0), None),
        ("wish for its state", extended(clipboard::PEEK, 0), None),
        ("content of the clipboard", extended(clipboard::PROVIDE | 1, 500), None),
        ("EnableContinuousUpdates", sized(150, 10), None),
        ("ClientFence", fence, None),
        ("ClientFence of none", vec![248, 0, 0, 0, 128, 0, 0, 0, 0], None),
        ("xvp", sized(250, 4), None),
        ("SetDesktopSize", desktop((800, 600), &[(0, 0, 800, 600)]), None),
        ("QEMU key", qemu, User),
    ]
}

/// SetPixelFormat for pixels of this many bits, with this depth and maximum of each colour.
fn pixels(bits: u8, depth: u8, maximum: u16) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, bits, depth, 0, 1];
    bytes.extend([maximum; 3].iter().flat_map(|most| most.to_be_bytes()));
    bytes.extend([16, 8, 0, 0, 0, 0]);
    bytes
}

/// A message of the extended clipboard with these flags and this many bytes after them.
fn extended(flags: u32, bytes: usize) -> Vec<u8> {
    let length = -i32::try_from(4 + bytes).unwrap();
    let head = [&[6, 0, 0, 0][..], &length.to_be_bytes(), &flags.to_be_bytes()].concat();
    [head, vec![0xA5; bytes]].concat()
}

fn desktop((width, height): (u16, u16), screens: &[(u16, u16, u16, u16)]) -> Vec<u8> {
    let mut bytes = vec![251, 0];
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([u8::try_from(screens.len()).unwrap(), 0]);
    for &(x, y, w, h) in screens {
        bytes.extend(7_u32.to_be_bytes());
        bytes.extend([x, y, w, h].iter().flat_map(|number| number.to_be_bytes()));
        bytes.extend([0, 0, 0, 9]);
    }
    bytes
}

/// A filter after the handshake.
fn ready() -> ClientFilter {
    let mut filter = ClientFilter::new(Transfer::Both);
    assert_eq!(filter.feed(HELLO, &mut Vec::new()), Ok(Activity::None));
    filter
}

fn passed(input: &[u8]) -> Result<Vec<u8>, RfbError> {
    let mut out = Vec::new();
    ready().feed(input, &mut out).map(|_| out)
}

#[test]
fn each_message_passes_unchanged_and_only_a_person_counts() {
    for (name, bytes, expected) in messages() {
        let mut out = Vec::new();
        assert_eq!(ready().feed(&bytes, &mut out), Ok(expected), "{name}");
        assert_eq!(out, bytes, "{name}");
    }
}

#[test]
fn every_chunk_size_gives_the_same_bytes_and_the_same_activity() {
    let mut stream = HELLO.to_vec();
    for (_, bytes, _) in messages() {
        stream.extend(bytes);
    }
    let doings = messages()
        .iter()
        .filter(|(_, _, activity)| *activity == Activity::User)
        .count();
    for size in 1..=stream.len() {
        let mut filter = ClientFilter::new(Transfer::Both);
        let mut out = Vec::new();
        let mut seen = 0;
        for chunk in stream.chunks(size) {
            seen += usize::from(filter.feed(chunk, &mut out).unwrap() == Activity::User);
            assert!(filter.held.capacity() <= 8192);
        }
        assert_eq!(out, stream, "in chunks of {size}");
        assert!(seen >= 1 && seen <= doings, "in chunks of {size}");
        if size == 1 {
            assert_eq!(seen, doings);
        }
    }
}

#[test]
fn nothing_of_an_incomplete_message_passes() {
    for (name, bytes, _) in messages() {
        let head = bytes.len().min(4) - 1;
        let mut out = Vec::new();
        assert_eq!(ready().feed(&bytes[..head], &mut out), Ok(Activity::None), "{name}");
        assert!(out.is_empty(), "{name}");
    }
}

#[test]
fn a_screen_too_large_is_cut_with_its_layout() {
    let asked = desktop(
        (16_000, 16_000),
        &[(0, 0, 16_000, 16_000), (9_000, 9_000, 500, 500), (3_000, 0, 2_000, 100)],
    );
    let given = desktop(
        (3840, 2160),
        &[(0, 0, 3840, 2160), (3839, 2159, 1, 1), (3_000, 0, 840, 100)],
    );
    assert_eq!(passed(&asked), Ok(given));
}

#[test]
fn a_screen_of_no_size_becomes_the_smallest() {
    assert_eq!(
        passed(&desktop((0, 0), &[(5, 5, 0, 0)])),
        Ok(desktop((1, 1), &[(0, 0, 1, 1)]))
    );
    assert_eq!(passed(&desktop((0, 9999), &[])), Ok(desktop((1, 2160), &[])));
}

#[test]
fn the_longest_layout_fits_and_is_limited_byte_by_byte() {
    let asked = desktop((u16::MAX, u16::MAX), &[(u16::MAX, 0, u16::MAX, u16::MAX); 255]);
    let mut filter = ready();
    let mut out = Vec::new();
    for byte in &asked {
        filter.feed(&[*byte], &mut out).unwrap();
    }
    assert_eq!(out, desktop((3840, 2160), &[(3839, 0, 1, 2160); 255]));
}

#[test]
fn unknown_messages_are_refused_for_good() {
    let known = [0, 2, 3, 4, 5, 6, 150, 248, 250, 251, 255];
    for kind in 0..=255 {
        if !known.contains(&kind) {
            let mut filter = ready();
            let mut out = Vec::new();
            let refused = Err(RfbError::UnknownMessage(kind));
            assert_eq!(filter.feed(&[kind], &mut out), refused);
            assert_eq!(filter.feed(&[4, 0, 0, 0, 0, 0, 0, 0], &mut out), refused);
            assert!(out.is_empty());
        }
    }
    assert_eq!(passed(&[255, 1]), Err(RfbError::UnknownQemuMessage(1)));
}

#[test]
fn what_came_before_a_refusal_has_passed() {
    let mut out = Vec::new();
    assert_eq!(
        ready().feed(&[250, 0, 1, 2, 99], &mut out),
        Err(RfbError::UnknownMessage(99))
    );
    assert_eq!(out, [250, 0, 1, 2]);
}

#[test]
fn the_clipboard_has_a_limit_whatever_its_sign() {
    let head = |length: i32| [&[6, 0, 0, 0][..], &length.to_be_bytes()].concat();
    let most = i32::try_from(MAX_CUT_TEXT).unwrap();
    assert!(passed(&head(most)).is_ok());
    assert_eq!(passed(&head(-3)), Err(RfbError::UnknownMessage(6)));
    assert!(passed(&head(-most)).is_ok());
    for length in [most + 1, -most - 1, i32::MAX, i32::MIN] {
        assert_eq!(
            passed(&head(length)),
            Err(RfbError::CutTextTooLong(length.unsigned_abs()))
        );
    }
}

#[test]
fn the_clipboard_goes_in_the_allowed_directions_only() {
    let text = [&[6, 0, 0, 0, 0, 0, 0, 5][..], b"hello"].concat();
    let into = [
        text,
        extended(clipboard::NOTIFY | 1, 0),
        extended(clipboard::PROVIDE | 1, 500),
    ];
    let out_of = [extended(clipboard::REQUEST | 1, 0), extended(clipboard::PEEK, 0)];
    let key = [4, 1, 0, 0, 0, 0, 0, 97];
    for transfer in Transfer::ALL {
        let passes = |message: &[u8]| {
            let mut filter = ClientFilter::new(transfer);
            filter.feed(HELLO, &mut Vec::new()).unwrap();
            let mut out = Vec::new();
            filter.feed(&[message, &key].concat(), &mut out).unwrap();
            assert!(out.ends_with(&key), "the next message passes");
            out.len() > key.len()
        };
        for message in &into {
            assert_eq!(passes(message), transfer.allows_in(), "{transfer:?} {message:?}");
        }
        for message in &out_of {
            assert_eq!(passes(message), transfer.allows_out(), "{transfer:?} {message:?}");
        }
        assert!(passes(&extended(clipboard::CAPS | 1, 4)), "capabilities carry no text");
    }
    let unknown = passed(&extended(1 << 30, 0));
    assert_eq!(unknown, Err(RfbError::UnknownMessage(6)));
}

#[test]
fn only_encodings_that_the_other_filter_can_measure_are_passed() {
    let list = |encodings: &[i32]| {
        let many = u16::try_from(encodings.len()).unwrap();
        let mut bytes = [&[2, 0][..], &many.to_be_bytes()].concat();
        bytes.extend(encodings.iter().flat_map(|encoding| encoding.to_be_bytes()));
        bytes
    };
    let (hextile, zrle, tight_png, mouse) = (5, 16, -260, -316);
    assert_eq!(
        passed(&list(&[
            hextile,
            encoding::TIGHT,
            zrle,
            tight_png,
            -26,
            mouse,
            encoding::EXTENDED_CLIPBOARD
        ])),
        Ok(list(&[encoding::TIGHT, -26, encoding::EXTENDED_CLIPBOARD]))
    );
    assert_eq!(passed(&list(&[0; 256])), Ok(list(&[0; 256])));
    assert_eq!(passed(&list(&[0; 257])), Err(RfbError::TooManyEncodings(257)));
    for (bits, depth, maximum) in [(8, 8, 7), (16, 16, 31), (32, 24, 254), (32, 30, 255)] {
        assert_eq!(passed(&pixels(bits, depth, maximum)), Err(RfbError::PixelFormat));
    }
}

#[test]
fn a_long_clipboard_is_never_held() {
    let mut filter = ready();
    let mut out = Vec::new();
    filter
        .feed(&[&[6, 0, 0, 0][..], &MAX_CUT_TEXT.to_be_bytes()].concat(), &mut out)
        .unwrap();
    filter.feed(&vec![b'x'; MAX_CUT_TEXT as usize], &mut out).unwrap();
    assert_eq!(out.len(), 8 + MAX_CUT_TEXT as usize);
    assert!(filter.held.capacity() <= 64);
    assert_eq!(filter.feed(&[4, 0, 0, 0, 0, 0, 0, 0], &mut out), Ok(Activity::User));
}

#[test]
fn the_handshake_is_read_first() {
    let refused = |bytes: &[u8]| ClientFilter::new(Transfer::Both).feed(bytes, &mut Vec::new());
    assert_eq!(refused(b"RFB 003.008\n\x01\x00"), Ok(Activity::None));
    assert_eq!(refused(b"RFB 003.007\n"), Err(RfbError::Version));
    assert_eq!(refused(b"RFB 003.003\n"), Err(RfbError::Version));
    assert_eq!(refused(b"GET / HTTP/1.1\r\n"), Err(RfbError::Version));
    assert_eq!(refused(b"RFB 003.008\n\x02"), Err(RfbError::Security(2)));
    assert_eq!(refused(b"RFB 003.00"), Ok(Activity::None));
    // Bytes of the handshake that look like keys are no activity.
    assert_eq!(refused(b"RFB 003.008\n\x01\x04"), Ok(Activity::None));
}

#[test]
fn rubbish_never_panics_nor_grows_and_cutting_changes_nothing() {
    for seed in 0..2_000 {
        let mut random = StdRng::seed_from_u64(seed);
        let rubbish: Vec<u8> = (0..random.random_range(0..600)).map(|_| random.random()).collect();
        let stream = if seed % 2 == 0 {
            rubbish
        } else {
            [HELLO, &rubbish].concat()
        };
        let (mut whole, mut whole_out) = (ClientFilter::new(Transfer::Both), Vec::new());
        let verdict = whole.feed(&stream, &mut whole_out).err();
        let (mut cut, mut cut_out) = (ClientFilter::new(Transfer::Both), Vec::new());
        let mut cut_verdict = None;
        for byte in &stream {
            cut_verdict = cut.feed(&[*byte], &mut cut_out).err();
            assert!(cut.held.len() <= 8 + 16 * 255, "seed {seed}");
        }
        assert_eq!((verdict, whole_out.len()), (cut_verdict, cut_out.len()), "seed {seed}");
        assert!(cut_out.len() <= stream.len(), "seed {seed}");
    }
}
