//! A budget that refills, in one number.

use std::time::Duration;

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
