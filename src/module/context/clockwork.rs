//! Clocks: functions of modules that run by the time of the day, in effect once for all pods.
//!
//! What is promised:
//!
//! - Each turn that begins while a pod is up is run by one pod: the one that claims it in the records. Others wait until it
//!   is done. A pod that dies, or loses the records, loses its claim after [`LEASE`], and another one runs the turn again. So
//!   a turn may run twice, at times even at once: the function has to be idempotent, for instance by the time of its turn.
//! - A turn that fails, or panics, is repeated after [`PAUSE`], until the next one begins, which takes its place.
//! - After an outage, or while the module was switched off, the latest turn that was missed runs at once, and those before it
//!   do not: [`Turn::since`] says what the last one was.
//! - The first turn of a new clock is the next one to begin.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::Cx;
use crate::bus::{Handling, Owner, Pending, fence};
use crate::game::Timestamp;
use crate::records::{Claimed, TurnClaim};
use crate::telemetry::{TraceContext, count};
use crate::timers::Schedule;

/// How long a claim is held without being renewed.
const LEASE: Duration = Duration::from_secs(30);
/// Interval at which a pod at work renews its claim.
const RENEWAL: Duration = Duration::from_secs(10);
/// Pause after a turn that failed, and after records that do not answer.
const PAUSE: Duration = Duration::from_secs(10);
/// Interval at which a clock looks whether its module is on again.
const OFF_FOR: Duration = Duration::from_secs(1);
/// How much later than it could a pod tries to take over from another one.
const MARGIN: Duration = Duration::from_millis(100);
/// The longest sleep, since the clock of the process may be corrected meanwhile.
const NAP: Duration = Duration::from_secs(5);
/// How often expired items are deleted.
const EXPIRY: Schedule = Schedule::Every(Duration::from_secs(300));

/// One turn of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When it began: at a round time, the same for each attempt.
    pub at: Timestamp,
    /// When the last turn that is done began: the one before, unless some were missed.
    pub since: Timestamp,
}

type RunTurn = Arc<dyn Fn(Cx, Turn) -> Handling + Send + Sync>;

/// A clock.
pub(crate) struct Clock {
    module: &'static str,
    name: &'static str,
    schedule: Schedule,
    run: RunTurn,
}

impl Clock {
    pub(in crate::module) fn new(
        (module, name): (&'static str, &'static str),
        schedule: Schedule,
        run: impl Fn(Cx, Turn) -> Handling + Send + Sync + 'static,
    ) -> Self {
        Self { module, name, schedule, run: Arc::new(run) }
    }
}

/// The clock of the runtime itself.
fn expiry() -> Clock {
    let run = |cx: Cx, _| -> Handling {
        Box::pin(
            async move { cx.all_records().expire_items(cx.now()).await.map(|_| Pending::DONE) },
        )
    };
    Clock::new(("runtime", "items.expiry"), EXPIRY, run)
}

/// Runs all clocks until the server stops. It then waits for turns that are under way.
pub(crate) fn start(cx: &Cx) {
    cx.keeping().clocks().iter().for_each(|clock| run(cx, clock.clone()));
    run(cx, Arc::new(expiry()));
}

/// Runs a clock until the server stops.
pub(super) fn run(cx: &Cx, clock: Arc<Clock>) {
    let (cx, tasks) = (cx.of(clock.module), cx.tasks().clone());
    tasks.spawn(async move {
        let begun = Timestamp::now();
        let mut due = begin(&cx, &clock).await;
        while wait(&cx, due).await {
            due = turn(&cx, &clock, begun).await;
        }
    });
}

/// Sleeps until then. Returns false if the server stops first.
async fn wait(cx: &Cx, due: Timestamp) -> bool {
    loop {
        let left = due.after(Timestamp::now());
        if left.is_zero() {
            return !cx.stop().is_cancelled();
        }
        // One millisecond more, the resolution of tokio's timers.
        let nap = sleep((left + Duration::from_millis(1)).min(NAP));
        if cx.stop().run_until_cancelled(nap).await.is_none() {
            return false;
        }
    }
}

/// Stores a clock that is new. Returns when to look at it: at once, since a turn may have been missed.
async fn begin(cx: &Cx, clock: &Clock) -> Timestamp {
    loop {
        let now = Timestamp::now();
        if cx.all_records().begin_clock(clock.name, clock.schedule.turn_at(now)).await.is_ok() {
            return now;
        }
        if !wait(cx, now + PAUSE).await {
            return now;
        }
    }
}

/// Runs the current turn, unless it is done, or another pod is at work on it. Returns when to look again. `begun` is when
/// this pod began to look.
pub(super) async fn turn(cx: &Cx, clock: &Clock, begun: Timestamp) -> Timestamp {
    let now = Timestamp::now();
    if !cx.is_on() {
        return now + OFF_FOR;
    }
    let turn = clock.schedule.turn_at(now);
    let claim = match cx.all_records().claim_turn(clock.name, turn, LEASE).await {
        Ok(Claimed::Ours(claim)) => claim,
        Ok(Claimed::Held(until)) => return until.max(now) + MARGIN,
        Ok(Claimed::Done) => return clock.schedule.after(turn),
        Err(_) => return now + PAUSE,
    };
    count::TIMERS_FIRED.add([clock.name], 1);
    if turn >= begun && claim.done == clock.schedule.turn_at(Timestamp(turn.0 - 1)) {
        count::TIMER_LATENESS.observe([clock.name], now.after(turn));
    }
    let ended = if work(cx, clock, &claim).await {
        cx.all_records().finish_turn(&claim).await
    } else {
        cx.all_records().put_off_turn(&claim, PAUSE).await
    };
    // The next turn may have begun meanwhile. If the records did not answer, the turn is repeated when the claim has ended.
    if ended.is_ok() { Timestamp::now() + MARGIN } else { Timestamp::now() + PAUSE }
}

/// Runs the function of a clock inside the fence, and renews the claim meanwhile. Returns whether it succeeded.
async fn work(cx: &Cx, clock: &Clock, claim: &TurnClaim) -> bool {
    let (told, outcome) = oneshot::channel();
    let (run, its) = (clock.run.clone(), cx.clone());
    let (at, since) = (claim.turn, claim.done);
    let handling = async move {
        let handled = run(its, Turn { at, since }).await;
        // The receiver waits, unless the server stops.
        let _ = told.send(handled.is_ok());
        handled
    };
    let mut fenced = std::pin::pin!(async {
        fence(cx, clock.name, &TraceContext::none(), handling, cx.tasks()).await;
        // An error if it panicked.
        outcome.await.unwrap_or(false)
    });
    loop {
        tokio::select! {
            is_done = fenced.as_mut() => return is_done,
            () = sleep(RENEWAL) => renew(cx, claim).await,
        }
    }
}

async fn renew(cx: &Cx, claim: &TurnClaim) {
    if let Ok(false) = cx.all_records().renew_turn(claim, LEASE).await {
        tracing::warn!(
            clock = claim.name,
            "the records did not answer for long: another pod may run this turn too"
        );
    }
}
