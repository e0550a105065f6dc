//! What a client sends, from bytes to messages (RFC 6455, section 5). Not I/O: `websocket` reads the connection.
//!
//! Between two messages it holds no buffer, so that an idle socket costs little memory.

/// The opcodes of RFC 6455, section 5.2.
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// The largest payload of a control frame.
const CONTROL_LIMIT: u64 = 125;
/// The longest header: two bytes, eight of an extended length, four of the mask.
const LONGEST_HEADER: usize = 14;
/// The largest buffer that is kept for the next text: those of the game are smaller.
const KEPT: usize = 512;
/// The close code that answers an invalid one.
const PROTOCOL_ERROR: u16 = 1002;

/// A message of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ClientMessage {
    Text(String),
    /// None of the contract: its bytes are not kept.
    Binary,
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// The close frame, with the payload of the answer.
    Close(Vec<u8>),
}

/// Why no more messages are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The message is larger than the limit.
    TooLarge,
    /// A text, or the reason of a close frame, is not UTF-8.
    NotUtf8,
    /// A violation of RFC 6455.
    Protocol,
    /// More bytes or frames than a socket may send.
    Flood,
    /// The connection.
    Gone,
}

/// The position within a frame.
#[derive(Debug)]
enum FramePart {
    Header { bytes: [u8; LONGEST_HEADER], have: u8 },
    Payload { opcode: u8, is_final: bool, left: usize, mask: u32 },
}

const BETWEEN_FRAMES: FramePart = FramePart::Header { bytes: [0; LONGEST_HEADER], have: 0 };

/// The parser of one connection.
#[derive(Debug)]
pub(super) struct Input {
    /// The largest message, in bytes.
    limit: usize,
    state: FramePart,
    /// The opcode of the message whose fragments are arriving.
    kind: Option<u8>,
    /// What has arrived of the message.
    message: Vec<u8>,
    /// How much of it is known to be UTF-8.
    valid: usize,
    /// What has arrived of a control frame.
    control: Vec<u8>,
    /// Frames that have begun, and have not been counted yet.
    frames: u32,
}

impl Input {
    /// Takes messages of up to `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        let (message, control) = (Vec::new(), Vec::new());
        Self { limit, state: BETWEEN_FRAMES, kind: None, message, valid: 0, control, frames: 0 }
    }

    /// Parses `bytes` up to the end of the next message, and removes what it has parsed. `None` if it takes more bytes.
    pub(super) fn parse(&mut self, bytes: &mut &[u8]) -> Option<Result<ClientMessage, Broken>> {
        loop {
            match self.state {
                FramePart::Header { .. } => {
                    if let Err(broken) = self.header(bytes)? {
                        return Some(Err(broken));
                    }
                }
                FramePart::Payload { opcode, is_final, .. } => {
                    self.payload(bytes)?;
                    self.state = BETWEEN_FRAMES;
                    if let Some(message) = self.end_of_frame(opcode, is_final).transpose() {
                        return Some(message);
                    }
                }
            }
        }
    }

    /// The number of frames that have begun since the last call.
    pub(super) fn take_frames(&mut self) -> u32 {
        std::mem::take(&mut self.frames)
    }

    /// Takes back the buffer of a text, for the next one.
    pub(super) fn recycle(&mut self, text: String) {
        if self.message.capacity() == 0 && text.capacity() <= KEPT {
            self.message = text.into_bytes();
            self.message.clear();
        }
    }

    /// Collects a header. `None` if its end is missing.
    fn header(&mut self, from: &mut &[u8]) -> Option<Result<(), Broken>> {
        let FramePart::Header { bytes, have } = &mut self.state else { return Some(Ok(())) };
        loop {
            let whole = match (*have, bytes[1] & 0x7f) {
                (0 | 1, _) => 2,
                (_, 126) => 8,
                (_, 127) => 14,
                _ => 6,
            };
            let missing = whole - usize::from(*have);
            if *have >= 2 && missing == 0 {
                break;
            }
            let taken = missing.min(from.len());
            if taken == 0 {
                return None;
            }
            let (head, rest) = from.split_at(taken);
            bytes[usize::from(*have)..][..taken].copy_from_slice(head);
            *have += u8::try_from(taken).expect("at most a header");
            *from = rest;
            if *have == 2 {
                self.frames += 1;
                if !is_allowed(bytes[0], bytes[1], self.kind) {
                    return Some(Err(Broken::Protocol));
                }
            }
        }
        let (first, length, mask) = fields(bytes);
        Some(self.begin(first, length, mask))
    }

    /// Begins the payload of a frame.
    fn begin(&mut self, first: u8, length: u64, mask: u32) -> Result<(), Broken> {
        let (opcode, is_final) = (first & 0x0f, first & 0x80 != 0);
        let before = if opcode < CLOSE { self.message.len() } else { 0 };
        let limit =
            if opcode < CLOSE { self.limit } else { self.limit.max(CONTROL_LIMIT as usize) };
        let left = usize::try_from(length).ok().filter(|it| *it <= limit - before.min(limit));
        let left = left.ok_or(Broken::TooLarge)?;
        if opcode == TEXT || opcode == BINARY {
            self.kind = Some(opcode);
        }
        self.state = FramePart::Payload { opcode, is_final, left, mask };
        Ok(())
    }

    /// Collects the payload. `None` if its end is missing.
    fn payload(&mut self, from: &mut &[u8]) -> Option<()> {
        let FramePart::Payload { opcode, left, mask, .. } = &mut self.state else {
            return Some(());
        };
        let into = if *opcode < CLOSE { &mut self.message } else { &mut self.control };
        let taken = (*left).min(from.len());
        let (part, rest) = from.split_at(taken);
        let begin = into.len();
        into.extend_from_slice(part);
        unmask(&mut into[begin..], *mask);
        // The first byte of the rest is masked with the byte after that of the last one.
        *mask = mask.rotate_right(8 * u32::try_from(taken % 4).expect("less than four"));
        *left -= taken;
        *from = rest;
        (*left == 0).then_some(())
    }

    /// Returns the message that ends with a frame, if one does.
    fn end_of_frame(
        &mut self,
        opcode: u8,
        is_final: bool,
    ) -> Result<Option<ClientMessage>, Broken> {
        if opcode >= CLOSE {
            let payload = std::mem::take(&mut self.control);
            return Ok(Some(match opcode {
                PING => ClientMessage::Ping(payload),
                PONG => ClientMessage::Pong(payload),
                _ => ClientMessage::Close(answer_to_close(payload)?),
            }));
        }
        let is_text = self.kind == Some(TEXT);
        if !is_final {
            return if is_text { self.check_fragment().map(|()| None) } else { Ok(None) };
        }
        (self.kind, self.valid) = (None, 0);
        let message = std::mem::take(&mut self.message);
        if !is_text {
            return Ok(Some(ClientMessage::Binary));
        }
        String::from_utf8(message)
            .map(|text| Some(ClientMessage::Text(text)))
            .map_err(|_| Broken::NotUtf8)
    }

    /// Checks what has arrived of a text. A character may be cut.
    fn check_fragment(&mut self) -> Result<(), Broken> {
        match std::str::from_utf8(&self.message[self.valid..]) {
            Ok(text) => self.valid += text.len(),
            Err(error) if error.error_len().is_some() => return Err(Broken::NotUtf8),
            Err(error) => self.valid += error.valid_up_to(),
        }
        Ok(())
    }
}

