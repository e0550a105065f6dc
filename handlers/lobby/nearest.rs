//! Which of several waiting lobbies suits a player: the one whose people are nearest in level.

use std::time::Duration;

use crate::game::{Game, GameId};
use crate::handlers::shared::Level;

/// A lobby that closes within this time of the first one counts as closing at the same moment: a full lobby waits as long for
/// its last player.
const MOMENT: Duration = Duration::from_secs(1);

/// The lobby whose people have the nearest mean level, of those that close at the same moment as the first one. `None`
/// if there is nothing to choose: the player or all lobbies have no known level.
pub(super) fn nearest<'a>(
    level: Level,
    lobbies: impl Iterator<Item = &'a Game> + Clone,
) -> Option<GameId> {
    let level = level.0?;
    let first = lobbies.clone().map(|lobby| lobby.closes_at).min()?;
    let distance = |lobby: &Game| Some((mean(lobby)? - level).abs());
    let close_in_time = lobbies.filter(|lobby| lobby.closes_at <= first + MOMENT);
    let known = close_in_time.filter_map(|lobby| Some((distance(lobby)?, lobby.id)));
    known.min_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, id)| id)
}

/// The mean level of a lobby's people, if any is known.
fn mean(lobby: &Game) -> Option<f64> {
    let levels: Vec<f64> = lobby.people().filter_map(|player| player.part::<Level>().0).collect();
    let count = u32::try_from(levels.len()).ok().filter(|count| *count > 0)?;
    Some(levels.iter().sum::<f64>() / f64::from(count))
}

/// Orders players so that neighbours are near in level; those without a known level keep their places at the end.
pub(super) fn by_level(one: Level, other: Level) -> std::cmp::Ordering {
    let place = |level: Level| level.0.unwrap_or(f64::INFINITY);
    place(one).total_cmp(&place(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::{Parts, Timestamp, User, UserType};

    /// A lobby that closes so many milliseconds after the first, with people of these levels.
    fn lobby(id: i64, later: u64, levels: &[f64]) -> Game {
        let opened = Timestamp(1_000_000);
        let closes_at = opened + Duration::from_millis(later);
        let mut game = Game { closes_at, ..Game::opened(GameId(id), opened, Parts::default()) };
        for (number, level) in levels.iter().enumerate() {
            let id = format!("guest-{number}");
            let user = User { id: id.as_str().into(), name: id, user_type: UserType::Guest };
            game.seat(user.clone(), None);
            game.player_mut(&user.id).expect("a seat").put(Level(Some(*level)));
        }
        game
    }

    #[test]
    fn a_player_goes_to_the_lobby_of_the_nearest_level() {
        let lobbies = [lobby(1, 0, &[900.0, 1_100.0]), lobby(2, 300, &[1_400.0]), lobby(3, 0, &[])];
        let chosen = |level| nearest(Level(level), lobbies.iter()).map(|id| id.0);
        assert_eq!(chosen(Some(1_050.0)), Some(1));
        assert_eq!(chosen(Some(1_350.0)), Some(2));
        assert_eq!(chosen(None), None, "nothing is known about the player");
        assert_eq!(nearest(Level(Some(1.0)), lobbies[2..].iter()), None, "nor about the lobby");
    }

    #[test]
    fn a_near_level_is_not_worth_a_longer_wait() {
        let lobbies = [lobby(1, 0, &[1_000.0]), lobby(2, 1_001, &[1_400.0])];
        assert_eq!(nearest(Level(Some(1_400.0)), lobbies.iter()), Some(GameId(1)));
    }
}
