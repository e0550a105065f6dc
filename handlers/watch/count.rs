//! Counts the spectators of each race over all pods. Each pod tells the others its own number when that changes, and again
//! every few seconds; each adds up what it knows. The players are told at most once per second.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::audience::Audiences;
use crate::Error;
use crate::bus::{Event, Fleeting, Heard, Latest, Reach};
use crate::game::GameId;
use crate::module::Cx;

/// Interval of counting.
const ROUND: Duration = Duration::from_secs(1);
/// Interval at which a pod repeats its number: for pods to which a player has moved, and if a message was lost.
const AGAIN: Duration = Duration::from_secs(5);
/// After so long without a repetition, the spectators of a pod count no more.
const FORGOTTEN: Duration = Duration::from_secs(16);

/// The number of spectators of a race on one pod.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct SpectatorsSeen {
    pub(super) game: GameId,
    pub(super) pod: String,
    pub(super) count: u32,
}

impl Event for SpectatorsSeen {
    const NAME: &'static str = "spectators.seen";
    const REACH: Reach = Reach::Game;
    type Loss = Latest;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// The number of spectators of a race on all pods, for the sockets of this one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct SpectatorsCounted {
    pub(super) game: GameId,
    pub(super) count: u32,
}

impl Event for SpectatorsCounted {
    const NAME: &'static str = "spectators.counted";
    const REACH: Reach = Reach::Pod;
    type Loss = Fleeting;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// The numbers of all races that are watched.
#[derive(Default)]
pub(super) struct SpectatorCounts(Mutex<CountState>);

#[derive(Default)]
struct CountState {
    /// Whether the task that counts is running.
    is_counting: bool,
    games: HashMap<GameId, Count>,
}

/// The numbers of one race.
#[derive(Default)]
struct Count {
    /// The number here that the other pods were told, and when.
    told: Option<(u32, Instant)>,
    /// Those of the other pods, and when they were told.
    others: HashMap<String, (u32, Instant)>,
    /// The sum that players were told.
    shown: u32,
}

impl Count {
    fn elsewhere(&self) -> u32 {
        self.others.values().map(|(count, _)| count).sum()
    }
}

/// What a round has found of a race: what is to be told to the other pods, and to the players.
#[derive(Debug, PartialEq, Eq)]
struct News {
    game: GameId,
    tell: Option<u32>,
    show: Option<u32>,
}

impl CountState {
    fn record(&mut self, game: GameId, pod: String, count: u32, now: Instant) {
        self.games.entry(game).or_default().others.insert(pod, (count, now));
    }

    /// Compares what is known with what was told. Forgets races without spectators.
    fn round(&mut self, here: &HashMap<GameId, u32>, now: Instant) -> Vec<News> {
        for game in here.keys() {
            self.games.entry(*game).or_default();
        }
        let mut news = Vec::new();
        for (game, known) in &mut self.games {
            let (game, here) = (*game, here.get(game).copied().unwrap_or(0));
            known.others.retain(|_, (count, at)| *count > 0 && now - *at < FORGOTTEN);
            let is_due = match known.told {
                None => here > 0,
                Some((told, at)) => told != here || (here > 0 && now - at >= AGAIN),
            };
            let tell = is_due.then_some(here);
            known.told = if is_due { Some((here, now)) } else { known.told };
            let sum = here + known.elsewhere();
            let show = (sum != known.shown).then_some(sum);
            known.shown = sum;
            if tell.is_some() || show.is_some() {
                news.push(News { game, tell, show });
            }
        }
        let is_watched = |it: &Count| it.shown > 0 || !it.others.is_empty();
        self.games.retain(|game, it| here.contains_key(game) || is_watched(it));
        self.is_counting = !self.games.is_empty();
        news
    }
}

impl SpectatorCounts {
    /// The number that the players of a race were told.
    pub(super) fn shown(&self, game: GameId) -> u32 {
        self.0.lock().games.get(&game).map_or(0, |it| it.shown)
    }

    /// The number on other pods.
    pub(super) fn elsewhere(&self, game: GameId) -> u32 {
        self.0.lock().games.get(&game).map_or(0, Count::elsewhere)
    }

    /// Counts from now on, as long as there is something to count.
    pub(super) fn begin(&self, cx: &Cx) {
        if !std::mem::replace(&mut self.0.lock().is_counting, true) {
            let its = cx.clone();
            cx.spawn_background(async move { count(&its).await });
        }
    }
}

/// Another pod has told its number.
pub(super) async fn hear(cx: Cx, seen: Heard<SpectatorsSeen>) -> Result<(), Error> {
    if seen.pod != cx.live().pod().as_str() {
        let counts = cx.state::<SpectatorCounts>();
        counts.0.lock().record(seen.game, seen.pod.clone(), seen.count, Instant::now());
        counts.begin(&cx);
    }
    Ok(())
}

async fn count(cx: &Cx) {
    let (counts, audiences) = (cx.state::<SpectatorCounts>(), cx.state::<Audiences>());
    loop {
        sleep(ROUND).await;
        let (news, is_over) = {
            let mut state = counts.0.lock();
            // Under the lock: a later spectator finds that nothing is counted any more.
            let here = audiences.counts();
            cx.gauge("spectators").set(here.values().copied().map(u64::from).sum());
            let news = state.round(&here, Instant::now());
            (news, !state.is_counting)
        };
        for News { game, tell, show } in news {
            let pod = cx.live().pod().to_string();
            let seen = tell.map(|count| SpectatorsSeen { game, pod, count });
            let counted = show.map(|count| SpectatorsCounted { game, count });
            cx.publish((seen, counted)).await;
        }
        if is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAME: GameId = GameId(1);

    #[tokio::test(start_paused = true)]
    async fn what_changes_is_told_once_and_what_stays_is_repeated() {
        let mut state = CountState::default();
        let here = |count: u32| HashMap::from([(GAME, count)]);
        let round = |state: &mut CountState, count: u32| {
            let counted = if count == 0 { HashMap::new() } else { here(count) };
            let mut news = state.round(&counted, Instant::now());
            news.pop().map(|it| (it.tell, it.show))
        };
        assert_eq!(round(&mut state, 2), Some((Some(2), Some(2))));
        assert_eq!(round(&mut state, 2), None);
        state.record(GAME, "b".into(), 40, Instant::now());
        assert_eq!(round(&mut state, 2), Some((None, Some(42))));
        tokio::time::advance(AGAIN).await;
        assert_eq!(round(&mut state, 2), Some((Some(2), None)), "repeated to the pods only");
        tokio::time::advance(FORGOTTEN - AGAIN).await;
        assert_eq!(round(&mut state, 2), Some((Some(2), Some(2))), "the other pod is gone");
        assert_eq!(round(&mut state, 0), Some((Some(0), Some(0))));
        assert!(!state.is_counting && state.games.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn players_of_a_pod_without_spectators_are_told_of_those_elsewhere() {
        let mut state = CountState::default();
        let none = HashMap::new();
        state.record(GAME, "b".into(), 3, Instant::now());
        let news = state.round(&none, Instant::now());
        assert_eq!(news, [News { game: GAME, tell: None, show: Some(3) }]);
        assert!(state.is_counting);
        state.record(GAME, "b".into(), 0, Instant::now());
        let news = state.round(&none, Instant::now());
        assert_eq!(news, [News { game: GAME, tell: None, show: Some(0) }]);
        assert!(!state.is_counting);
    }
}
