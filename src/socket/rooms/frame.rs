//! Frames as bytes on the wire (RFC 6455, section 5.2), serialised once for all sockets that get them.

use std::cell::RefCell;
use std::sync::Arc;

use serde::Serialize;

use super::leaving::{self, Recipient};
use super::message::{Message, Tagged};
use crate::telemetry::Born;

/// The longest header of a server's frame: opcode, length, eight bytes of extended length. Servers do not mask.
const LONGEST_HEADER: usize = 10;
/// Final frames of these kinds.
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// The largest buffer that is kept for the next message: those of a race are smaller.
const KEPT: usize = 4096;

thread_local! {
    /// Where messages are serialised, so that a frame is a single allocation of its own size.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A text message or a control frame, header included. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Frame {
    bytes: Arc<[u8]>,
    born: Born,
}

impl Frame {
    /// The text frame of a message.
    ///
    /// # Panics
    /// If the message cannot be a JSON object (such as a map whose keys are not strings): a bug in its type.
    pub fn of<M: Message + Serialize>(message: &M) -> Self {
        Self::json(&Tagged { event: M::EVENT, message })
    }

    pub(in crate::socket) fn json(message: &impl Serialize) -> Self {
        let mut buffer = BUFFER.take();
        buffer.resize(LONGEST_HEADER, 0);
        serde_json::to_writer(&mut buffer, message).expect("messages of the contract are JSON");
        let frame = Self::behind_header(TEXT, &mut buffer);
        recycle(buffer);
        frame
    }

    /// One frame with several messages, as a JSON array. Its age is that of the first.
    pub(super) fn joined<'a>(frames: impl Iterator<Item = &'a Self>) -> Self {
        let mut buffer = BUFFER.take();
        buffer.resize(LONGEST_HEADER, 0);
        let mut born = Born::default();
        for frame in frames {
            let is_first = buffer.len() == LONGEST_HEADER;
            buffer.push(if is_first { b'[' } else { b',' });
            buffer.extend_from_slice(frame.payload());
            if is_first {
                born = frame.born.clone();
            }
        }
        buffer.push(b']');
        let frame = Self::behind_header(TEXT, &mut buffer).born(born);
        recycle(buffer);
        frame
    }

    /// The text frame of JSON that came from another frame.
    pub(crate) fn of_text(text: &str) -> Self {
        Self::behind_header(TEXT, &mut [&[0; LONGEST_HEADER], text.as_bytes()].concat())
    }

    /// A ping with this payload.
    pub(in crate::socket) fn ping(payload: [u8; 8]) -> Self {
        Self::control(PING, &payload)
    }

    /// The answer to a ping with this payload.
    pub(in crate::socket) fn pong(payload: &[u8]) -> Self {
        Self::control(PONG, payload)
    }

    /// A close frame: two bytes of a code, and a reason; or nothing.
    pub(in crate::socket) fn close(payload: &[u8]) -> Self {
        Self::control(CLOSE, payload)
    }

    fn control(opcode: u8, payload: &[u8]) -> Self {
        Self::behind_header(opcode, &mut [&[0; LONGEST_HEADER][..], payload].concat())
    }

    /// Writes the header right before the payload, which begins at [`LONGEST_HEADER`].
    fn behind_header(opcode: u8, buffer: &mut [u8]) -> Self {
        let length = buffer.len() - LONGEST_HEADER;
        let short = u8::try_from(length).ok().filter(|it| *it < 126);
        let begin = if let Some(length) = short {
            buffer[9] = length;
            8
        } else if let Ok(length) = u16::try_from(length) {
            buffer[7] = 126;
            buffer[8..10].copy_from_slice(&length.to_be_bytes());
            6
        } else {
            buffer[1] = 127;
            buffer[2..10].copy_from_slice(&(length as u64).to_be_bytes());
            0
        };
        buffer[begin] = opcode;
        Self { bytes: Arc::from(&buffer[begin..]), born: Born::default() }
    }

    /// The same with its time and span of origin, for its latency and span when it is written.
    pub(crate) fn born(self, born: Born) -> Self {
        Self { born, ..self }
    }

    /// The same without an origin: it is resent later, so its age is meaningless.
    pub(in crate::socket) fn again(&self) -> Self {
        Self { bytes: self.bytes.clone(), born: Born::default() }
    }

    /// The bytes on the wire, header and payload.
    pub(in crate::socket) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is left of it after `written` bytes.
    pub(super) fn rest(&self, written: usize) -> Rest {
        let frame = self.bytes.clone();
        if written < frame.len() { Rest { frame, written } } else { Rest::default() }
    }

    /// Records that the kernel has taken all of it, for that recipient.
    pub(in crate::socket) fn is_written(&self, recipient: Option<&Recipient>) {
        if self.born.is_noted() {
            leaving::record_write(self.text(), &self.born, recipient);
        }
    }

    /// The payload as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.payload()).unwrap_or_default()
    }

    fn payload(&self) -> &[u8] {
        let header = match self.bytes[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        &self.bytes[header..]
    }
}

