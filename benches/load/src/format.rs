//! The frames of a race in bytes, by frame format.
//!
//! A second format needs one more variant of [`Format`] and one more arm in each `match` of this file; no other part of
//! the generator depends on the form of a keystroke. Parsing does not allocate, since it runs once per delivered frame.

use std::io::Write;

/// A frame format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// JSON texts, one absolute position per `KEY_STOKE`: `docs/protocol.md`.
    V1,
}

/// A position in the text. `char_index` is -1 before the first character of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Index of the word.
    pub word: u32,
    /// Index of the last character typed.
    pub char: i32,
}

/// A parsed frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// Another player's position.
    Position {
        /// Id of the player.
        user: &'a [u8],
        /// The new position.
        position: Position,
    },
    /// Any other event, by name.
    Event(&'a [u8]),
    /// Not a frame of this format.
    Malformed,
}

impl Format {
    /// Appends the payload of a frame with a position.
    pub fn write_position(self, payload: &mut Vec<u8>, game: u64, at: Position) {
        match self {
            Self::V1 => {
                let Position { word, char } = at;
                write!(
                    payload,
                    r#"{{"game_id":{game},"event":"KEY_STOKE","word_index":{word},"char_index":{char}}}"#
                )
                .expect("writing to a Vec does not fail");
            }
        }
    }

    /// Parses the payload of a frame from the server.
    pub fn read(self, payload: &[u8]) -> Incoming<'_> {
        match self {
            Self::V1 => read_v1(payload).unwrap_or(Incoming::Malformed),
        }
    }
}

fn read_v1(payload: &[u8]) -> Option<Incoming<'_>> {
    let (mut event, mut user, mut word, mut char) = (None, None, None, None);
    let mut fields = Fields::of(payload)?;
    while let Some((name, value)) = fields.next_field()? {
        match name {
            b"event" => event = Some(text(value)?),
            b"user_id" => user = text(value),
            b"word_index" => word = integer(value),
            b"char_index" => char = integer(value),
            _ => {}
        }
    }
    match event? {
        b"KEY_STOKE" => {
            let position =
                Position { word: u32::try_from(word?).ok()?, char: i32::try_from(char?).ok()? };
            Some(Incoming::Position { user: user?, position })
        }
        other => Some(Incoming::Event(other)),
    }
}

/// The fields of a flat JSON object. Nested objects and arrays are skipped as a whole.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(payload: &'a [u8]) -> Option<Self> {
        let rest = payload.trim_ascii().strip_prefix(b"{")?.strip_suffix(b"}")?;
        Some(Self { rest })
    }

    /// The next name with its raw value. The inner value is `None` after the last field, the outer one for invalid
    /// JSON.
    #[allow(clippy::type_complexity, reason = "a name with a value, at the end, or a fault")]
    fn next_field(&mut self) -> Option<Option<(&'a [u8], &'a [u8])>> {
        let rest = self.rest.trim_ascii_start();
        if rest.is_empty() {
            return Some(None);
        }
        let name_ends = string_end(rest)?;
        let name = &rest[1..name_ends];
        let rest = rest[name_ends + 1..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let value_ends = value_end(rest)?;
        let value = rest[..value_ends].trim_ascii_end();
        self.rest = rest.get(value_ends + 1..).unwrap_or_default();
        Some(Some((name, value)))
    }
}

/// Index of the closing quote of the string that begins at 0.
fn string_end(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// End of the value that begins at 0: the next comma outside of strings and brackets.
fn value_end(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_u32);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at += string_end(&text[at..])?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => break,
            _ => {}
        }
        at += 1;
    }
    Some(at)
}

fn text(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

fn integer(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_written_as_the_contract_has_it() {
        let mut payload = Vec::new();
        Format::V1.write_position(&mut payload, 35, Position { word: 1, char: -1 });
        assert_eq!(
            payload,
            br#"{"game_id":35,"event":"KEY_STOKE","word_index":1,"char_index":-1}"#
        );
    }

    #[test]
    fn another_players_position_is_read_whatever_the_order_of_fields() {
        let moved =
            Incoming::Position { user: b"guest-1", position: Position { word: 3, char: -1 } };
        for frame in [
            r#"{"event":"KEY_STOKE","game_id":35,"user_id":"guest-1","word_index":3,"char_index":-1}"#,
            r#"{ "char_index" : -1 , "new": {"a":[1,"},{"]}, "word_index": 3, "user_id": "guest-1", "event": "KEY_STOKE"}"#,
        ] {
            assert_eq!(Format::V1.read(frame.as_bytes()), moved, "{frame}");
        }
    }

    #[test]
    fn other_events_are_read_by_name_and_garbage_is_malformed() {
        let start = br#"{"event":"START","game_id":35}"#;
        assert_eq!(Format::V1.read(start), Incoming::Event(b"START"));
        for garbage in ["", "{", "[]", r#"{"event"}"#, r#"{"a":1}"#, r#"{"event":"KEY_STOKE"}"#] {
            assert_eq!(Format::V1.read(garbage.as_bytes()), Incoming::Malformed, "{garbage}");
        }
    }
}
