//! Timers: each deadline is a function of the facts of a game. So a restart derives every timer again, and a timer that
//! fires twice or too early does no harm.
//!
//! One task sleeps until the earliest deadline. Deadlines need no bound of their own: there is one per timer and game.

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

/// Retry delay of a timer whose lane is full.
const DEFERRED_BY: Duration = Duration::from_millis(100);

/// Retry delay of a timer whose module is switched off.
const OFF_FOR: Duration = Duration::from_secs(1);

/// Interval between sweeps over the facts of all games, and so the longest sleep.
const SWEEP: Duration = Duration::from_secs(5);

/// A timer of a game: index of the timer, and the game.
type Which = (usize, GameId);

#[derive(Default)]
struct Deadlines {
    in_order: BTreeSet<(Timestamp, Which)>,
    /// The deadline of each timer, and the span that armed it.
    by_timer: HashMap<Which, (Timestamp, TraceContext)>,
    /// The version of the facts from which each game's timers were set. Older facts, which arrive late, are ignored.
    versions: HashMap<GameId, u64>,
}

impl Deadlines {
    /// Sets a deadline, or removes it. Returns whether it is now the earliest. A deadline set to the same time again
    /// keeps its first span.
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

    /// Removes the deadlines of a game that is gone. Otherwise that of its cleanup would stay for as long as a race is
    /// kept.
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

/// A store of deadlines outside of this process, shared by the pods.
pub(crate) trait Alarm: Send + Sync {
    /// Sets the deadline of a timer, or removes it.
    fn set(&self, game: GameId, timer: &'static str, due: Option<Timestamp>);
    /// Reschedules a timer that fired before it was due.
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

    /// Moves deadlines to a store shared by all pods, from now on.
    pub(crate) fn keep_elsewhere(&self, alarm: Arc<dyn Alarm>) {
        // Only called once, at the start.
        let _ = self.0.elsewhere.set(alarm);
    }

    /// Whether this process keeps no deadline. On a single server there are then no live games.
    pub(crate) fn are_idle(&self) -> bool {
        self.0.deadlines.lock().in_order.is_empty()
    }

    /// Keeps a deadline in this process although a shared store is set: it is too near, or the broker does not accept
    /// it.
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

    /// Sets every timer of a game from its facts.
    pub fn arm(&self, game: &Game) {
        self.arm_but(game, None);
    }

    /// The same, except for the timer that is firing: if its handler found nothing to do, it would fire again at once,
    /// endlessly. The sweep finds what the handler leaves undone.
    fn arm_but(&self, game: &Game, firing: Option<usize>) {
        let armed = || self.0.declared.iter().enumerate().filter(|it| Some(it.0) != firing);
        if let Some(elsewhere) = self.0.elsewhere.get() {
            for (_, timer) in armed() {
                // Deadlines are not removed here, so that older facts, which arrive late, remove none. A timer
                // that is no longer due is found out when it fires.
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

    /// Fires due timers, for ever. Every [`SWEEP`] it sets all timers again from the facts, for what a failed handler
    /// has left undone.
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
            // One millisecond more, the resolution of tokio's timers, so that none fires too early.
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
        // Read before the facts, so that games that open meanwhile keep their deadlines.
        let known = self.0.deadlines.lock().games();
        let Ok(games) = live.all().await else { return };
        let ids: HashSet<GameId> = games.iter().map(|game| game.id).collect();
        games.iter().for_each(|game| self.arm(game));
        let mut deadlines = self.0.deadlines.lock();
        known.difference(&ids).for_each(|game| deadlines.forget(*game, self.0.declared.len()));
        // This also drops the versions of games that opened meanwhile: their next facts set them again.
        deadlines.versions.retain(|game, _| ids.contains(game));
    }

    /// Runs the handler of a timer, if it is due. Returns whether this pod has a timer of that name. The current span,
    /// such as that of a delayed message, counts as its cause.
    pub(crate) fn fire_named(&self, timer: &str, game: GameId) -> bool {
        let index = self.0.declared.iter().position(|it| it.name == timer);
        index.inspect(|index| self.fire((*index, game), TraceContext::current())).is_some()
    }

    fn fire(&self, (index, game): Which, cause: TraceContext) {
        let timer = &self.0.declared[index];
        if !timer.switch.is_on() {
            // Retry: the module may be on at another pod.
            return self.again(index, game, Timestamp::now() + OFF_FOR);
        }
        count::TIMERS_FIRED.add([timer.name], 1);
        let name = timer.name;
        let (due, run, timers) = (timer.due, timer.run.clone(), self.clone());
        let run = Box::new(move |cx: Cx| -> Handling {
            Box::pin(async move {
                let facts = cx.live().find(game).await?;
                if let Some(facts) = &facts {
                    // The pod that changed the facts may have died before it set the timers that follow from them.
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
                        // Another pod has done it, and may have died, or failed, before it set the next timers.
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

    /// Reschedules a timer that fired too early, or cannot run now.
    fn again(&self, index: usize, game: GameId, due: Timestamp) {
        match self.0.elsewhere.get() {
            Some(elsewhere) => elsewhere.again(game, self.0.declared[index].name, due),
            None => self.set((index, game), due, &TraceContext::current()),
        }
    }

    /// Removes a timer that is no longer due from the shared store.
    fn forget(&self, index: usize, game: GameId) {
        if let Some(elsewhere) = self.0.elsewhere.get() {
            elsewhere.set(game, self.0.declared[index].name, None);
        }
    }

    /// After its handler has run, a timer is usually no longer due. If the handler failed, the facts may have changed
    /// all the same (only the live state's answer was lost); the next timers are then set here.
    async fn settle(&self, cx: &Cx, index: usize, game: GameId, failed: bool) {
        if self.0.elsewhere.get().is_none() {
            return;
        }
        // If this fails too, the timer stays on the agenda.
        let Ok(facts) = cx.live().find(game).await else { return };
        if let (true, Some(facts)) = (failed, &facts) {
            self.arm(facts);
        }
        match facts.as_deref().and_then(self.0.declared[index].due) {
            None => self.forget(index, game),
            // Due again later, for example for another player. Only `again` can move a deadline on the agenda to a
            // later time.
            Some(next) if next > cx.now() => self.again(index, game, next),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets a deadline without a span.
    fn set(deadlines: &mut Deadlines, which: Which, due: Option<Timestamp>) -> bool {
        deadlines.set(which, due, &TraceContext::none())
    }

    /// Takes the due timers.
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
