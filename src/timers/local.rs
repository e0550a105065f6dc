//! The agenda of a single server: the deadlines of all games, in this process.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::sleep;

use super::Timers;
use super::agenda::{Agenda, Deadline, Next, Which};
use super::wakes::Wakes;
use crate::clock;
use crate::game::{Game, GameId, Timestamp};
use crate::telemetry::TraceContext;

/// Interval between sweeps over the facts of all games.
const SWEEP: Duration = Duration::from_secs(5);

/// Keeps all deadlines in this process. One that has fired is gone: what its handler left undone, the sweep finds.
pub(super) struct LocalAgenda {
    wakes: Arc<Wakes>,
    /// The version of the facts from which each game's timers were set. Older facts, which arrive late, are ignored.
    versions: Mutex<HashMap<GameId, u64>>,
}

impl LocalAgenda {
    pub(super) fn new(wakes: &Arc<Wakes>) -> Self {
        Self { wakes: wakes.clone(), versions: Mutex::default() }
    }
}

#[async_trait]
impl Agenda for LocalAgenda {
    fn set(&self, game: &Game, deadlines: &mut dyn Iterator<Item = Deadline>) {
        // Held to the end: otherwise older facts could overtake newer ones here.
        let mut versions = self.versions.lock();
        let known = versions.entry(game.id).or_default();
        if *known > game.version {
            return;
        }
        *known = game.version;
        let all = deadlines.map(|(timer, due)| ((game.id, timer), due));
        self.wakes.set_all(all, &TraceContext::current());
        drop(versions);
        clock::hold();
    }

    fn put_off(&self, which: Which, due: Timestamp) {
        self.wakes.set(which, due, &TraceContext::current());
    }

    async fn settle(&self, _: Which, _: Next<'_>) {}

    /// Sets all timers again from the facts, for what a failed handler has left undone.
    async fn sweep(&self, timers: &Timers) {
        loop {
            sleep(SWEEP).await;
            timers.live().expire(Timestamp::now());
            // Read before the facts, so that games that open meanwhile keep their deadlines.
            let known = self.wakes.games();
            let mut ids = HashSet::new();
            let armed = timers.live().visit_games(|game| {
                ids.insert(game.id);
                timers.arm(game);
            });
            if armed.await.is_err() {
                continue;
            }
            let mut versions = self.versions.lock();
            self.wakes.forget(|game| known.contains(&game) && !ids.contains(&game));
            // This also drops the versions of games that opened meanwhile: their next facts set them again.
            versions.retain(|game, _| ids.contains(game));
        }
    }
}
