//! The timer of all heartbeats: a wheel that comes to each socket once per interval.
//!
//! So that idle sockets need no timers of their own, and do not all beat at the same time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

use super::outbox::Outbox;

/// Slots of the wheel.
const SLOTS: usize = 256;

/// The sockets of this pod, by when their heartbeat is due.
pub(super) struct Heartbeats {
    wheel: Mutex<Wheel>,
    filled: Notify,
}

struct Wheel {
    /// The slot that was last due.
    at: usize,
    /// Closed sockets are removed when their slot is due.
    slots: Box<[Vec<Weak<Outbox>>; SLOTS]>,
    sockets: usize,
}

impl Default for Heartbeats {
    fn default() -> Self {
        let slots = Box::new([const { Vec::new() }; SLOTS]);
        Self { wheel: Mutex::new(Wheel { at: 0, slots, sockets: 0 }), filled: Notify::new() }
    }
}

impl Heartbeats {
    /// Adds a socket, whose first heartbeat is due after an interval.
    pub(super) fn add(&self, outbox: &Arc<Outbox>) {
        let mut wheel = self.wheel.lock();
        let at = wheel.at;
        wheel.slots[at].push(Arc::downgrade(outbox));
        wheel.sockets += 1;
        if wheel.sockets == 1 {
            self.filled.notify_one();
        }
    }

    /// Lets each socket's heart beat at this interval.
    pub(super) async fn run(&self, every: Duration) {
        let slots = u32::try_from(SLOTS).expect("a small number");
        let mut ticks = interval((every / slots).max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            if self.wheel.lock().sockets == 0 {
                self.filled.notified().await;
                ticks.reset();
            }
            ticks.tick().await;
            self.wheel.lock().turn();
        }
    }
}

impl Wheel {
    /// The next slot is due.
    fn turn(&mut self) {
        self.at = (self.at + 1) % SLOTS;
        let slot = &mut self.slots[self.at];
        let before = slot.len();
        slot.retain(|outbox| outbox.upgrade().inspect(|it| it.beat()).is_some());
        self.sockets -= before - slot.len();
        if slot.is_empty() {
            // A crowd may have come and gone.
            *slot = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn every_socket_beats_once_per_interval_until_it_is_closed() {
        let heartbeats = Arc::new(Heartbeats::default());
        let (its, outbox) = (heartbeats.clone(), Arc::<Outbox>::default());
        let beating = tokio::spawn(async move { its.run(EVERY).await });
        tokio::time::sleep(EVERY).await;
        heartbeats.add(&outbox);
        tokio::time::sleep(EVERY / 2).await;
        for _ in 0..3 {
            assert!(!outbox.take_beat(), "too early");
            tokio::time::sleep(EVERY).await;
            assert!(outbox.take_beat());
        }
        drop(outbox);
        tokio::time::sleep(EVERY).await;
        assert_eq!(heartbeats.wheel.lock().sockets, 0);
        beating.abort();
    }
}
