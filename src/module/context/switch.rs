//! Switches of handler modules: whether one is on, on this pod.
//!
//! A module that is off gets no events, frames, timers or requests, and its sockets are closed and refused. Work in
//! progress is completed. What it misses is counted; its timers wait, and find facts that it should have changed once
//! it is on again.
//!
//! It is off for one of two reasons: an operator has switched it off on all pods, which is stored in the records; or it
//! is off on this pod only, by an operator or because it panicked too often, until it is switched on or the pod
//! restarts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Notify;

use crate::Kind;
use crate::bus::Owner;
use crate::game::Timestamp;
use crate::socket::rooms::Rooms;
use crate::telemetry::count;

/// The period in which panics are counted.
const SERIES: Duration = Duration::from_secs(60);

/// Why a module is off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Off {
    /// Since when.
    pub(crate) since: String,
    /// The operator, or the server itself.
    pub(crate) by: String,
    /// Whether it is off on all pods.
    pub(crate) everywhere: bool,
}

#[derive(Debug, Default)]
struct Reasons {
    everywhere: Option<Off>,
    here: Option<Off>,
    /// The panics of the last minute.
    panics: VecDeque<Instant>,
}

/// The switch of one module.
pub(crate) struct Switch {
    module: &'static str,
    is_on: AtomicBool,
    reasons: Mutex<Reasons>,
    /// Panics within a minute that switch the module off; 0 never does.
    panics_allowed: AtomicU32,
    rooms: Arc<Rooms>,
}

impl Switch {
    /// A switch that is on.
    pub(crate) fn new(module: &'static str, rooms: &Arc<Rooms>) -> Arc<Self> {
        let (is_on, reasons) = (AtomicBool::new(true), Mutex::default());
        let panics_allowed = AtomicU32::new(0);
        Arc::new(Self { module, is_on, reasons, panics_allowed, rooms: rooms.clone() })
    }

    /// Why it is off, if it is; the reason for all pods takes precedence.
    pub(crate) fn off(&self) -> Option<Off> {
        let reasons = self.reasons.lock();
        reasons.everywhere.clone().or_else(|| reasons.here.clone())
    }

    /// Switches it off on this pod, or on again.
    pub(crate) fn set_here(&self, off: Option<Off>) {
        self.change(|reasons| {
            reasons.here = off;
            reasons.panics.clear();
        });
    }

    /// Sets the state for all pods.
    fn set_everywhere(&self, off: Option<Off>) {
        self.change(|reasons| reasons.everywhere = off);
    }

    fn change(&self, change: impl FnOnce(&mut Reasons)) {
        let mut reasons = self.reasons.lock();
        change(&mut reasons);
        let is_on = reasons.everywhere.is_none() && reasons.here.is_none();
        let was_on = self.is_on.swap(is_on, Ordering::Relaxed);
        let off = reasons.everywhere.clone().or_else(|| reasons.here.clone());
        drop(reasons);
        if was_on == is_on {
            return;
        }
        count::HANDLER_ENABLED.set([self.module], is_on.into());
        let module = self.module;
        let Some(Off { by, everywhere, .. }) = off else {
            return tracing::warn!(module, "a handler module is on again");
        };
        tracing::warn!(
            module,
            by,
            everywhere,
            "a handler module is switched off, until /ops switches it on"
        );
        self.rooms.close_module(module, Kind::UNAVAILABLE);
    }

    /// Sets the panics within a minute that switch it off; 0 never does.
    pub(crate) fn allow_panics(&self, per_minute: u32) {
        self.panics_allowed.store(per_minute, Ordering::Relaxed);
    }

    fn is_one_too_many(&self, limit: u32, now: Instant) -> bool {
        let panics = &mut self.reasons.lock().panics;
        panics.push_back(now);
        while panics.front().is_some_and(|at| now.duration_since(*at) >= SERIES) {
            panics.pop_front();
        }
        panics.len() >= limit as usize
    }
}

impl Owner for Switch {
    fn module(&self) -> &'static str {
        self.module
    }

    fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    fn takes(&self, what: &'static str) -> bool {
        let is_on = self.is_on();
        if !is_on {
            count::HANDLER_SKIPPED.add([self.module, what], 1);
        }
        is_on
    }

    /// Too many panics within a minute switch it off on this pod.
    fn note_panic(&self) {
        let limit = self.panics_allowed.load(Ordering::Relaxed);
        if limit == 0 || !self.is_on() || !self.is_one_too_many(limit, Instant::now()) {
            return;
        }
        let by = format!("this pod, after {limit} panics within a minute");
        self.set_here(Some(Off { since: Timestamp::now().with_z(), by, everywhere: false }));
    }
}

/// The switches of all modules.
#[derive(Default)]
pub(crate) struct Switches {
    by_module: BTreeMap<&'static str, Arc<Switch>>,
    /// Wakes the task that compares the switches with the records.
    pub(crate) changed: Arc<Notify>,
}

impl Switches {
    pub(in crate::module) fn add(
        &mut self,
        module: &'static str,
        rooms: &Arc<Rooms>,
    ) -> Arc<Switch> {
        count::HANDLER_ENABLED.set([module], 1);
        self.by_module.entry(module).or_insert_with(|| Switch::new(module, rooms)).clone()
    }

    /// Sets the panics within a minute that switch a module off; 0 never does.
    pub(crate) fn allow_panics(&self, per_minute: u32) {
        for switch in self.all() {
            switch.allow_panics(per_minute);
        }
    }

    /// The switch of a module.
    pub(crate) fn get(&self, module: &str) -> Option<&Arc<Switch>> {
        self.by_module.get(module)
    }

    /// All switches, sorted by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Switch>> {
        self.by_module.values()
    }

    /// Sets which modules are off on all pods.
    pub(crate) fn set_everywhere(&self, off: &BTreeMap<String, Off>) {
        for switch in self.all() {
            switch.set_everywhere(off.get(switch.module()).cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off(everywhere: bool) -> Off {
        Off { since: "now".into(), by: "anna".into(), everywhere }
    }

    #[test]
    fn a_module_is_on_while_nothing_holds_against_it() {
        let switch = Switch::new("chat", &Arc::default());
        assert!(switch.takes("chat.said") && switch.off().is_none());
        switch.set_here(Some(off(false)));
        switch.set_everywhere(Some(off(true)));
        assert_eq!(switch.off(), Some(off(true)));
        assert!(!switch.takes("chat.said"));
        switch.set_everywhere(None);
        assert_eq!(switch.off(), Some(off(false)), "still off here");
        switch.set_here(None);
        assert!(switch.is_on() && switch.off().is_none());
    }

    #[test]
    fn a_series_of_panics_switches_a_module_off_and_single_ones_do_not() {
        let mut switches = Switches::default();
        let switch = switches.add("chat", &Arc::default());
        switches.allow_panics(3);
        let begun = Instant::now();
        let panics_at = |seconds| switch.is_one_too_many(3, begun + Duration::from_secs(seconds));
        assert!(![0, 59, 60, 119].into_iter().any(panics_at), "never three within a minute");
        switch.set_here(None);
        for _ in 0..3 {
            assert!(switch.is_on());
            switch.note_panic();
        }
        assert!(switch.off().is_some_and(|it| it.by.contains("3 panics") && !it.everywhere));
        switch.set_here(None);
        switch.note_panic();
        assert!(switch.is_on(), "counted anew");
        switches.allow_panics(0);
        (0..9).for_each(|_| switch.note_panic());
        assert!(switch.is_on(), "0 switches nothing off");
    }
}
