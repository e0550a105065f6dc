//! Gathers the positions of a busy pod, so that those of one room are written together.
//!
//! A write is most of what a position costs. While a pod has little to do, each position is written at once. From
//! [`BUSY`] deliveries a second on, a room holds a position back for a moment, and those that follow meanwhile go out in
//! the same write per receiver. The more the pod delivers, the longer the moment, up to [`LONGEST`]. A room with so few
//! players that hardly any would follow holds none back: it would gain nothing, and its players would wait.
//!
//! A core has one gatherer, with one timer for all its rooms; a game's number decides which. Lifecycle frames never
//! wait: a room writes what it has gathered before them. A second timer, on a thread that all others preempt, is for the rooms
//! that show something once per tick (`tick`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::room::Room;
use super::tick::TICK;
use crate::game::{GameId, Timestamp};

/// Deliveries per second and core up to which every position is written at once: a third of what a core can deliver. Below
/// it, few positions would share a write: holding them back for 4 ms at 32,000 saved 5 % of the CPU time.
const BUSY: u32 = 40_000;
/// Deliveries per second and core for each millisecond that positions are held back.
const PER_MILLISECOND: u32 = 10_000;
/// The longest that a position is held back. Timers are up to a millisecond late, which makes it a frame of a screen with
/// 60 Hz.
const LONGEST: Duration = Duration::from_millis(15);
/// Keystrokes of a player per second: 84 words per minute.
const KEYS_PER_SECOND: f64 = 7.0;
/// Positions that have to be expected behind the first one, for a room to hold it back. Measured with races of five at
/// 64,000 deliveries a second, where 0.2 follow: no CPU is saved, and the median latency grows from 1 to 11 ms.
const FOLLOWING: f64 = 0.4;
/// The period in which deliveries are counted, in microseconds.
const PERIOD: i64 = 100_000;

/// How much a gatherer's rooms deliver, and how long positions are held back therefore.
#[derive(Debug, Default)]
struct Load {
    /// When the period began, in microseconds of the clock.
    since: AtomicI64,
    /// Deliveries in this period.
    delivered: AtomicU32,
    /// For how long, in microseconds, by the deliveries of the period before.
    hold: AtomicU32,
}

impl Load {
    /// Counts the deliveries of a position. Returns for how long it is held back.
    fn count(&self, deliveries: u32, now: Timestamp) -> Duration {
        let delivered = self.delivered.fetch_add(deliveries, Ordering::Relaxed);
        let since = self.since.load(Ordering::Relaxed);
        let elapsed = now.0.saturating_sub(since);
        if elapsed >= PERIOD && self.begin_period(since, now) {
            let delivered = f64::from(delivered.saturating_add(deliveries));
            let hold = hold(delivered * 1e6 / elapsed as f64);
            self.hold.store(u32::try_from(hold.as_micros()).unwrap_or(0), Ordering::Relaxed);
        }
        Duration::from_micros(self.hold.load(Ordering::Relaxed).into())
    }

    /// Whether this task is the one that begins the period.
    fn begin_period(&self, since: i64, now: Timestamp) -> bool {
        let begins =
            self.since.compare_exchange(since, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if begins {
            self.delivered.store(0, Ordering::Relaxed);
        }
        begins
    }
}

/// For how long positions are held back, at so many deliveries a second on one core.
fn hold(per_second: f64) -> Duration {
    if per_second < f64::from(BUSY) {
        return Duration::ZERO;
    }
    let milliseconds = per_second / f64::from(PER_MILLISECOND);
    Duration::from_secs_f64(milliseconds / 1e3).min(LONGEST)
}

/// Rooms by the time at which something is due in them, roughly in that order. A room is in it once at most.
#[derive(Default)]
struct DueRooms {
    rooms: Mutex<VecDeque<(Instant, Arc<Room>)>>,
    filled: Notify,
}

impl DueRooms {
    fn put(&self, room: Arc<Room>, after: Duration) {
        let mut rooms = self.rooms.lock();
        let is_first = rooms.is_empty();
        rooms.push_back((Instant::now() + after, room));
        drop(rooms);
        if is_first {
            self.filled.notify_one();
        }
    }

    /// Waits until the first room is due. Returns the time.
    async fn wait(&self) -> Instant {
        loop {
            let Some(due) = self.rooms.lock().front().map(|(due, _)| *due) else {
                self.filled.notified().await;
                continue;
            };
            sleep_until(due).await;
            return Instant::now();
        }
    }

