//! Which races are rated, when, and what follows from them.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skillratings::MultiTeamOutcome;
use skillratings::weng_lin::{WengLinConfig, WengLinRating, weng_lin_multi_team};

use super::kept::{Rating, Strength};
use crate::game::{Game, GameId, Part, Player, Stage, Timestamp, UserId};
use crate::module::Kept;

/// How long before the end of a race it is rated, even if results are missing.
const LAST_MOMENT: Duration = Duration::from_secs(30);

/// Whether the race is rated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct IsRated(pub(super) bool);

impl Part for IsRated {
    const NAME: &'static str = "rating_rated";
}

/// The people of the race, with their ranks, 1 for the best: those without a rank share the last one.
pub(super) fn entrants(game: &Game) -> Vec<(&Player, usize)> {
    let rank = |player: &Player| {
        let rank = player.result.map(|result| result.rank).filter(|rank| *rank > 0);
        rank.and_then(|rank| usize::try_from(rank).ok()).unwrap_or(usize::MAX)
    };
    let has_raced = |player: &&Player| player.result.is_some() || player.first_started().is_some();
    game.people().filter(has_raced).map(|player| (player, rank(player))).collect()
}

/// When a race is to be rated: once all its people have a result, or shortly before it ends. Never, if fewer than two
/// people have raced, or none of them has a rank.
pub(super) fn due(game: &Game) -> Option<Timestamp> {
    if game.stage != Stage::Running || game.part::<IsRated>().0 {
        return None;
    }
    let entrants = entrants(game);
    if entrants.len() < 2 || entrants.iter().all(|(_, rank)| *rank == usize::MAX) {
        return None;
    }
    let finished = entrants.iter().map(|(player, _)| player.result.map(|result| result.finished));
    let last = finished.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max());
    Some(last.unwrap_or(game.ends_at - LAST_MOMENT))
}

/// Notes that the race is rated. Returns whether that is news.
pub(super) fn mark_rated(game: &mut Game) -> bool {
    let is_news = !game.part::<IsRated>().0;
    game.put(IsRated(true));
    is_news
}

/// A person in a race that is being rated.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entrant {
    pub(super) user: UserId,
    pub(super) rank: usize,
    /// The rating so far.
    pub(super) known: Option<Kept<Rating>>,
}

impl Entrant {
    pub(super) fn strength(&self) -> Strength {
        self.known.as_ref().map(|kept| kept.item.strength).unwrap_or_default()
    }

    /// The rating after the race.
    pub(super) fn after(&self, game: GameId, strength: Strength, at: Timestamp) -> Rating {
        let races = self.known.as_ref().map_or(0, |kept| kept.item.races) + 1;
        let before = self.strength().rating;
        let changes = self.known.as_ref().map(|kept| kept.item.changes.clone());
        let changes = changes.unwrap_or_default();
        let user = self.user.clone();
        let rating = Rating { user, strength, races, game, before, at, changes: VecDeque::new() };
        rating.remembering(changes)
    }
}

/// The strengths after a race, in the order of its people: Weng and Lin, "A Bayesian Approximation Method for Online Ranking",
/// JMLR 12 (2011), the Bradley-Terry model with full pairs, each person a team.
pub(super) fn rated<'a>(entrants: impl Iterator<Item = &'a Entrant>) -> Vec<Strength> {
    let before: Vec<([WengLinRating; 1], MultiTeamOutcome)> =
        entrants.map(|it| ([it.strength().into()], MultiTeamOutcome::new(it.rank))).collect();
    let teams: Vec<_> = before.iter().map(|(team, rank)| (team.as_slice(), *rank)).collect();
    let after = weng_lin_multi_team(&teams, &WengLinConfig::new());
    after.into_iter().flatten().map(Strength::from).collect()
}
