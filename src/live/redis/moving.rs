//! From the slot of the lobbies into one of its own: the preparation of a race.
//!
//! Three steps, each of which may be taken again: the closed lobby is read; the race is made of it, unless
//! it is there; the lobby is removed. Between the last two the facts are in both slots, and those of the
//! race count. If a seat was handed over in the lobby meanwhile, its version tells, and the steps are taken
//! once more.

use std::sync::Arc;

use super::facts::Fields;
use super::{KEPT_LONGER, RedisLive, facts, failed, millis, scripts};
use crate::Error;
use crate::game::{Game, GameId, Stage, Timestamp};

/// Enough: what makes another round necessary are logins of players of this very game, in an instant.
const ROUNDS: usize = 5;

impl RedisLive {
    pub(super) async fn move_to_race(
        &self,
        id: GameId,
        words: &str,
        starts_at: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error> {
        let mut prepared = None;
        for _ in 0..ROUNDS {
            let waiting = self.fields(&self.keys.waiting(id)).await?;
            let lobby = facts::read(id, &waiting)?.filter(|game| game.stage == Stage::Closed);
            let Some(lobby) = lobby else { break };
            let kept = lobby.ends_at.after(starts_at) + KEPT_LONGER;
            let mut call = scripts::MOVE.key(self.keys.racing(id));
            call.arg(lobby.version).arg(words).arg(starts_at.0).arg(millis(kept));
            for (field, value) in &waiting {
                call.arg(field).arg(value);
            }
            let (is_new, fields): (bool, Fields) = self.run(&call).await?;
            if is_new {
                prepared = facts::read(id, &fields)?.map(Arc::new);
            }
            let mut settle = scripts::SETTLE.key(self.keys.waiting(id));
            if self.run(settle.arg(lobby.version)).await? {
                break;
            }
        }
        if let Some(game) = &prepared {
            self.note_saved(game);
        }
        Ok(prepared)
    }

    async fn fields(&self, key: &str) -> Result<Fields, Error> {
        let mut command = redis::cmd("HGETALL");
        command.arg(key).query_async(&mut self.redis.clone()).await.map_err(failed)
    }
}
