//! Timers over the broker: a message that arrives after a fixed delay at one of the pods, which reads the facts and
//! does what is due.
//!
//! The agenda in Redis records which pod was the first to put a deadline on it, so that only one message is sent for
//! it; and every pod finds overdue deadlines there a moment later. While the broker is down, the pod keeps its
//! deadlines as local timers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::message::{self, Talk};
use super::{Bridge, Pod};
use crate::game::{Game, Timestamp};
use crate::settings::GameSettings;
use crate::telemetry::{TraceContext, gathered_span};
use crate::timers::{Agenda, Deadline, Next, Timers, Which};

/// Interval of the search for overdue deadlines.
const SWEEP: Duration = Duration::from_secs(1);
/// How late a deadline counts as overdue.
const LATE: Duration = Duration::from_millis(500);
/// How long the broker may take to accept a timer; after that it becomes a local timer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Overdue deadlines handled per round.
const AT_ONCE: usize = 200;
/// A timer may be this late, plus one hundredth of its delay, rather than take two delays.
const TOLERANCE: Duration = Duration::from_millis(20);
/// Delays in addition to those of the settings, in milliseconds. Any other delay is composed of several.
const DELAYS: [u64; 10] = [250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000];

/// A deadline, and the span that set it.
type DueAlarm = (Timestamp, TraceContext);
type WaitingAlarms = HashMap<Which, Option<DueAlarm>>;

/// The deadlines that are not on the agenda yet: one per timer and game.
#[derive(Default)]
pub(super) struct Alarms {
    waiting: Mutex<WaitingAlarms>,
    /// Those that are on it, but whose messages came too early.
    again: Mutex<HashMap<Which, DueAlarm>>,
    filled: Notify,
}

impl Alarms {
    /// Sets a deadline, or removes it.
    fn set(&self, which: Which, due: Option<Timestamp>) {
        let due = due.map(|due| (due, TraceContext::current()));
        keep_earliest(&mut self.waiting.lock(), which, due);
        self.filled.notify_one();
    }
}

/// The deadlines that the pods share.
#[async_trait]
impl Agenda for Bridge {
    /// Removes no deadline, so that older facts, which arrive late, remove none. A timer that is no longer due is found
    /// out when it fires.
    fn set(&self, game: &Game, deadlines: &mut dyn Iterator<Item = Deadline>) {
        for (timer, due) in deadlines.filter(|(_, due)| due.is_some()) {
            self.alarms.set((game.id, timer), due);
        }
    }

    fn put_off(&self, which: Which, due: Timestamp) {
        self.alarms.again.lock().insert(which, (due, TraceContext::current()));
        self.alarms.filled.notify_one();
    }

    async fn settle(&self, which: Which, next: Next<'_>) {
        match next.await {
            Ok(None) => self.alarms.set(which, None),
            // Due again later, for example for another player. Only `put_off` can move a deadline on the agenda to a
            // later time.
            Ok(Some(next)) if next > Timestamp::now() => self.put_off(which, next),
            // Due still, or unknown: it stays on the agenda.
            Ok(Some(_)) | Err(_) => {}
        }
    }

    /// Fires overdue deadlines. A broker that hangs does not delay it.
    async fn sweep(&self, timers: &Timers) {
        loop {
            sleep(SWEEP).await;
            let late = Timestamp::now() - LATE;
            for (game, timer) in self.live.overdue(late, AT_ONCE).await.unwrap_or_default() {
                let is_known = timers.fire_named(&timer, game);
                // A pod of another version, or with other settings, put it there, and may be gone.
                if !is_known && matches!(timers.live().find(game).await, Ok(None)) {
                    let _ = self.live.set_deadlines(&[(game, &timer, None)]).await;
                }
            }
        }
    }
}

/// Keeps the earliest deadline, since older facts may arrive after newer ones. Firing too early is harmless: the
/// handler reads the facts.
fn keep_earliest(waiting: &mut WaitingAlarms, timer: Which, due: Option<DueAlarm>) {
    let known = waiting.entry(timer).or_default();
    let is_earlier = |due: &DueAlarm| known.as_ref().is_none_or(|known| due.0 < known.0);
    if due.as_ref().is_some_and(is_earlier) {
        *known = due;
    }
}

/// The longest delay that is not longer than `remaining`.
fn delay_for(remaining: Duration, settings: &GameSettings) -> Option<Duration> {
    let own = [settings.lobby_countdown, settings.start_countdown, settings.cleanup_countdown];
    let delays = own.into_iter().chain(DELAYS.map(Duration::from_millis));
    // The broker counts in whole milliseconds.
    let delays =
        delays.map(|it| Duration::from_millis(u64::try_from(it.as_millis()).unwrap_or(u64::MAX)));
    delays.filter(|it| !it.is_zero() && *it - *it / 100 <= remaining + TOLERANCE).max()
}

/// Puts deadlines on the agenda, until `stop`; a batch in progress is completed.
pub(super) async fn run(bridge: Arc<Bridge>, pod: Arc<Pod>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let filled = timeout(SWEEP, bridge.alarms.filled.notified());
        let _ = stop.run_until_cancelled(filled).await;
        let Put { new, removed } = put(&bridge).await;
        set_again(&bridge, &pod, removed).await;
        let again = std::mem::take(&mut *bridge.alarms.again.lock());
        put_off(&bridge, &pod, again).await;
        join_all(new.into_iter().map(|(which, due)| start(&bridge, &pod, which, due))).await;
    }
}

