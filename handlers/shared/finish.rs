//! The end of a player's race.

use crate::Kind;
use crate::game::{Figures, Game, Result as GameResult, Stage, Timestamp, Unranked, UserId};

/// A claim: the figures that become a player's result, and when the player finished.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// The figures.
    pub figures: Figures,
    /// When the player finished.
    pub at: Timestamp,
    /// Why it gets no rank; `None` if it is ranked.
    pub unranked: Option<Unranked>,
}

/// The outcome of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It was accepted, with this rank; 0 for bots and for unranked results.
    Taken(u32),
    /// The player already had a result, with this rank; nothing changed.
    Before(u32),
}

impl Game {
    /// Stores a player's result and decides its rank, once.
    ///
    /// # Errors
    /// `NOT_A_PARTICIPANT`, `GAME_NOT_STARTED`.
    pub fn finish(&mut self, user: &UserId, claim: Claim) -> Result<Finish, Kind> {
        let (stage, finishers) = (self.stage, self.finishers());
        let player = self.player_mut(user).ok_or(Kind::NOT_A_PARTICIPANT)?;
        if let Some(result) = player.result {
            return Ok(Finish::Before(result.rank));
        }
        if stage != Stage::Running {
            return Err(Kind::GAME_NOT_STARTED);
        }
        let Claim { figures, at: finished, unranked } = claim;
        let is_ranked = player.user.is_person() && unranked.is_none();
        let next = u32::try_from(finishers + 1).unwrap_or(u32::MAX);
        let rank = if is_ranked { next } else { 0 };
        player.result = Some(GameResult { rank, finished, figures, unranked });
        Ok(Finish::Taken(rank))
    }
}
