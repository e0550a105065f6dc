//! The end of a game: its facts are taken away, and open sockets are told.
//!
//! The sockets stay open, as the contract has it: the present frontend would open another at once, for
//! ever.

use serde::Serialize;

use crate::Error;
use crate::game::{Game, GameEnded, GameId, Timestamp};
use crate::module::{Cx, Module, Wiring};
use crate::socket::{Frame, RACE};

inventory::submit! { Module { name: "cleanup", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.timer("game.cleanup", ends_at, end);
    module.shows::<GameEnded>(RACE, |ended| {
        Frame::json(&GameEnd { event: "GAME_END", game_id: ended.game })
    });
}

/// The game is over and gone.
#[derive(Serialize)]
struct GameEnd {
    event: &'static str,
    game_id: GameId,
}

fn ends_at(game: &Game) -> Option<Timestamp> {
    Some(game.ends_at)
}

async fn end(cx: Cx, game: GameId) -> Result<Option<GameEnded>, Error> {
    let ended = cx.live().end(game, cx.now()).await?;
    Ok(ended.map(|game| GameEnded { game: game.id }))
}
