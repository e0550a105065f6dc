//! The spectators of each race on this pod, and what they see of it: read once for all of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use super::scene::Scene;
use super::wire::Watching;
use crate::Error;
use crate::game::GameId;
use crate::handlers::shared::WATCH;
use crate::module::Cx;
use crate::socket::{Frame, Message};

/// The least time between two readings of the facts that no event asks for.
const PAUSE: Duration = Duration::from_secs(1);

/// How often the replay of a race that is over is asked for: its results may still be under way.
const REPLAY_TRIES: u32 = 5;

/// The audiences of all races that are watched from this pod.
#[derive(Default)]
pub(super) struct Audiences(Mutex<HashMap<GameId, WatchedRace>>);

/// A race with its spectators on this pod.
struct WatchedRace {
    audience: Arc<Audience>,
    taken: u32,
}

impl Audiences {
    /// The audience of a race, if it has one here.
    pub(super) fn get(&self, game: GameId) -> Option<Arc<Audience>> {
        self.0.lock().get(&game).map(|watched| watched.audience.clone())
    }

    /// The number of spectators of each race.
    pub(super) fn counts(&self) -> HashMap<GameId, u32> {
        self.0.lock().iter().map(|(game, watched)| (*game, watched.taken)).collect()
    }

    /// Takes a slot for a spectator, unless the race has `most_of_race` here, or the pod has `most`.
    pub(super) fn enter(
        self: &Arc<Self>,
        game: GameId,
        most_of_race: u32,
        most: u32,
    ) -> Option<SpectatorSlot> {
        let mut all = self.0.lock();
        let here: u32 = all.values().map(|watched| watched.taken).sum();
        let of_race = all.get(&game).map_or(0, |watched| watched.taken);
        if here >= most || of_race >= most_of_race {
            return None;
        }
        let new = || WatchedRace { audience: Arc::new(Audience::of(game)), taken: 0 };
        let watched = all.entry(game).or_insert_with(new);
        watched.taken += 1;
        Some(SpectatorSlot { of: self.clone(), audience: watched.audience.clone() })
    }

    fn leave(&self, game: GameId) {
        let mut all = self.0.lock();
        if let Some(watched) = all.get_mut(&game) {
            watched.taken -= 1;
            if watched.taken == 0 {
                all.remove(&game);
            }
        }
    }
}

/// The slot of a spectator, from the handshake to the end of its socket.
pub(super) struct SpectatorSlot {
    of: Arc<Audiences>,
    pub(super) audience: Arc<Audience>,
}

impl Drop for SpectatorSlot {
    fn drop(&mut self) {
        self.of.leave(self.audience.game);
    }
}

/// The spectators of a race on this pod.
pub(super) struct Audience {
    pub(super) game: GameId,
    /// What was last read.
    scene: Mutex<Option<Arc<Scene>>>,
    /// Held while the facts are read and shown, so that what is older does not follow what is newer; with the number of
    /// times that the replay was asked for.
    reading: tokio::sync::Mutex<u32>,
    read_at: Mutex<Option<Instant>>,
    /// Whether a reading is due.
    is_due: AtomicBool,
}

impl Audience {
    fn of(game: GameId) -> Self {
        Self {
            game,
            scene: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            read_at: Mutex::default(),
            is_due: AtomicBool::new(false),
        }
    }

    /// What was last read, if anything was.
    pub(super) fn known(&self) -> Option<Arc<Scene>> {
        self.scene.lock().clone()
    }

    /// What was last read; the first spectator reads it.
    ///
    /// # Errors
    /// `GAME_NOT_FOUND`, or `SERVICE_UNAVAILABLE`.
    pub(super) async fn scene(self: &Arc<Self>, cx: &Cx) -> Result<Arc<Scene>, Error> {
        match self.known() {
            Some(scene) => Ok(scene),
            None => self.read(cx).await,
        }
    }

    /// Reads the facts, and shows what has changed to all spectators here.
    ///
    /// # Errors
    /// `GAME_NOT_FOUND`, or `SERVICE_UNAVAILABLE`.
    pub(super) async fn read(self: &Arc<Self>, cx: &Cx) -> Result<Arc<Scene>, Error> {
        let mut replay_tries = self.reading.lock().await;
        *self.read_at.lock() = Some(Instant::now());
        let before = self.known();
        let scene = Arc::new(Scene::read(cx, self.game, before.as_deref()).await?);
        if scene.lacks_replay() && *replay_tries < REPLAY_TRIES {
            *replay_tries += 1;
            self.read_soon(cx);
        }
        if before.as_ref() == Some(&scene) {
            return Ok(scene);
        }
        *self.scene.lock() = Some(scene.clone());
        if let Some(room) = cx.rooms().get(WATCH, self.game).filter(|_| before.is_some()) {
            if !scene.is_forbidden {
                room.spread(Watching::EVENT, &Frame::of(&scene.now(cx))).await;
            }
            if scene.is_forbidden || scene.is_gone {
                // Each socket finds out why, and closes.
                room.wake();
            }
        }
        Ok(scene)
    }

    /// Reads the facts soon, once for all calls until then: they may have changed without an event.
    pub(super) fn read_soon(self: &Arc<Self>, cx: &Cx) {
        if self.is_due.swap(true, Ordering::AcqRel) {
            return;
        }
        let due = self.read_at.lock().map_or_else(Instant::now, |at| at + PAUSE);
        let (audience, its) = (self.clone(), cx.clone());
        cx.spawn_background(async move {
            sleep_until(due).await;
            audience.is_due.store(false, Ordering::Release);
            // After an error, the next heartbeat of a spectator asks again.
            let _ = audience.read(&its).await;
        });
    }
}
