//! A player's typing in a race, as seen by the player's sockets on this pod, and how it becomes a fact.
//!
//! A keystroke costs an uncontended lock, and no access to a store. Progress is stored when the player reaches the
//! second half of the text and its end, when a socket closes, and when a result is judged: a few times per race.
//!
//! What is typed is also logged (`tape`). The log stays in this process; a module may store it.

use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::{Caret, Edit, Latency, Noted, Progress, Spot, SpotTape, Tape, Text, Tracker};
use crate::Error;
use crate::bus::{Event, Never, Reach};
use crate::game::{Game, GameId, Stage, Timestamp, UserId};
use crate::live::{Live, Step};
use crate::module::Cx;

/// Pause between two attempts to store it, while the live state is down.
const PAUSE: Duration = Duration::from_millis(500);

/// The typing of one player, in one race, on this pod.
#[derive(Debug, Default)]
pub struct Typing {
    /// Set when the first socket opens.
    text: OnceLock<Text>,
    hand: Mutex<Hand>,
    /// Held while progress is being stored: a result is judged by the stored progress, so it waits for a pending
    /// attempt.
    keeping: tokio::sync::Mutex<()>,
}

/// What was received so far.
#[derive(Debug, Default)]
struct Hand {
    tracker: Tracker,
    tape: Tape,
    /// Where the edits have led.
    caret: Caret,
    /// How much of the tape is stored.
    kept: (u32, u32),
}

/// The outcome of some edits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// How many edits are known now.
    pub known: u32,
    /// Whether edits before these are missing, so that none was taken.
    pub is_gap: bool,
    /// Whether all of them were known before.
    pub is_repeat: bool,
    /// The last position within the text.
    pub position: Option<(u32, i32)>,
    /// Whether the progress is to be stored.
    pub is_milestone: bool,
}

impl Typing {
    /// A socket of the player opens. `known` is the stored progress; the player may type `since` then.
    pub fn resume(&self, text: Text, known: &Progress, since: Option<Timestamp>) {
        let text = self.text.get_or_init(|| text);
        self.hand.lock().tracker.resume(text, known, since);
    }

    /// The text of the race; empty before the first socket has opened.
    pub fn text(&self) -> &Text {
        static NONE: LazyLock<Text> = LazyLock::new(Text::default);
        self.text.get().unwrap_or(&NONE)
    }

    /// The player is told START: from now on positions count.
    pub fn begin(&self, now: Timestamp) {
        self.hand.lock().tracker.begin(now);
    }

    /// The player may type until then. By default until the end of the text.
    pub fn end_at(&self, until: Timestamp) {
        self.hand.lock().tracker.end_at(until);
    }

    /// Records a position within the text. `round_trip` is that of the socket, if it is known.
    pub fn record_position(
        &self,
        position: (u32, i32),
        now: Timestamp,
        round_trip: Option<Duration>,
    ) -> Noted {
        let mut hand = self.hand.lock();
        let Hand { tracker, tape, .. } = &mut *hand;
        let Some(since) = tracker.since(now) else { return Noted::NotNow };
        if !tracker.is_over() {
            let (word_index, char_index) = position;
            tape.spots.push(Spot { at: millis(now.after(since)), word_index, char_index }, now);
        }
        tracker.record_position(self.text(), position, now, Latency::of(round_trip))
    }

