//! Carets that the server moves, along a plan that every pod can compute: each pod moves them for its own sockets.
//!
//! A pod begins at START, or when a socket opens in a running race: a player has moved from another pod, or the pod was
//! restarted. So no position is sent between pods, and no caret stops because a pod is gone.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::WATCH;
use crate::bus::{Emits, Event, Latest, Reach};
use crate::game::{Game, GameId, Timestamp, UserId};
use crate::module::Cx;
use crate::socket::{Message, RACE};

/// A position on the way through the text, and its time since START.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Time since START.
    pub after: Duration,
    /// Index of the word, from 0.
    pub word_index: u32,
    /// Index of the last character typed in the word; -1 before the first.
    pub char_index: i32,
}

impl Stroke {
    /// The latest stroke so far, and all later ones.
    pub fn from(strokes: &[Self], elapsed: Duration) -> &[Self] {
        let next = strokes.partition_point(|stroke| stroke.after <= elapsed);
        &strokes[next.saturating_sub(1)..]
    }
}

/// Declares the new position of a kind of players whom the server moves, for the sockets of this pod.
macro_rules! moved {
    ($(#[$doc:meta])* $name:literal $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
        pub struct $type {
            /// The race.
            pub game: GameId,
            /// The player.
            pub user: UserId,
            /// Index of the word, from 0.
            pub word_index: u32,
            /// Index of the last character typed in the word; -1 before the first.
            pub char_index: i32,
        }

        impl Event for $type {
            const NAME: &'static str = $name;
            const REACH: Reach = Reach::Pod;
            type Loss = Latest;
            fn game(&self) -> Option<GameId> {
                Some(self.game)
            }
            fn player(&self) -> Option<&UserId> {
                Some(&self.user)
            }
        }

        impl $type {
            /// A player's new position.
            pub fn of(game: GameId, user: UserId, stroke: &Stroke) -> Self {
                let Stroke { word_index, char_index, .. } = *stroke;
                Self { game, user, word_index, char_index }
            }

            /// The message about it.
            pub fn shown(&self) -> MovedCaret {
                let Self { game, ref user, word_index, char_index } = *self;
                MovedCaret { game_id: game, user_id: user.clone(), word_index, char_index }
            }
        }
    };
}

moved! {
    /// A bot's new position.
    "bot.moved" BotMoved
}

moved! {
    /// A ghost's new position.
    "ghost.moved" GhostMoved
}

/// The position of a player whom the server moves (the event's name is the contract's).
#[derive(Serialize, ToSchema)]
pub struct MovedCaret {
    game_id: GameId,
    user_id: UserId,
    /// Index of the word, from 0.
    word_index: u32,
    /// Index of the last character typed in the word; -1 before the first.
    char_index: i32,
}

impl Message for MovedCaret {
    const EVENT: &'static str = "KEY_STOKE";
}

/// The races in which this pod is moving carets.
#[derive(Default)]
pub struct Moving(Mutex<HashSet<GameId>>);

impl Moving {
    /// Whether a socket of this pod would see carets move in a race, and no task is moving them.
    pub fn are_wanted(&self, cx: &Cx, game: GameId) -> bool {
        let is_seen =
            || [RACE, WATCH].iter().any(|channel| cx.rooms().get(*channel, game).is_some());
        is_seen() && !self.0.lock().contains(&game)
    }
}

/// Held by the task that moves the carets of a race.
pub struct Mover {
    of: Arc<Moving>,
    game: GameId,
}

impl Mover {
    /// `None` if another task of this pod is moving them already. Taken once the carets are known to move: a task that has
    /// read older facts must not keep another one from it.
    pub fn of(moving: Arc<Moving>, game: GameId) -> Option<Self> {
        let is_first = moving.0.lock().insert(game);
        is_first.then(|| Self { of: moving, game })
    }

    /// Moves the carets of these players, each with its START, from where they are by now to their ends, in the background.
    pub fn run<E: Emits + 'static>(
        self,
        cx: &Cx,
        game: &Game,
        all: Vec<(UserId, Timestamp, Vec<Stroke>)>,
        moved: fn(GameId, UserId, &Stroke) -> E,
    ) {
        let ends_at = game.time_is_up_at().map_or(game.ends_at, |up| up.min(game.ends_at));
        let (its, left) = (cx.clone(), ends_at.after(cx.now()));
        cx.spawn_background(async move {
            let id = self.game;
            let carets = all.iter().map(async |(user, start, strokes)| {
                for stroke in Stroke::from(strokes, its.now().after(*start)) {
                    tokio::time::sleep((*start + stroke.after).after(its.now())).await;
                    its.publish(moved(id, user.clone(), stroke)).await;
                }
            });
            // A slow one with a long text is stopped at the end of its game.
            let _ = tokio::time::timeout(left, join_all(carets)).await;
        });
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.of.0.lock().remove(&self.game);
    }
}
