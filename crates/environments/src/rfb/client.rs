//! The client's half of the protocol, from a tab to an application's display.
//!
//! [`ClientFilter`] copies well-formed messages, limits the two that can be expensive for the host
//! (the size of the screen, the length of the clipboard), enforces the directions of the clipboard,
//! reports the activity of the user, and refuses the rest.
//!
//! To accept one more kind of message: one arm in [`Message::of`] with its length, and one row in
//! the tests' table. To accept one more encoding: [`is_measured`], and an arm in the server filter.

use session::Transfer;

use super::{
    MAX_CUT_TEXT, MAX_HEIGHT, MAX_WIDTH, RfbError, clipboard,
    reader::{Header, i32_at, u16_at, u32_at},
};

/// Most encodings in a client's list. noVNC has about 30.
const MAX_ENCODINGS: u16 = 256;

/// The cause of the messages in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// The client itself.
    None,
    /// The user: a key, the pointer or the clipboard.
    User,
}

/// The filter of one client's stream, from its first byte on.
#[derive(Debug)]
pub struct ClientFilter {
    phase: Phase,
    clipboard: Transfer,
    /// The beginning of a message that is not complete yet.
    held: Header,
    /// The number of bytes of the current message that follow its header.
    body: u64,
    /// Whether these bytes pass, unchecked; otherwise they are dropped.
    passes: bool,
    refused: Option<RfbError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Version,
    Security,
    ClientInit,
    Messages,
}

impl ClientFilter {
    /// A filter for a new stream of a session with these directions of the clipboard.
    pub fn new(clipboard: Transfer) -> Self {
        Self {
            phase: Phase::Version,
            clipboard,
            held: Header::default(),
            body: 0,
            passes: true,
            refused: None,
        }
    }

    /// Takes the next bytes of the client and appends the accepted ones to `out`.
    ///
    /// # Errors
    /// On the first byte that is refused. Complete messages before it are in `out`; later calls
    /// fail with the same error.
    pub fn feed(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<Activity, RfbError> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let mut activity = Activity::None;
        while !input.is_empty() {
            if self.body > 0 {
                let many = input.len().min(usize::try_from(self.body).unwrap_or(usize::MAX));
                let (body, rest) = input.split_at(many);
                if self.passes {
                    out.extend_from_slice(body);
                }
                self.body -= many as u64;
                input = rest;
                continue;
            }
            let wanted = self.wanted().map_err(|error| self.refuse(error))?;
            // The header may say that it is longer than known before: check again before it counts
            // as complete.
            if self.held.fill(&mut input, wanted)
                && self.held.len() == self.wanted().map_err(|error| self.refuse(error))?
            {
                if self.complete(out).map_err(|error| self.refuse(error))? == Activity::User {
                    activity = Activity::User;
                }
                self.held.clear();
            }
        }
        Ok(activity)
    }

    fn refuse(&mut self, error: RfbError) -> RfbError {
        self.refused = Some(error);
        error
    }

    /// The number of bytes to hold before the current item can be checked, as far as it is known
    /// yet.
    fn wanted(&self) -> Result<usize, RfbError> {
        match self.phase {
            Phase::Version => Ok(12),
            Phase::Security | Phase::ClientInit => Ok(1),
            Phase::Messages => match self.held.first() {
                None => Ok(1),
                Some(&kind) => Message::of(kind)?.header(&self.held),
            },
        }
    }

    /// Processes the complete item in `held`.
    fn complete(&mut self, out: &mut Vec<u8>) -> Result<Activity, RfbError> {
        match self.phase {
            Phase::Version => {
                // Earlier versions have another handshake, which shifts every later byte. No client
                // needs them.
                if self.held.as_slice() != b"RFB 003.008\n" {
                    return Err(RfbError::Version);
                }
                self.phase = Phase::Security;
            }
            Phase::Security => {
                if *self.held != [1] {
                    return Err(RfbError::Security(self.held[0]));
                }
                self.phase = Phase::ClientInit;
            }
            Phase::ClientInit => self.phase = Phase::Messages,
            Phase::Messages => return self.message(out),
        }
        out.extend_from_slice(&self.held);
        Ok(Activity::None)
    }

