//! What the layer of sockets does with a frame of a client, for `benches/steps.rs`.

use super::head::Head;
use super::input::{ClientMessage, Input};

/// The parser of one connection.
#[derive(Debug)]
pub struct Reader(Input);

impl Default for Reader {
    fn default() -> Self {
        Self(Input::new(4096))
    }
}

impl Reader {
    /// Reads a text frame, and the head of its message. Returns whether both are valid.
    pub fn reads(&mut self, mut frame: &[u8]) -> bool {
        let Some(Ok(ClientMessage::Text(text))) = self.0.parse(&mut frame) else { return false };
        let is_valid = Head::of(&text).is_ok();
        self.0.recycle(text);
        is_valid
    }
}
