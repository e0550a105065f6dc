//! Timers: when something is due is a function of the facts of a game, so that a restart finds every
//! timer again in the facts, and a timer that fires twice or too early does no harm.
//!
//! One task sleeps until the earliest deadline. The deadlines need no bound of their own: there is
//! one per timer and game.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::bus::{Delivery, Handling, Pending};
use crate::clock;
use crate::game::{Game, GameId, Timestamp};
use crate::live::LiveState;
use crate::module::{Cx, TimerDeclaration};
use crate::telemetry::{TraceContext, count};

/// A timer whose module is too busy to take it comes again after this.
const DEFERRED_BY: Duration = Duration::from_millis(100);

/// A timer whose module is switched off comes again after this.
const OFF_FOR: Duration = Duration::from_secs(1);

/// How often the facts of all games are looked at, and so the longest sleep at once.
const SWEEP: Duration = Duration::from_secs(5);

/// Which timer of which game.
type Which = (usize, GameId);

#[derive(Default)]
struct Deadlines {
    in_order: BTreeSet<(Timestamp, Which)>,
    by_timer: HashMap<Which, Timestamp>,
    /// By which facts the timers of a game were set: older ones, that come late, change nothing.
    versions: HashMap<GameId, u64>,
}

impl Deadlines {
    /// Returns whether it is the earliest now.
    fn set(&mut self, which: Which, due: Option<Timestamp>) -> bool {
        let before = match due {
            Some(due) => self.by_timer.insert(which, due),
            None => self.by_timer.remove(&which),
        };
        if let Some(before) = before {
            self.in_order.remove(&(before, which));
        }
        let Some(due) = due else { return false };
        self.in_order.insert((due, which));
        self.in_order.first() == Some(&(due, which))
    }

    /// The games that have deadlines.
    fn games(&self) -> HashSet<GameId> {
        self.by_timer.keys().map(|(_, game)| *game).collect()
    }

