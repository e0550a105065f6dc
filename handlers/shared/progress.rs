//! How far a player has typed, as the pods have seen it: the facts by which a result is judged.

use serde::{Deserialize, Serialize};

use super::{Latency, Text};
use crate::game::{Part, Timestamp};

/// Characters per second above which typing is not credited: 360 words per minute, more than any typist keeps up for a
/// sentence.
pub const FASTEST: f64 = 30.0;

/// What was seen of a player's typing in one race. Several pods may each see a part; [`Self::absorb`] merges the parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The most characters typed of each word reached.
    pub reached: Vec<u16>,
    /// Number of positions received.
    pub keys: u32,
    /// Letters typed beyond the end of their word, all of them wrong keystrokes.
    pub extra: u32,
    /// How many times characters were credited that were typed while no socket was open.
    pub gaps: u32,
    /// When the latest position was received.
    pub at: Option<Timestamp>,
    /// When the end of the text was reached.
    pub completed: Option<Timestamp>,
    /// How many milliseconds before that the player had typed it: the latency of the connection, as [`Latency::of`] states it.
    pub late: u16,
    /// The round trip of the player's connection in milliseconds, when the latest progress was stored.
    pub round_trip: u16,
}

impl Part for Progress {
    const NAME: &'static str = "progress";
}

impl Progress {
    /// Number of characters typed of the text, including the blanks between words.
    pub fn characters(&self) -> u32 {
        let blanks = u32::try_from(self.reached.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.reached.iter().map(|typed| u32::from(*typed)).sum::<u32>().saturating_add(blanks)
    }

    /// The end of what is known to be typed; `None` if that is nothing.
    pub fn position(&self) -> Option<(u32, i32)> {
        let typed = self.reached.last()?;
        let word = u32::try_from(self.reached.len() - 1).unwrap_or(u32::MAX);
        Some((word, i32::from(*typed) - 1))
    }

    /// Merges what another pod has seen, or this one since. Returns whether it counts: typing after the end does not.
    /// An end that is reported late is dated no earlier than the latest known position.
    pub fn absorb(&mut self, seen: &Self) -> bool {
        if self.completed.is_some_and(|end| seen.at > Some(end)) {
            return false;
        }
        if seen.completed.is_some_and(|new| self.completed.is_none_or(|known| new < known)) {
            self.late = seen.late;
        }
        self.round_trip = if seen.round_trip > 0 { seen.round_trip } else { self.round_trip };
        self.completed = match (self.completed, seen.completed) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new.max(self.at.filter(|_| new.is_some()))),
        };
        self.at = self.at.max(seen.at);
        self.keys = self.keys.saturating_add(seen.keys);
        self.extra = self.extra.saturating_add(seen.extra);
        self.gaps = self.gaps.saturating_add(seen.gaps);
        self.reach_all(&seen.reached);
        true
    }

    fn reach_all(&mut self, reached: &[u16]) {
        if self.reached.len() < reached.len() {
            self.reached.resize(reached.len(), 0);
        }
        for (known, new) in self.reached.iter_mut().zip(reached) {
            *known = (*known).max(*new);
        }
    }
}

/// How many times in a race text is credited that was typed while no socket was open. A connection is lost a few times;
/// without this limit, a client that reconnects at each word would be credited with letters that it leaves out.
const GAPS: u32 = 8;

/// The outcome of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// The player may not type: START was not told yet, or the time is up.
    NotNow,
    /// It counts, or comes after the end.
    Typed,
    /// It is the first in the second half of the text, or its end: the progress is to be stored.
    Milestone,
}

/// Tracks the typing of one player by the positions received on one pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracker {
    /// When the player was told START, and so may type.
    since: Option<Timestamp>,
    /// Until when the player may type; `None` until the end of the text.
    until: Option<Timestamp>,
    /// Progress, that seen by other pods included. The counts are those not yet stored.
    seen: Progress,
    /// How many times text was credited, by other pods included.
    gaps: u32,
    /// The last position.
    last: Option<(u32, i32)>,
    /// Whether a socket has opened since the last position: text may have been typed while none was open.
    is_back: bool,
    is_halfway: bool,
}

impl Tracker {
    /// A socket of the player opens. `known` is the stored progress.
    pub fn resume(&mut self, text: &Text, known: &Progress, since: Option<Timestamp>) {
        self.since = self.since.or(since);
        self.is_back = true;
        self.gaps = self.gaps.max(known.gaps.saturating_add(self.seen.gaps));
        self.seen.at = self.seen.at.max(known.at);
        self.seen.completed = known.completed.or(self.seen.completed);
        // Reserved here, so that a keystroke allocates nothing.
        self.seen.reached.reserve(text.words().saturating_sub(self.seen.reached.len()));
        self.seen.reach_all(&known.reached);
        self.is_halfway |= self.seen.reached.len() > text.words() / 2;
    }

