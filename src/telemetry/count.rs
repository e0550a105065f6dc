//! The table of instruments, part one: counters without labels, mostly of rare events and of the traffic to
//! compare them with. The others are in `instruments.rs` and re-exported here.
//!
//! The comment of an entry is its help text and its row in `docs/telemetry.md`.

pub use super::instruments::*;
use super::meter::{Counter, Instrument, One};

macro_rules! counters {
    ($($(#[doc = $help:literal])* $name:ident = $metric:literal;)*) => {
        $($(#[doc = $help])* pub static $name: Counter = One::new(concat!($($help),*), $metric);)*
        /// All of them.
        pub(super) static PLAIN: &[&'static dyn Instrument] = &[$(&$name),*];
    };
}

counters! {
    /// Events published by a module that did not declare them
    UNDECLARED = "typephoon_events_undeclared_total";
    /// Timers deferred because their module's lane was full
    TIMERS_DEFERRED = "typephoon_timers_deferred_total";
    /// Frames that were not a valid message
    MALFORMED_FRAMES = "typephoon_frames_malformed_total";
    /// Frames dropped because their socket exceeded its rate
    EXCESS_FRAMES = "typephoon_frames_excess_total";
    /// Sockets closed because they sent too many frames or bytes
    FLOODING_SOCKETS = "typephoon_sockets_flooding_total";
    /// Connections refused because too many were open
    REFUSED_CONNECTIONS = "typephoon_connections_refused_total";
    /// Positions replaced by a newer one of the same player in an outbox
    CONFLATED_FRAMES = "typephoon_frames_conflated_total";
    /// Fleeting frames that a client had no room for
    DROPPED_FRAMES = "typephoon_frames_dropped_total";
    /// Sockets closed because their client did not read
    SLOW_SOCKETS = "typephoon_sockets_slow_total";
    /// Requests to the operations port refused for a missing or wrong token
    OPERATIONS_REFUSED = "typephoon_operations_refused_total";
    /// Log lines suppressed because their place in the code had logged 20 within 10 seconds
    LOG_LEFT_OUT = "typephoon_log_lines_left_out_total";
    /// Changes of a game that were retried because another pod had changed it meanwhile
    LIVE_CONFLICTS = "typephoon_live_conflicts_total";
    /// Messages published to the broker
    BRIDGE_MESSAGES = "typephoon_bridge_messages_total";
    /// Messages received from the broker
    BRIDGE_RECEIVED = "typephoon_bridge_messages_received_total";
    /// Batches of positions sent to other pods
    BRIDGE_BATCHES = "typephoon_bridge_batches_total";
    /// Positions in those batches
    BRIDGE_POSITIONS = "typephoon_bridge_positions_total";
    /// Messages for other pods dropped because a queue was full or the broker was down
    BRIDGE_DROPPED = "typephoon_bridge_dropped_total";
    /// Messages from other pods that could not be parsed, such as those of another version
    BRIDGE_UNREADABLE = "typephoon_bridge_unreadable_total";
    /// Events from other pods that no module of this pod knows
    BRIDGE_UNKNOWN = "typephoon_bridge_unknown_total";
    /// Connections to the broker that were lost or could not be opened
    BRIDGE_RECONNECTS = "typephoon_bridge_reconnects_total";
}
