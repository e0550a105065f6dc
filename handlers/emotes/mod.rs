//! Reactions: a player shows one of six emotes to the others, in the lobby, in the race and at its result.
//!
//! They are fleeting: shown at once to the sockets that have room for them, and forgotten. So a flood of them delays no
//! keystroke, and no socket is closed for being slow to read them.

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::bus::{Event, Fleeting, Reach};
use crate::game::{GameId, UserId};
use crate::http::Rate;
use crate::module::{Module, Slot, Wiring};
use crate::socket::{LOBBY, Malformed, Message, RACE, Sender};

inventory::submit! { Module { name: "emotes", path: module_path!(), wire } }

/// For each player, on all sockets of a lobby or a race.
const RATE: Rate = Rate::per_second(1).burst(4);

fn wire(module: &mut Wiring) {
    for channel in [LOBBY, RACE] {
        module.frame(channel, send).at_most(RATE);
        module.shows(channel, EmoteShown::of);
    }
    for slot in [Slot::Lobby, Slot::Race, Slot::Result] {
        module.client(slot, "emotes.js");
    }
}

/// A reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Reaction {
    /// 👏
    Clap,
    /// 😄
    Laugh,
    /// 🔥
    Fire,
    /// 😮
    Wow,
    /// 😅
    Sweat,
    /// 🐢
    Turtle,
}

/// A player reacted.
#[derive(Serialize, Deserialize, ToSchema)]
struct EmoteSent {
    game: GameId,
    user: UserId,
    emote: Reaction,
}

impl Event for EmoteSent {
    const NAME: &'static str = "emote.sent";
    const REACH: Reach = Reach::Game;
    type Loss = Fleeting;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
    fn player(&self) -> Option<&UserId> {
        Some(&self.user)
    }
}

/// Shows a reaction to all players of the game.
#[derive(Deserialize, ToSchema)]
struct Emote {
    emote: Reaction,
}

impl Message for Emote {
    const EVENT: &'static str = "EMOTE";
}

fn send(sender: &Sender<'_>, Emote { emote }: Emote) -> Result<EmoteSent, Malformed> {
    Ok(EmoteSent { game: sender.game, user: sender.user.clone(), emote })
}

/// A player reacts: shown to all players of the game, the sender included.
#[derive(Serialize, ToSchema)]
struct EmoteShown {
    game_id: GameId,
    /// The player.
    user_id: UserId,
    emote: Reaction,
}

impl Message for EmoteShown {
    const EVENT: &'static str = "EMOTE";
}

impl EmoteShown {
    fn of(sent: &EmoteSent) -> Self {
        Self { game_id: sent.game, user_id: sent.user.clone(), emote: sent.emote }
    }
}
