//! The heartbeat of a socket: pings that carry the time at which they were sent.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::rooms::Frame;

/// What is due at a heartbeat.
pub(super) enum Beat {
    /// Send this ping.
    Ping(Frame),
    /// Close the socket: the last ping was not answered.
    Dead,
}

/// Tracks when the next ping is due, and whether the last one was answered.
pub(super) struct Pulse {
    begun: Instant,
    every: Duration,
    /// When the next ping is due.
    due: Instant,
    sleep: Pin<Box<Sleep>>,
    /// Whether no pong has arrived since the last ping.
    unanswered: bool,
    /// The stamp of the latest ping.
    stamp: u64,
}

impl Pulse {
    pub(super) fn new(every: Duration) -> Self {
        let begun = Instant::now();
        let sleep = Box::pin(sleep(every));
        Self { begun, every, due: begun + every, sleep, unanswered: false, stamp: 0 }
    }

    /// Waits for the next beat, or until `earlier` if that comes first.
    pub(super) async fn beat(&mut self, earlier: Option<Instant>) {
        let due = earlier.map_or(self.due, |at| at.min(self.due));
        if self.sleep.deadline() != due {
            self.sleep.as_mut().reset(due);
        }
        self.sleep.as_mut().await;
    }

    /// The beat that is due.
    pub(super) fn next(&mut self) -> Beat {
        if self.unanswered {
            return Beat::Dead;
        }
        self.due = Instant::now() + self.every;
        self.unanswered = true;
        Beat::Ping(self.ping())
    }

    /// A ping, stamped with the time since the socket opened, in microseconds.
    pub(super) fn ping(&mut self) -> Frame {
        self.stamp = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        Frame::ping(self.stamp.to_be_bytes())
    }

    /// The stamp of the latest ping.
    pub(super) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Handles a pong. Returns the stamp of its ping, if it has a valid one.
    pub(super) fn pong(&mut self, payload: &[u8]) -> Option<u64> {
        let stamp = u64::from_be_bytes(payload.try_into().ok()?);
        if stamp > self.stamp {
            return None;
        }
        self.unanswered = false;
        Some(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_answers_lives() {
        let mut pulse = Pulse::new(Duration::from_secs(20));
        for _ in 0..3 {
            pulse.beat(None).await;
            let Beat::Ping(ping) = pulse.next() else { panic!("answered, and yet dead") };
            tokio::time::advance(Duration::from_millis(30)).await;
            assert!(pulse.pong(&ping.bytes()[2..]).is_some());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_answer_is_dead_a_beat_later() {
        let mut pulse = Pulse::new(Duration::from_secs(20));
        let begun = Instant::now();
        pulse.beat(None).await;
        assert!(matches!(pulse.next(), Beat::Ping(_)));
        assert!(pulse.pong(b"nonsense of theirs").is_none());
        pulse.beat(None).await;
        assert!(matches!(pulse.next(), Beat::Dead));
        assert_eq!(begun.elapsed(), Duration::from_secs(40));
    }
}
