//! Rates, and budgets that refill.

use std::fmt;
use std::time::Duration;

/// How often something may happen: once per interval on average, in bursts of a limited size.
///
/// ```
/// use typephoon_api::http::Rate;
///
/// assert_eq!(Rate::per_second(2).burst(5).to_string(), "2/s, burst 5");
/// assert_eq!(Rate::per_minute(10).to_string(), "10/min");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    number: u32,
    period: Duration,
    burst: u32,
}

impl Rate {
    const fn of(number: u32, period: Duration) -> Self {
        let number = if number == 0 { 1 } else { number };
        Self { number, period, burst: number }
    }

    /// So many per second, in bursts of the same size.
    pub const fn per_second(number: u32) -> Self {
        Self::of(number, Duration::from_secs(1))
    }

    /// So many per minute, in bursts of the same size.
    pub const fn per_minute(number: u32) -> Self {
        Self::of(number, Duration::from_secs(60))
    }

    /// The same rate, in bursts of this size.
    #[must_use]
    pub const fn burst(self, burst: u32) -> Self {
        Self { burst: if burst == 0 { 1 } else { burst }, ..self }
    }

    /// The time in which one more is allowed.
    pub(crate) fn interval(self) -> Duration {
        self.period / self.number
    }

    /// The size of a burst.
    pub(crate) fn size(self) -> u32 {
        self.burst
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.period == Duration::from_secs(1) { "s" } else { "min" };
        write!(f, "{}/{unit}", self.number)?;
        if self.burst == self.number { Ok(()) } else { write!(f, ", burst {}", self.burst) }
    }
}

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
