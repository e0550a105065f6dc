//! The clock of Redis: all pods set theirs by it, and a change that must not come early is checked against it.

use std::time::{Duration, Instant};

use super::{RedisLive, failed};
use crate::game::Timestamp;
use crate::{Error, clock};
use parking_lot::Mutex;

/// Samples per reading; the one with the shortest round trip is used.
const TRIES: usize = 5;
/// Longest round trip of a good answer; a slower one does not replace a faster one. Its error is up to half the round
/// trip, which is more than the players of a race may hear START apart.
const SLOW: Duration = Duration::from_millis(50);
/// Age from which any answer is better than the old one: clocks drift by at most a tenth of a millisecond per second.
const STALE: Duration = Duration::from_secs(600);

/// Redis uses the wall clock of its machine. If that is set back by more than this, in microseconds, this clock follows at
/// once: otherwise Redis would hold new lobbies open until its clock has caught up. If it is set forward, deadlines still
/// hold, and this clock follows slowly.
const SET_BACK: i64 = 5_000_000;
/// Change of the offset between two answers, in microseconds, from which it is logged.
const STEP: i64 = 1_000_000;

/// The answer by which this process has set its clock.
static SET_BY: Mutex<Option<ClockReading>> = Mutex::new(None);

/// A reading of the clock of Redis.
#[derive(Clone, Copy, Debug)]
struct ClockReading {
    /// Its offset to the monotonic clock of this machine, in microseconds, with an error of at most half the round trip.
    offset: i64,
    round_trip: Duration,
    at: Instant,
}

impl ClockReading {
    fn is_better_than(&self, known: &Self) -> bool {
        let is_stale = self.at.saturating_duration_since(known.at) >= STALE;
        self.round_trip <= SLOW || self.round_trip <= known.round_trip || is_stale
    }
}

impl RedisLive {
    /// Sets the clock of this process: at once the first time, slowly later. Ignores an answer that is worse than the one
    /// by which the clock is set.
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

    async fn ask_for_time(&self) -> Result<Option<ClockReading>, Error> {
        let mut answers = Vec::new();
        for _ in 0..TRIES {
            let (asked, at) = (clock::monotonic(), Instant::now());
            let time = self.time().await?;
            let round_trip = at.elapsed();
            let offset = (time - round_trip / 2).0 - asked;
            answers.push(ClockReading { offset, round_trip, at });
        }
        Ok(answers.into_iter().min_by_key(|it| it.round_trip))
    }

    /// The time by the clock of Redis.
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
        let answer = |after: u64, round_trip: u64| ClockReading {
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
