//! What a player types in a race, as a pod receives it, in two compact logs: edits with the client's clock, or positions with the
//! server's. Times are milliseconds since the player's START.
//!
//! A record of a log begins with the time since the record before it, whose lowest two bits are the kind of what follows. All
//! numbers are variable-length (LEB128): the usual key takes three bytes as an edit, and two as a position.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use salvo::oapi::ToSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Text;
use crate::game::Timestamp;

/// Most bytes of a log: more than the keystrokes of an hour. What comes after it is not logged.
const LIMIT: usize = 16 * 1024;

/// One character was typed at the end.
const ONE: u64 = 0;
/// Some were deleted at the end.
const BACK: u64 = 1;
/// Some were deleted, then some typed.
const ANY: u64 = 2;
/// The same, by an input method that is not done with it.
const COMPOSED: u64 = 3;

/// The next character of the word was reached.
const STEP: u64 = 0;
/// The begin of the next word was reached.
const WORD: u64 = 1;
/// The caret went back by a character.
const LEFT: u64 = 2;
/// The caret went anywhere.
const JUMP: u64 = 3;

/// A change at the end of what a player has typed: characters are deleted, then others typed. Blanks end words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Edit {
    /// Milliseconds since START, by the client's clock.
    pub at: u32,
    /// How many characters are deleted, in UTF-16 code units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub del: u32,
    /// The characters that are typed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ins: String,
    /// Whether an input method is still composing them, such as the accent of a letter to come.
    #[serde(default, skip_serializing_if = "is_false")]
    pub composing: bool,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A position that a player's caret has reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Spot {
    /// Milliseconds since START, by the server's clock.
    pub at: u32,
    /// Index of the word, from 0.
    pub word_index: u32,
    /// Index of the last character typed in the word; -1 before the first.
    pub char_index: i32,
}

/// A log of edits. It is whole: a client sends again what a pod has not received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EditTape {
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    #[salvo(schema(value_type = String))]
    log: Vec<u8>,
    /// How many edits were received.
    pub count: u32,
    /// When the last one was received, in milliseconds since START by the server's clock.
    pub heard: u32,
    /// Whether the log was full, and later edits are not in it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_cut: bool,
    #[serde(skip)]
    last: u32,
}

impl EditTape {
    /// Adds an edit that was received at `heard`.
    pub fn push(&mut self, edit: &Edit, heard: u32) {
        self.count = self.count.saturating_add(1);
        self.heard = heard;
        if self.is_cut || self.log.len() + edit.ins.len() + 16 > LIMIT {
            self.is_cut = true;
            return;
        }
        let at = edit.at.max(self.last);
        let since = u64::from(at - std::mem::replace(&mut self.last, at)) << 2;
        let mut chars = edit.ins.chars();
        match (edit.del, chars.next(), chars.next()) {
            (0, Some(one), None) if !edit.composing => {
                put(&mut self.log, since | ONE);
                put(&mut self.log, u64::from(u32::from(one)));
            }
            (del, None, _) if !edit.composing => {
                put(&mut self.log, since | BACK);
                put(&mut self.log, del.into());
            }
            (del, ..) => {
                put(&mut self.log, since | if edit.composing { COMPOSED } else { ANY });
                put(&mut self.log, del.into());
                put(&mut self.log, edit.ins.chars().count() as u64);
                edit.ins.chars().for_each(|it| put(&mut self.log, u64::from(u32::from(it))));
            }
        }
    }

    /// A log of which `bytes` are known.
    pub fn of(bytes: Vec<u8>, count: u32, heard: u32, is_cut: bool) -> Self {
        Self { log: bytes, count, heard, is_cut, last: 0 }
    }

    /// The log as it is stored.
    pub fn bytes(&self) -> &[u8] {
        &self.log
    }

    /// The edits. A log that is damaged ends before the damage.
    pub fn edits(&self) -> Vec<Edit> {
        let (mut rest, mut at) = (&self.log[..], 0_u32);
        let mut edits = Vec::new();
        while let Some(edit) = read_edit(&mut rest, &mut at) {
            edits.push(edit);
        }
        edits
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.log.len()
    }
}

fn read_edit(rest: &mut &[u8], at: &mut u32) -> Option<Edit> {
    let head = read_varint(rest)?;
    *at = at.checked_add(u32::try_from(head >> 2).ok()?)?;
    let character = |rest: &mut &[u8]| char::from_u32(u32::try_from(read_varint(rest)?).ok()?);
    let number = |rest: &mut &[u8]| u32::try_from(read_varint(rest)?).ok();
    let edit = Edit { at: *at, ..Edit::default() };
    Some(match head & 3 {
        ONE => Edit { ins: character(rest)?.into(), ..edit },
        BACK => Edit { del: number(rest)?, ..edit },
        kind => {
            let (del, count) = (number(rest)?, number(rest)?);
            let ins = (0..count).map(|_| character(rest)).collect::<Option<_>>()?;
            Edit { del, ins, composing: kind == COMPOSED, ..edit }
        }
    })
}

