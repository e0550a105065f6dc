//! The latest errors and warnings of this process, for the operations page; the log has all of them.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use parking_lot::Mutex;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::TraceContext;
use crate::game::Timestamp;

/// Number kept; a new one replaces the oldest.
const KEPT: usize = 100;
/// Longest text, in bytes.
const LONGEST: usize = 500;

/// An error or warning of the log.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trouble {
    /// When it happened, by the clock that pods share.
    pub(crate) at: String,
    /// `ERROR` or `WARN`.
    pub(crate) level: &'static str,
    /// The message, followed by the fields.
    pub(crate) text: String,
    /// Its trace id, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
}

impl Trouble {
    fn new(level: &'static str, mut text: String) -> Self {
        if text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or_default());
            text.push('…');
        }
        let trace = TraceContext::current().trace_id();
        Self { at: Timestamp::now().with_z(), level, text, trace }
    }
}

static LAST: Mutex<VecDeque<Trouble>> = Mutex::new(VecDeque::new());
static PANICS: Mutex<BTreeMap<&'static str, Trouble>> = Mutex::new(BTreeMap::new());

/// The latest ones, newest first.
pub(crate) fn last() -> Vec<Trouble> {
    LAST.lock().iter().rev().cloned().collect()
}

/// The last panic of a module, if there was one.
pub(crate) fn last_panic(module: &str) -> Option<Trouble> {
    PANICS.lock().get(module).cloned()
}

/// Records a panic in a function of a module.
pub(crate) fn panicked(module: &'static str, what: &str, message: &str) {
    PANICS.lock().insert(module, Trouble::new("ERROR", format!("{what}: {message}")));
}

fn remember(trouble: Trouble) {
    let mut last = LAST.lock();
    if last.len() == KEPT {
        last.pop_front();
    }
    last.push_back(trouble);
}

/// The layer that collects them.
pub(super) struct Troubles;

impl<S: Subscriber> Layer<S> for Troubles {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = TroubleWords::default();
        event.record(&mut words);
        remember(Trouble::new(event.metadata().level().as_str(), words.message + &words.fields));
    }
}

#[derive(Default)]
struct TroubleWords {
    message: String,
    fields: String,
}

impl Visit for TroubleWords {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.fields += &format!(" {name}={value:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn errors_are_kept_with_their_fields_up_to_a_bound() {
        let subscriber = tracing_subscriber::registry().with(Troubles);
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..=KEPT {
                tracing::error!(module = "chat", number, "it failed");
            }
        });
        let last = last();
        assert_eq!(last.len(), KEPT);
        assert_eq!(last[0].text, format!("it failed module=chat number={KEPT}"));
        assert!(Trouble::new("WARN", "ä".repeat(LONGEST)).text.len() <= LONGEST + '…'.len_utf8());
    }
}
