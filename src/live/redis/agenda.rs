//! The deadlines of timers, as all pods know them.
//!
//! What is due is a function of the facts; the agenda only tells who of several pods is the first to
//! know, and lets a sweep find what nobody has done, without reading all facts.

use std::time::Duration;

use super::{RedisLive, failed, scripts};
use crate::Error;
use crate::game::{GameId, Timestamp};

/// For how long an overdue deadline is somebody's.
const TAKEN: Duration = Duration::from_secs(3);

/// How long the agenda is kept after its last change, in milliseconds.
const KEPT: i64 = 24 * 3600 * 1000;

impl RedisLive {
    /// Sets deadlines, each of a timer of a game; `None` takes one away. Tells for each whether this call
    /// made it new or earlier: whoever hears `true` sees to it, and nobody else. A later one changes nothing,
    /// since it may be by older facts; see [`Self::put_off`].
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn set_deadlines(
        &self,
        deadlines: &[(GameId, &str, Option<Timestamp>)],
    ) -> Result<Vec<bool>, Error> {
        let key = self.keys.agenda();
        let mut pipeline = redis::pipe();
        for (game, timer, due) in deadlines {
            let member = format!("{game}|{timer}");
            match due {
                Some(due) => {
                    pipeline.cmd("ZADD").arg(&key).arg("LT").arg("CH").arg(due.0).arg(member);
                }
                None => drop(pipeline.cmd("ZREM").arg(&key).arg(member)),
            }
        }
        pipeline.pexpire(&key, KEPT).ignore();
        let asked = async { pipeline.query_async(&mut self.redis.clone()).await.map_err(failed) };
        let changed: Vec<u8> = self.timed("set_deadlines", asked).await?;
        let is_set = deadlines.iter().map(|(_, _, due)| due.is_some());
        Ok(changed.into_iter().zip(is_set).map(|(changed, set)| set && changed == 1).collect())
    }

    /// Makes deadlines later, by facts that were looked at when they came.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn put_off(&self, deadlines: &[(GameId, &str, Timestamp)]) -> Result<(), Error> {
        let mut command = redis::cmd("ZADD");
        command.arg(self.keys.agenda()).arg("XX");
        for (game, timer, due) in deadlines {
            command.arg(due.0).arg(format!("{game}|{timer}"));
        }
        let put_off = async { command.exec_async(&mut self.redis.clone()).await.map_err(failed) };
        self.timed("put_off", put_off).await
    }

    /// The deadlines that passed before `before`, by the clock of Redis as well, the oldest first: timers
    /// that were not taken off the agenda. The caller sees to them: for some seconds no other pod is told, so that those
    /// that cannot be done do not hide the others. Those of a game that is gone stay until they are set to `None`.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn overdue(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(GameId, String)>, Error> {
        let mut call = scripts::OVERDUE.key(self.keys.agenda());
        call.arg(before.0).arg(limit).arg(i64::try_from(TAKEN.as_micros()).unwrap_or(i64::MAX));
        let members: Vec<String> = self.timed("overdue", self.run(&call)).await?;
        let read = |member: &String| {
            let (game, timer) = member.split_once('|')?;
            Some((GameId(game.parse().ok()?), timer.to_owned()))
        };
        Ok(members.iter().filter_map(read).collect())
    }
}
