//! Measures the operations of a live state, each under its own name, and gives each its span.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Claim, Departed, Entry, Finish, LiveState};
use crate::Error;
use crate::game::Door;
use crate::game::{Game, GameId, Progress, SocketId, Timestamp, User, UserId};
use crate::telemetry::{Store, live_operation};

/// A live state whose operations are measured.
pub(crate) struct TimedLive<L> {
    live: L,
    store: Store,
}

impl<L> TimedLive<L> {
    /// One that is there.
    pub(crate) fn new(live: L, store: Store) -> Self {
        Self { live, store }
    }
}

/// Passes each operation on.
macro_rules! timed {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        #[async_trait]
        impl<L: LiveState> LiveState for TimedLive<L> {
            async fn probe(&self) -> Result<(), String> {
                live_operation(&self.store, "probe", self.live.probe()).await
            }

            $(async fn $name(&self, $($argument: $type),*) -> Result<$result, Error> {
                let work = self.live.$name($($argument),*);
                live_operation(&self.store, stringify!($name), work).await
            })*
        }
    };
}

timed! {
    enter(entry: Entry) -> Arc<Game>;
    go_absent(game: GameId, user: &UserId, socket: SocketId, now: Timestamp) -> Option<Arc<Game>>;
    abandon(user: &UserId, door: &Door, socket: SocketId, now: Timestamp) -> Option<Arc<Game>>;
    dismiss_absent(game: GameId, before: Timestamp, now: Timestamp) -> Departed;
    seat_bots(game: GameId, bots: Vec<User>, limit: usize, now: Timestamp) -> Option<Arc<Game>>;
    hasten(game: GameId, host: &UserId, closes_at: Timestamp) -> Arc<Game>;
    be_ready(game: GameId, user: &UserId, closes_at: Timestamp) -> Arc<Game>;
    close_lobby(game: GameId, now: Timestamp) -> Option<Arc<Game>>;
    prepare(game: GameId, words: Arc<str>, starts_at: Timestamp) -> Option<Arc<Game>>;
    start(game: GameId, now: Timestamp) -> Option<Arc<Game>>;
    claim_start(game: GameId, user: &UserId, now: Timestamp) -> bool;
    release_start(game: GameId, user: &UserId, claimed: Timestamp) -> ();
    track(game: GameId, user: &UserId, seen: &Progress) -> Option<Arc<Game>>;
    finish(game: GameId, user: &UserId, claim: Claim) -> Finish;
    end(game: GameId, now: Timestamp) -> Option<Arc<Game>>;
    find(game: GameId) -> Option<Arc<Game>>;
    all() -> Vec<Arc<Game>>;
    played(user: &UserId) -> Vec<Arc<Game>>;
    hand_over(guest: &UserId, account: &User) -> Vec<GameId>;
    keep_once(key: String, text: String, until: Timestamp) -> ();
    take_once(key: &str, now: Timestamp) -> Option<String>;
}
