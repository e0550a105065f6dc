//! What the modules have declared beyond games: collections of items, shared values, and clocks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::clockwork::Clock;
use super::collection::Item;
use super::handover::{HandOver, hand_over};

/// The declarations, by module and name.
#[derive(Default)]
pub(crate) struct Keeping {
    collections: BTreeMap<(&'static str, &'static str), HandOver>,
    shares: BTreeSet<(&'static str, &'static str)>,
    clocks: Vec<Arc<Clock>>,
}

impl Keeping {
    pub(in crate::module) fn declare_items<T: Item>(&mut self, module: &'static str) {
        self.collections.insert((module, T::COLLECTION), hand_over::<T>);
    }

    pub(in crate::module) fn share(&mut self, module: &'static str, name: &'static str) {
        self.shares.insert((module, name));
    }

    pub(in crate::module) fn wind(&mut self, clock: Clock) {
        self.clocks.push(Arc::new(clock));
    }

    pub(super) fn keeps(&self, module: &'static str, collection: &'static str) -> bool {
        self.collections.contains_key(&(module, collection))
    }

    pub(super) fn shares(&self, module: &'static str, name: &'static str) -> bool {
        self.shares.contains(&(module, name))
    }

    /// Each collection's module, and how it is handed over.
    pub(super) fn handed_over(&self) -> impl Iterator<Item = (&'static str, HandOver)> {
        self.collections.iter().map(|((module, _), hand_over)| (*module, *hand_over))
    }

    pub(super) fn clocks(&self) -> &[Arc<Clock>] {
        &self.clocks
    }
}
