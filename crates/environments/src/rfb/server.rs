//! The display's half of the protocol, from an application's display to a tab.
//!
//! [`ServerFilter`] measures each message, so that it finds those of the clipboard. It drops them if
//! the policy forbids copying out of the session, and if the text is longer than a tab should have
//! to decode. Everything else passes unchanged.
//!
//! To accept one more encoding: a constant in [`encoding`], an arm in [`ServerFilter::rectangle`],
//! and an entry in the client filter's `is_measured`.

use std::io::Read;

use flate2::read::ZlibDecoder;
use session::Transfer;

use super::{
    MAX_CUT_TEXT, RfbError,
    client::is_true_colour,
    clipboard,
    reader::{Header, i32_at, u16_at, u32_at},
    tight::{self, Length},
};

/// Numbers of encodings: RFC 6143, and the community's registry of pseudo-encodings.
pub(super) mod encoding {
    pub const RAW: i32 = 0;
    pub const COPY_RECT: i32 = 1;
    pub const TIGHT: i32 = 7;
    pub const DESKTOP_SIZE: i32 = -223;
    pub const LAST_RECT: i32 = -224;
    pub const CURSOR: i32 = -239;
    pub const QEMU_KEY: i32 = -258;
    pub const QEMU_LED: i32 = -261;
    pub const DESKTOP_NAME: i32 = -307;
    pub const EXTENDED_DESKTOP_SIZE: i32 = -308;
    pub const FENCE: i32 = -312;
    pub const CONTINUOUS_UPDATES: i32 = -313;
    pub const VMWARE_CURSOR: i32 = 0x574D_5664;
    pub const EXTENDED_CLIPBOARD: i32 = 0xC0A1_E5CE_u32.cast_signed();
}

/// The longest text that may leave the session, in bytes. The display sends CR LF for each line
/// feed, and a NUL at the end.
const MAX_TEXT_OUT: u32 = 2 * MAX_CUT_TEXT + 1;
/// Bytes of a compressed text to hold. The length of the text is in its first four bytes, which
/// follow the tables of the compression; these have at most some 300 bytes.
const TEXT_HEAD: usize = 1024;

/// The texts that an application copied in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// None, or it passed.
    Passed,
    /// One was dropped, because the policy forbids copying out of the session.
    Kept,
    /// One was dropped, because it is too long for the tab.
    TooLong,
}

/// The filter of one display's stream, from its first byte on.
#[derive(Debug)]
pub struct ServerFilter {
    phase: Phase,
    clipboard: Transfer,
    /// The beginning of an item that is not complete yet.
    held: Header,
    /// The number of bytes of the current item that follow its header.
    body: u64,
    /// Whether these bytes pass, unchecked; otherwise they are dropped.
    passes: bool,
    copied: Copied,
    refused: Option<RfbError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Version,
    Security,
    SecurityResult,
    ServerInit,
    Message,
    /// A rectangle of an update, and the number of those after it.
    Rectangle(u16),
    /// The part of a rectangle that follows its header and contains its length.
    Part(Rectangle, u16),
}

/// The header of a rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rectangle {
    width: u16,
    height: u16,
    encoding: i32,
}

impl Rectangle {
    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

impl ServerFilter {
    /// A filter for a new stream of a session with these directions of the clipboard.
    pub fn new(clipboard: Transfer) -> Self {
        Self {
            phase: Phase::Version,
            clipboard,
            held: Header::default(),
            body: 0,
            passes: true,
            copied: Copied::Passed,
            refused: None,
        }
    }

    /// Takes the next bytes of the display and appends those for the tab to `out`.
    ///
    /// # Errors
    /// On the first byte that is refused. Complete messages before it are in `out`; later calls
    /// fail with the same error.
    pub fn feed(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<Copied, RfbError> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        self.copied = Copied::Passed;
        while !input.is_empty() {
            if let Err(error) = self.step(&mut input, out) {
                self.refused = Some(error);
                return Err(error);
            }
        }
        Ok(self.copied)
    }

