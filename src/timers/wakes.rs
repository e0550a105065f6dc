//! The deadlines for which this process wakes: all of them, or those that its pod handles itself.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::agenda::Which;
use crate::game::{GameId, Timestamp};
use crate::telemetry::TraceContext;

/// The longest sleep.
const NAP: Duration = Duration::from_secs(5);

/// The deadlines, and the sleep until the earliest. They need no bound of their own: there is one per timer and game.
#[derive(Default)]
pub(super) struct Wakes {
    deadlines: Mutex<Deadlines>,
    earlier: Notify,
}

impl Wakes {
    /// Sets a deadline.
    pub(super) fn set(&self, which: Which, due: Timestamp, armed_by: &TraceContext) {
        self.set_all(std::iter::once((which, Some(due))), armed_by);
    }

    /// Sets deadlines, or removes them.
    pub(super) fn set_all(
        &self,
        all: impl Iterator<Item = (Which, Option<Timestamp>)>,
        armed_by: &TraceContext,
    ) {
        let mut deadlines = self.deadlines.lock();
        let mut earlier = false;
        for (which, due) in all {
            earlier |= deadlines.set(which, due, armed_by);
        }
        drop(deadlines);
        if earlier {
            self.earlier.notify_one();
        }
    }

    /// Whether there is no deadline.
    pub(super) fn are_none(&self) -> bool {
        self.deadlines.lock().in_order.is_empty()
    }

    /// The games that have deadlines.
    pub(super) fn games(&self) -> HashSet<GameId> {
        self.deadlines.lock().by_timer.keys().map(|(game, _)| *game).collect()
    }

    /// Removes the deadlines of games that are gone. Otherwise that of their cleanup would stay for as long as a race
    /// is kept.
    pub(super) fn forget(&self, gone: impl Fn(GameId) -> bool) {
        self.deadlines.lock().forget(gone);
    }

    /// Takes the timers that are due, each with the span that armed it. Without any, sleeps until the next one may be.
    pub(super) async fn due(&self) -> Vec<(Which, TraceContext)> {
        let now = Timestamp::now();
        let (due, next) = {
            let mut deadlines = self.deadlines.lock();
            let due = deadlines.take_due(now);
            (due, deadlines.in_order.first().map(|(at, _)| *at))
        };
        if due.is_empty() {
            // One millisecond more, the resolution of tokio's timers, so that none fires too early.
            let nap = next.map_or(NAP, |at| at.after(now) + Duration::from_millis(1)).min(NAP);
            let _ = timeout(nap, self.earlier.notified()).await;
        }
        due
    }
}

#[derive(Default)]
struct Deadlines {
    in_order: BTreeSet<(Timestamp, Which)>,
    /// The deadline of each timer, and the span that armed it.
    by_timer: HashMap<Which, (Timestamp, TraceContext)>,
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

    fn forget(&mut self, gone: impl Fn(GameId) -> bool) {
        self.in_order.retain(|(_, (game, _))| !gone(*game));
        self.by_timer.retain(|(game, _), _| !gone(*game));
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

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTDOWN: &str = "countdown";
    const CLEANUP: &str = "cleanup";

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
        assert!(set(&mut deadlines, (GameId(1), COUNTDOWN), Some(at(20))));
        assert!(set(&mut deadlines, (GameId(2), COUNTDOWN), Some(at(10))));
        assert!(!set(&mut deadlines, (GameId(2), CLEANUP), Some(at(30))));
        let again = set(&mut deadlines, (GameId(1), COUNTDOWN), Some(at(15)));
        assert!(!again, "set again: the old one is void");
        assert!(!set(&mut deadlines, (GameId(2), CLEANUP), None));
        assert_eq!(due(&mut deadlines, 9), []);
        assert_eq!(due(&mut deadlines, 40), [(GameId(2), COUNTDOWN), (GameId(1), COUNTDOWN)]);
        assert_eq!(due(&mut deadlines, 40), []);
    }

    #[test]
    fn a_timer_is_armed_by_the_span_that_set_its_deadline() {
        let by = |number: u8| {
            let id = format!("00-0af7651916cd43dd8448eb211c8031{number:02}-b7ad6b7169203331-01");
            TraceContext::from_traceparent(&id)
        };
        let (mut deadlines, which) = (Deadlines::default(), (GameId(1), COUNTDOWN));
        for (due, span, expected) in [(10, 1, 1), (10, 2, 1), (20, 3, 3)] {
            deadlines.set(which, Some(Timestamp(due)), &by(span));
            let armed_by = &deadlines.by_timer[&which].1;
            assert_eq!(armed_by.trace_id(), by(expected).trace_id(), "{due} by {span}");
        }
    }

    #[test]
    fn a_game_that_is_gone_leaves_no_deadline() {
        let mut deadlines = Deadlines::default();
        for (timer, game) in [(COUNTDOWN, 1), (CLEANUP, 1), (COUNTDOWN, 2)] {
            set(&mut deadlines, (GameId(game), timer), Some(Timestamp(10)));
        }
        deadlines.forget(|game| game == GameId(1));
        assert_eq!(due(&mut deadlines, 10), [(GameId(2), COUNTDOWN)]);
        assert!(deadlines.by_timer.is_empty());
    }
}
