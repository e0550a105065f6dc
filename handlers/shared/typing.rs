//! A player's typing in a race, as seen by the player's sockets on this pod, and how it becomes a fact.
//!
//! A keystroke costs an uncontended lock, and no access to a store. Progress is stored when the player reaches the
//! second half of the text and its end, when a socket closes, and when a result is judged: a few times per race.

use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use super::{Noted, Progress, Text, Tracker};
use crate::Error;
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
    tracker: Mutex<Tracker>,
    /// Held while progress is being stored: a result is judged by the stored progress, so it waits for a pending
    /// attempt.
    keeping: tokio::sync::Mutex<()>,
}

impl Typing {
    /// A socket of the player opens. `known` is the stored progress; the player may type `since` then.
    pub fn resume(&self, text: Text, known: &Progress, since: Option<Timestamp>) {
        let text = self.text.get_or_init(|| text);
        self.tracker.lock().resume(text, known, since);
    }

    /// The text of the race; empty before the first socket has opened.
    pub fn text(&self) -> &Text {
        static NONE: LazyLock<Text> = LazyLock::new(Text::default);
        self.text.get().unwrap_or(&NONE)
    }

    /// The player is told START: from now on positions count.
    pub fn begin(&self, now: Timestamp) {
        self.tracker.lock().begin(now);
    }

    /// The player may type until then. By default until the end of the text.
    pub fn end_at(&self, until: Timestamp) {
        self.tracker.lock().end_at(until);
    }

    /// Records a position within the text.
    pub fn note(&self, position: (u32, i32), now: Timestamp) -> Noted {
        self.tracker.lock().note(self.text(), position, now)
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
    pub async fn keep_at_last(&self, cx: &Cx, game: GameId, user: &UserId) {
        while self.keep(cx.live(), game, user).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
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
            self.typing.tracker.lock().put_back(seen);
        }
    }
}
