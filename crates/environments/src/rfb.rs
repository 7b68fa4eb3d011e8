//! The client's half of the RFB protocol, from a tab to an application's display: RFC 6143, and the
//! extensions of noVNC and TigerVNC.
//!
//! [`ClientFilter`] is in the relay between the two. It copies well-formed messages, limits the two
//! that can be expensive for the host (the size of the screen, the length of the clipboard),
//! reports the activity of the user, and refuses the rest. It is pure: no I/O, no clock, at most 4
//! kB of memory for each stream, any chunk boundaries.
//!
//! It is not a display server and never reads the application's answers. To accept one more kind of
//! message: one arm in [`Message::of`] with its length, and one row in the tests' table.

/// The widest screen that a tab may request. With the height: 32 MiB of pixels.
pub const MAX_WIDTH: u16 = 3840;
/// The highest screen that a tab may request.
pub const MAX_HEIGHT: u16 = 2160;
/// The longest clipboard text that a tab may send, in bytes.
pub const MAX_CUT_TEXT: u32 = 1 << 20;

/// The cause of the messages in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// The client itself.
    None,
    /// The user: a key, the pointer or the clipboard.
    User,
}

/// The reason to refuse a stream. Nothing can follow: close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RfbError {
    /// The first twelve bytes are no supported version.
    #[error("the client speaks no known version of RFB")]
    Version,
    /// The display offers "None" only: it can only be reached through the relay.
    #[error("the client chose security type {0}, which was not offered")]
    Security(u8),
    /// Its length is unknown, so nothing after it can be parsed.
    #[error("the client sent a message of unknown type {0}")]
    UnknownMessage(u8),
    /// A sub-type of message 255 other than the extended key.
    #[error("the client sent an unknown QEMU message of sub-type {0}")]
    UnknownQemuMessage(u8),
    /// More clipboard than [`MAX_CUT_TEXT`].
    #[error("the client sent a clipboard of {0} bytes, more than the limit")]
    CutTextTooLong(u32),
}

/// The filter of one client's stream, from its first byte on.
#[derive(Debug)]
pub struct ClientFilter {
    phase: Phase,
    /// The beginning of a message that is not complete yet.
    held: Vec<u8>,
    /// The number of bytes of the current message that pass unchecked.
    passing: u64,
    refused: Option<RfbError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Version,
    Security,
    ClientInit,
    Messages,
}

impl Default for ClientFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl ClientFilter {
    /// A filter for a new stream.
    pub fn new() -> Self {
        Self {
            phase: Phase::Version,
            held: Vec::new(),
            passing: 0,
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
            if self.passing > 0 {
                let many = input.len().min(usize::try_from(self.passing).unwrap_or(usize::MAX));
                let (copied, rest) = input.split_at(many);
                out.extend_from_slice(copied);
                self.passing -= many as u64;
                input = rest;
                continue;
            }
            let wanted = self.wanted().map_err(|error| self.refuse(error))?;
            let many = input.len().min(wanted - self.held.len());
            let (taken, rest) = input.split_at(many);
            self.held.extend_from_slice(taken);
            input = rest;
            // The header may say that it is longer than known before: check again before it counts
            // as complete.
            if self.held.len() == self.wanted().map_err(|error| self.refuse(error))? {
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
                // Version 3.3 has another handshake, which shifts every later byte. No client needs
                // it.
                if !matches!(self.held.as_slice(), b"RFB 003.007\n" | b"RFB 003.008\n") {
                    return Err(RfbError::Version);
                }
                self.phase = Phase::Security;
            }
            Phase::Security => {
                if self.held != [1] {
                    return Err(RfbError::Security(self.held[0]));
                }
                self.phase = Phase::ClientInit;
            }
            Phase::ClientInit => self.phase = Phase::Messages,
            Phase::Messages => {
                let message = Message::of(self.held[0])?;
                self.passing = message.body(&self.held)?;
                if message == Message::SetDesktopSize {
                    clamp_desktop_size(&mut self.held);
                }
                out.extend_from_slice(&self.held);
                return Ok(message.activity());
            }
        }
        out.extend_from_slice(&self.held);
        Ok(Activity::None)
    }
}

/// The kinds of message that a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A message of this length that is no activity of the user.
    Fixed(usize),
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
            0 => Self::Fixed(20), // SetPixelFormat
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
            Self::SetEncodings => 4,
            Self::KeyEvent | Self::CutText => 8,
            Self::PointerEvent => 6,
            Self::Fence => 9,
            Self::SetDesktopSize => 8 + held.get(6).map_or(0, |&screens| 16 * usize::from(screens)),
            Self::Qemu => match held.get(1) {
                None | Some(0) => 12,
                Some(&other) => return Err(RfbError::UnknownQemuMessage(other)),
            },
        })
    }

    /// The number of bytes that follow the header and pass unchecked.
    pub fn body(self, header: &[u8]) -> Result<u64, RfbError> {
        Ok(match self {
            Self::SetEncodings => 4 * u64::from(u16_at(header, 2)),
            Self::Fence => u64::from(header[8]),
            Self::CutText => {
                // The extended clipboard uses negative lengths: its own header follows, and the
                // absolute value is the size.
                let length = i32::from_be_bytes([header[4], header[5], header[6], header[7]]).unsigned_abs();
                if length > MAX_CUT_TEXT {
                    return Err(RfbError::CutTextTooLong(length));
                }
                u64::from(length)
            }
            _ => 0,
        })
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

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn put_u16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

#[cfg(test)]
mod tests;
