//! A player's typing as seen by the player's sockets on this pod, and how it becomes a fact.
//!
//! A keystroke costs an uncontended lock, and no access to a store. Progress is stored when the player reaches the
//! second half of the text and its end, when a socket closes, and when a result is judged: a few times per race.

use std::time::Duration;

use parking_lot::Mutex;

use crate::Error;
use crate::game::{Game, GameId, Noted, Progress, Stage, Text, Timestamp, Tracker, UserId};
use crate::live::{Live, Step};

/// Pause between two attempts to store it, while the live state is down.
const PAUSE: Duration = Duration::from_millis(500);

/// The typing of one player, in one race, on this pod.
#[derive(Debug, Default)]
pub struct Typing {
    tracker: Mutex<Tracker>,
    /// Held while progress is being stored: a result is judged by the stored progress, so it waits for a pending
    /// attempt.
    keeping: tokio::sync::Mutex<()>,
}

impl Typing {
    /// A socket of the player opens. `known` is the stored progress; the player may type `since` then.
    pub(in crate::socket) fn resume(
        &self,
        text: &Text,
        known: &Progress,
        since: Option<Timestamp>,
    ) {
        self.tracker.lock().resume(text, known, since);
    }

    /// The player is told START: from now on positions count.
    pub fn begin(&self, now: Timestamp) {
        self.tracker.lock().begin(now);
    }

    /// Records a position within the text.
    pub fn note(&self, text: &Text, position: (u32, i32), now: Timestamp) -> Noted {
        self.tracker.lock().note(text, position, now)
    }

    /// Stores progress that is not stored yet.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer; the progress is then still unsaved.
    pub async fn keep(&self, live: &Live, game: GameId, user: &UserId) -> Result<(), Error> {
        let _alone = self.keeping.lock().await;
        let Some(seen) = self.tracker.lock().take() else { return Ok(()) };
        let mut unkept = Unkept { typing: self, seen: Some(seen) };
        if let Some(seen) = &unkept.seen {
            live.advance("track", game, |game| track(game, user, seen)).await?;
        }
        unkept.seen = None;
        Ok(())
    }

    /// The same, until it succeeds.
    pub async fn keep_at_last(&self, live: &impl AsRef<Live>, game: GameId, user: &UserId) {
        while self.keep(live.as_ref(), game, user).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Adds to the progress of a player in a running race. After the result nothing counts.
pub(crate) fn track(game: &mut Game, user: &UserId, seen: &Progress) -> Step<()> {
    let is_running = game.stage == Stage::Running;
    let player = game.player_mut(user).filter(|it| is_running && it.result.is_none());
    Step::changed_if(player.is_some_and(|player| player.progress.absorb(seen)))
}

/// Puts unsaved progress back: the live state was down, or the caller was cancelled.
struct Unkept<'a> {
    typing: &'a Typing,
    seen: Option<Progress>,
}

impl Drop for Unkept<'_> {
    fn drop(&mut self) {
        if let Some(seen) = &self.seen {
            self.typing.tracker.lock().put_back(seen);
        }
    }
}
