//! Which other pods hold sockets of this pod's games.
//!
//! A cache of the roster in Redis, read for every keystroke without a lock that all games share. A pod that enters a game
//! tells the others, which answer with the positions of their players. A pod whose last socket of a game has closed stays
//! on the roster for a moment, since pages reopen their sockets at START.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use super::Bridge;
use super::message::Talk;
use crate::Error;
use crate::game::{GameId, PodName};
use crate::telemetry::TraceContext;

/// How long a pod stays on the roster of a game after its last socket.
const LINGER: Duration = Duration::from_secs(3);
/// Interval at which lingering games are left.
const ROUND: Duration = Duration::from_secs(1);
/// How long a pod counts as alive after it was last seen. Messages to a dead pod are dropped by the broker; but a Redis
/// that lost its memory learns of the pods one by one.
const ALIVE: Duration = Duration::from_secs(5);
/// Interval at which the cache is refreshed: Redis may have lost entries, and messages between pods may get lost.
const REFRESH: Duration = Duration::from_secs(10);

/// The other pods with sockets of a game.
type Others = Arc<[PodName]>;

#[derive(Default)]
struct RosterEntry {
    sockets: usize,
    /// Since when the game has no sockets here.
    lingers: Option<Instant>,
    others: Others,
    /// Set once the other pods know of this one.
    known: Arc<OnceCell<()>>,
}

#[derive(Default)]
struct RosterState {
    games: HashMap<GameId, RosterEntry>,
    alive: HashMap<PodName, Instant>,
    /// Pods found dead since.
    dead: Vec<PodName>,
}

/// Shards of what keystrokes read, each with its own lock.
const SHARDS: usize = 64;

/// Cached from Redis: which pods hold sockets of this pod's games.
pub(super) struct Roster {
    state: Mutex<RosterState>,
    /// Of each game with other pods, these pods: a copy, changed together with the entries, for keystrokes.
    others: [RwLock<HashMap<GameId, Others>>; SHARDS],
}

impl Default for Roster {
    fn default() -> Self {
        Self { state: Mutex::default(), others: std::array::from_fn(|_| RwLock::default()) }
    }
}

impl Roster {
    /// Counts one more socket of the game here.
    pub(super) fn count_in(&self, game: GameId) -> Arc<OnceCell<()>> {
        let mut state = self.state.lock();
        let entry = state.games.entry(game).or_default();
        entry.sockets += 1;
        entry.lingers = None;
        entry.known.clone()
    }

    /// Counts one socket less.
    pub(super) fn leave(&self, game: GameId) {
        if let Some(entry) = self.state.lock().games.get_mut(&game) {
            entry.sockets = entry.sockets.saturating_sub(1);
            if entry.sockets == 0 {
                entry.lingers = Some(Instant::now());
            }
        }
    }

    pub(super) fn has_others(&self, game: GameId) -> bool {
        self.shard(game).read().contains_key(&game)
    }

    pub(super) fn others(&self, game: GameId) -> Others {
        self.shard(game).read().get(&game).cloned().unwrap_or_default()
    }

    fn shard(&self, game: GameId) -> &RwLock<HashMap<GameId, Others>> {
        let index = game.0.unsigned_abs() % SHARDS as u64;
        &self.others[usize::try_from(index).expect("a remainder of SHARDS")]
    }

    /// Sets the other pods of an entry, which the caller has locked, and the copy.
    fn set_others(
        &self,
        game: GameId,
        entry: &mut RosterEntry,
        others: impl Iterator<Item = PodName>,
    ) {
        entry.others = others.collect();
        let mut shard = self.shard(game).write();
        if entry.others.is_empty() {
            shard.remove(&game);
        } else {
            shard.insert(game, entry.others.clone());
        }
    }

    /// Those of `pods` that are alive.
    fn living(&self, pods: Vec<PodName>) -> Vec<PodName> {
        let state = self.state.lock();
        pods.into_iter().filter(|pod| state.alive.contains_key(pod)).collect()
    }

    /// Whether one of them is unknown.
    fn has_stranger(&self, pods: &[PodName]) -> bool {
        let state = self.state.lock();
        pods.iter().any(|pod| !state.alive.contains_key(pod) && !state.dead.contains(pod))
    }

    /// Remembers pods as dead until the next [`Roster::set_alive`].
    fn note_dead(&self, pods: &[PodName]) {
        let mut state = self.state.lock();
        let RosterState { alive, dead, .. } = &mut *state;
        dead.extend(pods.iter().filter(|pod| !alive.contains_key(pod)).cloned());
    }