/// Whether the first two bytes of a frame are allowed, while the fragments of a message arrive or not.
fn is_allowed(first: u8, second: u8, kind: Option<u8>) -> bool {
    let (is_final, has_reserved_bits) = (first & 0x80 != 0, first & 0x70 != 0);
    let fits = match first & 0x0f {
        CONTINUATION => kind.is_some(),
        TEXT | BINARY => kind.is_none(),
        CLOSE | PING | PONG => is_final && u64::from(second & 0x7f) <= CONTROL_LIMIT,
        _ => false,
    };
    let is_masked = second & 0x80 != 0;
    fits && is_masked && !has_reserved_bits
}

/// First byte, length and mask of a header.
fn fields(bytes: &[u8; LONGEST_HEADER]) -> (u8, u64, u32) {
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let (length, at) = match bytes[1] & 0x7f {
        126 => (number(2..4), 4),
        127 => (number(2..10), 10),
        short => (u64::from(short), 2),
    };
    let mask = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    (bytes[0], length, u32::from_le_bytes(mask))
}

/// Unmasks bytes; the mask begins with the first of them, in its lowest byte.
fn unmask(bytes: &mut [u8], mask: u32) {
    let mut eights = bytes.chunks_exact_mut(8);
    let twice = u64::from(mask) | u64::from(mask) << 32;
    for eight in &mut eights {
        let masked = u64::from_le_bytes((&*eight).try_into().expect("eight bytes"));
        eight.copy_from_slice(&(masked ^ twice).to_le_bytes());
    }
    for (byte, mask) in eights.into_remainder().iter_mut().zip(twice.to_le_bytes()) {
        *byte ^= mask;
    }
}

/// The payload that answers that of a close frame: the same, if it is valid.
fn answer_to_close(payload: Vec<u8>) -> Result<Vec<u8>, Broken> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(payload) } else { Err(Broken::Protocol) };
    };
    std::str::from_utf8(reason).map_err(|_| Broken::NotUtf8)?;
    // RFC 6455, section 7.4, and the registry that it founded.
    let is_valid = matches!(u16::from_be_bytes(*code), 1000..=1003 | 1007..=1014 | 3000..=4999);
    Ok(if is_valid { payload } else { PROTOCOL_ERROR.to_be_bytes().to_vec() })
}

#[cfg(test)]
mod tests;
