//! What waits to be sent to other pods.

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

/// Lanes of lifecycle events: those of one game keep their order. Each waits for its confirms, so they are as
/// many as may be under way at once: hundreds of races may start in the same moment.
const LANES: usize = 32;
/// Events that may wait in one lane. When it is full, whoever publishes waits: for a moment, and not at all
/// while there is no broker, and then the event is dropped. It only wakes those who look at the facts, and a
/// lost connection makes all look.
const LANE_CAPACITY: usize = 256;
/// How long a publisher waits for a place.
const PATIENCE: Duration = Duration::from_secs(1);
/// The least time between two batches: after a small one, and after a large one. A keystroke after a pause goes at
/// once. What a message costs the broker depends little on its size, so that where many type, their
/// positions wait for each other a little longer.
const INTERVALS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(17));
/// So many positions are a large batch.
const MANY: usize = 6;
/// How long a message is tried again after the server was told to stop.
const LAST_TRIES: Duration = Duration::from_secs(2);

/// The lanes of lifecycle events.
pub(super) struct Lanes {
    senders: Vec<mpsc::Sender<Parcel>>,
    receivers: Mutex<Vec<mpsc::Receiver<Parcel>>>,
}

impl Default for Lanes {
    fn default() -> Self {
        let (senders, receivers) = (0..LANES).map(|_| mpsc::channel(LANE_CAPACITY)).unzip();
        Self { senders, receivers: Mutex::new(receivers) }
    }
}

impl Lanes {
    /// The receiving ends, once.
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

/// Sends the events of a lane, each until the broker has confirmed it.
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
            // The link that is there, or the next one.
            let Ok(link) = links.wait_for(Option::is_some).await.map(|link| link.clone()) else {
                return;
            };
            let Some(link) = link else { continue };
            let trace = &parcel.trace;
            let sent = match (parcel.reach, parcel.game) {
                (Reach::Game, Some(game)) => {
                    // After the facts have changed: who is not among them yet will see the new facts.
                    // A pod that is late to say that it lives hears it, too; a dead one costs nothing.
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
                    tracing::debug!(event = parcel.event, %error, "sent again later");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// Which of the positions replace each other.
type Whose = (GameId, &'static str, Option<UserId>);

/// The positions that wait, and the pods that they go to. There is one per player at most, so they need no
/// other bound.
#[derive(Default)]
pub(super) struct Batches {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

type Waiting = HashMap<Whose, (Arc<[PodName]>, Parcel)>;

impl Batches {
    pub(super) fn put(&self, pods: Arc<[PodName]>, parcel: Parcel) {
        let Some(game) = parcel.game else { return };
        let whose = (game, parcel.event, parcel.player.clone());
        self.waiting.lock().insert(whose, (pods, parcel));
        self.filled.notify_one();
    }
}

/// Sends the positions that wait; then nothing for a moment.
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
                count::BRIDGE_BATCH_SIZE.note(size as f64);
                link.relay(&bridge.topology, &pods, &message, (size, &traced)).await;
            }
        }
        sleep(if waiting.len() < MANY { INTERVALS.0 } else { INTERVALS.1 }).await;
    }
}

/// Who gets which of them: each pod its own, in a message of its own; or all pods the same, in one message, if
/// no more than half of what they get is of no use to them. Then the broker takes one message instead of
/// several, and a position of a game that has no sockets there costs its reading.
fn shares(waiting: &Waiting) -> Vec<(Vec<PodName>, Vec<&Parcel>)> {
    let mut by_pod: HashMap<&PodName, Vec<&Parcel>> = HashMap::new();
    for (pods, parcel) in waiting.values() {
        for pod in &**pods {
            by_pod.entry(pod).or_default().push(parcel);
        }
    }
    let (all, useful) =
        (waiting.len() * by_pod.len(), by_pod.values().map(Vec::len).sum::<usize>());
    if by_pod.len() > 1 && useful * 2 >= all {
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

    /// The positions of a player in each of these games, whose opponents are on these pods; and who gets how
    /// many.
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
    fn pods_that_want_much_the_same_get_one_message() {
        assert_eq!(sent(&[&["b", "c"], &["b", "c"]]), [to(&["b", "c"], 2)]);
        assert_eq!(sent(&[&["b", "c"], &["b"], &["b", "c"]]), [to(&["b", "c"], 3)]);
    }

    #[test]
    fn pods_that_want_different_things_get_a_message_each() {
        let games: &[&[&str]] = &[&["b"], &["c"], &["d"], &["d"]];
        assert_eq!(sent(games), [to(&["b"], 1), to(&["c"], 1), to(&["d"], 2)]);
        assert_eq!(sent(&[&["b"]]), [to(&["b"], 1)]);
        assert_eq!(sent(&[&[]]), []);
    }
}
