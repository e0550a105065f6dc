//! The promises of the bus, each as a test, on small buses with modules that only record events.

mod delivery;
mod fenced;
mod positions;
mod waiting;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Once};
use std::time::Duration;

use parking_lot::Mutex;
use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::subscriber::DefaultGuard;

use super::topic::Handler;
use super::{Bus, BusBuilder, Event, Heard, Latest, Never, Pending, Reach};
use crate::Error;
use crate::game::{GameId, UserId};
use crate::module::Switch;

/// An event that tests can distinguish from others of its type.
trait Numbered: Event {
    fn number(&self) -> u32;
}

/// Declares an event with a game and a number.
macro_rules! event {
    ($name:literal $type:ident $make:ident $loss:ident) => {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
        struct $type {
            game: GameId,
            number: u32,
            who: UserId,
        }
        impl Event for $type {
            const NAME: &'static str = $name;
            const REACH: Reach = Reach::Pod;
            type Loss = $loss;
            fn game(&self) -> Option<GameId> {
                Some(self.game)
            }
            fn player(&self) -> Option<&UserId> {
                Some(&self.who)
            }
        }
        impl Numbered for $type {
            fn number(&self) -> u32 {
                self.number
            }
        }
        fn $make(game: i64, number: u32) -> $type {
            $type { game: GameId(game), number, who: "anna".into() }
        }
    };
}

event!("test.waved" Waved waved Never);
event!("test.bowed" Bowed bowed Never);
event!("test.leaned" Leaned leaned Latest);

/// A handler from a plain function.
fn handler<E, F>(work: impl Fn(Heard<E>) -> F + Send + Sync + 'static) -> Handler<Arc<Switch>, E>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    Arc::new(move |_, heard| {
        let work = work(heard);
        Box::pin(async { work.await.map(|()| Pending::DONE) })
    })
}

/// The events that a module heard, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<u32>>>);

impl Diary {
    fn write(&self, number: u32) {
        self.0.lock().push(number);
    }

    fn read(&self) -> Vec<u32> {
        self.0.lock().clone()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Records every event.
    fn hearing<E: Numbered>(&self) -> Handler<Arc<Switch>, E> {
        self.behind(&Latch::opened())
    }

    /// Records every event, but not before the latch is open.
    fn behind<E: Numbered>(&self, latch: &Latch) -> Handler<Arc<Switch>, E> {
        let (diary, latch) = (self.clone(), latch.clone());
        handler(move |heard: Heard<E>| {
            let (diary, latch) = (diary.clone(), latch.clone());
            async move {
                latch.pass().await;
                diary.write(heard.number());
                Ok(())
            }
        })
    }
}

/// A latch that blocks callers until it is opened.
#[derive(Clone, Default)]
struct Latch(CancellationToken);

impl Latch {
    fn opened() -> Self {
        let latch = Self::default();
        latch.open();
        latch
    }

    fn open(&self) {
        self.0.cancel();
    }

    async fn pass(&self) {
        self.0.cancelled().await;
    }
}

/// A bus whose modules run.
struct Running {
    bus: Arc<Bus<Arc<Switch>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Off after five panics.
    switches: HashMap<&'static str, Arc<Switch>>,
}

impl Running {
    /// Gives every module its switch as its context, and lets it run.
    fn start(builder: BusBuilder<Arc<Switch>>) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let (bus, listeners) = builder.build();
        let switches = RefCell::new(HashMap::new());
        let context = |module| {
            let switch = Switch::new(module, &Arc::default());
            switch.allow_panics(5);
            switches.borrow_mut().entry(module).or_insert(switch).clone()
        };
        listeners.run(context, &tasks, &stop);
        Self { bus, tasks, stop, switches: switches.into_inner() }
    }

    /// The same, with paused time, so that [`settle`] and long waits take no time.
    fn start_paused(builder: BusBuilder<Arc<Switch>>) -> Self {
        let running = Self::start(builder);
        tokio::time::pause();
        running
    }

    /// Stops the modules, and waits until their lanes are empty.
    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Lets all tasks run until they wait, with paused time.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Captures what is logged in this thread meanwhile.
struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

impl Log {
    fn capture() -> Self {
        // A subscriber must exist all the time: tracing caches the interest per log line, so a line that another test
        // reaches first without a subscriber would be off for the whole process.
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let silent = tracing_subscriber::fmt().with_writer(std::io::sink).finish();
            // It may already be set.
            let _ = tracing::subscriber::set_global_default(silent);
        });
        let text = Arc::new(Mutex::new(Vec::new()));
        let writer = Pen(text.clone());
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        Self { text, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// Whether one line contains all of this.
    fn says(&self, words: &[&str]) -> bool {
        let text = String::from_utf8_lossy(&self.text.lock()).into_owned();
        text.lines().any(|line| words.iter().all(|word| line.contains(word)))
    }
}

#[derive(Clone)]
struct Pen(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
