//! Taking a seat.

use std::sync::Arc;
use std::time::Duration;

use super::facts::{self, Fields};
use super::{KEPT_LONGER, RedisLive, failed, millis, scripts};
use crate::Error;
use crate::game::{Game, GameId, UserType};
use crate::live::Entry;

/// How long it is at least remembered which games there are.
const INDEXES_KEPT: Duration = Duration::from_secs(24 * 3600);

impl RedisLive {
    pub(super) async fn take_seat(&self, entry: &Entry) -> Result<Arc<Game>, Error> {
        // The seat that turned out to be in a game which is running, or gone.
        let mut stale = None;
        loop {
            let (outcome, id, fields) = self.ask_for_seat(entry, stale).await?;
            match outcome.as_str() {
                "seated" => return self.seated(GameId(id), &fields),
                "elsewhere" => match self.reenter(GameId(id), entry).await? {
                    Some(game) => return Ok(game),
                    None => stale = Some(GameId(id)),
                },
                _ => self.reserve_ids().await?,
            }
        }
    }

    async fn ask_for_seat(
        &self,
        entry: &Entry,
        stale: Option<GameId>,
    ) -> Result<(String, i64, Fields), Error> {
        let (user, now, rules) = (&entry.user, entry.now, &entry.rules);
        let json = serde_json::to_string(user).map_err(Error::internal)?;
        let is_guest = user.user_type != UserType::Registered;
        let text = |id: Option<GameId>| id.map_or(String::new(), |id| id.to_string());
        let kept = rules.kept + KEPT_LONGER;
        let mut call = scripts::ENTER.key(self.keys.lobby());
        call.arg(user.id.as_str()).arg(json).arg(&user.name).arg(u8::from(is_guest));
        call.arg(text(entry.previous)).arg(text(stale)).arg(now.0);
        call.arg(self.pod.as_str()).arg(rules.player_limit);
        call.arg((now + rules.countdown).0).arg((now + rules.full_grace).0);
        call.arg((now + rules.kept).0).arg(millis(kept)).arg(millis(kept.max(INDEXES_KEPT)));
        call.arg(facts::write_door(&entry.door)).arg(entry.socket.0);
        call.arg(facts::write_text(rules.text));
        self.run(&call).await
    }

    fn seated(&self, id: GameId, fields: &Fields) -> Result<Arc<Game>, Error> {
        let game = facts::read(id, fields)?;
        let game = Arc::new(game.ok_or_else(|| Error::internal("a seat without a game"))?);
        if game.version == 1 {
            self.note_saved(&game);
        }
        Ok(game)
    }

    /// Takes the seat of a player again, in a game that has left the slot of the lobbies.
    async fn reenter(&self, id: GameId, entry: &Entry) -> Result<Option<Arc<Game>>, Error> {
        let mut call = scripts::REENTER.key(self.keys.racing(id));
        call.arg(entry.user.id.as_str()).arg(entry.socket.0).arg(self.pod.as_str());
        self.game(id, &call).await
    }

    /// Has the records set ids aside for all pods; where they do not, Redis counts on from the last.
    async fn reserve_ids(&self) -> Result<(), Error> {
        let _alone = self.reserving.lock().await;
        let mut left = redis::cmd("LLEN");
        left.arg(self.keys.ids());
        // Somebody has seen to it meanwhile.
        if left.query_async::<u64>(&mut self.redis.clone()).await.map_err(failed)? > 0 {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        match self.records.reserve_games().await? {
            Some(ids) => {
                let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
                pipeline.rpush(self.keys.ids(), ids).ignore();
                pipeline.pexpire(self.keys.ids(), millis(INDEXES_KEPT)).ignore();
            }
            None => {
                let last = self.records.last_game().await?;
                pipeline.cmd("SET").arg(self.keys.last_id()).arg(last.0).arg("NX");
                pipeline.arg("PX").arg(millis(INDEXES_KEPT)).ignore();
            }
        }
        pipeline.exec_async(&mut self.redis.clone()).await.map_err(failed)
    }
}
