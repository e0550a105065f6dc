//! The drain of a pod: it refuses new sockets, and tells the open ones to reconnect, spread over time.
//!
//! Every stop begins with a drain, and an operator may drain without a stop (`operations`). With other pods, the
//! sockets are closed in small random batches over `shutdown.drain`, so that the others see no storm of handshakes. On
//! a single server all are closed at once, and the close frame gives each client a different delay.
//!
//! Requests are answered until the end. The other steps of a stop are in `app`.

use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::Kind;
use crate::peers::Peers;
use crate::socket::rooms::{Goodbye, Rooms};

/// Interval between two batches.
const BATCH: Duration = Duration::from_millis(100);

/// Minimum of sockets closed per second: so few are harmless, and a small pod drains quickly.
const FEWEST_PER_SECOND: f64 = 10.0;

/// Expected time until a single server is back.
const RESTART: Duration = Duration::from_millis(500);

/// Spread of the reconnects after that, if they are few.
const RETURN: Duration = Duration::from_secs(1);

/// Reconnects per second if they are many: 10,000 in two seconds.
const MOST_RETURNS_PER_SECOND: f64 = 5_000.0;

/// The state of the drain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct DrainStage {
    is_on: bool,
    /// Every socket has been told to reconnect.
    is_done: bool,
    /// The server is about to stop.
    for_good: bool,
}

/// Whether this pod drains. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drain(Arc<watch::Sender<DrainStage>>);

impl Drain {
    /// Whether new sockets are refused.
    pub(crate) fn is_on(&self) -> bool {
        self.0.borrow().is_on
    }

    /// Whether the server is about to stop.
    pub(crate) fn is_for_good(&self) -> bool {
        self.0.borrow().for_good
    }

    /// Begins the drain, unless it has begun.
    pub(crate) fn begin(&self) {
        self.0.send_if_modified(|stage| !std::mem::replace(&mut stage.is_on, true));
    }

    /// Ends the drain: sockets are accepted again. Returns `false` if the server is about to stop.
    pub(crate) fn end(&self) -> bool {
        self.0.send_if_modified(|stage| {
            let ends = stage.is_on && !stage.for_good;
            *stage = if ends { DrainStage::default() } else { *stage };
            ends
        });
        !self.0.borrow().for_good
    }

    /// Begins the drain of a stop. Returns once every socket has been told to reconnect.
    pub(crate) async fn complete(&self) {
        self.0.send_modify(|stage| (stage.is_on, stage.for_good) = (true, true));
        // `self` holds the sender, so it exists.
        let _ = self.0.subscribe().wait_for(|stage| stage.is_done).await;
    }
}

/// Closes sockets whenever the pod drains, for ever.
pub(crate) async fn run(drain: Drain, rooms: Arc<Rooms>, peers: Peers, over: Duration) {
    let stage = &drain.0;
    loop {
        let _ = stage.subscribe().wait_for(|stage| stage.is_on && !stage.is_done).await;
        let is_over = async {
            let _ = stage.subscribe().wait_for(|stage| !stage.is_on).await;
        };
        tokio::select! {
            () = send_away(&rooms, &peers, over) => {
                stage.send_if_modified(|stage| {
                    stage.is_done = stage.is_on;
                    stage.is_on
                });
            }
            () = is_over => {}
        }
    }
}

/// Tells every open socket to reconnect. Sockets that open from now on are told when they enter their rooms.
async fn send_away(rooms: &Rooms, peers: &Peers, over: Duration) {
    let begun = Instant::now();
    let sockets = rooms.open_members().len();
    tracing::info!(
        sockets,
        elsewhere = peers.can_take_sockets(),
        "draining: new sockets are refused, open ones move to other pods"
    );
    loop {
        let mut open = rooms.open_members();
        if open.is_empty() {
            return;
        }
        let left = over.saturating_sub(begun.elapsed());
        let batch = if peers.can_take_sockets() { batch_of(open.len(), left) } else { open.len() };
        let (chosen, _) = open.partial_shuffle(&mut rand::rng(), batch);
        for member in chosen {
            member.outbox.close(goodbye(peers, sockets));
        }
        sleep(BATCH).await;
    }
}

/// The close frame of one of `sockets` sockets.
fn goodbye(peers: &Peers, sockets: usize) -> Goodbye {
    let after = match peers.can_take_sockets() {
        true => BATCH.mul_f64(rand::random()),
        false => RESTART + return_of(sockets).mul_f64(rand::random()),
    };
    Goodbye { kind: Kind::RESTARTING, after: Some(after) }
}

/// The close frame of a socket that opens during the drain.
pub(crate) fn goodbye_to_latecomer(peers: &Peers) -> Goodbye {
    goodbye(peers, 1)
}

/// The size of the next batch, with `left` time for all open sockets.
fn batch_of(open: usize, left: Duration) -> usize {
    let batches = (left.as_secs_f64() / BATCH.as_secs_f64()).max(1.0);
    let fewest = FEWEST_PER_SECOND * BATCH.as_secs_f64();
    // At most `open`, so it fits.
    ((open as f64 / batches).max(fewest).ceil() as usize).min(open)
}

/// The spread of the reconnects to a single server.
fn return_of(sockets: usize) -> Duration {
    RETURN.max(Duration::from_secs_f64(sockets as f64 / MOST_RETURNS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of sockets left after each batch, if none closes by itself.
    fn lefts(sockets: usize, over: Duration) -> Vec<usize> {
        let (mut open, mut lefts, mut left) = (sockets, Vec::new(), over);
        while open > 0 {
            open -= batch_of(open, left);
            lefts.push(open);
            left = left.saturating_sub(BATCH);
        }
        lefts
    }

    #[test]
    fn sockets_are_closed_evenly_over_the_time_that_there_is() {
        let over = Duration::from_secs(20);
        for sockets in [400, 2_000, 100_000] {
            let lefts = lefts(sockets, over);
            assert_eq!(lefts.len(), 200, "{sockets} sockets");
            for (number, left) in (1..).zip(&lefts) {
                let even = sockets - sockets * number / 200;
                assert!(left.abs_diff(even) <= 1, "{left} of {sockets} after {number} batches");
            }
        }
        let in_two_seconds = 100_000 - lefts(100_000, over)[19];
        assert!(in_two_seconds >= 10_000, "{in_two_seconds}");
    }

    #[test]
    fn a_few_sockets_are_not_waited_for() {
        assert_eq!(lefts(12, Duration::from_secs(20)).len(), 12);
        assert_eq!(lefts(12, Duration::ZERO).len(), 1);
        assert_eq!(lefts(100_000, Duration::ZERO).len(), 1);
    }

    #[test]
    fn clients_of_a_single_server_come_back_while_it_still_waits_for_them() {
        assert_eq!(return_of(30), RETURN);
        assert_eq!(return_of(20_000), Duration::from_secs(4), "10,000 in two seconds");
    }

    #[tokio::test]
    async fn an_operator_can_end_a_drain_but_not_a_stop() {
        let drain = Drain::default();
        assert!(!drain.is_on() && drain.end());
        drain.begin();
        assert!(drain.is_on() && drain.end() && !drain.is_on());
        drain.0.send_modify(|stage| stage.is_done = true);
        drain.complete().await;
        assert!(!drain.end() && drain.is_on());
    }
}
