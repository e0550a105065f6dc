//! The frames of a race in bytes, by frame format.
//!
//! No other part of the generator depends on the form of a keystroke. Parsing does not allocate, since it runs once per
//! delivered frame.

use std::io::Write;

/// A frame format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// JSON texts, one absolute position per `KEY_STOKE`: `docs/protocol.md`.
    V1,
    /// The sub-protocol typephoon.v2: `EDITS` with what is typed, one per keystroke; positions may come as an array.
    V2,
}

/// A keystroke as an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Milliseconds since START.
    pub at: u64,
    /// How many characters are deleted.
    pub del: u64,
    /// The character that is typed.
    pub ins: Option<char>,
}

/// Most edits of one frame.
pub const EDITS: usize = 128;

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
    /// The server lacks the edits from this one on.
    Lacks(u64),
    /// Any other event, by name.
    Event(&'a [u8]),
    /// Not a frame of this format.
    Malformed,
}

impl Format {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// The sub-protocol that a socket asks for.
    pub fn protocol(self) -> Option<&'static str> {
        match self {
            Self::V1 => None,
            Self::V2 => Some("typephoon.v2"),
        }
    }

    /// Calls `hear` for each message in the payload of a frame from the server.
    pub fn read<'a>(self, payload: &'a [u8], mut hear: impl FnMut(Incoming<'a>)) {
        let payload = payload.trim_ascii();
        let array = payload.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
        let Some(mut rest) = array.filter(|_| self == Self::V2) else {
            return hear(read_message(payload).unwrap_or(Incoming::Malformed));
        };
        while !rest.is_empty() {
            let end = value_end(rest).unwrap_or(rest.len());
            hear(read_message(&rest[..end]).unwrap_or(Incoming::Malformed));
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }
}

/// Appends the payload of a frame with a position.
pub fn write_position(payload: &mut Vec<u8>, game: u64, at: Position) {
    let Position { word, char } = at;
    write!(
        payload,
        r#"{{"game_id":{game},"event":"KEY_STOKE","word_index":{word},"char_index":{char}}}"#
    )
    .expect("writing to a Vec does not fail");
}

/// Appends the payload of a frame with edits, of which `first` came before them.
pub fn write_edits(
    payload: &mut Vec<u8>,
    game: u64,
    first: u64,
    edits: impl Iterator<Item = Edit>,
) {
    let mut write = |text: std::fmt::Arguments<'_>| {
        payload.write_fmt(text).expect("writing to a Vec does not fail");
    };
    write(format_args!(r#"{{"game_id":{game},"event":"EDITS","seq":{first},"edits":["#));
    for (number, Edit { at, del, ins }) in edits.enumerate() {
        let comma = if number > 0 { "," } else { "" };
        write(format_args!(r#"{comma}{{"at":{at}"#));
        if del > 0 {
            write(format_args!(r#","del":{del}"#));
        }
        match ins {
            Some(quoted @ ('"' | '\\')) => write(format_args!(r#","ins":"\{quoted}"}}"#)),
            Some(char) => write(format_args!(r#","ins":"{char}"}}"#)),
            None => write(format_args!("}}")),
        }
    }
    write(format_args!("]}}"));
}

fn read_message(payload: &[u8]) -> Option<Incoming<'_>> {
    let (mut event, mut user, mut word, mut char) = (None, None, None, None);
    let (mut seq, mut again) = (None, false);
    let mut fields = Fields::of(payload)?;
    while let Some((name, value)) = fields.next_field()? {
        match name {
            b"event" => event = Some(text(value)?),
            b"user_id" => user = text(value),
            b"word_index" => word = integer(value),
            b"char_index" => char = integer(value),
            b"seq" => seq = integer(value),
            b"again" => again = value == b"true",
            _ => {}
        }
    }
    match event? {
        b"KEY_STOKE" => {
            let position =
                Position { word: u32::try_from(word?).ok()?, char: i32::try_from(char?).ok()? };
            Some(Incoming::Position { user: user?, position })
        }
        b"EDITS_ACK" if again => Some(Incoming::Lacks(u64::try_from(seq?).ok()?)),
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

    fn read(format: Format, payload: &str) -> Vec<Incoming<'_>> {
        let mut heard = Vec::new();
        format.read(payload.as_bytes(), |it| heard.push(it));
        heard
    }

    #[test]
    fn a_position_is_written_as_the_contract_has_it() {
        let mut payload = Vec::new();
        write_position(&mut payload, 35, Position { word: 1, char: -1 });
        assert_eq!(
            payload,
            br#"{"game_id":35,"event":"KEY_STOKE","word_index":1,"char_index":-1}"#
        );
    }

    #[test]
    fn edits_are_written_as_the_protocol_has_them() {
        let mut payload = Vec::new();
        let edits = [(10, 0, Some('a')), (20, 0, Some('"')), (30, 9, None)];
        let edits = edits.map(|(at, del, ins)| Edit { at, del, ins });
        write_edits(&mut payload, 35, 7, edits.into_iter());
        let written: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        let wanted = serde_json::json!({"game_id": 35, "event": "EDITS", "seq": 7, "edits": [
            {"at": 10, "ins": "a"}, {"at": 20, "ins": "\""}, {"at": 30, "del": 9}]});
        assert_eq!(written, wanted);
    }

    #[test]
    fn another_players_position_is_read_whatever_the_order_of_fields() {
        let moved =
            || Incoming::Position { user: b"guest-1", position: Position { word: 3, char: -1 } };
        let frames = [
            r#"{"event":"KEY_STOKE","game_id":35,"user_id":"guest-1","word_index":3,"char_index":-1}"#,
            r#"{ "char_index" : -1 , "new": {"a":[1,"},{"]}, "word_index": 3, "user_id": "guest-1", "event": "KEY_STOKE"}"#,
        ];
        for frame in frames {
            assert_eq!(read(Format::V1, frame), [moved()], "{frame}");
        }
        assert_eq!(read(Format::V2, &format!("[{}]", frames.join(","))), [moved(), moved()]);
        assert_eq!(read(Format::V1, &format!("[{}]", frames[0])), [Incoming::Malformed]);
    }

    #[test]
    fn other_events_are_read_by_name_and_garbage_is_malformed() {
        let start = r#"{"event":"START","game_id":35}"#;
        assert_eq!(read(Format::V1, start), [Incoming::Event(b"START")]);
        for garbage in ["", "{", "[]", r#"{"event"}"#, r#"{"a":1}"#, r#"{"event":"KEY_STOKE"}"#] {
            assert_eq!(read(Format::V1, garbage), [Incoming::Malformed], "{garbage}");
        }
        let lacks = r#"{"event":"EDITS_ACK","game_id":35,"seq":12,"again":true}"#;
        assert_eq!(read(Format::V2, lacks), [Incoming::Lacks(12)]);
        let known = r#"{"event":"EDITS_ACK","game_id":35,"seq":16,"again":false}"#;
        assert_eq!(read(Format::V2, known), [Incoming::Event(b"EDITS_ACK")]);
    }
}
