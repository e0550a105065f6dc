//! The agenda: the deadlines of all games' timers, shared by the pods.
//!
//! A deadline is a function of the facts. The agenda decides which of several pods schedules it, and lets a sweep find
//! overdue timers without reading all facts.

use std::time::Duration;

use super::{RedisLive, failed, scripts};
use crate::Error;
use crate::game::{GameId, Timestamp};

/// Lease on an overdue deadline: how long no other pod is given it.
const TAKEN: Duration = Duration::from_secs(3);

/// Time to live of the agenda after its last change, in milliseconds.
const KEPT: i64 = 24 * 3600 * 1000;

impl RedisLive {
    /// Sets deadlines, each of a timer of a game; `None` removes one. Returns for each whether this call added it or made
    /// it earlier: then this pod schedules the timer, and no other pod does. A later deadline changes nothing, since it
    /// may come from older facts; see [`Self::put_off`].
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

    /// Postpones deadlines, by facts that were read after the deadlines had passed.
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

    /// The deadlines before `before`, by the clock of Redis as well, the oldest first: timers that no pod has completed.
    /// The caller runs them. It holds them for a lease of some seconds, so that timers that fail do not hide the others.
    /// Those of a removed game stay until they are set to `None`.
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
