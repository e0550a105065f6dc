//! The end of a game: its facts are taken away, and open sockets look and see that they are gone.

use crate::Error;
use crate::game::{Game, GameEnded, GameId, Timestamp};
use crate::module::{Cx, Module, Wiring};
use crate::socket::RACE;

inventory::submit! { Module { name: "cleanup", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.timer("game.cleanup", ends_at, end);
    module.wakes::<GameEnded>(RACE);
}

fn ends_at(game: &Game) -> Option<Timestamp> {
    Some(game.ends_at)
}

async fn end(cx: Cx, game: GameId) -> Result<Option<GameEnded>, Error> {
    let ended = cx.live().end(game, cx.now()).await?;
    Ok(ended.map(|game| GameEnded { game: game.id }))
}
