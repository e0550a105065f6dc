//! When a lobby closes, and when a place in it is given up.

use std::time::Duration;

use super::seats::LobbyRules;
use crate::game::{Door, Game, Stage, TextWish, Timestamp};
use crate::http::BoundedInteger;
use crate::settings::GameSettings;

/// How long a full lobby waits, so that the last to come has the cookie before the race. The contract
/// says "about one second, less than two".
pub(super) const FULL_GRACE: Duration = Duration::from_secs(1);

/// How long a player may be without a socket: a reload is no leaving. The contract wants a real one
/// announced within 1.5 s.
pub(super) const ABSENCE_GRACE: Duration = Duration::from_secs(1);

/// Words that the text of a lobby of one's own can have.
pub(super) const WORDS: BoundedInteger = BoundedInteger {
    name: "words",
    about: "Of a lobby of one's own: how many words its text has; by default as many as in open races.",
    from: *TextWish::WORDS.start() as i64,
    to: *TextWish::WORDS.end() as i64,
};

/// Letters of a token by which friends find each other; those that this server gives have twenty.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 8..=64;

/// Whether it can be the token of an invitation.
pub(super) fn is_token(token: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    TOKEN_LENGTH.contains(&token.len()) && token.bytes().all(is_letter)
}

/// How the lobby behind a door opens and fills.
pub(super) fn lobby_rules(game: &GameSettings, door: &Door, text: TextWish) -> LobbyRules {
    let (player_limit, countdown) = match door {
        Door::Open => (game.player_limit, game.lobby_countdown),
        Door::Alone => (1, game.lobby_countdown),
        Door::Invited(_) => (game.player_limit, game.invite_patience),
    };
    // However long friends wait, their race is kept as long as any other.
    let longer = countdown.saturating_sub(game.lobby_countdown);
    let kept = game.cleanup_countdown + longer;
    LobbyRules { player_limit, countdown, full_grace: FULL_GRACE, kept, text }
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