    /// A game is gone: without this, the deadline of its cleanup would stay for as long as a race is kept.
    fn forget(&mut self, game: GameId, timers: usize) {
        for timer in 0..timers {
            self.set((timer, game), None);
        }
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<Which> {
        let mut due = Vec::new();
        while let Some(&(at, which)) = self.in_order.first().filter(|(at, _)| *at <= now) {
            self.in_order.remove(&(at, which));
            self.by_timer.remove(&which);
            due.push(which);
        }
        due
    }
}

/// Where deadlines are kept, if not here.
pub(crate) trait Alarm: Send + Sync {
    /// A timer of a game is due then, or not at all.
    fn set(&self, game: GameId, timer: &'static str, due: Option<Timestamp>);
    /// A timer came before it was due: it is to come again.
    fn again(&self, game: GameId, timer: &'static str, due: Timestamp);
}

struct Shared {
    declared: Vec<TimerDeclaration>,
    deadlines: Mutex<Deadlines>,
    earlier: Notify,
    elsewhere: OnceLock<Arc<dyn Alarm>>,
}

/// Sets the timers of games. Cheap to clone.
#[derive(Clone)]
pub struct Timers(Arc<Shared>);

impl Timers {
    pub(crate) fn new(declared: Vec<TimerDeclaration>) -> Self {
        let (deadlines, earlier) = (Mutex::default(), Notify::new());
        Self(Arc::new(Shared { declared, deadlines, earlier, elsewhere: OnceLock::new() }))
    }

    /// Has deadlines kept elsewhere from now on, for all servers.
    pub(crate) fn keep_elsewhere(&self, alarm: Arc<dyn Alarm>) {
        // It is set once, at the start.
        let _ = self.0.elsewhere.set(alarm);
    }

    /// Whether no deadline is kept here: on a single server no game is live then.
    pub(crate) fn are_idle(&self) -> bool {
        self.0.deadlines.lock().in_order.is_empty()
    }

    /// Keeps a deadline here all the same: it is too near, or there is nowhere else.
    pub(crate) fn keep_here(&self, game: GameId, timer: &str, due: Timestamp) {
        let index = self.0.declared.iter().position(|it| it.name == timer);
        if index.is_some_and(|index| self.0.deadlines.lock().set((index, game), Some(due))) {
            self.0.earlier.notify_one();
        }
    }

    /// Sets every timer of a game by its facts.
    pub fn arm(&self, game: &Game) {
        self.arm_but(game, None);
    }

    /// The same, without one that is about to do what it is there for: one that finds nothing to do would
    /// come again at once, and again. What it leaves undone is for the sweep.
    fn arm_but(&self, game: &Game, firing: Option<usize>) {
        let armed = || self.0.declared.iter().enumerate().filter(|it| Some(it.0) != firing);
        if let Some(elsewhere) = self.0.elsewhere.get() {
            for (_, timer) in armed() {
                // What is not due any more is found out when it comes: so an older fact that is told late
                // takes nothing away.
                if let Some(due) = (timer.due)(game) {
                    elsewhere.set(game.id, timer.name, Some(due));
                }
            }
            return;
        }
        let mut deadlines = self.0.deadlines.lock();
        let known = deadlines.versions.entry(game.id).or_default();
        if *known > game.version {
            return;
        }
        *known = game.version;
        let mut earlier = false;
        for (index, timer) in armed() {
            earlier |= deadlines.set((index, game.id), (timer.due)(game));
        }
        drop(deadlines);
        clock::hold();
        if earlier {
            self.0.earlier.notify_one();
        }
    }

    /// Fires what is due, for ever. Every [`SWEEP`] it looks at the facts of all games again, for what
    /// a handler that failed has left undone.
    pub(crate) async fn run(self, live: Arc<dyn LiveState>) {
        let mut swept = Instant::now();
        loop {
            let now = Timestamp::now();
            let (due, next) = {
                let mut deadlines = self.0.deadlines.lock();
                let due = deadlines.take_due(now);
                (due, deadlines.in_order.first().map(|(at, _)| *at))
            };
            for which in due {
                self.fire(which);
            }
            // A millisecond more, since timers have no finer grain: nothing fires too early.
            let nap = next.map_or(SWEEP, |at| at.after(now) + Duration::from_millis(1)).min(SWEEP);
            let _ = tokio::time::timeout(nap, self.0.earlier.notified()).await;
            if swept.elapsed() >= SWEEP && self.0.elsewhere.get().is_none() {
                swept = Instant::now();
                self.sweep(&*live).await;
            }
        }
    }

    async fn sweep(&self, live: &dyn LiveState) {
        live.expire_once(Timestamp::now());
        // Before the facts are read: games that open meanwhile keep their deadlines.
        let known = self.0.deadlines.lock().games();
        let Ok(games) = live.all().await else { return };
        let ids: HashSet<GameId> = games.iter().map(|game| game.id).collect();
        games.iter().for_each(|game| self.arm(game));
        let mut deadlines = self.0.deadlines.lock();
        known.difference(&ids).for_each(|game| deadlines.forget(*game, self.0.declared.len()));
        // Games that opened meanwhile are set again by their next facts.
        deadlines.versions.retain(|game, _| ids.contains(game));
    }

    /// Does what a timer of a game is there for, if it is due. Returns whether there is such a timer here.
    pub(crate) fn fire_named(&self, timer: &str, game: GameId) -> bool {
        let index = self.0.declared.iter().position(|it| it.name == timer);
        index.inspect(|index| self.fire((*index, game))).is_some()
    }

    fn fire(&self, (index, game): Which) {
        let timer = &self.0.declared[index];
        if !timer.switch.is_on() {
            // On another pod the module may be on.
            return self.again(index, game, Timestamp::now() + OFF_FOR);
        }
        count::TIMERS_FIRED.add([timer.name], 1);
        let name = timer.name;
        let (due, run, timers) = (timer.due, timer.run.clone(), self.clone());
        let run = Box::new(move |cx: Cx| -> Handling {
            Box::pin(async move {
                let facts = cx.live().find(game).await?;
                if let Some(facts) = &facts {
                    // Whoever changed them may have died before setting the timers that follow from them.
                    timers.arm_but(facts, Some(index));
                }
                let handled = match facts.as_deref().and_then(due) {
                    Some(at) if at <= cx.now() => {
                        count::TIMER_LATENESS.observe([name], cx.now().after(at));
                        let handled = run(cx.clone(), game).await;
                        timers.settle(&cx, index, game, handled.is_err()).await;
                        handled?
                    }
                    Some(at) => {
                        timers.again(index, game, at);
                        Pending::DONE
                    }
                    None => {
                        // Whoever did it may have died, or failed, before it set what comes next.
                        facts.iter().for_each(|facts| timers.arm(facts));
                        timers.forget(index, game);
                        Pending::DONE
                    }
                };
                Ok(handled)
            })
        });
        let delivery = Delivery { what: timer.name, trace: TraceContext::none(), run };
        if timer.lanes.try_send(game, delivery).is_err() {
            count::TIMERS_DEFERRED.add(1);
            let later = Some(Timestamp::now() + DEFERRED_BY);
            self.0.deadlines.lock().set((index, game), later);
        }
    }

    /// It came too early, or cannot be done now.
    fn again(&self, index: usize, game: GameId, due: Timestamp) {
        match self.0.elsewhere.get() {
            Some(elsewhere) => elsewhere.again(game, self.0.declared[index].name, due),
            None => {
                if self.0.deadlines.lock().set((index, game), Some(due)) {
                    self.0.earlier.notify_one();
                }
            }
        }
    }

    /// It is not due at all.
    fn forget(&self, index: usize, game: GameId) {
        if let Some(elsewhere) = self.0.elsewhere.get() {
            elsewhere.set(game, self.0.declared[index].name, None);
        }
    }

    /// It has been done: mostly it is not due any more. If it failed, the facts may have changed all the
    /// same, when the answer of the live state got lost; then what comes next is not set yet.
    async fn settle(&self, cx: &Cx, index: usize, game: GameId, failed: bool) {
        if self.0.elsewhere.get().is_none() {
            return;
        }
        // If this fails too, it stays on the agenda.
        let Ok(facts) = cx.live().find(game).await else { return };
        if let (true, Some(facts)) = (failed, &facts) {
            self.arm(facts);
        }
        match facts.as_deref().and_then(self.0.declared[index].due) {
            None => self.forget(index, game),
            // Once more, for somebody else: the agenda takes no later deadline but from who has looked.
            Some(next) if next > cx.now() => self.again(index, game, next),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_and_each_once() {
        let mut deadlines = Deadlines::default();
        let at = Timestamp;
        assert!(deadlines.set((0, GameId(1)), Some(at(20))));
        assert!(deadlines.set((0, GameId(2)), Some(at(10))));
        assert!(!deadlines.set((1, GameId(2)), Some(at(30))));
        assert!(!deadlines.set((0, GameId(1)), Some(at(15))), "set again: the old one is void");
        assert!(!deadlines.set((1, GameId(2)), None));
        assert_eq!(deadlines.take_due(at(9)), []);
        assert_eq!(deadlines.take_due(at(40)), [(0, GameId(2)), (0, GameId(1))]);
        assert_eq!(deadlines.take_due(at(40)), []);
    }

    #[test]
    fn a_game_that_is_gone_leaves_no_deadline() {
        let mut deadlines = Deadlines::default();
        for (timer, game) in [(0, 1), (1, 1), (0, 2)] {
            deadlines.set((timer, GameId(game)), Some(Timestamp(10)));
        }
        deadlines.forget(GameId(1), 2);
        assert_eq!(deadlines.games(), [GameId(2)].into());
        assert_eq!(deadlines.take_due(Timestamp(10)), [(0, GameId(2))]);
    }
}
