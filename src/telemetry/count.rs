//! Counters of what should be rare, and of the traffic that tells whether it is.
//!
//! One table: each has the name that its metric will carry (`typephoon_<thing>_<unit>`).

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows, since this process started.
#[derive(Debug)]
pub struct Counter {
    /// The metric's name.
    pub name: &'static str,
    value: AtomicU64,
}

impl Counter {
    const fn new(name: &'static str) -> Self {
        Self { name, value: AtomicU64::new(0) }
    }

    /// Counts `n` more.
    pub fn add(&self, n: u64) {
        self.value.fetch_add(n, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $metric:literal;)*) => {
        $($(#[$doc])* pub static $name: Counter = Counter::new($metric);)*
        /// All of them.
        pub static ALL: &[&Counter] = &[$(&$name),*];
    };
}

counters! {
    /// `Latest` events that a slow module missed.
    LAGGED = "typephoon_events_lagged_total";
    /// Deliveries that ended with an error.
    HANDLER_ERRORS = "typephoon_handler_errors_total";
    /// Deliveries that panicked.
    HANDLER_PANICS = "typephoon_handler_panics_total";
    /// Deliveries that took longer than a second.
    HANDLER_SLOW = "typephoon_handler_slow_total";
    /// Deliveries that their lane did not wait for any longer.
    HANDLER_LEFT_ALONE = "typephoon_handler_left_alone_total";
    /// Events published by a module that does not declare them.
    UNDECLARED = "typephoon_events_undeclared_total";
    /// Timers that came.
    TIMERS_FIRED = "typephoon_timers_fired_total";
    /// Timers that found their module's lane full and came again later.
    TIMERS_DEFERRED = "typephoon_timers_deferred_total";
    /// Frames that were no valid message of the contract.
    MALFORMED_FRAMES = "typephoon_frames_malformed_total";
    /// Frames above the rate that one socket may send.
    EXCESS_FRAMES = "typephoon_frames_excess_total";
    /// Sockets closed because they sent too many frames or bytes.
    FLOODING_SOCKETS = "typephoon_sockets_flooding_total";
    /// Connections refused because too many were open.
    REFUSED_CONNECTIONS = "typephoon_connections_refused_total";
    /// Positions that a newer one replaced in a full outbox.
    CONFLATED_FRAMES = "typephoon_frames_conflated_total";
    /// Sockets closed because they did not read.
    SLOW_SOCKETS = "typephoon_sockets_slow_total";
    /// Messages published to the broker.
    BRIDGE_MESSAGES = "typephoon_bridge_messages_total";
    /// Batches of positions sent to other pods.
    BRIDGE_BATCHES = "typephoon_bridge_batches_total";
    /// Positions in them.
    BRIDGE_POSITIONS = "typephoon_bridge_positions_total";
    /// Messages for other pods that found no room or no broker.
    BRIDGE_DROPPED = "typephoon_bridge_dropped_total";
    /// Messages of other pods that could not be read, such as those of another version.
    BRIDGE_UNREADABLE = "typephoon_bridge_unreadable_total";
    /// Events of other pods that no module here knows.
    BRIDGE_UNKNOWN = "typephoon_bridge_unknown_total";
    /// Sockets opened.
    SOCKETS_OPENED = "typephoon_sockets_opened_total";
    /// Sockets closed, in whatever way.
    SOCKETS_CLOSED = "typephoon_sockets_closed_total";
}
