//! The clock of Redis, by which the clocks of all pods are set.

use std::time::Instant;

use super::{RedisLive, failed};
use crate::Error;
use crate::game::Timestamp;

/// How often it is asked: the answer that came soonest is the best.
const TRIES: usize = 5;

impl RedisLive {
    /// How far the clock of Redis is ahead of the system's, in microseconds, for [`Timestamp::agree_on`].
    /// It is off by half of the fastest round trip at most.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn time_offset(&self) -> Result<i64, Error> {
        let mut best = None;
        for _ in 0..TRIES {
            let (system, asked) = (Timestamp::of_system(), Instant::now());
            let time = redis::cmd("TIME").query_async(&mut self.redis.clone()).await;
            let round_trip = asked.elapsed();
            let (seconds, micros): (i64, i64) = time.map_err(failed)?;
            let offset = seconds * 1_000_000 + micros - (system + round_trip / 2).0;
            if best.is_none_or(|(fastest, _)| round_trip < fastest) {
                best = Some((round_trip, offset));
            }
        }
        Ok(best.map_or(0, |(_, offset)| offset))
    }
}
