//! The door of friends' lobbies.

use crate::game::Door;

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
