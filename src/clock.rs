//! The clock of this process: read once from the system or from Redis, and from then on a monotonic clock, independent
//! of steps of the wall clock.
//!
//! Its offset from the reference (the wall clock of a single server, the time of Redis in a cluster) is slewed: the
//! clock runs slightly faster or slower until the offset is gone, and never backwards. So a step of the wall clock ends
//! no race, and a correction after the start is still followed.
//!
//! The monotonic clock counts from the boot of the machine, and continues while it sleeps (`CLOCK_BOOTTIME`): after a
//! suspend, overdue timers fire.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use arc_swap::ArcSwap;
use time::OffsetDateTime;

use crate::game::Timestamp;

/// The slew rate while games depend on the clock, in microseconds per second: 0.15 s in a countdown of thirty, and a
/// tenth of the tolerance with which results are judged.
const GENTLE: i64 = 5_000;
/// The slew rate of a single server without games: an hour takes two.
const BRISK: i64 = 500_000;
/// Interval at which a single server reads the wall clock.
const EVERY: Duration = Duration::from_secs(1);
/// An offset that changed by more within [`EVERY`] is a step, and is logged.
const STEP: i64 = 1_000_000;
/// Largest offset that a restart adopts; a larger one means that the last run started with a wrong clock.
const TAKEN_OVER: i64 = 24 * 3600 * 1_000_000;
/// An offset that differs by less from the file is not written again.
const WORTH_WRITING: i64 = 10_000;

/// The one clock of the process.
static CLOCK: LazyLock<ArcSwap<Slew>> =
    LazyLock::new(|| ArcSwap::from_pointee(Slew::of(system_offset())));

/// An offset to the monotonic clock that is being slewed to another. All in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slew {
    /// When the slew began, by the monotonic clock.
    since: i64,
    /// The offset at that moment.
    offset: i64,
    /// The distance to the reference at that moment.
    remaining: i64,
    /// The most that is absorbed per second; less than a second, so that time does not stand still.
    rate: i64,
}

impl Slew {
    /// A fixed offset.
    fn of(offset: i64) -> Self {
        Self { since: i64::MIN, offset, remaining: 0, rate: GENTLE }
    }

    /// The offset at a moment of the monotonic clock.
    fn offset_at(&self, monotonic: i64) -> i64 {
        let elapsed = monotonic.saturating_sub(self.since).max(0);
        let absorbed = elapsed.saturating_mul(self.rate) / 1_000_000;
        self.offset + self.remaining.clamp(-absorbed, absorbed)
    }

    /// A slew to another offset, without a jump: it starts from the current offset.
    fn towards(&self, offset: i64, rate: i64, monotonic: i64) -> Self {
        let since = monotonic.max(self.since);
        let reached = self.offset_at(since);
        Self { since, offset: reached, remaining: offset - reached, rate }
    }
}

/// The current time.
pub(crate) fn now() -> Timestamp {
    let monotonic = monotonic();
    Timestamp(monotonic + CLOCK.load().offset_at(monotonic))
}

/// The monotonic clock, in microseconds since the machine was booted.
#[cfg(target_os = "linux")]
pub(crate) fn monotonic() -> i64 {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    since.tv_sec * 1_000_000 + since.tv_nsec / 1_000
}

/// The monotonic clock, in microseconds since its first use. It may stop during a suspend, which then looks like a step
/// of the wall clock.
#[cfg(not(target_os = "linux"))]
pub(crate) fn monotonic() -> i64 {
    static FIRST: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    i64::try_from(FIRST.elapsed().as_micros()).unwrap_or(i64::MAX)
}

/// The offset of the wall clock from the monotonic one: the least interrupted of three readings.
fn system_offset() -> i64 {
    let read = |_| {
        let before = monotonic();
        let wall = Timestamp::from(OffsetDateTime::now_utc()).0;
        let after = monotonic();
        (after - before, wall - after)
    };
    (0..3).map(read).min_by_key(|(took, _)| *took).map_or(0, |(_, offset)| offset)
}