    fn step(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<(), RfbError> {
        if self.body > 0 {
            let many = input.len().min(usize::try_from(self.body).unwrap_or(usize::MAX));
            let (body, rest) = input.split_at(many);
            if self.passes {
                out.extend_from_slice(body);
            }
            self.body -= many as u64;
            *input = rest;
            return Ok(());
        }
        let wanted = self.wanted()?;
        if self.held.fill(input, wanted) && self.held.len() == self.wanted()? {
            self.passes = true;
            self.complete()?;
            if self.passes {
                out.extend_from_slice(&self.held);
            }
            self.held.clear();
        }
        Ok(())
    }

    /// The number of bytes to hold before the current item can be checked, as far as it is known
    /// yet.
    fn wanted(&self) -> Result<usize, RfbError> {
        Ok(match self.phase {
            Phase::Version => 12,
            Phase::Security => 1 + self.held.first().map_or(0, |&types| usize::from(types)),
            Phase::SecurityResult => 4,
            Phase::ServerInit => 24,
            Phase::Message => match self.held.first() {
                None | Some(2 | 150) => 1, // bell, end of continuous updates
                Some(0) => 4,              // update
                Some(3) => cut_text_header(&self.held)?,
                Some(248) => 9, // fence
                Some(&unknown) => return Err(RfbError::UnknownMessage(unknown)),
            },
            Phase::Rectangle(_) => 12,
            Phase::Part(part, _) => match part.encoding {
                encoding::VMWARE_CURSOR => 2,
                encoding::TIGHT => match tight::length(&self.held, part.width, part.height)? {
                    Length::Wanted(wanted) => wanted,
                    Length::Known(header, _) => header,
                },
                _ => 4, // a name, or the number of screens
            },
        })
    }

    /// Processes the complete item in `held`.
    fn complete(&mut self) -> Result<(), RfbError> {
        match self.phase {
            Phase::Version => {
                if self.held.as_slice() != b"RFB 003.008\n" {
                    return Err(RfbError::Version);
                }
                self.phase = Phase::Security;
            }
            Phase::Security => {
                if !self.held[1..].contains(&1) {
                    return Err(RfbError::Security(self.held.get(1).copied().unwrap_or(0)));
                }
                self.phase = Phase::SecurityResult;
            }
            Phase::SecurityResult if u32_at(&self.held, 0) != 0 => return Err(RfbError::Refused),
            Phase::SecurityResult => self.phase = Phase::ServerInit,
            Phase::ServerInit => {
                if !is_true_colour(&self.held[4..]) {
                    return Err(RfbError::PixelFormat);
                }
                self.body = u64::from(u32_at(&self.held, 20));
                self.phase = Phase::Message;
            }
            Phase::Message => self.message()?,
            Phase::Rectangle(after) => self.rectangle(after)?,
            Phase::Part(part, after) => self.part(part, after)?,
        }
        Ok(())
    }

    fn message(&mut self) -> Result<(), RfbError> {
        match self.held[0] {
            0 => self.phase = after(u16_at(&self.held, 2)),
            3 => self.cut_text(),
            248 => self.body = u64::from(self.held[8]),
            _ => {}
        }
        Ok(())
    }

    fn rectangle(&mut self, rest: u16) -> Result<(), RfbError> {
        let held = &self.held;
        let found = Rectangle {
            width: u16_at(held, 4),
            height: u16_at(held, 6),
            encoding: i32_at(held, 8),
        };
        self.phase = after(rest);
        self.body = match found.encoding {
            encoding::RAW => 4 * found.pixels(),
            encoding::COPY_RECT => 4,
            // The pixels, then a mask of one bit for each.
            encoding::CURSOR => 4 * found.pixels() + u64::from(found.width).div_ceil(8) * u64::from(found.height),
            encoding::QEMU_LED => 1,
            encoding::DESKTOP_SIZE | encoding::QEMU_KEY => 0,
            encoding::LAST_RECT => {
                self.phase = Phase::Message;
                0
            }
            encoding::TIGHT | encoding::VMWARE_CURSOR | encoding::DESKTOP_NAME | encoding::EXTENDED_DESKTOP_SIZE => {
                self.phase = Phase::Part(found, rest);
                0
            }
            unknown => return Err(RfbError::UnknownEncoding(unknown)),
        };
        Ok(())
    }

    fn part(&mut self, part: Rectangle, rest: u16) -> Result<(), RfbError> {
        self.phase = after(rest);
        self.body = match (part.encoding, self.held[0]) {
            (encoding::TIGHT, _) => match tight::length(&self.held, part.width, part.height)? {
                Length::Known(_, body) => body,
                Length::Wanted(_) => 0,
            },
            // Two masks, or pixels with transparency.
            (encoding::VMWARE_CURSOR, 0) => 8 * part.pixels(),
            (encoding::VMWARE_CURSOR, 1) => 4 * part.pixels(),
            (encoding::VMWARE_CURSOR, _) => return Err(RfbError::UnknownEncoding(part.encoding)),
            (encoding::EXTENDED_DESKTOP_SIZE, screens) => 16 * u64::from(screens),
            _ => u64::from(u32_at(&self.held, 0)),
        };
        Ok(())
    }

    /// Decides about a text, or about a message of the extended clipboard.
    fn cut_text(&mut self) {
        let length = i32_at(&self.held, 4);
        self.body = u64::from(length.unsigned_abs()) + 8 - self.held.len() as u64;
        let flags = if length < 0 { u32_at(&self.held, 8) } else { 0 };
        self.passes = match flags & clipboard::ACTIONS {
            _ if length >= 0 => self.may_leave() && self.fits(length.unsigned_abs()),
            caps if caps & clipboard::CAPS != 0 => true,
            clipboard::REQUEST | clipboard::PEEK => self.clipboard.allows_in(),
            clipboard::NOTIFY => self.may_leave(),
            // The tab asks for text only, and would decode all that arrives.
            clipboard::PROVIDE if flags & !clipboard::ACTIONS == clipboard::TEXT => {
                let mut text = [0; 4];
                let known = ZlibDecoder::new(&self.held[12..]).read_exact(&mut text);
                self.may_leave() && known.is_ok() && self.fits(u32::from_be_bytes(text))
            }
            _ => false,
        };
    }

    fn may_leave(&mut self) -> bool {
        let allowed = self.clipboard.allows_out();
        if !allowed {
            self.copied = Copied::Kept;
        }
        allowed
    }

    fn fits(&mut self, bytes: u32) -> bool {
        if bytes > MAX_TEXT_OUT {
            self.copied = Copied::TooLong;
        }
        bytes <= MAX_TEXT_OUT
    }
}

/// The phase after an item, with this many rectangles left.
fn after(rectangles: u16) -> Phase {
    match rectangles.checked_sub(1) {
        Some(rest) => Phase::Rectangle(rest),
        None => Phase::Message,
    }
}

/// The bytes of a clipboard message that decide about it, as far as they are known yet.
fn cut_text_header(held: &[u8]) -> Result<usize, RfbError> {
    let Some(length) = held.get(..8).map(|head| i32_at(head, 4)) else {
        return Ok(8);
    };
    let extended = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    match (
        length,
        held.get(8..12).map(|flags| u32_at(flags, 0) & clipboard::ACTIONS),
    ) {
        (0.., _) => Ok(8),
        (-3..=-1, _) => Err(RfbError::UnknownMessage(3)),
        (_, Some(clipboard::PROVIDE)) => Ok(8 + extended.min(4 + TEXT_HEAD)),
        _ => Ok(12),
    }
}

#[cfg(test)]
mod tests;