    /// The next room that is due by then.
    fn pop_due(&self, now: Instant) -> Option<Arc<Room>> {
        let mut rooms = self.rooms.lock();
        rooms.pop_front_if(|(at, _)| *at <= now).map(|(_, room)| room)
    }
}

/// The rooms of one core that hold positions back, and those that show them once per tick.
#[derive(Default)]
pub(in crate::socket) struct Gatherer {
    load: Load,
    held: DueRooms,
    ticking: DueRooms,
}

impl Gatherer {
    /// Counts the deliveries of a position, one to each of the other players. Returns for how long it is held back.
    pub(super) fn count(&self, deliveries: usize, now: Timestamp) -> Duration {
        let hold = self.load.count(u32::try_from(deliveries).unwrap_or(u32::MAX), now);
        let following = deliveries as f64 * KEYS_PER_SECOND * hold.as_secs_f64();
        if following < FOLLOWING { Duration::ZERO } else { hold }
    }

    /// Makes a room write what it has gathered `after` a while.
    pub(super) fn schedule(&self, room: Arc<Room>, after: Duration) {
        self.held.put(room, after);
    }

    /// Makes a room show what is noted in it, after a tick.
    pub(super) fn tick(&self, room: Arc<Room>) {
        self.ticking.put(room, TICK);
    }

    /// Holds positions back for so long from now on, for the tests of rooms.
    #[cfg(test)]
    pub(super) fn be_busy(&self, hold: Duration) {
        self.load.since.store(i64::MAX, Ordering::Relaxed);
        self.load.hold.store(u32::try_from(hold.as_micros()).unwrap(), Ordering::Relaxed);
    }

    /// Lets the rooms write, each at its time.
    async fn run(&self) {
        loop {
            let now = self.held.wait().await;
            while let Some(room) = self.held.pop_due(now) {
                room.write_gathered();
            }
            // With many rooms due, sockets are read in between.
            tokio::task::yield_now().await;
        }
    }

    /// Lets the rooms show what is noted, one after the other.
    async fn run_ticks(&self) {
        loop {
            let now = self.ticking.wait().await;
            while let Some(room) = self.ticking.pop_due(now) {
                room.tick();
            }
        }
    }
}

/// The gatherers of this pod, one per core.
pub(in crate::socket) struct Gatherers(Box<[Arc<Gatherer>]>);

impl Default for Gatherers {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self((0..cores).map(|_| Arc::default()).collect())
    }
}

impl Gatherers {
    /// The gatherer of a game's rooms.
    pub(super) fn of(&self, game: GameId) -> &Arc<Gatherer> {
        let index = game.0.unsigned_abs() % self.0.len() as u64;
        &self.0[usize::try_from(index).expect("a remainder of a length")]
    }

    /// The tasks of all of them, one each, in which rooms write what they hold back.
    pub(super) fn runs(&self) -> impl Iterator<Item = impl Future<Output = ()> + use<>> {
        self.0.clone().into_iter().map(|gatherer| async move { gatherer.run().await })
    }

    /// The task in which all rooms show what is noted in them.
    pub(super) fn ticks(&self) -> impl Future<Output = ()> + use<> {
        let gatherers = self.0.clone();
        async move {
            join_all(gatherers.iter().map(|gatherer| gatherer.run_ticks())).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_held_back_longer_the_more_there_are_but_never_long() {
        assert_eq!(hold(0.0), Duration::ZERO);
        assert_eq!(hold(39_999.0), Duration::ZERO);
        assert_eq!(hold(40_000.0), Duration::from_millis(4));
        assert_eq!(hold(64_000.0), Duration::from_micros(6_400));
        assert_eq!(hold(1e9), LONGEST);
    }

    #[test]
    fn only_rooms_in_which_others_follow_hold_positions_back() {
        let held = |players: usize, hold: Duration| {
            let gatherer = Gatherer::default();
            gatherer.be_busy(hold);
            gatherer.count(players - 1, Timestamp(0)) > Duration::ZERO
        };
        let moderate = hold(64_000.0);
        assert_eq!(
            [2, 5, 20, 50].map(|players| held(players, moderate)),
            [false, false, true, true]
        );
        assert!(held(5, LONGEST), "at the limit of a core every write counts");
        assert!(!held(50, Duration::ZERO));
    }

    #[test]
    fn the_deliveries_of_a_period_decide_for_the_next() {
        let load = Load::default();
        // Four deliveries in each of 64 thousand parts of a second.
        let at = |number: i64| Timestamp(1_000_000_000 + number * 1_000_000 / 16_000);
        let holds: Vec<_> = (0..6_400).map(|number| load.count(4, at(number))).collect();
        assert_eq!(holds[0], Duration::ZERO, "a long period without any came before");
        let last = holds[holds.len() - 1];
        assert!(
            last.abs_diff(Duration::from_micros(6_400)) < Duration::from_micros(50),
            "{last:?}"
        );
        let after_a_pause = load.count(4, at(64_000));
        assert!(after_a_pause < Duration::from_millis(1), "{after_a_pause:?}");
    }
}
