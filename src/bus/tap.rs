//! The live tail: copies the events of one game or one player for watchers, if there are any.
//!
//! Publishers never wait for it: it is a ring, and a slow watcher lags and is told how many events it missed. Without
//! watchers it costs one atomic load per event.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use parking_lot::RwLock;
use tokio::sync::broadcast;
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use super::event::{Event, Loss, Promise};
use crate::game::{GameId, Timestamp, UserId};

/// Events that a watcher may be behind before it lags.
const CAPACITY: usize = 1024;
/// Watchers at once: there are few operators.
const WATCHERS: usize = 16;

/// What a watcher follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    /// The events of a game.
    Game(GameId),
    /// The events of a player, in any game.
    Player(UserId),
}

/// An event that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) event: &'static str,
    pub(crate) game: Option<GameId>,
    pub(crate) at: Timestamp,
    /// The event, as JSON.
    pub(crate) body: String,
    player: Option<UserId>,
}

/// What a watcher receives.
#[derive(Clone, Debug)]
pub(crate) enum Sight {
    /// An event.
    Event(Arc<Seen>),
    /// The watcher missed this many.
    Lagged(u64),
}

/// The watchers' access to the bus.
pub(super) struct Tap {
    ring: broadcast::Sender<Arc<Seen>>,
    watchers: AtomicUsize,
    foci: RwLock<Vec<(u64, Focus)>>,
    next: AtomicU64,
}

impl Default for Tap {
    fn default() -> Self {
        let ring = broadcast::channel(CAPACITY).0;
        Self {
            ring,
            watchers: AtomicUsize::new(0),
            foci: RwLock::default(),
            next: AtomicU64::new(0),
        }
    }
}

impl Focus {
    /// Whether the event may match. A lifecycle event names its players only in its body.
    fn may_be<E: Event>(&self, event: &E) -> bool {
        match self {
            Self::Game(game) => event.game() == Some(*game),
            Self::Player(player) => match event.player() {
                Some(of) => of == player,
                None => <E::Loss as Loss>::PROMISE != Promise::Latest,
            },
        }
    }

    fn is(&self, seen: &Seen) -> bool {
        match self {
            Self::Game(game) => seen.game == Some(*game),
            Self::Player(player) if seen.player.is_some() => seen.player.as_ref() == Some(player),
            Self::Player(player) => seen.body.contains(&format!("\"{player}\"")),
        }
    }
}

impl Tap {
    /// Copies an event for the watchers.
    pub(super) fn see<E: Event>(&self, event: &E) {
        if self.watchers.load(Ordering::Relaxed) == 0
            || !self.foci.read().iter().any(|(_, focus)| focus.may_be(event))
        {
            return;
        }
        let (event_name, game, player) = (E::NAME, event.game(), event.player().cloned());
        let body = serde_json::to_string(event).unwrap_or_default();
        let seen = Seen { event: event_name, game, at: Timestamp::now(), body, player };
        // The last watcher may have ended meanwhile.
        let _ = self.ring.send(Arc::new(seen));
    }

    /// Starts watching; `None` if there are too many watchers.
    pub(super) fn watch(self: &Arc<Self>, focus: Focus) -> Option<Sights> {
        let mut foci = self.foci.write();
        if foci.len() >= WATCHERS {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        foci.push((number, focus.clone()));
        self.watchers.store(foci.len(), Ordering::Relaxed);
        let ring = BroadcastStream::new(self.ring.subscribe());
        Some(Sights { ring, focus, number, tap: self.clone() })
    }
}

/// The events for a watcher, as they happen. Dropping it ends the watch.
pub(crate) struct Sights {
    ring: BroadcastStream<Arc<Seen>>,
    focus: Focus,
    number: u64,
    tap: Arc<Tap>,
}

impl Stream for Sights {
    type Item = Sight;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Sight>> {
        loop {
            match Pin::new(&mut self.ring).poll_next(context) {
                Poll::Ready(Some(Ok(seen))) if self.focus.is(&seen) => {
                    return Poll::Ready(Some(Sight::Event(seen)));
                }
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(BroadcastStreamRecvError::Lagged(missed)))) => {
                    return Poll::Ready(Some(Sight::Lagged(missed)));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Sights {
    fn drop(&mut self) {
        let mut foci = self.tap.foci.write();
        foci.retain(|(number, _)| *number != self.number);
        self.tap.watchers.store(foci.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt;

    use super::*;
    use crate::game::{PlayerJoined, PlayerMoved};

    fn moved(game: i64, user: &str, word_index: u32) -> PlayerMoved {
        PlayerMoved { game: GameId(game), user: user.into(), word_index, char_index: 0 }
    }

    async fn next(sights: &mut Sights) -> String {
        match sights.next().await {
            Some(Sight::Event(seen)) => seen.body.clone(),
            other => format!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_watcher_sees_what_it_looks_at_and_nothing_else() {
        let tap = Arc::new(Tap::default());
        let mut game = tap.watch(Focus::Game(GameId(1))).unwrap();
        let mut anna = tap.watch(Focus::Player("anna".into())).unwrap();
        tap.see(&moved(2, "ben", 0));
        tap.see(&PlayerJoined { game: GameId(2), user: "anna".into() });
        tap.see(&moved(1, "ben", 7));
        tap.see(&moved(3, "anna", 8));
        assert!(next(&mut game).await.contains("\"word_index\":7"));
        assert!(next(&mut anna).await.contains("\"user\":\"anna\""));
        assert!(next(&mut anna).await.contains("\"word_index\":8"));
        drop((game, anna));
        assert_eq!(tap.watchers.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_watcher_that_is_too_slow_is_told_how_much_it_missed() {
        let tap = Arc::new(Tap::default());
        let mut game = tap.watch(Focus::Game(GameId(1))).unwrap();
        let surplus = 5;
        for stroke in 0..u32::try_from(CAPACITY).unwrap() + surplus {
            tap.see(&moved(1, "anna", stroke));
        }
        assert!(
            matches!(game.next().await, Some(Sight::Lagged(missed)) if missed == u64::from(surplus))
        );
        assert!(next(&mut game).await.contains("\"word_index\":5"));
    }

    #[test]
    fn there_is_a_bound_on_watchers() {
        let tap = Arc::new(Tap::default());
        let watchers: Vec<_> = (0..WATCHERS).map(|_| tap.watch(Focus::Game(GameId(1)))).collect();
        assert!(watchers.iter().all(Option::is_some));
        assert!(tap.watch(Focus::Game(GameId(1))).is_none());
    }
}
