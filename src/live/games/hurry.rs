//! A lobby that closes before its time.

use std::sync::Arc;

use super::{Changed, Games};
use crate::game::{Door, Game, GameId, Stage, Timestamp, UserId};
use crate::{Error, Kind};

impl Games {
    /// See [`LiveState::hasten`](crate::live::LiveState::hasten).
    pub fn hasten(
        &mut self,
        id: GameId,
        host: &UserId,
        closes_at: Timestamp,
    ) -> Changed<Result<Arc<Game>, Error>> {
        let invited = |game: &&Arc<Game>| matches!(game.door, Door::Invited(_));
        let Some(game) = self.games.get(&id).filter(invited).cloned() else {
            return (Err(Kind::GAME_NOT_FOUND.into()), None);
        };
        if game.player(host).is_none() {
            return (Err(Kind::NOT_A_PARTICIPANT.into()), None);
        }
        if game.stage > Stage::Lobby || game.closes_at <= closes_at {
            return (Ok(game), None);
        }
        if game.host() != Some(host) {
            return (Err(Kind::NOT_THE_HOST.into()), None);
        }
        let (hastened, change) = self.change(id, |game| {
            game.closes_at = closes_at;
            game.wishes.ready.insert(host.clone());
            Some(())
        });
        (Ok(hastened.unwrap_or(game)), change)
    }

    /// See [`LiveState::be_ready`](crate::live::LiveState::be_ready).
    pub fn be_ready(
        &mut self,
        id: GameId,
        user: &UserId,
        closes_at: Timestamp,
    ) -> Changed<Result<Arc<Game>, Error>> {
        let Some(game) = self.games.get(&id).cloned() else {
            return (Err(Kind::GAME_NOT_FOUND.into()), None);
        };
        if game.player(user).is_none() {
            return (Err(Kind::NOT_A_PARTICIPANT.into()), None);
        }
        let (ready, change) = self.change(id, |game| {
            let is_new = game.stage == Stage::Lobby && game.wishes.ready.insert(user.clone());
            is_new.then(|| {
                if game.is_ready() {
                    game.closes_at = game.closes_at.min(closes_at);
                }
            })
        });
        (Ok(ready.unwrap_or(game)), change)
    }
}
