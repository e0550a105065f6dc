//! The events of a game, in the order of its life.
//!
//! Each is published or heard by several handler modules. An event that only one module uses is declared in that
//! module.

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::{GameId, LoginId, Timestamp, UserId};
use crate::bus::{Event, Latest, Never, Reach};

/// Declares lifecycle events of games: plain structs that are never lost.
macro_rules! lifecycle {
    ($($(#[$doc:meta])* $name:literal $type:ident ($reach:ident) { $($(#[$field_doc:meta])* $field:ident: $of:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct $type {
            /// The game.
            pub game: GameId,
            $($(#[$field_doc])* pub $field: $of,)*
        }
        impl Event for $type {
            const NAME: &'static str = $name;
            const REACH: Reach = Reach::$reach;
            type Loss = Never;
            fn game(&self) -> Option<GameId> { Some(self.game) }
        }
    )*};
}

lifecycle! {
    /// A player has opened a lobby socket: the first, or one more.
    "player.joined" PlayerJoined (Game) {
        /// The player.
        user: UserId
    }
    /// A player has lost the seat in the lobby.
    "player.left" PlayerLeft (Game) {
        /// The player.
        user: UserId
    }
    /// The lobby has closed: it takes no more players, and its race can be prepared.
    "lobby.closed" LobbyClosed (Once) {}
    /// The race has its text; players may open their race sockets.
    "race.prepared" RacePrepared (Game) {
        /// When START is due.
        starts_at: Timestamp
    }
    /// START.
    "race.started" RaceStarted (Game) {}
    /// A player has opened a race socket on this pod, perhaps after one on another pod.
    "race.entered" RaceEntered (Pod) {
        /// The player.
        user: UserId
    }
    /// A player's result has been accepted.
    "player.finished" PlayerFinished (Game) {
        /// The player.
        user: UserId,
        /// Order of finishing among people, from 1; 0 for bots and for unranked results.
        rank: u32
    }
    /// A player has reached the second half of the text, or its end, by the positions received on this pod.
    "player.typed" PlayerTyped (Pod) {
        /// The player.
        user: UserId
    }
    /// The game has been removed.
    "game.ended" GameEnded (Game) {}
}

/// Declares lifecycle events of players: they reach every pod and are never lost.
macro_rules! of_players {
    ($($(#[$doc:meta])* $name:literal $type:ident { $($(#[$field_doc:meta])* $field:ident: $of:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct $type {
            $($(#[$field_doc])* pub $field: $of,)*
        }
        impl Event for $type {
            const NAME: &'static str = $name;
            const REACH: Reach = Reach::Everywhere;
            type Loss = Never;
        }
    )*};
}

of_players! {
    /// A login has ended: by logout, a changed password, a reused refresh token, or too many logins.
    "login.ended" LoginEnded {
        /// The player.
        user: UserId,
        /// The login; guests have none.
        login: Option<LoginId>,
    }
    /// A guest has logged in to an account, which now has the guest's seats in races.
    "guest.logged-in" GuestLoggedIn {
        /// The guest.
        guest: UserId,
        /// The account.
        account: UserId,
    }
    /// A player's data has been deleted.
    "player.forgotten" PlayerForgotten {
        /// The player.
        user: UserId,
    }
}

/// A player's new position. Absolute, so only each player's newest counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlayerMoved {
    /// The game.
    pub game: GameId,
    /// The player.
    pub user: UserId,
    /// Index of the word, from 0.
    pub word_index: u32,
    /// Index of the last character typed in the word; -1 before the first.
    pub char_index: i32,
}

impl Event for PlayerMoved {
    const NAME: &'static str = "player.moved";
    const REACH: Reach = Reach::Game;
    type Loss = Latest;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
    fn player(&self) -> Option<&UserId> {
        Some(&self.user)
    }
}