/// Sets the clock to an offset to the monotonic clock at once. For the start of the process, before anything depends on
/// the clock.
pub(crate) fn set(offset: i64) {
    CLOCK.store(Slew::of(offset).into());
}

/// Slews to an offset from the monotonic clock, at a rate that is harmless to games.
pub(crate) fn slew_to(offset: i64) {
    steer(offset, GENTLE);
}

fn steer(offset: i64, rate: i64) {
    CLOCK.rcu(|slew| slew.towards(offset, rate, monotonic()));
}

/// The offset to the monotonic clock.
pub(crate) fn offset() -> i64 {
    CLOCK.load().offset_at(monotonic())
}

/// Marks that a game depends on the clock from now on.
pub(crate) fn hold() {
    if CLOCK.load().rate > GENTLE {
        CLOCK.rcu(|slew| slew.towards(slew.offset + slew.remaining, GENTLE, monotonic()));
    }
}

/// Continues on the clock of the last run, if possible. For the start of a single server, before anything depends on
/// the clock.
pub(crate) fn resume(kept: &KeptOffset) {
    if let Some(offset) = kept.read() {
        set(offset);
    }
}

/// Slews to the wall clock, for ever: the clock of a single server. Stores the offset for the next run.
pub(crate) async fn follow_system(mut kept: KeptOffset, is_idle: impl Fn() -> bool) {
    let mut known = offset();
    loop {
        let wall = system_offset();
        if (wall - known).abs() >= STEP {
            let (by, ahead) = (seconds(wall - known), seconds(wall - offset()));
            tracing::warn!(
                by,
                ahead,
                "the wall clock was set; games continue, on a clock that follows slowly"
            );
        }
        known = wall;
        steer(wall, if is_idle() { BRISK } else { GENTLE });
        if !is_idle() {
            // A game was opened in between.
            hold();
        }
        if let Err(error) = kept.write(offset()).await {
            tracing::debug!(%error, "the offset of the clock could not be stored");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The stored offset of a single server's clock. A restart continues with it; otherwise the deadlines of its games and
/// the tokens of its players would be off if the wall clock was set meanwhile. It is valid until the machine reboots,
/// since the monotonic clock then restarts.
pub(crate) struct KeptOffset {
    path: PathBuf,
    /// The id of the boot; `None` if the system has none, and nothing is stored.
    boot: Option<String>,
    written: Option<i64>,
}

impl KeptOffset {
    pub(crate) fn in_folder(data_dir: &Path) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let boot = boot.map(|boot| boot.trim().to_owned());
        Self { path: data_dir.join("clock"), boot, written: None }
    }

    fn read(&self) -> Option<i64> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        taken_over(&text, self.boot.as_deref()?, system_offset())
    }

    /// Writes it, if it has changed. A full disk leaves the file unchanged.
    async fn write(&mut self, offset: i64) -> io::Result<()> {
        let is_known = self.written.is_some_and(|it| (offset - it).abs() < WORTH_WRITING);
        let Some(boot) = self.boot.as_ref().filter(|_| !is_known) else { return Ok(()) };
        let new = self.path.with_extension("new");
        tokio::fs::write(&new, format!("{boot} {offset}\n")).await?;
        tokio::fs::rename(&new, &self.path).await?;
        self.written = Some(offset);
        Ok(())
    }
}

/// The offset in the file, if it is of this boot and can be trusted more than the wall clock.
fn taken_over(kept: &str, boot: &str, system: i64) -> Option<i64> {
    let (of, offset) = kept.trim().split_once(' ')?;
    let offset: i64 = offset.parse().ok()?;
    (of == boot && offset.saturating_sub(system).saturating_abs() <= TAKEN_OVER).then_some(offset)
}

/// Seconds, for the log.
fn seconds(micros: i64) -> String {
    format!(
        "{:+.3} s",
        Duration::from_micros(micros.unsigned_abs()).as_secs_f64() * micros.signum() as f64
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_step_of_an_hour_is_absorbed_by_five_milliseconds_in_a_second() {
        let slew = Slew::of(0).towards(3600 * SECOND, GENTLE, 7 * SECOND);
        assert_eq!(slew.offset_at(7 * SECOND), 0, "no jump");
        assert_eq!(slew.offset_at(8 * SECOND), 5_000);
        assert_eq!(slew.offset_at(67 * SECOND), 300_000);
        let back = slew.towards(0, GENTLE, 67 * SECOND);
        assert_eq!(back.offset_at(68 * SECOND), 295_000);
        assert_eq!(back.offset_at(1000 * SECOND), 0, "it stays where it is right");
    }

    #[test]
    fn without_games_an_hour_is_absorbed_in_two() {
        let slew = Slew::of(0).towards(-3600 * SECOND, BRISK, 0);
        assert_eq!(slew.offset_at(3600 * SECOND), -1800 * SECOND);
        assert_eq!(slew.offset_at(7200 * SECOND), -3600 * SECOND);
        assert_eq!(slew.offset_at(9000 * SECOND), -3600 * SECOND);
    }

    #[test]
    fn the_clock_of_the_last_run_is_taken_over_until_the_next_boot() {
        let hour = 3600 * SECOND;
        assert_eq!(taken_over("a -42\n", "a", hour), Some(-42), "the wall clock was set meanwhile");
        assert_eq!(taken_over("a -42\n", "b", 0), None);
        assert_eq!(taken_over("a 42", "a", 42 + 25 * hour), None, "that run began in another year");
        for broken in ["", "a", "a b", "42"] {
            assert_eq!(taken_over(broken, "a", 0), None, "{broken:?}");
        }
    }

    #[tokio::test]
    async fn a_restart_finds_the_clock_that_was_kept() {
        let folder = tempfile::tempdir().unwrap();
        let kept =
            || KeptOffset { boot: Some("this".into()), ..KeptOffset::in_folder(folder.path()) };
        assert_eq!(kept().read(), None);
        let ahead = system_offset() + 10 * SECOND;
        kept().write(ahead).await.unwrap();
        assert_eq!(kept().read(), Some(ahead));
        let rebooted = KeptOffset { boot: Some("next".into()), ..kept() };
        assert_eq!(rebooted.read(), None);
    }

    proptest! {
        /// Whatever the reference says, and however often.
        #[test]
        fn time_never_goes_backwards_and_its_rate_is_bounded(
            steps in prop::collection::vec((0_i64..100 * SECOND, -4000 * SECOND..4000 * SECOND, any::<bool>()), 1..40),
            looks in prop::collection::vec(0_i64..20 * SECOND, 40),
        ) {
            let (mut slew, mut monotonic) = (Slew::of(0), 0);
            for ((wait, reference, is_idle), look) in steps.into_iter().zip(looks) {
                let rate = if is_idle { BRISK } else { GENTLE };
                let before = monotonic + slew.offset_at(monotonic);
                let steered = slew.towards(reference, rate, monotonic);
                prop_assert_eq!(monotonic + steered.offset_at(monotonic), before, "no jump");
                slew = steered;
                let (mut last, mut at) = (before, monotonic);
                while at < monotonic + wait {
                    let next = (at + look.max(1)).min(monotonic + wait);
                    let shown = next + slew.offset_at(next);
                    let (passed, most) = (next - at, (next - at) * rate / SECOND + 1);
                    prop_assert!(shown >= last, "backwards");
                    prop_assert!((shown - last - passed).abs() <= most, "{passed} µs took {}", shown - last);
                    let (far, near) = (reference - slew.offset_at(at), reference - slew.offset_at(next));
                    prop_assert!(near.abs() <= far.abs(), "away from the reference");
                    (last, at) = (shown, next);
                    if look < SECOND { break; }
                }
                monotonic += wait;
            }
        }
    }

    #[test]
    fn the_clock_of_the_process_goes_on() {
        let mut last = now();
        for _ in 0..1000 {
            let next = now();
            assert!(next >= last);
            last = next;
        }
    }
}
