//! Which modules get which events, in which order.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;

use super::*;
use crate::bus::{Carrier, Emits, LANES, Parcel, Receipt, Settled};

/// A way to other pods that counts the events it carries.
#[derive(Default)]
struct Cart(AtomicU32);

#[async_trait]
impl Carrier for Cart {
    fn has_others(&self, _: GameId) -> bool {
        true
    }
    fn relay(&self, _: Parcel) {}
    async fn carry(&self, _: Parcel) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    async fn assign(&self, _: Parcel) -> bool {
        false
    }
}

/// For other pods.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
struct Called {
    game: GameId,
}

impl Event for Called {
    const NAME: &'static str = "test.called";
    const REACH: Reach = Reach::Game;
    type Loss = Never;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

#[tokio::test]
async fn an_event_that_no_module_here_hears_travels_to_the_pods_that_may_hear_it() {
    let cart = Arc::new(Cart::default());
    let (bus, _) = BusBuilder::<Arc<Switch>>::default().build();
    bus.travel_by(cart.clone());
    bus.announce(Called { game: GameId(1) }).await;
    assert_eq!(cart.0.load(Ordering::Relaxed), 1);
}

#[test]
fn work_is_settled_once_by_the_last_clone_of_its_receipt() {
    for is_refused in [false, true] {
        let settled = Arc::new(Mutex::new(Vec::new()));
        let seen = settled.clone();
        let receipt = Receipt::new(move |outcome| seen.lock().push(outcome));
        let clone = receipt.clone();
        if is_refused {
            clone.refuse();
        }
        drop(receipt);
        assert!(settled.lock().is_empty(), "one is held");
        drop(clone);
        let expected = if is_refused { Settled::Refused } else { Settled::Handled };
        assert_eq!(*settled.lock(), [expected]);
    }
}

#[tokio::test]
async fn a_module_gets_only_what_it_asked_for() {
    let (greeter, butler) = (Diary::default(), Diary::default());
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("greeter", greeter.hearing());
    builder.hear::<Bowed>("butler", butler.hearing());
    let running = Running::start(builder);
    running.bus.announce(waved(1, 1)).await;
    running.bus.announce(bowed(1, 2)).await;
    running.end().await;
    assert_eq!(greeter.read(), [1]);
    assert_eq!(butler.read(), [2]);
}

#[tokio::test]
async fn every_module_that_asked_gets_the_event() {
    let diaries: [Diary; 3] = std::array::from_fn(|_| Diary::default());
    let mut builder = BusBuilder::default();
    for (module, diary) in ["one", "two", "three"].into_iter().zip(&diaries) {
        builder.hear::<Waved>(module, diary.hearing());
    }
    let running = Running::start(builder);
    running.bus.announce(waved(1, 7)).await;
    running.end().await;
    assert!(diaries.iter().all(|diary| diary.read() == [7]));
}

/// The games and numbers that a module has heard, from handlers that take their time.
#[derive(Clone, Default)]
struct Minutes(Arc<Mutex<Vec<(GameId, u32)>>>);

impl Minutes {
    fn taking(&self) -> Handler<Arc<Switch>, Waved> {
        let minutes = self.clone();
        handler(move |heard: Heard<Waved>| {
            let minutes = minutes.clone();
            async move {
                for _ in 0..heard.number % 3 {
                    tokio::task::yield_now().await;
                }
                minutes.0.lock().push((heard.game, heard.number));
                Ok(())
            }
        })
    }

    fn of(&self, game: GameId) -> Vec<u32> {
        let all = self.0.lock();
        all.iter().filter(|(of, _)| *of == game).map(|(_, number)| *number).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_one_game_keep_their_order_as_each_module_sees_it() {
    const EVENTS: u32 = 400;
    // Two of these share a lane.
    let games = [1, 2, 3, 1 + LANES as i64];
    let modules = [Minutes::default(), Minutes::default()];
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("one", modules[0].taking());
    builder.hear::<Waved>("two", modules[1].taking());
    let running = Running::start(builder);
    let publishing = games.map(|game| {
        let bus = running.bus.clone();
        tokio::spawn(async move {
            for number in 0..EVENTS {
                bus.announce(waved(game, number)).await;
            }
        })
    });
    for publisher in publishing {
        publisher.await.unwrap();
    }
    running.end().await;
    let in_order: Vec<u32> = (0..EVENTS).collect();
    for module in &modules {
        for game in games {
            assert_eq!(module.of(GameId(game)), in_order, "game {game}");
        }
    }
}

#[tokio::test]
async fn different_events_of_one_game_keep_their_order_too() {
    let diary = Diary::default();
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("host", diary.hearing());
    builder.hear::<Bowed>("host", diary.hearing());
    let running = Running::start(builder);
    for number in 0..50 {
        running.bus.announce(waved(1, 2 * number)).await;
        running.bus.announce(bowed(1, 2 * number + 1)).await;
    }
    running.end().await;
    assert_eq!(diary.read(), Vec::from_iter(0..100));
}

#[tokio::test]
async fn what_a_function_returns_is_published_in_order() {
    let diary = Diary::default();
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>("host", diary.hearing());
    builder.hear::<Bowed>("host", diary.hearing());
    let running = Running::start(builder);
    let many = vec![waved(1, 1), waved(1, 2), waved(1, 3)];
    let perhaps = (None::<Waved>, Some(bowed(1, 4)));
    (many, perhaps).publish(&running.bus).await;
    assert!(().publish(&running.bus).is_done());
    running.end().await;
    assert_eq!(diary.read(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn an_event_is_shown_before_its_announcement_returns() {
    let (shown, heard) = (Diary::default(), Diary::default());
    let mut builder = BusBuilder::default();
    let (view, relayed) = (shown.clone(), shown.clone());
    let switch = Switch::new("test", &Arc::default());
    builder.view(&switch, move |event: &Waved| view.write(event.number));
    builder.view(&switch, move |event: &Leaned| relayed.write(event.number));
    builder.hear::<Waved>("host", heard.hearing());
    // No module runs yet: nothing but the publisher can show it.
    let (bus, _listeners) = builder.build();
    bus.announce(waved(1, 1)).await;
    assert_eq!(shown.read(), [1]);
    bus.relay(leaned(1, 2));
    assert_eq!(shown.read(), [1, 2]);
    assert!(heard.is_empty());
}
