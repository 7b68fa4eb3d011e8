//! The filters of the tab's protocol, RFB (RFC 6143, and the extensions of noVNC and TigerVNC).
//!
//! The relay passes each direction through its filter: [`ClientFilter`] reads the tab's messages,
//! [`ServerFilter`] the display's. They refuse malformed and unknown messages, limit those that are
//! expensive for the receiver, and enforce the directions of the clipboard. Neither trusts its
//! sender: the tab may be a hostile user's, the display runs beside a hostile application.
//!
//! Both are pure: no I/O, no clock, little memory for each stream, any chunk boundaries. They decode
//! no picture. The client filter leaves only those encodings in the client's list that the server
//! filter can measure.

mod client;
mod reader;
mod server;
mod tight;

pub use client::{Activity, ClientFilter, Message};
pub use server::{Copied, ServerFilter};

/// The widest screen that a tab may request. With the height: 32 MiB of pixels.
pub const MAX_WIDTH: u16 = 3840;
/// The highest screen that a tab may request.
pub const MAX_HEIGHT: u16 = 2160;
/// The longest clipboard text, in bytes of UTF-8. A message of a tab has at most this length.
pub const MAX_CUT_TEXT: u32 = 1 << 20;

/// The reason to refuse a stream. Nothing can follow: close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RfbError {
    /// The first twelve bytes are not those of version 3.8.
    #[error("the other side does not speak RFB 3.8")]
    Version,
    /// The display offers "None" only: it can only be reached through the relay.
    #[error("security type {0} was chosen or offered; only “None” is known")]
    Security(u8),
    /// The display refused the client.
    #[error("the display refused the client")]
    Refused,
    /// A pixel is not 32 bits with 8 for each colour, so no picture can be measured.
    #[error("pixels of this format are not supported")]
    PixelFormat,
    /// Its length is unknown, so nothing after it can be parsed.
    #[error("a message of unknown type {0}")]
    UnknownMessage(u8),
    /// A sub-type of message 255 other than the extended key.
    #[error("a QEMU message of unknown sub-type {0}")]
    UnknownQemuMessage(u8),
    /// A rectangle in an encoding that the client did not list, or with an unknown variant of it.
    #[error("a rectangle in the unknown encoding {0}")]
    UnknownEncoding(i32),
    /// More clipboard than [`MAX_CUT_TEXT`].
    #[error("a clipboard of {0} bytes, more than the limit")]
    CutTextTooLong(u32),
    /// More encodings than any client has.
    #[error("a list of {0} encodings, more than the limit")]
    TooManyEncodings(u16),
}

/// The parts of clipboard messages that both directions use: those of the extended clipboard, whose
/// length is negative.
mod clipboard {
    /// Capabilities of the sender.
    pub(super) const CAPS: u32 = 1 << 24;
    /// A wish for the text of the receiver.
    pub(super) const REQUEST: u32 = 1 << 25;
    /// A wish for the state of the receiver.
    pub(super) const PEEK: u32 = 1 << 26;
    /// The sender has a new text.
    pub(super) const NOTIFY: u32 = 1 << 27;
    /// The text of the sender.
    pub(super) const PROVIDE: u32 = 1 << 28;
    /// The bits of actions; the rest are formats.
    pub(super) const ACTIONS: u32 = 0xFF00_0000;
    /// The format of plain text.
    pub(super) const TEXT: u32 = 1;
}
