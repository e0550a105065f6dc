//! Instruments that handler modules declare, under `typephoon_<module>_`.
//!
//! They live as long as the process, like those of the table; a module that is wired again, as in tests, gets the same
//! ones.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use prometheus_client::registry::Registry;

use super::instruments::WAITS;
use super::meter::{About, Counter, Gauge, Histogram, Instrument, One};

/// One of them.
#[derive(Clone, Copy)]
pub(crate) enum ModuleInstrument {
    Counter(&'static Counter),
    Gauge(&'static Gauge),
    Histogram(&'static Histogram),
}

/// All instruments declared in this process, by name.
static DECLARED: Mutex<BTreeMap<String, ModuleInstrument>> = Mutex::new(BTreeMap::new());

impl ModuleInstrument {
    pub(crate) fn counter(module: &str, name: &str, help: &'static str) -> Self {
        let name = format!("typephoon_{module}_{name}_total");
        declare(name, |name| Self::Counter(Box::leak(Box::new(One::new(help, name)))))
    }

    pub(crate) fn gauge(module: &str, name: &str, help: &'static str) -> Self {
        let name = format!("typephoon_{module}_{name}");
        declare(name, |name| Self::Gauge(Box::leak(Box::new(One::new(help, name)))))
    }

    pub(crate) fn histogram(module: &str, name: &str, help: &'static str) -> Self {
        let name = format!("typephoon_{module}_{name}");
        let make = |name| Self::Histogram(Box::leak(Box::new(One::in_buckets(help, name, WAITS))));
        declare(name, make)
    }

    fn instrument(self) -> &'static dyn Instrument {
        match self {
            Self::Counter(it) => it,
            Self::Gauge(it) => it,
            Self::Histogram(it) => it,
        }
    }

    /// Its description.
    pub(crate) fn about(self) -> About {
        self.instrument().about()
    }
}

/// Creates the instrument unless it exists. It is leaked, since it lives as long as the process.
fn declare(name: String, make: impl FnOnce(&'static str) -> ModuleInstrument) -> ModuleInstrument {
    *DECLARED.lock().entry(name).or_insert_with_key(|name| make(Box::leak(name.as_str().into())))
}

/// Adds all declared instruments.
pub(super) fn expose(registry: &mut Registry) {
    for own in DECLARED.lock().values() {
        own.instrument().expose(registry);
    }
}