    /// The player is told that the race is on.
    pub fn begin(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
    }

    /// The player may type until then.
    pub fn end_at(&mut self, until: Timestamp) {
        self.until = Some(until);
    }

    /// When the player was told START, if positions count now: not before it, nor when the time is up.
    pub fn since(&self, now: Timestamp) -> Option<Timestamp> {
        self.since.filter(|_| self.until.is_none_or(|until| now <= until))
    }

    /// Whether the end of the text was reached.
    pub fn is_over(&self) -> bool {
        self.seen.completed.is_some()
    }

    /// A position within the text was received, by this much later than it was typed.
    pub fn record_position(
        &mut self,
        text: &Text,
        position: (u32, i32),
        now: Timestamp,
        latency: Latency,
    ) -> Noted {
        let Some(since) = self.since(now) else { return Noted::NotNow };
        if self.seen.completed.is_some() {
            return Noted::Typed;
        }
        let (word, char) = position;
        let length = text.word_length(word).unwrap_or_default();
        let typed = u16::try_from(char + 1).unwrap_or_default();
        let index = usize::try_from(word).unwrap_or(usize::MAX);
        if std::mem::take(&mut self.is_back) {
            self.credit(text, index, since, now);
        }
        if self.seen.reached.len() <= index {
            self.seen.reached.resize(index + 1, 0);
        }
        let reached = &mut self.seen.reached[index];
        *reached = (*reached).max(typed.min(length));
        let is_more = self.last.is_some_and(|(of, before)| of == word && before < char);
        self.seen.extra += u32::from(is_more && typed > length);
        self.seen.keys = self.seen.keys.saturating_add(1);
        (self.seen.at, self.last) = (Some(now), Some(position));
        self.seen.round_trip = latency.round_trip;
        if index + 1 == text.words() && typed >= length {
            (self.seen.completed, self.seen.late) = (Some(now), latency.late);
            return Noted::Milestone;
        }
        let is_halfway = index >= text.words() / 2;
        let is_milestone = is_halfway && !std::mem::replace(&mut self.is_halfway, is_halfway);
        if is_milestone { Noted::Milestone } else { Noted::Typed }
    }

    /// Credits text before the word at `index` as typed while no socket was open: at most what can be typed from
    /// `since` until `now`, less what was seen. It does not count from the last position, since a position that a
    /// stalled network has delayed arrives just before the socket that follows it.
    fn credit(&mut self, text: &Text, index: usize, since: Timestamp, now: Timestamp) {
        // The cast saturates.
        let most = (now.after(since).as_secs_f64() * FASTEST) as u32;
        let mut left = most.saturating_sub(self.seen.characters());
        let first = self.seen.reached.len().saturating_sub(1);
        let mut is_credited = false;
        for word in (first..index).take_while(|_| self.gaps < GAPS) {
            let length = text.word_length(u32::try_from(word).unwrap_or(u32::MAX));
            if self.seen.reached.len() <= word {
                self.seen.reached.resize(word + 1, 0);
            }
            let reached = &mut self.seen.reached[word];
            let missing = length.unwrap_or_default().saturating_sub(*reached);
            let credited = missing.min(u16::try_from(left).unwrap_or(u16::MAX));
            *reached += credited;
            left = left.saturating_sub(u32::from(credited) + 1);
            is_credited |= credited > 0;
        }
        self.gaps += u32::from(is_credited);
        self.seen.gaps += u32::from(is_credited);
    }

    /// The last position.
    pub fn position(&self) -> Option<(u32, i32)> {
        self.last.or_else(|| self.seen.position())
    }

    /// The progress not yet stored, if any. From now on it counts as stored.
    pub fn take_unsaved(&mut self) -> Option<Progress> {
        (self.seen.keys > 0).then(|| {
            let seen = self.seen.clone();
            (self.seen.keys, self.seen.extra, self.seen.gaps) = (0, 0, 0);
            seen
        })
    }

    /// Takes progress back that could not be stored.
    pub fn put_back(&mut self, seen: &Progress) {
        self.seen.keys = self.seen.keys.saturating_add(seen.keys);
        self.seen.extra = self.seen.extra.saturating_add(seen.extra);
        self.seen.gaps = self.seen.gaps.saturating_add(seen.gaps);
    }
}

#[cfg(test)]
mod tests;
