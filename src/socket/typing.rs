//! What the sockets of a player on this server have seen of its typing, and how that becomes a fact.
//!
//! A keystroke costs an uncontended lock, and no store. What was seen is written down when the player comes
//! to the second half of the text and to its end, when a socket closes, and when a result is judged: a few times
//! per race, however much is typed.

use std::time::Duration;

use parking_lot::Mutex;

use crate::Error;
use crate::game::{Game, GameId, Noted, Progress, Stage, Text, Timestamp, Tracker, UserId};
use crate::live::{Live, Step};
use crate::module::Cx;

/// Between two tries to write it down, while the live state is away.
const PAUSE: Duration = Duration::from_millis(500);

/// The typing of one player, in one race, on this server.
#[derive(Debug, Default)]
pub struct Typing {
    tracker: Mutex<Tracker>,
    /// Held while it is written down: a result is judged by what is written, so it waits for a try that hangs.
    keeping: tokio::sync::Mutex<()>,
}

impl Typing {
    /// A socket of the player opens. `known` is what is written down of the player, who may type `since` then.
    pub(super) fn resume(&self, text: &Text, known: &Progress, since: Option<Timestamp>) {
        self.tracker.lock().resume(text, known, since);
    }

    /// The player is told that the race is on: from now on positions count.
    pub fn begin(&self, now: Timestamp) {
        self.tracker.lock().begin(now);
    }

    /// A position within the text has come.
    pub fn note(&self, text: &Text, position: (u32, i32), now: Timestamp) -> Noted {
        self.tracker.lock().note(text, position, now)
    }

    /// Writes down what is not written yet.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer: then it is still to be written.
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
    pub async fn keep_at_last(&self, cx: &Cx, game: GameId, user: &UserId) {
        while self.keep(cx.live(), game, user).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Adds to what was seen of a player's typing in a race that runs. After the result nothing counts.
pub(crate) fn track(game: &mut Game, user: &UserId, seen: &Progress) -> Step<()> {
    let is_running = game.stage == Stage::Running;
    let player = game.player_mut(user).filter(|it| is_running && it.result.is_none());
    Step::changed_if(player.is_some_and(|player| player.progress.absorb(seen)))
}

/// Puts back what was not written down: the live state was away, or the caller has gone.
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
