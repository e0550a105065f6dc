//! Positions: publishing never waits, and a module that lags re-reads.

use super::*;
use crate::bus::{Emits, RING_CAPACITY, Reread};
use crate::telemetry::count;

/// Writes a mark into the diary whenever the module is to read again.
fn rereading(diary: &Diary, mark: u32) -> Reread<Arc<Switch>> {
    let diary = diary.clone();
    Arc::new(move |_| {
        let diary = diary.clone();
        Box::pin(async move {
            diary.write(mark);
            Ok(Pending::DONE)
        })
    })
}

#[tokio::test]
async fn a_listening_module_gets_positions_in_order() {
    let diary = Diary::default();
    let mut builder = BusBuilder::default();
    builder.listen::<Leaned>("mirror", diary.hearing(), rereading(&diary, u32::MAX));
    let running = Running::start_paused(builder);
    for number in 0..100 {
        running.bus.relay(leaned(1, number));
    }
    settle().await;
    assert_eq!(diary.read(), Vec::from_iter(0..100));
    running.end().await;
}

#[tokio::test]
async fn a_position_never_waits_for_a_module_that_is_stuck() {
    let (shown, diary, never) = (Diary::default(), Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    let (view, switch) = (shown.clone(), Switch::new("test", &Arc::default()));
    builder.view(&switch, move |event: &Leaned| view.write(event.number));
    builder.listen::<Leaned>("stuck", diary.behind(&never), rereading(&diary, u32::MAX));
    let running = Running::start_paused(builder);
    running.bus.relay(leaned(1, 0));
    settle().await;
    let positions = 1..3 * RING_CAPACITY as u32;
    for number in positions.clone() {
        let pending = leaned(1, number).publish(&running.bus);
        assert!(pending.is_done());
    }
    assert_eq!(shown.read().len(), positions.count() + 1);
    assert!(diary.is_empty());
}

#[tokio::test]
async fn a_module_that_lags_is_counted_and_reads_again() {
    const MISSED: u32 = 10;
    const READ_AGAIN: u32 = u32::MAX;
    let (diary, latch) = (Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    builder.listen::<Leaned>("slow", diary.behind(&latch), rereading(&diary, READ_AGAIN));
    let running = Running::start_paused(builder);
    let (log, lagged) = (Log::capture(), count::LAGGED.get());
    running.bus.relay(leaned(1, 0));
    settle().await;
    let newest = RING_CAPACITY as u32 + MISSED;
    for number in 1..=newest {
        running.bus.relay(leaned(1, number));
    }
    latch.open();
    settle().await;
    // What it had begun; then it reads again; then it goes on with what the ring still holds.
    let expected: Vec<u32> = [0, READ_AGAIN].into_iter().chain(MISSED + 1..=newest).collect();
    assert_eq!(diary.read(), expected);
    assert!(count::LAGGED.get() >= lagged + u64::from(MISSED));
    assert!(log.says(&["too slow for positions", "module=\"slow\"", "test.leaned", "missed=10"]));
    running.end().await;
}

#[tokio::test]
async fn a_module_that_lags_does_not_keep_positions_from_other_modules() {
    let (slow, quick, never) = (Diary::default(), Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    builder.listen::<Leaned>("slow", slow.behind(&never), rereading(&slow, u32::MAX));
    builder.listen::<Leaned>("quick", quick.hearing(), rereading(&quick, u32::MAX));
    let running = Running::start_paused(builder);
    let positions = 2 * RING_CAPACITY as u32;
    for number in 0..positions {
        running.bus.relay(leaned(1, number));
        if number % 100 == 0 {
            settle().await;
        }
    }
    settle().await;
    assert_eq!(quick.read(), Vec::from_iter(0..positions));
    assert!(slow.is_empty());
}