/// Keeps the buffer for the next message, unless it is large.
fn recycle(mut buffer: Vec<u8>) {
    if buffer.capacity() <= KEPT {
        buffer.clear();
        BUFFER.set(buffer);
    }
}

/// The rest of a frame that the kernel has accepted in part; empty if there is none.
#[derive(Debug, Default)]
pub(super) struct Rest {
    frame: Arc<[u8]>,
    written: usize,
}

impl Rest {
    /// The bytes that are still to be written.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.frame[self.written..]
    }

    /// So many more bytes are written. Returns how many belong to what follows.
    pub(super) fn advance(&mut self, written: usize) -> usize {
        let own = written.min(self.bytes().len());
        self.written += own;
        if self.bytes().is_empty() {
            *self = Self::default();
        }
        written - own
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};

    use super::*;

    /// The message that a tungstenite client reads from these bytes.
    fn read(frame: &Frame) -> Message {
        let stream = std::io::Cursor::new(frame.bytes().to_vec());
        WebSocket::from_raw_socket(stream, Role::Client, None).read().expect("a frame")
    }

    #[test]
    fn texts_of_every_length_are_read_back() {
        for length in [0, 1, 120, 123, 124, 125, 126, 65_532, 65_533, 65_534, 70_000] {
            let text = "é".repeat(length / 2);
            let frame = Frame::json(&text);
            assert_eq!(read(&frame).into_text().unwrap().as_str(), format!("\"{text}\""));
            assert_eq!(frame.text(), format!("\"{text}\""));
            assert_eq!(Frame::of_text(frame.text()).bytes(), frame.bytes());
        }
    }

    #[test]
    fn joined_messages_are_an_array_in_their_order() {
        let frames = [1, 2, 3].map(|number| Frame::json(&number));
        assert_eq!(read(&Frame::joined(frames.iter())).into_text().unwrap().as_str(), "[1,2,3]");
        let long = ["a".repeat(100), "b".repeat(100)].map(|text| Frame::json(&text));
        let joined = Frame::joined(long.iter());
        assert_eq!(joined.text(), format!("[{},{}]", long[0].text(), long[1].text()));
    }

    #[test]
    fn a_control_frame_carries_its_payload() {
        assert_eq!(read(&Frame::ping(*b"12345678")), Message::Ping("12345678".into()));
        assert_eq!(read(&Frame::pong(b"abc")), Message::Pong("abc".into()));
        let Message::Close(Some(close)) = read(&Frame::close(b"\x03\xe8bye")) else { panic!() };
        assert_eq!((u16::from(close.code), close.reason.as_str()), (1000, "bye"));
        assert_eq!(read(&Frame::close(b"")), Message::Close(None));
    }
}
