//! Clocks, on one server and on two that share their records.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::Kind;
use crate::bus::Pending;
use crate::game::Timestamp;
use crate::module::context::clockwork::{Clock, Turn, run, turn};
use crate::module::context::{Cx, Off};
use crate::records::tests::Scratch;
use crate::testing::{Server, eventually};
use crate::timers::Schedule;

const HOUR: Schedule = Schedule::Every(Duration::from_secs(3600));

/// What ran.
#[derive(Clone, Default)]
struct Ran(Arc<Mutex<Vec<Turn>>>);

impl Ran {
    /// A clock that notes its turns.
    fn clock(&self, name: &'static str, schedule: Schedule) -> Clock {
        let ran = self.clone();
        Clock::new(("test", name), schedule, move |_, turn| {
            let ran = ran.clone();
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                ran.0.lock().push(turn);
                Ok(Pending::DONE)
            })
        })
    }

    fn turns(&self) -> Vec<Turn> {
        self.0.lock().clone()
    }
}

/// Runs a test on two servers that share a PostgreSQL database, if there is one.
async fn on_two(test: impl AsyncFnOnce([Cx; 2])) {
    let Some(scratch) = Scratch::make().await else { return };
    let db = scratch.settings();
    scratch
        .lend(async |_| {
            let one = Server::with(|settings| settings.db = Some(db.clone())).await;
            let two = Server::with(|settings| settings.db = Some(db)).await;
            test([one.cx("test"), two.cx("test")]).await;
        })
        .await;
}

/// A clock whose last turn was at the beginning of 1970.
async fn known(cx: &Cx, name: &str) {
    cx.records().begin_clock(name, Timestamp(0)).await.unwrap();
}

#[tokio::test]
async fn a_turn_is_run_by_one_of_two_pods() {
    on_two(async |[one, two]| {
        known(&one, "test.once").await;
        let (ran, now) = (Ran::default(), Timestamp::now());
        let clock = ran.clock("test.once", HOUR);
        tokio::join!(turn(&one, &clock, now), turn(&two, &clock, now));
        let at = HOUR.turn_at(now);
        assert_eq!(
            ran.turns(),
            [Turn { at, since: Timestamp(0) }],
            "those before are not made up for"
        );
        for pod in [&one, &two] {
            assert_eq!(turn(pod, &clock, now).await, HOUR.after(at), "it is done");
        }
        assert_eq!(ran.turns().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn each_turn_is_run_once_while_two_pods_are_up() {
    on_two(async |[one, two]| {
        let ran = Ran::default();
        let often = Schedule::Every(Duration::from_millis(400));
        for pod in [&one, &two] {
            run(pod, Arc::new(ran.clock("test.often", often)));
        }
        eventually(async || ran.turns().len() >= 4).await;
        let turns = ran.turns();
        let begins: Vec<_> = turns.iter().map(|turn| turn.at).collect();
        assert!(begins.is_sorted_by(|a, b| a < b), "{begins:?}");
        assert!(turns.windows(2).all(|pair| pair[1].since == pair[0].at), "none is left out");
        assert!(begins.iter().all(|at| often.turn_at(*at) == *at));
    })
    .await;
}

#[tokio::test]
async fn a_turn_that_fails_or_panics_is_repeated_later() {
    let server = Server::start().await;
    let cx = server.cx("test");
    let now = Timestamp::now();
    for (name, panics) in [("test.fails", false), ("test.panics", true)] {
        known(&cx, name).await;
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = tries.clone();
        let clock = Clock::new(("test", name), HOUR, move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                assert!(!panics, "as it is told to");
                Err(Kind::UNKNOWN.into())
            })
        });
        turn(&cx, &clock, now).await;
        let next = turn(&cx, &clock, now).await;
        assert_eq!(tries.load(Ordering::Relaxed), 1, "not at once");
        let pause = next.after(now);
        assert!(pause > Duration::from_secs(9) && pause < Duration::from_secs(15), "{pause:?}");
    }
}

#[tokio::test]
async fn the_clocks_of_a_module_that_is_off_wait_and_make_up_for_it() {
    let server = Server::start().await;
    let cx = server.cx("test");
    let module = cx.table()[0].name;
    let cx = cx.of(module);
    known(&cx, "test.off").await;
    let (ran, now) = (Ran::default(), Timestamp::now());
    let clock = ran.clock("test.off", HOUR);
    let switch = cx.switches().get(module).unwrap();
    switch.set_here(Some(Off { since: now.with_z(), by: "anna".into(), everywhere: false }));
    let next = turn(&cx, &clock, now).await;
    assert!(ran.turns().is_empty() && next.after(now) < Duration::from_secs(3));
    switch.set_here(None);
    turn(&cx, &clock, now).await;
    assert_eq!(ran.turns().len(), 1);
}

#[tokio::test]
async fn a_new_clock_begins_with_its_next_turn() {
    let server = Server::start().await;
    let ran = Ran::default();
    run(&server.cx("test"), Arc::new(ran.clock("test.new", HOUR)));
    // Turns of half a second, which begin later, have come and gone by then.
    let often = Schedule::Every(Duration::from_millis(500));
    let other = Ran::default();
    run(&server.cx("test"), Arc::new(other.clock("test.other", often)));
    eventually(async || !other.turns().is_empty()).await;
    assert_eq!(ran.turns(), []);
}