    fn set(&self, game: GameId, others: Vec<PodName>) {
        if let Some(entry) = self.state.lock().games.get_mut(&game) {
            self.set_others(game, entry, others.into_iter());
        }
    }

    /// Adds a pod to a game's roster. Returns whether the game has sockets here, too.
    pub(super) fn add(&self, game: GameId, pod: &PodName) -> bool {
        let mut state = self.state.lock();
        state.alive.insert(pod.clone(), Instant::now());
        let Some(entry) = state.games.get_mut(&game) else { return false };
        if !entry.others.contains(pod) {
            let others = entry.others.clone();
            self.set_others(game, entry, others.iter().chain([pod]).cloned());
        }
        true
    }

    pub(super) fn remove(&self, game: GameId, pod: &PodName) {
        if let Some(entry) = self.state.lock().games.get_mut(&game) {
            let others = entry.others.clone();
            self.set_others(game, entry, others.iter().filter(|it| *it != pod).cloned());
        }
    }

    /// Sets the pods that are alive, in addition to those seen a moment ago.
    pub(super) fn set_alive(&self, alive: Vec<PodName>) {
        let mut state = self.state.lock();
        let RosterState { games, alive: seen, dead } = &mut *state;
        seen.retain(|_, at| at.elapsed() < ALIVE);
        seen.extend(alive.into_iter().map(|pod| (pod, Instant::now())));
        for (game, entry) in games {
            let others = entry.others.clone();
            if others.iter().any(|pod| !seen.contains_key(pod)) {
                let others = others.iter().filter(|pod| seen.contains_key(pod));
                self.set_others(*game, entry, others.cloned());
            }
        }
        dead.clear();
    }

    fn is_in(&self, game: GameId) -> bool {
        self.state.lock().games.contains_key(&game)
    }

    /// The games that have sockets here.
    pub(super) fn here(&self) -> Vec<GameId> {
        let state = self.state.lock();
        state.games.iter().filter(|(_, it)| it.sockets > 0).map(|(game, _)| *game).collect()
    }

    /// The state of telling the other pods that this one has sockets of the game.
    fn known(&self, game: GameId) -> Option<Arc<OnceCell<()>>> {
        self.state.lock().games.get(&game).map(|entry| entry.known.clone())
    }

    /// The games that the other pods do not know to have sockets here, because Redis has not answered.
    fn unknown(&self) -> Vec<GameId> {
        let state = self.state.lock();
        let unknown = state.games.iter().filter(|(_, it)| !it.known.initialized());
        unknown.map(|(game, _)| *game).collect()
    }

    fn games(&self) -> Vec<GameId> {
        self.state.lock().games.keys().copied().collect()
    }

    /// Removes and returns the games without sockets here for too long, with the pods on their rosters.
    fn take_left(&self) -> Vec<(GameId, Others)> {
        let mut state = self.state.lock();
        let is_over = |entry: &RosterEntry| {
            entry.sockets == 0 && entry.lingers.is_none_or(|at| at.elapsed() >= LINGER)
        };
        let left = state.games.iter().filter(|(_, entry)| is_over(entry));
        let left: Vec<_> = left.map(|(game, entry)| (*game, entry.others.clone())).collect();
        for (game, _) in &left {
            state.games.remove(game);
            self.shard(*game).write().remove(game);
        }
        left
    }
}

/// Puts this pod on a game's roster, and tells the pods that are on it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`, if Redis does not answer; the other pods then do not know of this one.
pub(super) async fn introduce(bridge: &Bridge, game: GameId) -> Result<(), Error> {
    let pods = bridge.live.enter_pod(game).await.inspect_err(
        |error| tracing::debug!(%game, %error, "the other pods could not be told of a game here"),
    )?;
    let others = bridge.reachable(pods).await;
    bridge.roster.set(game, others.clone());
    bridge.tell(&others, &[Talk::Entered(game)]).await;
    Ok(())
}

/// Introduces all games again, after the connection or Redis was lost.
pub(super) async fn introduce_all(bridge: &Bridge) {
    for game in bridge.roster.games() {
        bridge.introduce_again(game).await;
    }
}

/// Leaves games without sockets here, and refreshes the cache from time to time.
pub(super) async fn maintain(bridge: Arc<Bridge>) {
    let mut refreshed = Instant::now();
    loop {
        sleep(ROUND).await;
        for (game, others) in bridge.roster.take_left() {
            let _ = bridge.live.leave_pod(game).await;
            bridge.tell(&others, &[Talk::Left(game)]).await;
            // A socket may have opened meanwhile, and entered before this left.
            if bridge.roster.is_in(game) {
                bridge.introduce_again(game).await;
            }
        }
        for game in bridge.roster.unknown() {
            bridge.introduce_again(game).await;
        }
        if refreshed.elapsed() >= REFRESH {
            refreshed = Instant::now();
            for game in bridge.roster.games() {
                if let Ok(pods) = bridge.live.enter_pod(game).await {
                    bridge.roster.set(game, bridge.reachable(pods).await);
                }
            }
        }
    }
}