    /// Records edits, of which `first` came before them. Those that are known already are passed over, so a repeat changes
    /// nothing. `within` checks a position against the text. `round_trip` is that of the socket, if it is known.
    pub fn edit(
        &self,
        first: u32,
        edits: &[Edit],
        (now, round_trip): (Timestamp, Option<Duration>),
        within: fn(&Text, i64, i64) -> Option<(u32, i32)>,
    ) -> Edited {
        let mut hand = self.hand.lock();
        let Hand { tracker, tape, caret, .. } = &mut *hand;
        let known = tape.edits.count;
        let mut edited = Edited { known, is_gap: first > known, ..Edited::default() };
        let Some(since) = tracker.since(now).filter(|_| !edited.is_gap) else { return edited };
        let before = usize::try_from(known - first).unwrap_or(usize::MAX);
        let fresh = edits.get(before..).unwrap_or_default();
        edited.is_repeat = fresh.is_empty();
        let heard = millis(now.after(since));
        for edit in fresh {
            tape.edits.push(edit, heard);
            caret.follow(edit, self.text());
            let (word, char) = caret.position();
            let Some(position) = within(self.text(), word, char) else { continue };
            let latency = Latency::claimed(round_trip, heard, edit.at);
            let noted = tracker.record_position(self.text(), position, now, latency);
            edited.is_milestone |= noted == Noted::Milestone;
            edited.position = Some(position);
        }
        Edited { known: tape.edits.count, ..edited }
    }

    /// Whether the end of the text, or of the time, was reached.
    pub fn is_over(&self) -> bool {
        self.hand.lock().tracker.is_over()
    }

    /// How many edits are known.
    pub fn edits(&self) -> u32 {
        self.hand.lock().tape.edits.count
    }

    /// The last position that was received here, or that the stored progress has led to.
    pub fn position(&self) -> Option<(u32, i32)> {
        self.hand.lock().tracker.position()
    }

    /// The log so far.
    pub fn tape(&self) -> Tape {
        self.hand.lock().tape.clone()
    }

    /// The log of positions, if there are more than so many.
    pub fn spots_beyond(&self, count: u32) -> Option<SpotTape> {
        let hand = self.hand.lock();
        (hand.tape.spots.count > count).then(|| hand.tape.spots.clone())
    }

    /// The log so far, unless it is stored as it is.
    pub fn unkept_tape(&self) -> Option<Tape> {
        let hand = self.hand.lock();
        (hand.tape.count() != hand.kept).then(|| hand.tape.clone())
    }

    /// A log of this length is stored.
    pub fn tape_is_kept(&self, count: (u32, u32)) {
        let kept = &mut self.hand.lock().kept;
        *kept = (kept.0.max(count.0), kept.1.max(count.1));
    }

    /// Stores progress that is not stored yet.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer; the progress is then still unsaved.
    pub async fn save_progress(
        &self,
        live: &Live,
        game: GameId,
        user: &UserId,
    ) -> Result<(), Error> {
        let _alone = self.keeping.lock().await;
        let Some(seen) = self.hand.lock().tracker.take_unsaved() else { return Ok(()) };
        let mut unkept = Unkept { typing: self, seen: Some(seen) };
        if let Some(seen) = &unkept.seen {
            live.advance("track", game, |game| track(game, user, seen)).await?;
        }
        unkept.seen = None;
        Ok(())
    }

    /// The same, until it succeeds.
    pub async fn keep_at_last(&self, cx: &Cx, game: GameId, user: &UserId) {
        while self.save_progress(cx.live(), game, user).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// A duration in milliseconds.
fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// A player's socket in a race has closed, and the pod has a log that is not stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TypingLeft {
    /// The race.
    pub game: GameId,
    /// The player.
    pub user: UserId,
    /// What the pod has received.
    pub tape: Tape,
}

impl Event for TypingLeft {
    const NAME: &'static str = "typing.left";
    const REACH: Reach = Reach::Pod;
    type Loss = Never;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// Adds to the progress of a player in a running race. After the result nothing counts.
pub fn track(game: &mut Game, user: &UserId, seen: &Progress) -> Step<()> {
    let is_running = game.stage == Stage::Running;
    let player = game.player_mut(user).filter(|it| is_running && it.result.is_none());
    Step::changed_if(player.is_some_and(|it| it.edit(|known: &mut Progress| known.absorb(seen))))
}

/// Puts unsaved progress back: the live state was down, or the caller was cancelled.
struct Unkept<'a> {
    typing: &'a Typing,
    seen: Option<Progress>,
}

impl Drop for Unkept<'_> {
    fn drop(&mut self) {
        if let Some(seen) = &self.seen {
            self.typing.hand.lock().tracker.put_back(seen);
        }
    }
}