    /// Processes the complete header of a message.
    fn message(&mut self, out: &mut Vec<u8>) -> Result<Activity, RfbError> {
        let message = Message::of(self.held[0])?;
        self.body = message.body(&self.held);
        self.passes = true;
        let mut activity = message.activity();
        match message {
            Message::SetPixelFormat if !is_true_colour(&self.held[4..]) => return Err(RfbError::PixelFormat),
            Message::SetEncodings => keep_measured(&mut self.held),
            Message::SetDesktopSize => clamp_desktop_size(&mut self.held),
            Message::CutText => (self.passes, activity) = cut_text(&self.held, self.clipboard)?,
            _ => {}
        }
        if self.passes {
            out.extend_from_slice(&self.held);
        }
        Ok(activity)
    }
}

/// Whether a pixel has 32 bits, and each colour 8 of them. All browsers use it, and the server
/// filter measures no other.
pub(super) fn is_true_colour(format: &[u8]) -> bool {
    let maxima = [4, 6, 8].map(|at| u16_at(format, at));
    matches!(format, [32, 24, _, 1..=255, ..]) && maxima == [255; 3]
}

/// Removes the encodings that the server filter can't measure from a SetEncodings message.
fn keep_measured(message: &mut Vec<u8>) {
    let kept: Vec<u8> = message[4..]
        .chunks_exact(4)
        .filter(|encoding| is_measured(i32_at(encoding, 0)))
        .flatten()
        .copied()
        .collect();
    message.truncate(4);
    message.extend_from_slice(&kept);
    let count = u16::try_from(kept.len() / 4).unwrap_or(MAX_ENCODINGS);
    put_u16(message, 2, count);
}

/// Whether a clipboard message passes, and whether a person caused it. `header` includes the flags
/// of an extended one.
fn cut_text(header: &[u8], clipboard: Transfer) -> Result<(bool, Activity), RfbError> {
    if i32_at(header, 4) >= 0 {
        return Ok((clipboard.allows_in(), Activity::User));
    }
    // Only a notice has a person as its cause. The client sends the others to answer the display.
    Ok(match u32_at(header, 8) & clipboard::ACTIONS {
        caps if caps & clipboard::CAPS != 0 => (true, Activity::None),
        clipboard::REQUEST | clipboard::PEEK => (clipboard.allows_out(), Activity::None),
        clipboard::PROVIDE => (clipboard.allows_in(), Activity::None),
        clipboard::NOTIFY => (clipboard.allows_in(), Activity::User),
        _ => return Err(RfbError::UnknownMessage(header[0])),
    })
}

/// Whether the server filter can measure rectangles in this encoding, or it is a setting without
/// rectangles of its own.
fn is_measured(encoding: i32) -> bool {
    use super::server::encoding::*;
    matches!(
        encoding,
        RAW | COPY_RECT
            | TIGHT
            | CURSOR
            | VMWARE_CURSOR
            | DESKTOP_SIZE
            | LAST_RECT
            | QEMU_KEY
            | QEMU_LED
            | DESKTOP_NAME
            | EXTENDED_DESKTOP_SIZE
            | FENCE
            | CONTINUOUS_UPDATES
            | EXTENDED_CLIPBOARD
    ) || (-32..=-23).contains(&encoding) // quality of JPEG
        || (-256..=-247).contains(&encoding) // level of compression
        || (-512..=-412).contains(&encoding) // quality of JPEG in percent (TigerVNC)
        || (-768..=-763).contains(&encoding) // sampling of JPEG (TigerVNC)
}

/// The kinds of message that a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A message of this length that is no activity of the user.
    Fixed(usize),
    /// The format of the pixels that the client expects.
    SetPixelFormat,
    /// The encodings that the client can decode.
    SetEncodings,
    /// A key that was pressed or released.
    KeyEvent,
    /// The position of the pointer, with its buttons.
    PointerEvent,
    /// The text of the client's clipboard.
    CutText,
    /// A mark in the stream that the server returns (TigerVNC).
    Fence,
    /// A wish for another size of the screen.
    SetDesktopSize,
    /// A key with its scan code.
    Qemu,
}