impl Bridge {
    /// Called when a socket of the game opens here: returns once the other pods know of this one, or Redis does not
    /// answer. In that case the next socket retries, or the next round.
    pub(super) async fn introduce_once(&self, game: GameId, known: &OnceCell<()>) {
        let _ = known.get_or_try_init(|| introduce(self, game)).await;
    }

    /// Introduces this pod, even if the others know of it.
    pub(super) async fn introduce_again(&self, game: GameId) {
        let Some(known) = self.roster.known(game) else { return };
        if known.initialized() {
            // The next refresh retries.
            let _ = introduce(self, game).await;
        } else {
            self.introduce_once(game, &known).await;
        }
    }

    /// Those of `pods` that are alive, without this one. Unknown pods may have started since the last heartbeat, so
    /// they are looked up at once; otherwise they would miss events.
    pub(super) async fn reachable(&self, mut pods: Vec<PodName>) -> Vec<PodName> {
        pods.retain(|pod| pod != self.live.pod());
        if self.roster.has_stranger(&pods) {
            if let Ok(beat) = self.live.beat().await {
                self.roster.set_alive(beat.alive);
            }
            self.roster.note_dead(&pods);
        }
        self.roster.living(pods)
    }

    /// Tells other pods something. Lost messages are made up for in the next round.
    pub(super) async fn tell(&self, pods: &[PodName], talk: &[Talk]) {
        if pods.is_empty() || talk.is_empty() {
            return;
        }
        let Some(link) = self.link() else { return };
        let message = super::message::of_talk(self.live.pod(), talk);
        let told = link.publish(&self.topology, pods, &message, &TraceContext::current()).await;
        if let Err(error) = told {
            tracing::debug!(%error, "other pods could not be told");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAME: GameId = GameId(1);

    fn names(names: &[&str]) -> Vec<PodName> {
        names.iter().map(|name| PodName::from(*name)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_keystroke_goes_to_the_pods_that_hold_an_opponent() {
        let roster = Roster::default();
        assert!(!roster.has_others(GAME));
        assert!(!roster.add(GAME, &"b".into()), "no socket is here");
        roster.count_in(GAME);
        roster.set_alive(names(&["a", "b"]));
        let pods = names(&["b", "dead"]);
        assert!(roster.has_stranger(&pods));
        roster.note_dead(&pods);
        assert!(!roster.has_stranger(&pods));
        roster.set(GAME, roster.living(pods));
        assert_eq!(&*roster.others(GAME), names(&["b"]));
        assert!(roster.add(GAME, &"c".into()));
        assert_eq!(&*roster.others(GAME), names(&["b", "c"]));
        roster.remove(GAME, &"b".into());
        roster.set_alive(names(&["a", "b"]));
        assert!(roster.has_others(GAME), "c was there a moment ago");
        tokio::time::advance(ALIVE).await;
        roster.set_alive(names(&["a", "b"]));
        assert!(!roster.has_others(GAME), "c has died");
    }

    #[tokio::test]
    async fn a_game_is_unknown_to_others_until_they_have_been_told() {
        let roster = Roster::default();
        let known = roster.count_in(GAME);
        let failed = known.get_or_try_init(async || Err::<(), _>("Redis is away")).await;
        assert!(failed.is_err());
        assert_eq!(roster.unknown(), [GAME]);
        known.get_or_init(async || ()).await;
        assert!(roster.unknown().is_empty());
        roster.count_in(GAME);
        assert!(roster.unknown().is_empty(), "its second socket");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_lingers_while_its_pages_open_their_sockets_again() {
        let roster = Roster::default();
        roster.count_in(GAME);
        roster.leave(GAME);
        tokio::time::advance(LINGER / 2).await;
        assert!(roster.take_left().is_empty());
        roster.count_in(GAME);
        tokio::time::advance(LINGER * 2).await;
        assert!(roster.take_left().is_empty());
        roster.leave(GAME);
        tokio::time::advance(LINGER).await;
        assert!(roster.add(GAME, &"b".into()));
        assert!(roster.has_others(GAME));
        assert_eq!(roster.take_left().len(), 1);
        assert!(!roster.has_others(GAME));
        assert!(roster.games().is_empty());
    }
}
