//! Back-pressure: only publishers wait, and only for a full lane.

use super::*;
use crate::bus::{Delivery, LANE_CAPACITY, LANES};
use crate::telemetry::TraceContext;

/// As many events as a lane holds, and the one that is being delivered.
const FILL: u32 = LANE_CAPACITY as u32 + 1;

async fn fill_lane(bus: &Bus<Arc<Switch>>) {
    for number in 0..FILL {
        bus.announce(waved(1, number)).await;
    }
}

#[tokio::test]
async fn a_publisher_waits_while_a_lane_is_full_and_nothing_is_lost() {
    let (diary, latch) = (Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("slow", diary.behind(&latch));
    let running = Running::start_paused(builder);
    fill_lane(&running.bus).await;
    let bus = running.bus.clone();
    let one_more = tokio::spawn(async move { bus.announce(waved(1, FILL)).await });
    settle().await;
    assert!(!one_more.is_finished());
    assert!(diary.is_empty());
    latch.open();
    one_more.await.unwrap();
    running.end().await;
    assert_eq!(diary.read(), Vec::from_iter(0..=FILL));
}

#[tokio::test]
async fn other_modules_do_not_wait_for_a_slow_one() {
    let (slow, quick, never) = (Diary::default(), Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("slow", slow.behind(&never));
    builder.hear::<Waved>("quick", quick.hearing());
    builder.hear::<Bowed>("quick", quick.hearing());
    let running = Running::start_paused(builder);
    fill_lane(&running.bus).await;
    settle().await;
    assert_eq!(quick.read(), Vec::from_iter(0..FILL));
    // Not even when its lane is full: other events, and other games, pass by.
    running.bus.announce(bowed(1, FILL)).await;
    running.bus.announce(waved(2, FILL + 1)).await;
    settle().await;
    assert_eq!(quick.read(), Vec::from_iter(0..=FILL + 1));
    assert!(slow.is_empty());
}

#[tokio::test]
async fn a_slow_game_holds_up_the_games_of_its_lane_alone() {
    let (diary, latch) = (Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    let (writes, slow) = (diary.clone(), latch.clone());
    builder.hear::<Waved>(
        "host",
        handler(move |heard: Heard<Waved>| {
            let (writes, slow) = (writes.clone(), slow.clone());
            async move {
                if heard.game == GameId(1) {
                    slow.pass().await;
                }
                writes.write(heard.number);
                Ok(())
            }
        }),
    );
    let running = Running::start_paused(builder);
    let games = 1..=LANES as u32 + 1;
    for game in games.clone() {
        running.bus.announce(waved(game.into(), game)).await;
    }
    settle().await;
    let mut others = diary.read();
    others.sort();
    assert_eq!(others, Vec::from_iter(2..=LANES as u32));
    latch.open();
    running.end().await;
    assert_eq!(diary.read().len(), games.count());
}

#[tokio::test]
async fn an_event_without_a_listener_costs_no_delivery() {
    let (diary, never) = (Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("slow", diary.behind(&never));
    let running = Running::start_paused(builder);
    fill_lane(&running.bus).await;
    settle().await;
    // The lane of this game is full, so publishing would wait.
    let unwanted = tokio::time::timeout(Duration::ZERO, async {
        for number in 0..10 * FILL {
            running.bus.announce(bowed(1, number)).await;
        }
    });
    assert!(unwanted.await.is_ok());
    running.bus.relay(leaned(1, 0));
}

#[tokio::test]
async fn what_lies_in_the_lanes_at_a_stop_is_delivered() {
    let (diary, latch) = (Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("slow", diary.behind(&latch));
    let running = Running::start_paused(builder);
    fill_lane(&running.bus).await;
    running.stop.cancel();
    settle().await;
    assert!(diary.is_empty());
    latch.open();
    running.end().await;
    assert_eq!(diary.read(), Vec::from_iter(0..FILL));
}

#[tokio::test]
async fn at_a_stop_no_publisher_waits_any_more() {
    let (diary, latch) = (Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("slow", diary.behind(&latch));
    let running = Running::start_paused(builder);
    fill_lane(&running.bus).await;
    let (bus, after) = (running.bus.clone(), running.bus.clone());
    let waits = tokio::spawn(async move { bus.announce(waved(1, FILL)).await });
    settle().await;
    assert!(!waits.is_finished());
    running.stop.cancel();
    latch.open();
    running.end().await;
    waits.await.unwrap();
    after.announce(waved(1, FILL + 1)).await;
    assert!(diary.read().starts_with(&Vec::from_iter(0..FILL)));
}

#[tokio::test]
async fn a_timer_that_finds_its_lane_full_is_given_back() {
    let (diary, never) = (Diary::default(), Latch::default());
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("slow", diary.behind(&never));
    let lanes = builder.lanes("slow");
    let running = Running::start_paused(builder);
    fill_lane(&running.bus).await;
    let timer = || {
        let run = Box::new(|_| -> crate::bus::Handling { Box::pin(async { Ok(Pending::DONE) }) });
        Delivery { what: "test.timer", trace: TraceContext::none(), run }
    };
    settle().await;
    let given_back = lanes.try_send(GameId(1), timer());
    assert_eq!(given_back.err().map(|delivery| delivery.what), Some("test.timer"));
    assert!(lanes.try_send(GameId(2), timer()).is_ok());
}
