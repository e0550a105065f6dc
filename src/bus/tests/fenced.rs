//! What goes wrong in a module stays there, has a name, and ends.

use super::*;
use crate::Kind;
use crate::bus::{LEFT_ALONE_AFTER, Owner, Reread, SLOW_AFTER};
use crate::telemetry::count;

/// What the handler of a test does with the event that carries this number.
const STUMBLES: u32 = 0;

/// A handler that does `otherwise` with [`STUMBLES`], and writes down every other number.
fn stumbling<E: Numbered, F>(diary: &Diary, otherwise: fn() -> F) -> Handler<Arc<Switch>, E>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let diary = diary.clone();
    handler(move |heard: Heard<E>| {
        let diary = diary.clone();
        async move {
            if heard.number() == STUMBLES {
                otherwise().await?;
            }
            diary.write(heard.number());
            Ok(())
        }
    })
}

/// A bus with one module, which hears and listens.
fn running<F>(module: &'static str, diary: &Diary, otherwise: fn() -> F) -> Running
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let mut builder = BusBuilder::default();
    builder.hear::<Waved>(module, stumbling(diary, otherwise));
    let nothing: Reread<Arc<Switch>> = Arc::new(|_| Box::pin(async { Ok(Pending::DONE) }));
    builder.listen::<Leaned>(module, stumbling(diary, otherwise), nothing);
    Running::start_paused(builder)
}

async fn panics() -> Result<(), Error> {
    panic!("the shoe is untied")
}

async fn fails() -> Result<(), Error> {
    Err(Kind::GAME_NOT_FOUND.into())
}

async fn dreams() -> Result<(), Error> {
    tokio::time::sleep(LEFT_ALONE_AFTER * 100).await;
    Ok(())
}

async fn dawdles() -> Result<(), Error> {
    tokio::time::sleep(SLOW_AFTER * 3).await;
    Ok(())
}

#[tokio::test]
async fn a_panic_is_caught_and_counted_and_the_module_goes_on() {
    let diary = Diary::default();
    let running = running("clumsy", &diary, panics);
    let (log, panics) = (Log::capture(), count::HANDLER_PANICS.get());
    running.bus.announce(waved(1, STUMBLES)).await;
    running.bus.announce(waved(1, 1)).await;
    settle().await;
    running.bus.relay(leaned(1, STUMBLES));
    running.bus.relay(leaned(1, 2));
    settle().await;
    assert_eq!(diary.read(), [1, 2]);
    assert!(count::HANDLER_PANICS.get() >= panics + 2);
    assert!(log.says(&["panicked", "module=\"clumsy\"", "test.waved", "the shoe is untied"]));
    assert!(log.says(&["panicked", "module=\"clumsy\"", "test.leaned"]));
    running.end().await;
}

#[tokio::test]
async fn a_module_that_panics_again_and_again_is_switched_off_until_it_is_switched_on() {
    let diary = Diary::default();
    let running = running("clumsy", &diary, panics);
    let switch = running.switches["clumsy"].clone();
    for number in [STUMBLES, STUMBLES, STUMBLES, STUMBLES, 1, STUMBLES, 2] {
        assert!(switch.is_on() || number == 2);
        running.bus.announce(waved(1, number)).await;
        settle().await;
    }
    running.bus.relay(leaned(1, 3));
    settle().await;
    assert_eq!(diary.read(), [1], "nothing after the fifth panic");
    assert!(switch.off().is_some_and(|off| off.by.contains("5 panics")));
    switch.set_here(None);
    running.bus.announce(waved(1, 4)).await;
    settle().await;
    assert_eq!(diary.read(), [1, 4]);
    running.end().await;
}

#[tokio::test]
async fn an_error_is_logged_and_counted_and_the_module_goes_on() {
    let diary = Diary::default();
    let running = running("unlucky", &diary, fails);
    let (log, errors) = (Log::capture(), count::HANDLER_ERRORS.get());
    running.bus.announce(waved(1, STUMBLES)).await;
    running.bus.announce(waved(1, 1)).await;
    settle().await;
    assert_eq!(diary.read(), [1]);
    assert!(count::HANDLER_ERRORS.get() > errors);
    assert!(log.says(&["failed", "module=\"unlucky\"", "test.waved", "GAME_NOT_FOUND"]));
    running.end().await;
}

#[tokio::test]
async fn a_delivery_that_takes_long_is_named_while_it_runs() {
    let diary = Diary::default();
    let running = running("dawdler", &diary, dawdles);
    let (log, slow) = (Log::capture(), count::HANDLER_SLOW.get());
    running.bus.announce(waved(1, STUMBLES)).await;
    tokio::time::sleep(SLOW_AFTER / 2).await;
    assert!(!log.says(&["takes longer"]));
    tokio::time::sleep(SLOW_AFTER).await;
    assert!(log.says(&["takes longer than 1s", "module=\"dawdler\"", "test.waved"]));
    assert!(count::HANDLER_SLOW.get() > slow);
    assert!(diary.is_empty());
    tokio::time::sleep(SLOW_AFTER * 2).await;
    assert_eq!(diary.read(), [STUMBLES]);
    assert!(log.says(&["the slow handler is done", "module=\"dawdler\"", "test.waved", "took=3"]));
    running.end().await;
}

#[tokio::test]
async fn a_delivery_without_end_is_left_alone_and_the_module_goes_on() {
    let diary = Diary::default();
    let running = running("dreamer", &diary, dreams);
    let (log, abandoned) = (Log::capture(), count::HANDLER_LEFT_ALONE.get());
    running.bus.announce(waved(1, STUMBLES)).await;
    running.bus.announce(waved(1, 1)).await;
    running.bus.relay(leaned(1, STUMBLES));
    running.bus.relay(leaned(1, 2));
    tokio::time::sleep(LEFT_ALONE_AFTER - SLOW_AFTER).await;
    assert!(diary.is_empty());
    tokio::time::sleep(SLOW_AFTER * 2).await;
    let mut goes_on = diary.read();
    goes_on.sort();
    assert_eq!(goes_on, [1, 2]);
    assert!(count::HANDLER_LEFT_ALONE.get() >= abandoned + 2);
    assert!(log.says(&[
        "a delivery takes too long and is abandoned",
        "module=\"dreamer\"",
        "test.waved",
        "after=30s"
    ]));
    running.end().await;
}

#[tokio::test]
async fn a_panic_before_the_first_wait_is_caught_too() {
    let diary = Diary::default();
    let (mut builder, writes) = (BusBuilder::default(), diary.clone());
    builder.hear::<Waved>(
        "hasty",
        handler(move |heard: Heard<Waved>| {
            assert_ne!(heard.number, STUMBLES, "not even a future was made");
            writes.write(heard.number);
            std::future::ready(Ok(()))
        }),
    );
    let running = Running::start_paused(builder);
    running.bus.announce(waved(1, STUMBLES)).await;
    settle().await;
    running.bus.announce(waved(1, 1)).await;
    settle().await;
    assert_eq!(diary.read(), [1]);
}
