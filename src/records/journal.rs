//! Writes the facts of live games to the records, many in one transaction.
//!
//! An operation that changes a fact waits until it is written, and only then announces it. While one transaction runs,
//! the next changes queue up; of a game that changed several times only the newest facts are written, since they
//! contain the earlier ones, and then its end. (Facts shared through Redis need not wait: see `live/redis/records.rs`.)

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::Records;
use crate::game::{Game, GameId, Timestamp};
use crate::telemetry::{TraceContext, gathered_span, mark_failed};
use crate::{Error, Kind};

/// Changes that may wait to be written; beyond that, operations that change facts wait.
const CAPACITY: usize = 1024;

/// Timeout of a transaction before it is retried.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15);

/// Longest back-off between retries of a failing transaction; short, since lobbies and races wait for it.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// One change of a live game.
#[derive(Clone, Debug)]
pub enum Change {
    /// The current facts.
    Saved(Arc<Game>),
    /// The game is over.
    Ended {
        /// The game.
        game: GameId,
        /// When it ended.
        at: Timestamp,
    },
}

impl Change {
    fn game(&self) -> GameId {
        match self {
            Self::Saved(game) => game.id,
            Self::Ended { game, .. } => *game,
        }
    }
}

/// A change in the queue.
struct JournalEntry {
    change: Change,
    /// The span that changed it.
    cause: TraceContext,
    written: oneshot::Sender<()>,
}

/// A handle to the journal's task.
#[derive(Clone)]
pub struct Journal(mpsc::Sender<JournalEntry>);

/// Room for one change in the journal, reserved before a fact is changed, so that changes are written in their order.
pub struct JournalPermit<'a>(mpsc::Permit<'a, JournalEntry>);

/// A change that is being written.
#[must_use = "a fact is announced after it is written"]
pub struct Writing(oneshot::Receiver<()>);

impl Journal {
    /// Starts the task, until `stop`, which must be cancelled only after the last change of a fact.
    pub fn start(records: Records, tasks: &TaskTracker, stop: CancellationToken) -> Self {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        tasks.spawn(async move { stop.run_until_cancelled(write_all(records, receiver)).await });
        Self(sender)
    }

    /// Waits for room in the queue.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the journal has ended.
    pub async fn reserve(&self) -> Result<JournalPermit<'_>, Error> {
        self.0.reserve().await.map(JournalPermit).map_err(|_| Kind::UNAVAILABLE.into())
    }

    /// A permit, if the queue has room.
    pub fn try_reserve(&self) -> Option<JournalPermit<'_>> {
        self.0.try_reserve().ok().map(JournalPermit)
    }
}

impl JournalPermit<'_> {
    /// Queues a change; must be called under the lock under which it was made.
    pub fn write(self, change: Change) -> Writing {
        let (written, writing) = oneshot::channel();
        self.0.send(JournalEntry { change, cause: TraceContext::current(), written });
        Writing(writing)
    }
}

impl Writing {
    /// Waits until the change is written.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the server stops before it is.
    pub async fn done(self) -> Result<(), Error> {
        self.0.await.map_err(|_| Kind::UNAVAILABLE.into())
    }
}

async fn write_all(records: Records, mut receiver: mpsc::Receiver<JournalEntry>) {
    let mut entries = Vec::new();
    while receiver.recv_many(&mut entries, CAPACITY).await > 0 {
        let causes: Vec<_> = entries.iter().map(|it| &it.cause).collect();
        write(&records, &newest(entries.iter().map(|it| &it.change)), &causes).await;
        for entry in entries.drain(..) {
            // The waiting operation may have been cancelled; the fact is written all the same.
            let _ = entry.written.send(());
        }
    }
}

/// Keeps each game's latest snapshot, then its end marker, which contains no facts: the snapshot may hold results that
/// are not written yet. With several pods the facts of a game may arrive out of order; their version decides. Sorted,
/// so that two pods that write the same games cannot deadlock.
fn newest<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<Change> {
    let mut games: BTreeMap<GameId, [Option<&Change>; 2]> = BTreeMap::new();
    for change in changes {
        let [saved, ended] = games.entry(change.game()).or_default();
        match (change, &saved) {
            (Change::Ended { .. }, _) => *ended = Some(change),
            (Change::Saved(new), Some(Change::Saved(known))) if new.version < known.version => {}
            (Change::Saved(_), _) => *saved = Some(change),
        }
    }
    games.into_values().flatten().flatten().cloned().collect()
}

/// Retries until it is written: the facts have changed and cannot be rolled back. Meanwhile changes wait, and requests
/// time out with "try again". The health watch reports the outage, once.
async fn write(records: &Records, changes: &[Change], causes: &[&TraceContext]) {
    let mut pause = Duration::from_millis(50);
    loop {
        let span = gathered_span("records save", causes.iter().copied());
        // Without the timeout, a connection whose peer has vanished would block for 15 minutes.
        let saving = tokio::time::timeout(TRANSACTION_TIMEOUT, records.save(changes));
        let written = match saving.instrument(span.clone()).await {
            Ok(saved) => saved.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {TRANSACTION_TIMEOUT:?}")),
        };
        records.writes.record(&written);
        let Err(problem) = written else { return };
        mark_failed(&span, Kind::UNAVAILABLE.code);
        drop(span);
        tracing::debug!(problem, "the records cannot be written; lobbies and races wait");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
