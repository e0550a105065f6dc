//! The fields that every message of a client has.

use std::borrow::Cow;

use serde::Deserialize;

use super::state::Malformed;
use crate::http::edge::lenient;

/// The fields of every message. `game_id` is required, but not trusted.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    #[serde(rename = "game_id", deserialize_with = "lenient::integer")]
    game: i64,
    /// W3C Trace Context, if the client sends it.
    #[serde(borrow, default)]
    pub(super) traceparent: Option<Cow<'a, str>>,
}

impl<'a> Head<'a> {
    /// Reads the head of a message. The whole text must be JSON.
    pub(super) fn of(text: &'a str) -> Result<Self, Malformed> {
        // Most messages are flat: the rest of them is parsed once, by their handler.
        match Self::of_flat(text) {
            Some(head) => Ok(head),
            None => serde_json::from_str(text).map_err(|_| Malformed),
        }
    }

    /// The same for an object of plain integers and of strings without escapes, written without blanks or with some.
    /// `None` if it is anything else, or not JSON.
    fn of_flat(text: &'a str) -> Option<Self> {
        let (mut event, mut game, mut traceparent) = (None, None, None);
        let mut rest = blank(text).strip_prefix('{')?;
        loop {
            let (key, after) = string(blank(rest))?;
            let value = blank(blank(after).strip_prefix(':')?);
            let (new, after) = match (key, value.as_bytes().first()?) {
                ("game_id", _) => {
                    let (number, after) = integer(value)?;
                    (game.replace(number).is_none(), after)
                }
                ("event", _) => {
                    let (value, after) = string(value)?;
                    (event.replace(value).is_none(), after)
                }
                ("traceparent", _) => {
                    let (value, after) = string(value)?;
                    (traceparent.replace(value).is_none(), after)
                }
                (_, b'"') => (true, string(value)?.1),
                _ => (true, integer(value)?.1),
            };
            // What a repeated field means is for the full parser to say.
            let after = Some(blank(after)).filter(|_| new)?;
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None => {
                    let end = blank(after.strip_prefix('}')?);
                    let traceparent = traceparent.map(Cow::Borrowed);
                    let head = Self { event: Cow::Borrowed(event?), game: game?, traceparent };
                    return end.is_empty().then_some(head);
                }
            }
        }
    }
}

/// What follows after the blanks of JSON.
fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// A string without escapes, and what follows.
fn string(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = text.bytes().position(|it| it == b'"' || it == b'\\' || it < b' ')?;
    let rest = text[end..].strip_prefix('"')?;
    Some((&text[..end], rest))
}

/// An integer that fits, and what follows.
fn integer(text: &str) -> Option<(i64, &str)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let is_plain = (1..=18).contains(&count) && (count == 1 || !digits.starts_with('0'));
    let is_whole = !digits[count..].starts_with(['.', 'e', 'E']);
    let (number, rest) = text.split_at(text.len() - digits.len() + count);
    Some((number.parse().ok().filter(|_| is_plain && is_whole)?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of messages, good and bad.
    fn any_piece() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "{",
            "}",
            ",",
            ":",
            " ",
            "\n",
            "\"",
            "\\",
            "\"event\"",
            "\"game_id\"",
            "\"traceparent\"",
            "\"word_index\"",
            "\"KEY_STOKE\"",
            "\"é\"",
            "\"a\\n\"",
            "1",
            "-1",
            "0",
            "01",
            "-",
            "1.0",
            "1e2",
            "null",
            "true",
            "[]",
            "{}",
            "9223372036854775808",
            "\u{7}",
            "\u{a0}",
        ])
    }

    /// Objects that are mostly good.
    fn any_object() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec!["event", "game_id", "traceparent", "word_index", "é"]);
        let value = any_piece();
        let blank = prop::sample::select(vec!["", "", "", " ", "\t\n"]);
        let field = (key, value, blank).prop_map(|(key, value, blank)| {
            format!("{blank}\"{key}\"{blank}:{blank}{value}{blank}")
        });
        let fields = prop::collection::vec(field, 0..6);
        fields.prop_map(|fields| {
            let fixed = r#""game_id":7,"event":"KEY_STOKE""#;
            format!(
                "{{{}}}",
                fields.into_iter().chain([fixed.into()]).collect::<Vec<_>>().join(",")
            )
        })
    }

    proptest! {
        #[test]
        fn a_flat_message_is_read_as_the_full_parser_reads_it(
            text in prop_oneof![
                any_object(),
                prop::collection::vec(any_piece(), 0..14).prop_map(|pieces| pieces.concat()),
            ],
        ) {
            if let Some(flat) = Head::of_flat(&text) {
                prop_assert_eq!(Ok(flat), serde_json::from_str(&text).map_err(|error| error.to_string()));
            }
        }
    }

    #[test]
    fn the_messages_of_the_game_are_flat() {
        let text = r#"{"game_id":7,"event":"KEY_STOKE","word_index":3,"char_index":-1}"#;
        let head = Head::of_flat(text).unwrap();
        assert_eq!((&*head.event, head.game, head.traceparent), ("KEY_STOKE", 7, None));
        let spaced = "{ \"event\": \"PING\", \"game_id\": -12, \"traceparent\": \"00-ab\" }\n";
        let head = Head::of_flat(spaced).unwrap();
        assert_eq!(
            (&*head.event, head.game, head.traceparent.as_deref()),
            ("PING", -12, Some("00-ab"))
        );
        for other in ["", "{}", r#"{"event":"a"}"#, r#"{"event":"a","game_id":1,"event":"b"}"#] {
            assert_eq!(Head::of_flat(other), None, "{other}");
        }
    }
}
