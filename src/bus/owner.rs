//! What the bus needs to know about the module that a function belongs to.

use std::sync::Arc;
use std::time::Duration;

use super::fence::SLOW_AFTER;

/// A module and its switch. The context that handlers get implements it, and the switch itself.
pub trait Owner: Send + Sync + 'static {
    /// The name of the module.
    fn module(&self) -> &'static str;
    /// Whether the module is on.
    fn is_on(&self) -> bool;
    /// Whether the module may be given `what`; otherwise it is counted as skipped.
    fn takes(&self, what: &'static str) -> bool;
    /// Counts a panic of one of its functions. Too many switch it off.
    fn note_panic(&self);
    /// How long one of its functions may take; slower ones are reported.
    fn time_budget(&self) -> Duration {
        SLOW_AFTER
    }
}

impl<T: Owner> Owner for Arc<T> {
    fn module(&self) -> &'static str {
        (**self).module()
    }
    fn is_on(&self) -> bool {
        (**self).is_on()
    }
    fn takes(&self, what: &'static str) -> bool {
        (**self).takes(what)
    }
    fn note_panic(&self) {
        (**self).note_panic();
    }
    fn time_budget(&self) -> Duration {
        (**self).time_budget()
    }
}