/// A log of the positions that one pod has received. If a player's sockets were on several pods, each has a part of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpotTape {
    /// When the first one was received: no other log of the player begins then.
    pub begun: Option<Timestamp>,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    #[salvo(schema(value_type = String))]
    log: Vec<u8>,
    /// How many positions were received.
    pub count: u32,
    /// Whether the log was full, and later positions are not in it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_cut: bool,
    #[serde(skip)]
    last: Spot,
}

impl SpotTape {
    /// Adds a position that was received `now`.
    pub fn push(&mut self, spot: Spot, now: Timestamp) {
        self.begun.get_or_insert(now);
        self.count = self.count.saturating_add(1);
        if self.is_cut || self.log.len() + 16 > LIMIT {
            self.is_cut = true;
            return;
        }
        let at = spot.at.max(self.last.at);
        let last = std::mem::replace(&mut self.last, Spot { at, ..spot });
        let since = u64::from(at - last.at) << 2;
        let is_same = last.word_index == spot.word_index;
        let is_next = last.word_index.checked_add(1) == Some(spot.word_index);
        let by = i64::from(spot.char_index) - i64::from(last.char_index);
        let kind = match by {
            1 if is_same => STEP,
            -1 if is_same => LEFT,
            _ if is_next && spot.char_index == -1 => WORD,
            _ => JUMP,
        };
        put(&mut self.log, since | kind);
        if kind == JUMP {
            put(&mut self.log, spot.word_index.into());
            put(&mut self.log, u64::from(spot.char_index.saturating_add(1).unsigned_abs()));
        }
    }

    /// A log of which `bytes` are known.
    pub fn of(bytes: Vec<u8>, count: u32, is_cut: bool) -> Self {
        Self { log: bytes, count, is_cut, ..Self::default() }
    }

    /// The log as it is stored.
    pub fn bytes(&self) -> &[u8] {
        &self.log
    }

    /// The positions. A log that is damaged ends before the damage.
    pub fn spots(&self) -> Vec<Spot> {
        let (mut rest, mut last) = (&self.log[..], Spot::default());
        let mut spots = Vec::new();
        while let Some(spot) = read_spot(&mut rest, last) {
            last = spot;
            spots.push(spot);
        }
        spots
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.log.len()
    }
}

fn read_spot(rest: &mut &[u8], last: Spot) -> Option<Spot> {
    let head = read_varint(rest)?;
    let at = last.at.checked_add(u32::try_from(head >> 2).ok()?)?;
    let Spot { word_index, char_index, .. } = last;
    let (word_index, char_index) = match head & 3 {
        STEP => (word_index, char_index.checked_add(1)?),
        LEFT => (word_index, char_index.checked_sub(1)?),
        WORD => (word_index.checked_add(1)?, -1),
        _ => (u32::try_from(read_varint(rest)?).ok()?, i32::try_from(read_varint(rest)?).ok()? - 1),
    };
    Some(Spot { at, word_index, char_index })
}

/// Appends a number: seven bits per byte, the lowest first; the highest bit says that more follow.
fn put(log: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        log.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    log.push(number as u8);
}

fn read_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in (0..64).step_by(7) {
        let byte = *rest.split_off_first()?;
        number |= u64::from(byte & 0x7f) << place;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn to_base64<S: Serializer>(log: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD_NO_PAD.encode(log))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD_NO_PAD.decode(text).map_err(serde::de::Error::custom)
}

/// All that a pod has received of a player's typing in a race.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tape {
    /// The edits, if the client sends them.
    pub edits: EditTape,
    /// The positions, if it sends these.
    pub spots: SpotTape,
}

impl Tape {
    /// Whether nothing was received.
    pub fn is_empty(&self) -> bool {
        self.edits.count == 0 && self.spots.count == 0
    }

    /// How much was received.
    pub fn count(&self) -> (u32, u32) {
        (self.edits.count, self.spots.count)
    }
}

/// The lengths of the words that a player has typed, as they follow from edits: where the caret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caret {
    words: Vec<u32>,
    /// What was typed after the words that are followed, in UTF-16 units.
    beyond: u64,
}

impl Default for Caret {
    fn default() -> Self {
        Self { words: vec![0], beyond: 0 }
    }
}

impl Caret {
    /// Moves it by an edit. Words are followed up to the one after the text's last.
    pub fn follow(&mut self, edit: &Edit, text: &Text) {
        let most = text.words() + 1;
        for _ in 0..edit.del {
            let words = self.words.len();
            match self.words.last_mut() {
                _ if self.beyond > 0 => self.beyond -= 1,
                Some(letters) if *letters > 0 => *letters -= 1,
                _ if words > 1 => drop(self.words.pop()),
                _ => break,
            }
        }
        for it in edit.ins.chars() {
            let (words, units) = (self.words.len(), if it.len_utf16() == 1 { 1 } else { 2 });
            match self.words.last_mut() {
                Some(letters) if it != ' ' && self.beyond == 0 => *letters += units,
                _ if words < most => self.words.push(0),
                _ => self.beyond += u64::from(units),
            }
        }
    }

    /// Word and character, as positions state them; somewhere in the last word that is followed, if it is beyond.
    pub fn position(&self) -> (i64, i64) {
        let word = i64::try_from(self.words.len()).unwrap_or(i64::MAX) - 1;
        (word, i64::from(self.words.last().copied().unwrap_or_default()) - 1)
    }
}

#[cfg(test)]
mod tests;
