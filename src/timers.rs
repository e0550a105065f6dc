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
use crate::live::Live;
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
    /// When each is due, and the span that has armed it.
    by_timer: HashMap<Which, (Timestamp, TraceContext)>,
    /// By which facts the timers of a game were set: older ones, that come late, change nothing.
    versions: HashMap<GameId, u64>,
}

impl Deadlines {
    /// Returns whether it is the earliest now. One that is set to the same again stays armed by the span that was first.
    fn set(&mut self, which: Which, due: Option<Timestamp>, armed_by: &TraceContext) -> bool {
        let before = self.by_timer.remove(&which);
        if let Some((before, _)) = before {
            self.in_order.remove(&(before, which));
        }
        let Some(due) = due else { return false };
        let same = before.filter(|(before, _)| *before == due);
        let armed_by = same.map_or_else(|| armed_by.clone(), |(_, armed_by)| armed_by);
        self.by_timer.insert(which, (due, armed_by));
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
            self.set((timer, game), None, &TraceContext::none());
        }
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<(Which, TraceContext)> {
        let mut due = Vec::new();
        while let Some(&(at, which)) = self.in_order.first().filter(|(at, _)| *at <= now) {
            self.in_order.remove(&(at, which));
            let armed_by = self.by_timer.remove(&which).map(|(_, armed_by)| armed_by);
            due.push((which, armed_by.unwrap_or_default()));
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
    pub(crate) fn keep_here(
        &self,
        game: GameId,
        timer: &str,
        due: Timestamp,
        armed_by: &TraceContext,
    ) {
        if let Some(index) = self.0.declared.iter().position(|it| it.name == timer) {
            self.set((index, game), due, armed_by);
        }
    }

    fn set(&self, which: Which, due: Timestamp, armed_by: &TraceContext) {
        if self.0.deadlines.lock().set(which, Some(due), armed_by) {
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
        let armed_by = TraceContext::current();
        let mut deadlines = self.0.deadlines.lock();
        let known = deadlines.versions.entry(game.id).or_default();
        if *known > game.version {
            return;
        }
        *known = game.version;
        let mut earlier = false;
        for (index, timer) in armed() {
            earlier |= deadlines.set((index, game.id), (timer.due)(game), &armed_by);
        }
        drop(deadlines);
        clock::hold();
        if earlier {
            self.0.earlier.notify_one();
        }
    }

    /// Fires what is due, for ever. Every [`SWEEP`] it looks at the facts of all games again, for what
    /// a handler that failed has left undone.
    pub(crate) async fn run(self, live: Live) {
        let mut swept = Instant::now();
        loop {
            let now = Timestamp::now();
            let (due, next) = {
                let mut deadlines = self.0.deadlines.lock();
                let due = deadlines.take_due(now);
                (due, deadlines.in_order.first().map(|(at, _)| *at))
            };
            for (which, armed_by) in due {
                self.fire(which, armed_by);
            }
            // A millisecond more, since timers have no finer grain: nothing fires too early.
            let nap = next.map_or(SWEEP, |at| at.after(now) + Duration::from_millis(1)).min(SWEEP);
            let _ = tokio::time::timeout(nap, self.0.earlier.notified()).await;
            if swept.elapsed() >= SWEEP && self.0.elsewhere.get().is_none() {
                swept = Instant::now();
                self.sweep(&live).await;
            }
        }
    }

    async fn sweep(&self, live: &Live) {
        live.expire(Timestamp::now());
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

    /// Does what a timer of a game is there for, if it is due. Returns whether there is such a timer here. The span that is
    /// entered, such as that of a message which has waited, has led to it.
    pub(crate) fn fire_named(&self, timer: &str, game: GameId) -> bool {
        let index = self.0.declared.iter().position(|it| it.name == timer);
        index.inspect(|index| self.fire((*index, game), TraceContext::current())).is_some()
    }

    fn fire(&self, (index, game): Which, cause: TraceContext) {
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
        let delivery = Delivery { what: timer.name, trace: cause, run };
        if let Err(Delivery { trace, .. }) = timer.lanes.try_send(game, delivery) {
            count::TIMERS_DEFERRED.add(1);
            let later = Timestamp::now() + DEFERRED_BY;
            self.0.deadlines.lock().set((index, game), Some(later), &trace);
        }
    }

    /// It came too early, or cannot be done now.
    fn again(&self, index: usize, game: GameId, due: Timestamp) {
        match self.0.elsewhere.get() {
            Some(elsewhere) => elsewhere.again(game, self.0.declared[index].name, due),
            None => self.set((index, game), due, &TraceContext::current()),
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

    /// Sets one, by no span.
    fn set(deadlines: &mut Deadlines, which: Which, due: Option<Timestamp>) -> bool {
        deadlines.set(which, due, &TraceContext::none())
    }

    /// What is due, and takes it away.
    fn due(deadlines: &mut Deadlines, now: i64) -> Vec<Which> {
        deadlines.take_due(Timestamp(now)).into_iter().map(|(which, _)| which).collect()
    }

    #[test]
    fn deadlines_come_in_order_and_each_once() {
        let mut deadlines = Deadlines::default();
        let at = Timestamp;
        assert!(set(&mut deadlines, (0, GameId(1)), Some(at(20))));
        assert!(set(&mut deadlines, (0, GameId(2)), Some(at(10))));
        assert!(!set(&mut deadlines, (1, GameId(2)), Some(at(30))));
        let again = set(&mut deadlines, (0, GameId(1)), Some(at(15)));
        assert!(!again, "set again: the old one is void");
        assert!(!set(&mut deadlines, (1, GameId(2)), None));
        assert_eq!(due(&mut deadlines, 9), []);
        assert_eq!(due(&mut deadlines, 40), [(0, GameId(2)), (0, GameId(1))]);
        assert_eq!(due(&mut deadlines, 40), []);
    }

    #[test]
    fn a_timer_is_armed_by_the_span_that_set_its_deadline() {
        let by = |number: u8| {
            let id = format!("00-0af7651916cd43dd8448eb211c8031{number:02}-b7ad6b7169203331-01");
            TraceContext::from_traceparent(&id)
        };
        let (mut deadlines, which) = (Deadlines::default(), (0, GameId(1)));
        for (due, span, expected) in [(10, 1, 1), (10, 2, 1), (20, 3, 3)] {
            deadlines.set(which, Some(Timestamp(due)), &by(span));
            let armed_by = &deadlines.by_timer[&which].1;
            assert_eq!(armed_by.trace_id(), by(expected).trace_id(), "{due} by {span}");
        }
    }

    #[test]
    fn a_game_that_is_gone_leaves_no_deadline() {
        let mut deadlines = Deadlines::default();
        for (timer, game) in [(0, 1), (1, 1), (0, 2)] {
            set(&mut deadlines, (timer, GameId(game)), Some(Timestamp(10)));
        }
        deadlines.forget(GameId(1), 2);
        assert_eq!(deadlines.games(), [GameId(2)].into());
        assert_eq!(due(&mut deadlines, 10), [(0, GameId(2))]);
    }
}
