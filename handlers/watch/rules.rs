//! Which races may be watched: all, unless the host of a friends' lobby forbids it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::game::{Game, Part, Stage, UserId};
use crate::handlers::shared::token_of;
use crate::{Error, Kind};

/// Whether a game may be watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Watchable {
    pub(super) is_forbidden: bool,
}

impl Part for Watchable {
    const NAME: &'static str = "watchable";
}

/// Whether spectators may see a game.
pub(super) fn is_watchable(game: &Game) -> bool {
    !game.part::<Watchable>().is_forbidden
}

/// What the query of a lobby of one's own asks for: `watch=false` forbids spectators.
///
/// # Errors
/// `VALIDATION_ERROR`, if the value is neither `true` nor `false`.
pub(super) fn asked_for(query: &HashMap<String, String>) -> Result<Watchable, Error> {
    match query.get("watch").map(String::as_str) {
        None | Some("true") => Ok(Watchable::default()),
        Some("false") => Ok(Watchable { is_forbidden: true }),
        Some(_) => Err(Error::validation("watch: must be true or false")),
    }
}

/// Allows or forbids spectators in a friends' lobby, for its host. Returns whether that is new.
///
/// # Errors
/// `GAME_NOT_FOUND`, if there is no such lobby; `NOT_A_PARTICIPANT`, `NOT_THE_HOST`.
pub(super) fn allow(game: &mut Game, host: &UserId, allowed: bool) -> Result<bool, Kind> {
    if token_of(&game.door).is_none() || game.stage > Stage::Lobby {
        return Err(Kind::GAME_NOT_FOUND);
    }
    if game.player(host).is_none() {
        return Err(Kind::NOT_A_PARTICIPANT);
    }
    if game.host() != Some(host) {
        return Err(Kind::NOT_THE_HOST);
    }
    let is_new = is_watchable(game) != allowed;
    if is_new {
        game.put(Watchable { is_forbidden: !allowed });
    }
    Ok(is_new)
}
