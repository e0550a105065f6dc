//! Rate limits of a socket's client: three budgets.

use std::time::Duration;

use tokio::time::Instant;

use crate::http::edge::Gcra;

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateVerdict {
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
    pub fn frame(&mut self) -> RateVerdict {
        let now = self.begun.elapsed();
        let interval = Duration::from_secs(1) / self.per_second;
        if self.frames.spend(now, interval, self.per_second.saturating_mul(2)) {
            return RateVerdict::Take;
        }
        let excess = self.per_second.saturating_mul(EXCESS_SECONDS);
        if self.excess.spend(now, interval, excess) {
            RateVerdict::Drop
        } else {
            RateVerdict::Close
        }
    }

    /// Counts a malformed frame.
    pub fn malformed(&mut self) -> RateVerdict {
        let now = self.begun.elapsed();
        let forgiven = self.malformed.spend(now, Duration::from_secs(1), MALFORMED_BURST);
        if forgiven { RateVerdict::Drop } else { RateVerdict::Close }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_typist_is_never_held_up() {
        let mut pace = Pace::new(60);
        for _ in 0..6_000 {
            assert_eq!(pace.frame(), RateVerdict::Take);
            tokio::time::advance(Duration::from_millis(17)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_dropped_and_then_closed() {
        let mut pace = Pace::new(60);
        let verdicts: Vec<_> = (0..2_000).map(|_| pace.frame()).collect();
        let count = |verdict| verdicts.iter().filter(|it| **it == verdict).count();
        assert_eq!((count(RateVerdict::Take), count(RateVerdict::Drop)), (120, 1_200));
        assert_eq!(verdicts.last(), Some(&RateVerdict::Close));
    }

    #[tokio::test(start_paused = true)]
    async fn malformed_frames_are_forgiven_one_per_second() {
        let mut pace = Pace::new(60);
        for _ in 0..MALFORMED_BURST {
            assert_eq!(pace.malformed(), RateVerdict::Drop);
        }
        assert_eq!(pace.malformed(), RateVerdict::Close);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pace.malformed(), RateVerdict::Drop);
    }
}
