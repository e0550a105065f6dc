//! Queues of what is to be sent to other pods.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Bridge, message};
use crate::bus::{Parcel, Reach};
use crate::game::{GameId, PodName, UserId};
use crate::telemetry::count;

/// Lanes of lifecycle events: events of one game keep their order. Each lane waits for its confirms, so this is the
/// number of messages in flight: hundreds of races may start in the same moment.
const LANES: usize = 32;
/// Events that may wait in one lane. When it is full, the publisher waits for [`PATIENCE`], or not at all without a
/// broker; then the event is dropped. Other pods' modules do not hear it, and its views are not shown there; their sockets
/// re-read the facts at the latest when the lookout finds them changed.
const LANE_CAPACITY: usize = 256;
/// How long a publisher waits for room in a lane.
const PATIENCE: Duration = Duration::from_secs(1);
/// Shortest interval between two batches: after a small one, and after a large one. A keystroke after a pause is sent
/// at once. A message's cost to the broker depends little on its size, so under load positions are batched a little
/// longer.
const INTERVALS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(10));
/// Batch size from which the longer interval applies.
const MANY: usize = 6;
/// Positions of no use to the pod that gets them, for each message that is saved: a message costs the broker about 130 µs
/// (docs/scale.md), and a position costs the pod that parses and drops it about 2 µs.
const USELESS: usize = 50;
/// How long a message is retried after the server was told to stop.
const LAST_TRIES: Duration = Duration::from_secs(2);

/// The lanes of lifecycle events.
pub(super) struct BridgeLanes {
    senders: Vec<mpsc::Sender<Parcel>>,
    receivers: Mutex<Vec<mpsc::Receiver<Parcel>>>,
}

impl Default for BridgeLanes {
    fn default() -> Self {
        let (senders, receivers) = (0..LANES).map(|_| mpsc::channel(LANE_CAPACITY)).unzip();
        Self { senders, receivers: Mutex::new(receivers) }
    }
}

impl BridgeLanes {
    /// The receiving ends; can be taken once.
    pub(super) fn receivers(&self) -> Vec<mpsc::Receiver<Parcel>> {
        std::mem::take(&mut *self.receivers.lock())
    }

    pub(super) async fn put(&self, parcel: Parcel, is_connected: bool) {
        let key = parcel.game.map_or(0, |game| game.0.unsigned_abs());
        let lane =
            &self.senders[usize::try_from(key % LANES as u64).expect("a remainder of LANES")];
        let patience = if is_connected { PATIENCE } else { Duration::ZERO };
        if lane.send_timeout(parcel, patience).await.is_err() {
            count::BRIDGE_DROPPED.add(1);
        }
    }
}

/// Sends the events of a lane, and retries each until the broker confirms it.
pub(super) async fn send(
    bridge: Arc<Bridge>,
    mut lane: mpsc::Receiver<Parcel>,
    stop: CancellationToken,
) {
    loop {
        let next = tokio::select! {
            biased;
            next = lane.recv() => next,
            () = stop.cancelled(), if !lane.is_closed() => {
                lane.close();
                continue;
            }
        };
        let Some(parcel) = next else { return };
        let sending = bridge.send(&parcel);
        let given_up = async {
            stop.cancelled().await;
            sleep(LAST_TRIES).await;
        };
        tokio::select! {
            () = sending => {}
            () = given_up => return,
        }
    }
}

