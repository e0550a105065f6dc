//! Giving up seats, and taking games away.

use std::sync::Arc;

use super::{RedisLive, facts, failed, scripts};
use crate::Error;
use crate::game::{Game, GameId, Timestamp};

/// How long it is still remembered who holds sockets of a game that is over, so that these can be told,
/// in milliseconds.
const FAREWELL: i64 = 60_000;

impl RedisLive {
    /// The players of a race that runs are free to queue in elsewhere. What fails here is made up for: a
    /// seat that is left over is noticed when its owner wants another.
    pub(super) async fn free_players(&self, game: &Game) {
        if let Err(error) = self.unseat(game, false).await {
            tracing::debug!(%error, game = game.id.0, "seats are left over");
        }
    }

    /// Takes away a game that is due. Of several pods one gets it.
    pub(super) async fn take_away(
        &self,
        id: GameId,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        let Some(game) = self.look_up(&[id]).await?.pop().filter(|game| game.ends_at <= now) else {
            return Ok(None);
        };
        // The end of a game is never set anew.
        if !self.has_passed(game.ends_at).await? {
            return Ok(None);
        }
        // First into the records: a pod that dies in between leaves it to be done again.
        self.keep_ended(&game, now).await?;
        let pods = self.keys.pods_of(id);
        let mut pipeline = redis::pipe();
        pipeline.atomic().del(self.keys.racing(id)).pexpire(pods, FAREWELL).ignore();
        let removed = pipeline.query_async(&mut self.redis.clone()).await;
        let (raced,): (u32,) = removed.map_err(failed)?;
        let waited = self.unseat(&game, true).await?;
        Ok((raced + waited > 0).then_some(game))
    }

    /// Returns how many facts of the game lay in the slot of the lobbies.
    async fn unseat(&self, game: &Game, is_over: bool) -> Result<u32, Error> {
        let mut call = scripts::UNSEAT.key(self.keys.lobby());
        call.arg(game.id.0).arg(u8::from(is_over)).arg(facts::write_door(&game.door));
        for player in &game.players {
            call.arg(player.user.id.as_str());
        }
        self.run(&call).await
    }
}
