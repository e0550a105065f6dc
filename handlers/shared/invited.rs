//! The door of friends' lobbies.

use crate::game::{Door, Game};
use crate::module::Cx;

/// The kind of the door.
const INVITED: &str = "Invited";

/// The door for players with this token. While its lobby waits, the lobby has a host: [`Game::host`](crate::game::Game::host).
pub fn invited(token: &str) -> Door {
    Door::with_key(INVITED, token)
}

/// The token of a friends' lobby.
pub fn token_of(door: &Door) -> Option<&str> {
    door.key().filter(|_| door.kind() == INVITED)
}

/// The token by which the players of a game can meet again: its invitation, or one that all of them get.
pub fn common_token(cx: &Cx, game: &Game) -> String {
    let own = token_of(&game.door).map(str::to_owned);
    own.unwrap_or_else(|| cx.secret_of(&format!("those who met in {}", game.id)))
}