impl Bridge {
    async fn send(&self, parcel: &Parcel) {
        let message = message::of_one(self.live.pod(), parcel);
        let mut links = self.link.subscribe();
        loop {
            // The current link, or the next one.
            let Ok(link) = links.wait_for(Option::is_some).await.map(|link| link.clone()) else {
                return;
            };
            let Some(link) = link else { continue };
            let trace = &parcel.trace;
            let sent = match (parcel.reach, parcel.game) {
                (Reach::Game | Reach::Player, Some(game)) => {
                    // Read after the facts changed: a pod that is not on the list yet will read the new facts. Pods
                    // with a late heartbeat are included; a dead one costs nothing.
                    let pods = match self.live.pods_of(game).await {
                        Ok(pods) => pods.into_iter().filter(|it| it != self.live.pod()).collect(),
                        Err(_) => self.roster.others(game).to_vec(),
                    };
                    link.publish(&self.topology, &pods, &message, trace).await
                }
                _ => link.publish_to_all(&self.topology, &message, trace).await,
            };
            match sent {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(event = parcel.event, %error, "will be sent again");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// The key by which positions replace each other.
type PositionKey = (GameId, &'static str, Option<UserId>);

/// The waiting positions and their receivers. At most one per player, which is the bound.
#[derive(Default)]
pub(super) struct Batches {
    waiting: Mutex<PendingPositions>,
    filled: Notify,
}

type PendingPositions = HashMap<PositionKey, (Arc<[PodName]>, Parcel)>;

impl Batches {
    pub(super) fn put(&self, pods: Arc<[PodName]>, parcel: Parcel) {
        let Some(game) = parcel.game else { return };
        let key = (game, parcel.event, parcel.player.clone());
        self.waiting.lock().insert(key, (pods, parcel));
        self.filled.notify_one();
    }
}

/// Sends the waiting positions, then pauses for the interval.
pub(super) async fn flush(bridge: Arc<Bridge>) {
    loop {
        bridge.batches.filled.notified().await;
        let waiting = std::mem::take(&mut *bridge.batches.waiting.lock());
        if let Some(link) = bridge.link() {
            count::BRIDGE_POSITIONS.add(waiting.len() as u64);
            for (pods, batch) in shares(&waiting) {
                let size = batch.len();
                let traced: Vec<_> =
                    batch.iter().map(|it| &it.trace).filter(|it| it.is_some()).collect();
                let message = message::of_many(bridge.live.pod(), batch.iter().copied());
                count::BRIDGE_BATCHES.add(1);
                count::BRIDGE_BATCH_SIZE.record(size as f64);
                link.relay(&bridge.topology, &pods, &message, (size, &traced)).await;
            }
        }
        sleep(if waiting.len() < MANY { INTERVALS.0 } else { INTERVALS.1 }).await;
    }
}

/// Divides the positions: one message per pod with the positions that it needs; or the same message for all pods, if few
/// enough of what they receive is useless to them ([`USELESS`]). Then the broker handles one message instead of several.
fn shares(waiting: &PendingPositions) -> Vec<(Vec<PodName>, Vec<&Parcel>)> {
    let mut by_pod: HashMap<&PodName, Vec<&Parcel>> = HashMap::new();
    for (pods, parcel) in waiting.values() {
        for pod in &**pods {
            by_pod.entry(pod).or_default().push(parcel);
        }
    }
    let useful: usize = by_pod.values().map(Vec::len).sum();
    let (useless, saved) = (waiting.len() * by_pod.len() - useful, by_pod.len().saturating_sub(1));
    if saved > 0 && useless <= USELESS * saved {
        let pods = by_pod.into_keys().cloned().collect();
        return vec![(pods, waiting.values().map(|(_, parcel)| parcel).collect())];
    }
    by_pod.into_iter().map(|(pod, parcels)| (vec![pod.clone()], parcels)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Timestamp;
    use crate::telemetry::TraceContext;

    /// One position in each of these games, whose opponents are on these pods. Returns the receivers of each message
    /// with its size.
    fn sent(games: &[&[&str]]) -> Vec<(Vec<String>, usize)> {
        let batches = Batches::default();
        for (number, pods) in (1..).zip(games) {
            let parcel = Parcel {
                event: "player.moved",
                reach: Reach::Game,
                game: Some(GameId(number)),
                player: Some("anna".into()),
                at: Timestamp(0),
                trace: TraceContext::none(),
                body: "{}".into(),
            };
            batches.put(pods.iter().map(|pod| PodName::from(*pod)).collect(), parcel);
        }
        let waiting = batches.waiting.lock();
        let mut sent: Vec<_> = shares(&waiting)
            .into_iter()
            .map(|(pods, batch)| {
                let mut names: Vec<_> = pods.iter().map(|pod| pod.as_str().to_owned()).collect();
                names.sort();
                (names, batch.len())
            })
            .collect();
        sent.sort();
        sent
    }

    fn to(pods: &[&str], positions: usize) -> (Vec<String>, usize) {
        (pods.iter().map(|pod| (*pod).to_owned()).collect(), positions)
    }

    #[test]
    fn one_message_serves_all_pods_if_it_is_small() {
        assert_eq!(sent(&[&["b", "c"], &["b", "c"]]), [to(&["b", "c"], 2)]);
        assert_eq!(sent(&[&["b", "c"], &["b"], &["b", "c"]]), [to(&["b", "c"], 3)]);
        let games: &[&[&str]] = &[&["b"], &["c"], &["d"], &["d"]];
        assert_eq!(sent(games), [to(&["b", "c", "d"], 4)]);
        assert_eq!(sent(&[&["b"]]), [to(&["b"], 1)]);
        assert_eq!(sent(&[&[]]), []);
    }

    #[test]
    fn pods_that_want_different_things_get_a_message_each_if_there_are_many() {
        let races = |count: usize| -> Vec<&[&str]> {
            (0..count).flat_map(|_| [&["b"][..], &["c"], &["d"]]).collect()
        };
        // Of 50 positions for each pod, 100 of others would reach each: three times those for two messages saved.
        assert_eq!(sent(&races(50)), [to(&["b"], 50), to(&["c"], 50), to(&["d"], 50)]);
        assert_eq!(sent(&races(16)), [to(&["b", "c", "d"], 48)]);
        assert_eq!(sent(&races(17)), [to(&["b"], 17), to(&["c"], 17), to(&["d"], 17)]);
    }
}
