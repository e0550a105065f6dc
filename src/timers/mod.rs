//! Timers: each deadline is a function of the facts of a game. So a restart derives every timer again, and a timer that
//! fires twice or too early does no harm.
//!
//! `agenda` is the interface to what keeps the deadlines: this process (`own`), or the pods together (the bridge).
//! `wakes` has those for which this process wakes, and `timer` is what a module declares. `schedule` is about clocks, which
//! belong to no game (`module/context/clockwork.rs`).

mod agenda;
mod local;
mod schedule;
mod timer;
mod wakes;

use std::sync::Arc;
use std::time::Duration;

use self::local::LocalAgenda;
use self::timer::{Due, RunHandler};
use self::wakes::Wakes;
use crate::Error;
use crate::bus::{Handling, Pending};
use crate::game::{Game, GameId, Timestamp};
use crate::live::Live;
use crate::telemetry::{TraceContext, count};

pub(crate) use self::agenda::{Agenda, Deadline, Next, Which};
pub(crate) use self::timer::Timer;

pub use self::schedule::Schedule;

/// Retry delay of a timer whose lane is full.
const DEFERRED_BY: Duration = Duration::from_millis(100);

/// Retry delay of a timer whose module is switched off.
const OFF_FOR: Duration = Duration::from_secs(1);

/// Sets and fires the timers of games. Cheap to clone.
#[derive(Clone)]
pub struct Timers {
    declared: Arc<[Timer]>,
    live: Live,
    wakes: Arc<Wakes>,
    agenda: Arc<dyn Agenda>,
}

impl Timers {
    /// Timers whose deadlines are on an agenda `shared` by several pods; without one, in this process.
    pub(crate) fn new(declared: Vec<Timer>, live: Live, shared: Option<Arc<dyn Agenda>>) -> Self {
        let wakes = Arc::new(Wakes::default());
        let agenda = shared.unwrap_or_else(|| Arc::new(LocalAgenda::new(&wakes)));
        Self { declared: declared.into(), live, wakes, agenda }
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    /// Whether this process waits for no deadline. On a single server there are then no live games.
    pub(crate) fn are_idle(&self) -> bool {
        self.wakes.are_none()
    }

    /// Wakes this process for a deadline of a shared agenda: it is too near, or the broker does not accept it.
    pub(crate) fn keep_here(&self, which: Which, due: Timestamp, armed_by: &TraceContext) {
        self.wakes.set(which, due, armed_by);
    }

    /// Sets every timer of a game from its facts.
    pub fn arm(&self, game: &Game) {
        self.arm_but(game, None);
    }

    /// Sets this timer of a game.
    pub(crate) fn arm_only(&self, game: &Game, name: &str) {
        let armed = self.declared.iter().filter(|timer| timer.name == name);
        self.agenda.set(game, &mut armed.map(|timer| (timer.name, (timer.due)(game))));
    }

    /// The same as [`Self::arm`], except for the timer that is firing: if its handler found nothing to do, it would fire again at once,
    /// endlessly. The sweep finds what the handler leaves undone.
    fn arm_but(&self, game: &Game, firing: Option<&str>) {
        let armed = self.declared.iter().filter(|timer| Some(timer.name) != firing);
        self.agenda.set(game, &mut armed.map(|timer| (timer.name, (timer.due)(game))));
    }

    /// Fires due timers, and lets the agenda search for others, for ever.
    pub(crate) async fn run(self) {
        let firing = async {
            loop {
                for ((game, timer), armed_by) in self.wakes.due().await {
                    self.fire(timer, game, armed_by);
                }
            }
        };
        tokio::join!(firing, self.agenda.sweep(&self));
    }

    /// Runs the handler of a timer, if it is due. Returns whether this pod has a timer of that name. The current span,
    /// such as that of a delayed message, counts as its cause.
    pub(crate) fn fire_named(&self, timer: &str, game: GameId) -> bool {
        self.fire(timer, game, TraceContext::current())
    }

    fn fire(&self, timer: &str, game: GameId, cause: TraceContext) -> bool {
        let Some(timer) = self.declared.iter().find(|it| it.name == timer) else { return false };
        let (which, due) = ((game, timer.name), timer.due);
        if !timer.owner.is_on() {
            // Retry: the module may be on at another pod.
            self.agenda.put_off(which, Timestamp::now() + OFF_FOR);
            return true;
        }
        count::TIMERS_FIRED.add([timer.name], 1);
        let timers = self.clone();
        let fired = Box::new(move |run: RunHandler| -> Handling {
            Box::pin(async move { timers.run_if_due(which, due, run).await })
        });
        if let Err(cause) = timer.deliver(game, cause, fired) {
            count::TIMERS_DEFERRED.add(1);
            self.wakes.set(which, Timestamp::now() + DEFERRED_BY, &cause);
        }
        true
    }

    async fn run_if_due(&self, which: Which, due: Due, run: RunHandler) -> Result<Pending, Error> {
        let (game, name) = which;
        let facts = self.live.find(game).await?;
        if let Some(facts) = &facts {
            // The pod that changed the facts may have died before it set the timers that follow from them.
            self.arm_but(facts, Some(name));
        }
        match facts.as_deref().and_then(due) {
            Some(at) if at <= Timestamp::now() => {
                count::TIMER_LATENESS.observe([name], Timestamp::now().after(at));
                let handled = run().await;
                let next = Box::pin(self.next(game, due, handled.is_err()));
                self.agenda.settle(which, next).await;
                handled
            }
            Some(at) => {
                self.agenda.put_off(which, at);
                Ok(Pending::DONE)
            }
            None => {
                // Another pod has done it, and may have died, or failed, before it set the next timers.
                facts.iter().for_each(|facts| self.arm(facts));
                self.agenda.settle(which, Box::pin(async { Ok(None) })).await;
                Ok(Pending::DONE)
            }
        }
    }

    /// When a timer whose handler has run is due next. If the handler failed, the facts may have changed all the same
    /// (only the live state's answer was lost); the next timers are then set here.
    async fn next(&self, game: GameId, due: Due, failed: bool) -> Result<Option<Timestamp>, Error> {
        let facts = self.live.find(game).await?;
        if let (true, Some(facts)) = (failed, &facts) {
            self.arm(facts);
        }
        Ok(facts.as_deref().and_then(due))
    }
}