impl Message {
    /// The kind of the message with this first byte.
    pub fn of(kind: u8) -> Result<Self, RfbError> {
        Ok(match kind {
            0 => Self::SetPixelFormat,
            2 => Self::SetEncodings,
            3 => Self::Fixed(10), // FramebufferUpdateRequest
            4 => Self::KeyEvent,
            5 => Self::PointerEvent,
            6 => Self::CutText,
            150 => Self::Fixed(10), // EnableContinuousUpdates
            248 => Self::Fence,
            250 => Self::Fixed(4), // xvp
            251 => Self::SetDesktopSize,
            255 => Self::Qemu,
            unknown => return Err(RfbError::UnknownMessage(unknown)),
        })
    }

    /// The number of bytes to hold before the message can be checked. `held` is its beginning, at
    /// least the first byte.
    pub fn header(self, held: &[u8]) -> Result<usize, RfbError> {
        Ok(match self {
            Self::Fixed(length) => length,
            Self::SetPixelFormat => 20,
            Self::SetEncodings => match held.get(..4).map(|head| u16_at(head, 2)) {
                None => 4,
                Some(many @ ..=MAX_ENCODINGS) => 4 + 4 * usize::from(many),
                Some(many) => return Err(RfbError::TooManyEncodings(many)),
            },
            Self::CutText => match held.get(..8).map(|head| i32_at(head, 4)) {
                Some(length) if length.unsigned_abs() > MAX_CUT_TEXT => {
                    return Err(RfbError::CutTextTooLong(length.unsigned_abs()));
                }
                // The extended clipboard uses negative lengths, and flags follow.
                Some(..=-4) => 12,
                Some(-3..=-1) => return Err(RfbError::UnknownMessage(6)),
                _ => 8,
            },
            Self::KeyEvent => 8,
            Self::PointerEvent => 6,
            Self::Fence => 9,
            Self::SetDesktopSize => 8 + held.get(6).map_or(0, |&screens| 16 * usize::from(screens)),
            Self::Qemu => match held.get(1) {
                None => 2,
                Some(0) => 12,
                Some(&other) => return Err(RfbError::UnknownQemuMessage(other)),
            },
        })
    }

    /// The number of bytes that follow the header.
    pub fn body(self, header: &[u8]) -> u64 {
        match self {
            Self::Fence => u64::from(header[8]),
            // The flags of the extended clipboard belong to its header.
            Self::CutText => u64::from(i32_at(header, 4).unsigned_abs()) - (header.len() as u64 - 8),
            _ => 0,
        }
    }

    fn activity(self) -> Activity {
        match self {
            Self::KeyEvent | Self::PointerEvent | Self::CutText | Self::Qemu => Activity::User,
            _ => Activity::None,
        }
    }
}

/// Limits the size, and moves and cuts every screen of the layout to fit into it: the display
/// refuses a layout that does not fit.
fn clamp_desktop_size(message: &mut [u8]) {
    let width = u16_at(message, 2).clamp(1, MAX_WIDTH);
    let height = u16_at(message, 4).clamp(1, MAX_HEIGHT);
    put_u16(message, 2, width);
    put_u16(message, 4, height);
    for screen in message[8..].chunks_exact_mut(16) {
        // id: 4, x: 2, y: 2, width: 2, height: 2, flags: 4
        let x = u16_at(screen, 4).min(width - 1);
        let y = u16_at(screen, 6).min(height - 1);
        put_u16(screen, 4, x);
        put_u16(screen, 6, y);
        put_u16(screen, 8, u16_at(screen, 8).clamp(1, width - x));
        put_u16(screen, 10, u16_at(screen, 10).clamp(1, height - y));
    }
}

fn put_u16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

#[cfg(test)]
mod tests;
