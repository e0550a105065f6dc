//! The clock of Redis, by which the clocks of all pods are set, and without which no pod closes, starts or ends anything.

use std::time::{Duration, Instant};

use super::{RedisLive, failed};
use crate::game::Timestamp;
use crate::{Error, clock};
use parking_lot::Mutex;

/// How often it is asked: the answer that came soonest is the best.
const TRIES: usize = 5;
/// An answer that took longer is no better than the one before, which may have been faster: half of it is more
/// than players of one race may hear START apart.
const SLOW: Duration = Duration::from_millis(50);
/// After this even a slow answer is better: clocks drift by a tenth of a millisecond in a second at most.
const STALE: Duration = Duration::from_secs(600);

/// Redis goes by the wall clock of its machine. If that is set back by more, in microseconds, this clock follows at once:
/// lobbies that open would wait for Redis until then. If it is set forward, the deadlines of games hold all the same, and
/// this clock follows slowly.
const SET_BACK: i64 = 5_000_000;
/// An offset that changed by more between two answers, in microseconds, is worth a line in the log.
const STEP: i64 = 1_000_000;

/// By which answer this process has set its clock.
static SET_BY: Mutex<Option<Answer>> = Mutex::new(None);

/// What the clock of Redis has said.
#[derive(Clone, Copy, Debug)]
struct Answer {
    /// Its offset to the monotonic clock of this machine, in microseconds. It is off by half of the round trip at most.
    offset: i64,
    round_trip: Duration,
    at: Instant,
}

impl Answer {
    fn is_better_than(&self, known: &Self) -> bool {
        let is_stale = self.at.saturating_duration_since(known.at) >= STALE;
        self.round_trip <= SLOW || self.round_trip <= known.round_trip || is_stale
    }
}

impl RedisLive {
    /// Sets the clock of this process, the first time at once, and then slowly, unless Redis was slow to tell the time
    /// and has told it faster before.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if Redis does not answer.
    pub async fn set_clock(&self) -> Result<(), Error> {
        let answer = self.timed("set_clock", self.ask_for_time()).await?;
        let Some(answer) = answer else { return Ok(()) };
        let mut set_by = SET_BY.lock();
        if set_by.is_some_and(|known| !answer.is_better_than(&known)) {
            return Ok(());
        }
        let ahead = answer.offset - clock::offset();
        if set_by.is_none() || (ahead < -SET_BACK && answer.round_trip <= SLOW) {
            clock::set(answer.offset);
        } else {
            clock::slew_to(answer.offset);
        }
        if set_by.is_some_and(|known| (answer.offset - known.offset).abs() >= STEP) {
            tracing::warn!(
                micros = ahead,
                "the clock of Redis was set, or this machine was paused"
            );
        }
        *set_by = Some(answer);
        Ok(())
    }

    async fn ask_for_time(&self) -> Result<Option<Answer>, Error> {
        let mut answers = Vec::new();
        for _ in 0..TRIES {
            let (asked, at) = (clock::monotonic(), Instant::now());
            let time = self.time().await?;
            let round_trip = at.elapsed();
            let offset = (time - round_trip / 2).0 - asked;
            answers.push(Answer { offset, round_trip, at });
        }
        Ok(answers.into_iter().min_by_key(|it| it.round_trip))
    }

    /// What time it is by Redis.
    pub(super) async fn time(&self) -> Result<Timestamp, Error> {
        let time = redis::cmd("TIME").query_async(&mut self.redis.clone()).await;
        let (seconds, micros): (i64, i64) = time.map_err(failed)?;
        Ok(Timestamp(seconds * 1_000_000 + micros))
    }

    /// How far the clock of Redis is ahead of that of this process, in microseconds.
    #[cfg(test)]
    pub(crate) async fn time_offset(&self) -> Result<i64, Error> {
        Ok(self.ask_for_time().await?.map_or(0, |answer| answer.offset - clock::offset()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_does_not_replace_a_faster_one() {
        let start = Instant::now();
        let answer = |after: u64, round_trip: u64| Answer {
            offset: 0,
            round_trip: Duration::from_millis(round_trip),
            at: start + Duration::from_secs(after),
        };
        let known = answer(0, 1);
        assert!(answer(10, 2).is_better_than(&known), "both are good, and it is newer");
        assert!(!answer(10, 60).is_better_than(&known));
        assert!(answer(10, 60).is_better_than(&answer(0, 70)));
        assert!(answer(600, 60).is_better_than(&known), "clocks drift");
    }
}
