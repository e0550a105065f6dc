//! The events of a game, in the order of its life.
//!
//! They are shared words: more than one handler module speaks or hears them. An event that only one
//! module cares about is declared in that module.

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::{GameId, LoginId, Timestamp, UserId};
use crate::bus::{Event, Latest, Never, Reach};

/// Declares lifecycle events: plain structs of a game that are never lost.
macro_rules! lifecycle {
    ($($(#[$doc:meta])* $name:literal $type:ident ($reach:ident) { $($(#[$field_doc:meta])* $field:ident: $of:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct $type {
            /// In which game.
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
    /// A socket of a player came into the lobby (the first, or one more).
    "player.joined" PlayerJoined (Game) {
        /// The player.
        user: UserId
    }
    /// A player's place in the lobby was given up.
    "player.left" PlayerLeft (Game) {
        /// The player.
        user: UserId
    }
    /// Nobody comes into this lobby any more; its race is to be prepared.
    "lobby.closed" LobbyClosed (Once) {}
    /// The words are there, the players may go to the race.
    "race.prepared" RacePrepared (Game) {
        /// When START is due.
        starts_at: Timestamp
    }
    /// START.
    "race.started" RaceStarted (Game) {}
    /// A player's socket has come into the race on this server, perhaps from another one.
    "race.entered" RaceEntered (Pod) {
        /// The player.
        user: UserId
    }
    /// A player's result was taken.
    "player.finished" PlayerFinished (Game) {
        /// The player.
        user: UserId,
        /// Order of arrival among people, from 1; 0 for a bot, and for results that are not ranked.
        rank: u32
    }
    /// A player has come to the second half of the text, or to its end, by the positions that came here.
    "player.typed" PlayerTyped (Pod) {
        /// The player.
        user: UserId
    }
    /// The game has been taken away.
    "game.ended" GameEnded (Game) {}
}

/// Declares lifecycle events of players, wherever they are, that are never lost.
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
    /// A login has ended: the player has logged out on that device, or somebody else had its tokens.
    "login.ended" LoginEnded {
        /// Whose.
        user: UserId,
        /// Which; guests have none.
        login: Option<LoginId>,
    }
    /// A guest has become a registered player, and has handed over the seats in races.
    "guest.logged-in" GuestLoggedIn {
        /// Who it was.
        guest: UserId,
        /// Who it is.
        account: UserId,
    }
    /// A player has gone for good.
    "player.forgotten" PlayerForgotten {
        /// The player.
        user: UserId,
    }
}

/// A player's cursor stands here now. Absolute, so only the newest of a player matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlayerMoved {
    /// In which game.
    pub game: GameId,
    /// Whose cursor.
    pub user: UserId,
    /// Which word, from 0.
    pub word_index: u32,
    /// How many characters of it, less one: -1 stands before the first.
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
