//! Under which name a player sits.

use crate::game::{Game, User, UserType};

/// A guest or a bot whose name is taken gets the next free number behind it. Registered players keep the name
/// that they have everywhere.
pub(super) fn unique(user: &User, game: &Game) -> String {
    let taken = |name: &str| game.players.iter().any(|player| player.user.name == name);
    let mut name = user.name.clone();
    let mut number = 2_u32;
    while user.user_type != UserType::Registered && taken(&name) {
        name = format!("{} {number}", user.name);
        number += 1;
    }
    name
}
