//! Rate limits of a socket's client: three budgets.

use std::time::Duration;

use tokio::time::Instant;

/// A budget that refills evenly: the generic cell rate algorithm (ITU-T I.371), in one number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gcra {
    /// When the budget will be full again, as time since the caller's epoch.
    full_at: Duration,
}

impl Gcra {
    /// Spends one of `burst` units, which refill by one every `interval`. `now` is the time since the caller's epoch.
    /// Returns whether there was one.
    pub fn spend(&mut self, now: Duration, interval: Duration, burst: u32) -> bool {
        self.try_spend(now, interval, burst).is_ok()
    }

    /// The same; if there was none, the error is the time until there is one.
    ///
    /// # Errors
    /// The time until the next unit.
    pub fn try_spend(
        &mut self,
        now: Duration,
        interval: Duration,
        burst: u32,
    ) -> Result<(), Duration> {
        self.try_spend_time(now, interval, interval * burst)
    }

    /// The same with units of time: spends what refills within `cost`, from a budget that fills within `burst`.
    ///
    /// # Errors
    /// The time until there is enough.
    pub fn try_spend_time(
        &mut self,
        now: Duration,
        cost: Duration,
        burst: Duration,
    ) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + cost;
        match full_at.checked_sub(now + burst) {
            None | Some(Duration::ZERO) => {
                self.full_at = full_at;
                Ok(())
            }
            Some(wait) => Err(wait),
        }
    }

    /// Whether the budget is full.
    pub fn is_full(&self, now: Duration) -> bool {
        self.full_at <= now
    }
}

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Handle it.
    Take,
    /// Drop and count it.
    Drop,
    /// Close the socket.
    Close,
}

/// Malformed frames that a client may send in a row; the budget refills by one per second.
pub const MALFORMED_BURST: u32 = 60;

/// Burst of excess frames, in seconds' worth; it refills at the rate of allowed frames.
pub(super) const EXCESS_SECONDS: u32 = 20;

/// The budgets of one socket.
#[derive(Debug)]
pub struct Pace {
    begun: Instant,
    per_second: u32,
    frames: Gcra,
    excess: Gcra,
    malformed: Gcra,
}

impl Pace {
    /// Allows `per_second` frames sustained, and twice as many in one second.
    pub fn new(per_second: u32) -> Self {
        let budget = Gcra::default();
        let (frames, excess, malformed) = (budget, budget, budget);
        Self { begun: Instant::now(), per_second: per_second.max(1), frames, excess, malformed }
    }

    /// Counts a frame.
    pub fn frame(&mut self) -> Verdict {
        let now = self.begun.elapsed();
        let interval = Duration::from_secs(1) / self.per_second;
        if self.frames.spend(now, interval, self.per_second.saturating_mul(2)) {
            return Verdict::Take;
        }
        let excess = self.per_second.saturating_mul(EXCESS_SECONDS);
        if self.excess.spend(now, interval, excess) { Verdict::Drop } else { Verdict::Close }
    }

    /// Counts a malformed frame.
    pub fn malformed(&mut self) -> Verdict {
        let now = self.begun.elapsed();
        let forgiven = self.malformed.spend(now, Duration::from_secs(1), MALFORMED_BURST);
        if forgiven { Verdict::Drop } else { Verdict::Close }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_typist_is_never_held_up() {
        let mut pace = Pace::new(60);
        for _ in 0..6_000 {
            assert_eq!(pace.frame(), Verdict::Take);
            tokio::time::advance(Duration::from_millis(17)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_dropped_and_then_closed() {
        let mut pace = Pace::new(60);
        let verdicts: Vec<_> = (0..2_000).map(|_| pace.frame()).collect();
        let count = |verdict| verdicts.iter().filter(|it| **it == verdict).count();
        assert_eq!((count(Verdict::Take), count(Verdict::Drop)), (120, 1_200));
        assert_eq!(verdicts.last(), Some(&Verdict::Close));
    }

    #[tokio::test(start_paused = true)]
    async fn malformed_frames_are_forgiven_one_per_second() {
        let mut pace = Pace::new(60);
        for _ in 0..MALFORMED_BURST {
            assert_eq!(pace.malformed(), Verdict::Drop);
        }
        assert_eq!(pace.malformed(), Verdict::Close);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pace.malformed(), Verdict::Drop);
    }
}
