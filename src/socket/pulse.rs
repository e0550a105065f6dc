//! The heartbeat of a socket: pings that carry the time at which they were sent. A timer of all sockets decides when
//! (`rooms::Heartbeats`).

use std::time::Duration;

use tokio::time::Instant;

use super::rooms::Frame;

/// What is due at a heartbeat.
pub(super) enum Beat {
    /// Send this ping.
    Ping(Frame),
    /// Close the socket: the last ping was not answered.
    Dead,
}

/// Tracks whether the last ping was answered.
pub(super) struct Pulse {
    begun: Instant,
    /// Whether no pong has arrived since the last ping.
    unanswered: bool,
    /// The stamp of the latest ping.
    stamp: u64,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), unanswered: false, stamp: 0 }
    }

    /// The beat that is due.
    pub(super) fn next(&mut self) -> Beat {
        if self.unanswered {
            return Beat::Dead;
        }
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

    /// Handles a pong. Returns the stamp of its ping, if it has a valid one, and the time since then.
    pub(super) fn pong(&mut self, payload: &[u8]) -> Option<(u64, Duration)> {
        let stamp = u64::from_be_bytes(payload.try_into().ok()?);
        if stamp > self.stamp {
            return None;
        }
        self.unanswered = false;
        Some((stamp, self.begun.elapsed().saturating_sub(Duration::from_micros(stamp))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_answers_is_alive() {
        let mut pulse = Pulse::new();
        for beat in 1..4 {
            tokio::time::advance(Duration::from_secs(20)).await;
            let Beat::Ping(ping) = pulse.next() else { panic!("answered, and yet dead") };
            tokio::time::advance(Duration::from_millis(70)).await;
            let sent = beat * 20_000_000 + (beat - 1) * 70_000;
            assert_eq!(pulse.pong(&ping.bytes()[2..]), Some((sent, Duration::from_millis(70))));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_answer_is_dead_a_beat_later() {
        let mut pulse = Pulse::new();
        assert!(matches!(pulse.next(), Beat::Ping(_)));
        assert!(pulse.pong(b"nonsense of theirs").is_none());
        assert!(matches!(pulse.next(), Beat::Dead));
    }
}
