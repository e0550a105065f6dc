//! When a lobby closes, and when an absent player loses the seat.

use std::time::Duration;

use super::seats::LobbyRules;
use crate::game::{Door, Game, Stage, Timestamp};
use crate::handlers::shared::{TextWish, token_of};
use crate::http::BoundedInteger;
use crate::settings::GameSettings;

/// How long a full lobby still waits, so that its last player gets the cookie before the race. The contract says "about
/// one second, less than two".
pub(super) const FULL_GRACE: Duration = Duration::from_secs(1);

/// How long a player may be without a socket, so that a reload does not count as leaving. The contract requires that
/// leaving is announced within 1.5 s.
pub(super) const ABSENCE_GRACE: Duration = Duration::from_secs(1);

/// Number of words that a single or invited lobby may ask for.
pub(super) const WORDS: BoundedInteger = BoundedInteger {
    name: "words",
    about: "Solo races and friends' lobbies: number of words in the text; by default as many as in open races.",
    from: *TextWish::WORDS.start() as i64,
    to: *TextWish::WORDS.end() as i64,
};

/// Length of an invitation's token in letters; tokens made by this server have twenty.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 8..=64;

/// Whether a text has the form of an invitation's token.
pub(super) fn is_token(token: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    TOKEN_LENGTH.contains(&token.len()) && token.bytes().all(is_letter)
}

/// The limits and times of a lobby with this door.
pub(super) fn lobby_rules(game: &GameSettings, door: &Door) -> LobbyRules {
    let player_limit = if *door == Door::ALONE { 1 } else { game.player_limit };
    let is_friends = token_of(door).is_some();
    let countdown = if is_friends { game.invite_patience } else { game.lobby_countdown };
    // However long friends wait in the lobby, their race is kept for as long as any other.
    let longer = countdown.saturating_sub(game.lobby_countdown);
    let kept = game.cleanup_countdown + longer;
    LobbyRules { player_limit, countdown, full_grace: FULL_GRACE, kept }
}

pub(super) fn closes_at(game: &Game) -> Option<Timestamp> {
    (game.stage == Stage::Lobby).then_some(game.closes_at)
}

pub(super) fn absence_ends_at(game: &Game) -> Option<Timestamp> {
    if game.stage != Stage::Lobby {
        return None;
    }
    let since = game.players.iter().filter_map(|player| player.absent_since).min()?;
    Some(since + ABSENCE_GRACE)
}
