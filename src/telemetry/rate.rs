//! A rate limit for the log, so that a client that causes the same line repeatedly does not fill the disk.
//!
//! The limit applies per place in the code, so a flood of one kind of line hides no other. Suppressed lines are
//! counted, and the next line from the same place has their number. It applies from `info` up, since operators enable
//! `debug` and `trace` on purpose. Lines of the audit trail are never suppressed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::callsite::Identifier;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Filter};

use super::{AUDIT, count};

/// Lines per place within one [`WINDOW`].
const LINES: u32 = 20;
/// The period of the limit.
const WINDOW: Duration = Duration::from_secs(10);

/// The limit, shared by the filter that applies it and the writer that reports suppressed lines.
#[derive(Clone, Default)]
pub(super) struct LogRate {
    places: Arc<Mutex<HashMap<Identifier, Spent>>>,
    /// Whether suppressed lines are counted: only by one of the writers of the same line.
    is_counted: bool,
}

/// The count of one place.
struct Spent {
    since: Instant,
    lines: u32,
    left_out: u64,
}

impl LogRate {
    /// A limit that counts suppressed lines.
    pub(super) fn counted() -> Self {
        Self { is_counted: true, ..Self::default() }
    }

    /// Whether a place may log now.
    fn spend(&self, place: Identifier, now: Instant) -> bool {
        let mut places = self.places.lock();
        let spent = places.entry(place).or_insert(Spent { since: now, lines: 0, left_out: 0 });
        if now.duration_since(spent.since) >= WINDOW {
            (spent.since, spent.lines) = (now, 0);
        }
        let may = spent.lines < LINES;
        if may {
            spent.lines += 1;
        } else {
            spent.left_out += 1;
        }
        may
    }

    /// The number of suppressed lines of a place since the last call.
    pub(super) fn take_left_out(&self, metadata: &Metadata<'_>) -> u64 {
        let mut places = self.places.lock();
        places.get_mut(&metadata.callsite()).map_or(0, |it| std::mem::take(&mut it.left_out))
    }
}

impl<S: Subscriber> Filter<S> for LogRate {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // "Always" would promise to the registry that no line is suppressed.
        if metadata.is_event() { Interest::sometimes() } else { Interest::always() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Not filtered by level: without a hint, lines of every level would be checked.
        Some(LevelFilter::TRACE)
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::INFO || metadata.target() == AUDIT {
            return true;
        }
        let may = self.spend(metadata.callsite(), Instant::now());
        if !may && self.is_counted {
            count::LOG_LEFT_OUT.add(1);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tracing::callsite::Callsite;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::FilterExt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Counts the lines that pass.
    #[derive(Clone, Default)]
    struct Lines(Arc<AtomicU32>);

    impl<S: Subscriber> Layer<S> for Lines {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_flood_is_cut_for_one_reader_and_not_for_another() {
        let (bounded, all) = (Lines::default(), Lines::default());
        let filter = LevelFilter::INFO.and(LogRate::default());
        let subscriber = tracing_subscriber::registry()
            .with(bounded.clone().with_filter(filter))
            .with(all.clone().with_filter(LevelFilter::WARN));
        tracing::subscriber::with_default(subscriber, || {
            (0..30).for_each(|_| tracing::warn!("again"));
            (0..30).for_each(|_| tracing::warn!(target: AUDIT, "an operator acts"));
        });
        assert_eq!(bounded.0.load(Ordering::Relaxed), 20 + 30);
        assert_eq!(all.0.load(Ordering::Relaxed), 60);
    }

    #[test]
    fn a_place_that_floods_is_cut_and_tells_how_much_once_it_may_log_again() {
        let rate = LogRate::default();
        let noisy =
            tracing::callsite! { name: "noisy", kind: tracing::metadata::Kind::EVENT, fields: };
        let quiet =
            tracing::callsite! { name: "quiet", kind: tracing::metadata::Kind::EVENT, fields: };
        let now = Instant::now();
        let logged = (0..1_000).filter(|_| rate.spend(noisy.metadata().callsite(), now)).count();
        assert_eq!(logged, 20);
        assert!(rate.spend(quiet.metadata().callsite(), now), "another place has lines of its own");
        assert!(rate.spend(noisy.metadata().callsite(), now + WINDOW));
        assert_eq!(rate.take_left_out(noisy.metadata()), 980);
        assert_eq!(rate.take_left_out(noisy.metadata()), 0, "told once");
        assert_eq!(rate.take_left_out(quiet.metadata()), 0);
    }
}