/// What was put on the agenda.
#[derive(Default)]
pub(super) struct Put {
    /// The deadlines that this pod must handle.
    new: Vec<(Which, DueAlarm)>,
    /// The timers whose deadlines were removed.
    removed: Vec<Which>,
}

/// Puts the waiting deadlines on the agenda.
pub(super) async fn put(bridge: &Bridge) -> Put {
    let deadlines = std::mem::take(&mut *bridge.alarms.waiting.lock());
    if deadlines.is_empty() {
        return Put::default();
    }
    let due = |due: &Option<DueAlarm>| due.as_ref().map(|(due, _)| *due);
    let listed: Vec<_> =
        deadlines.iter().map(|((game, timer), it)| (*game, *timer, due(it))).collect();
    let armed_by = deadlines.values().flatten().map(|(_, armed_by)| armed_by);
    let span = gathered_span("arm timers", armed_by);
    let is_removed = |(_, due): &(&Which, &Option<DueAlarm>)| due.is_none();
    let (is_new, removed) = match bridge.live.set_deadlines(&listed).instrument(span).await {
        Ok(is_new) => {
            (is_new, deadlines.iter().filter(is_removed).map(|(which, _)| *which).collect())
        }
        Err(_) => {
            // Other pods may not know of it: it is handled here and put again, otherwise it would be lost if its
            // handler failed as well.
            let mut waiting = bridge.alarms.waiting.lock();
            for (which, due) in &deadlines {
                waiting.entry(*which).or_insert_with(|| due.clone());
            }
            (vec![true; listed.len()], Vec::new())
        }
    };
    // In the order of the list.
    let new = deadlines.into_iter().zip(is_new).filter(|(_, is_new)| *is_new);
    let new = new.filter_map(|((which, due), _)| Some((which, due?))).collect();
    Put { new, removed }
}

/// Sets removed deadlines again that are due by the facts. Another pod may have set one after it was found not to be due and
/// before it was removed: being later than the one on the agenda, it was not put there.
async fn set_again(bridge: &Bridge, pod: &Pod, removed: Vec<Which>) {
    let looks = removed.into_iter().map(async |(game, timer)| match pod.live.find(game).await {
        Ok(facts) => {
            if let Some(facts) = facts {
                pod.timers.arm_only(&facts, timer);
            }
        }
        // In the next round once more.
        Err(_) => drop(bridge.alarms.waiting.lock().entry((game, timer)).or_default()),
    });
    join_all(looks).await;
}

/// Moves deadlines on the agenda whose timers came too early.
async fn put_off(bridge: &Bridge, pod: &Arc<Pod>, again: HashMap<Which, DueAlarm>) {
    if again.is_empty() {
        return;
    }
    let deadlines: Vec<_> =
        again.iter().map(|((game, timer), (due, _))| (*game, *timer, *due)).collect();
    // If this fails, they only come too early again.
    let _ = bridge.live.put_off(&deadlines).await;
    join_all(again.into_iter().map(|(which, due)| start(bridge, pod, which, due))).await;
}

/// Sends the message of a timer, with the span that armed it, or keeps the timer here.
async fn start(bridge: &Bridge, pod: &Arc<Pod>, (game, timer): Which, (due, armed_by): DueAlarm) {
    let delay = delay_for(due.after(Timestamp::now()), &pod.delays);
    let link = bridge.link();
    if let (Some(delay), Some(link)) = (delay, link) {
        let talk = Talk::Due { game, timer: timer.to_owned() };
        let message = message::of_talk(bridge.live.pod(), &[talk]);
        let waits = link.wait(&bridge.topology, delay, &message, &armed_by);
        match timeout(PATIENCE, waits).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::debug!(timer, %game, %error, "a timer is kept here"),
            Err(_) => tracing::debug!(timer, %game, "the broker is slow: a timer is kept here"),
        }
    }
    pod.timers.keep_here((game, timer), due, &armed_by);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::GameId;

    #[test]
    fn an_older_fact_that_is_told_later_puts_nothing_off() {
        let (mut waiting, timer) = (WaitingAlarms::default(), (GameId(1), "lobby.countdown"));
        for (due, kept) in [
            (None, None),
            (Some(60), Some(60)),
            (Some(1), Some(1)),
            (Some(60), Some(1)),
            (None, Some(1)),
        ] {
            let set = due.map(|due| (Timestamp(due), TraceContext::none()));
            keep_earliest(&mut waiting, timer, set);
            let known = waiting[&timer].as_ref().map(|(due, _)| due.0);
            assert_eq!(known, kept, "{due:?}");
        }
    }

    #[test]
    fn a_timer_takes_the_longest_delay_that_fits() {
        let settings = GameSettings {
            lobby_countdown: Duration::from_secs(7),
            start_countdown: Duration::from_millis(300),
            ..GameSettings::default()
        };
        for (remaining, delay) in [
            (0, None),
            (200, None),
            (240, Some(250)),
            (299, Some(300)),
            (970, Some(1_000)),
            (960, Some(500)),
            (6_910, Some(7_000)),
            (6_900, Some(5_000)),
            (891_000, Some(900_000)),
            (4_000_000, Some(900_000)),
        ] {
            let remaining = Duration::from_millis(remaining);
            let delay = delay.map(Duration::from_millis);
            assert_eq!(delay_for(remaining, &settings), delay, "{remaining:?}");
        }
    }
}
