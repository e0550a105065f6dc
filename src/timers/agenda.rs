//! The agenda: where the deadlines of timers are kept until they are done. Timers know this interface only.
//!
//! There are two: [`LocalAgenda`](super::local::LocalAgenda) keeps them in this process; the bridge shares them with the other pods.

use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;

use super::Timers;
use crate::Error;
use crate::game::{Game, GameId, Timestamp};

/// A timer of a game, by the timer's name.
pub(crate) type Which = (GameId, &'static str);

/// When a timer is due after it has run, read from the facts. Only polled by an agenda that needs it.
pub(crate) type Next<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Timestamp>, Error>> + Send + 'a>>;

/// Keeps the deadlines of timers. It may let a timer fire twice or too early, since the timer reads the facts.
#[async_trait]
pub(crate) trait Agenda: Send + Sync {
    /// Sets the deadlines that follow from these facts, which may be older than those of the last call. `None` is not
    /// due.
    fn set(&self, game: &Game, deadlines: &mut dyn Iterator<Item = Deadline>);

    /// Moves a deadline: the timer fired too early, or cannot run now.
    fn put_off(&self, which: Which, due: Timestamp);

    /// The timer has run, or was found not to be due. Until then, an agenda of several pods keeps the deadline, so that
    /// another pod finds it if this one dies.
    async fn settle(&self, which: Which, next: Next<'_>);

    /// Searches for what was not set, or is not done, for ever.
    async fn sweep(&self, timers: &Timers);
}

/// A timer, and when it is due, if it is.
pub(crate) type Deadline = (&'static str, Option<Timestamp>);
