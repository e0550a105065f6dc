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
        // Most messages are plain: the rest of them is parsed once, by their handler.
        match Self::of_plain(text) {
            Some(head) => Ok(head),
            None => serde_json::from_str(text).map_err(|_| Malformed),
        }
    }

    /// The same for an object of plain values ([`value`]), written without blanks or with some. `None` if it is anything else,
    /// or not JSON.
    fn of_plain(text: &'a str) -> Option<Self> {
        let (mut event, mut game, mut traceparent) = (None, None, None);
        let mut rest = blank(text).strip_prefix('{')?;
        loop {
            let (key, after) = string(blank(rest))?;
            let field = blank(blank(after).strip_prefix(':')?);
            let (new, after) = match key {
                "game_id" => {
                    let (number, after) = integer(field)?;
                    (game.replace(number).is_none(), after)
                }
                "event" => {
                    let (value, after) = string(field)?;
                    (event.replace(value).is_none(), after)
                }
                "traceparent" => {
                    let (value, after) = string(field)?;
                    (traceparent.replace(value).is_none(), after)
                }
                _ => (true, value(field, DEEPEST)?),
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

/// How deep plain values are nested.
const DEEPEST: u8 = 3;

/// What follows after a plain value: an integer, a string without escapes, a boolean, or a list or an object of plain values.
fn value(text: &str, depth: u8) -> Option<&str> {
    match text.as_bytes().first()? {
        b'"' => Some(string(text)?.1),
        b'[' => items(&text[1..], ']', |item| value(item, depth.checked_sub(1)?)),
        b'{' => items(&text[1..], '}', |field| {
            let (_, after) = string(field)?;
            value(blank(blank(after).strip_prefix(':')?), depth.checked_sub(1)?)
        }),
        b't' => text.strip_prefix("true"),
        b'f' => text.strip_prefix("false"),
        _ => Some(integer(text)?.1),
    }
}

/// What follows after items, separated by commas, and their end. `skip` returns what follows after an item.
fn items<'a>(
    text: &'a str,
    end: char,
    skip: impl Fn(&'a str) -> Option<&'a str>,
) -> Option<&'a str> {
    let mut rest = blank(text);
    if let Some(after) = rest.strip_prefix(end) {
        return Some(after);
    }
    loop {
        let after = blank(skip(rest)?);
        match after.strip_prefix(',') {
            Some(after) => rest = blank(after),
            None => return after.strip_prefix(end),
        }
    }
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
            "[",
            "]",
            "[]",
            "{}",
            "[1, \"a\"]",
            "[[1],{\"at\":2,\"ins\":\"b\"}]",
            "[1,]",
            "{\"a\":{\"b\":[]} , \"c\":false}",
            "[[[[[[]]]]]]",
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
        fn a_plain_message_is_read_as_the_full_parser_reads_it(
            text in prop_oneof![
                any_object(),
                prop::collection::vec(any_piece(), 0..14).prop_map(|pieces| pieces.concat()),
            ],
        ) {
            if let Some(plain) = Head::of_plain(&text) {
                prop_assert_eq!(Ok(plain), serde_json::from_str(&text).map_err(|error| error.to_string()));
            }
        }
    }

    #[test]
    fn the_messages_of_the_game_are_plain() {
        let text = r#"{"game_id":7,"event":"KEY_STOKE","word_index":3,"char_index":-1}"#;
        let head = Head::of_plain(text).unwrap();
        assert_eq!((&*head.event, head.game, head.traceparent), ("KEY_STOKE", 7, None));
        let spaced = "{ \"event\": \"PING\", \"game_id\": -12, \"traceparent\": \"00-ab\" }\n";
        let head = Head::of_plain(spaced).unwrap();
        assert_eq!(
            (&*head.event, head.game, head.traceparent.as_deref()),
            ("PING", -12, Some("00-ab"))
        );
        let edits = r#"{"game_id":7,"event":"EDITS","seq":12,"edits":[{"at":9,"ins":"a"},{"at":12,"del":1,"composing":true}]}"#;
        assert_eq!(Head::of_plain(edits).unwrap().event, "EDITS");
        for other in ["", "{}", r#"{"event":"a"}"#, r#"{"event":"a","game_id":1,"event":"b"}"#] {
            assert_eq!(Head::of_plain(other), None, "{other}");
        }
    }
}
