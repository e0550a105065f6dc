//! The table of instruments, part one: counters without labels, of what should be rare and of the traffic that
//! tells whether it is. The others are in `instruments.rs`; call sites find all of them here.
//!
//! The comment of an entry is its help text, and its row in `docs/telemetry.md`.

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
    /// Events published by a module that does not declare them
    UNDECLARED = "typephoon_events_undeclared_total";
    /// Timers that found their module's lane full and came again later
    TIMERS_DEFERRED = "typephoon_timers_deferred_total";
    /// Frames that were no valid message of the contract
    MALFORMED_FRAMES = "typephoon_frames_malformed_total";
    /// Frames above the rate that one socket may send
    EXCESS_FRAMES = "typephoon_frames_excess_total";
    /// Sockets closed because they sent too many frames or bytes
    FLOODING_SOCKETS = "typephoon_sockets_flooding_total";
    /// Connections refused because too many were open
    REFUSED_CONNECTIONS = "typephoon_connections_refused_total";
    /// Positions that a newer one replaced in a full outbox
    CONFLATED_FRAMES = "typephoon_frames_conflated_total";
    /// Sockets closed because their client did not read
    SLOW_SOCKETS = "typephoon_sockets_slow_total";
    /// Requests to the operations port without its token
    OPERATIONS_REFUSED = "typephoon_operations_refused_total";
    /// Lines of the log left out, since their place in the code had logged 20 within 10 seconds
    LOG_LEFT_OUT = "typephoon_log_lines_left_out_total";
    /// Changes of a game that were tried again, because another server had changed it meanwhile
    LIVE_CONFLICTS = "typephoon_live_conflicts_total";
    /// Messages published to the broker
    BRIDGE_MESSAGES = "typephoon_bridge_messages_total";
    /// Messages that came from the broker
    BRIDGE_RECEIVED = "typephoon_bridge_messages_received_total";
    /// Batches of positions sent to other pods
    BRIDGE_BATCHES = "typephoon_bridge_batches_total";
    /// Positions in those batches
    BRIDGE_POSITIONS = "typephoon_bridge_positions_total";
    /// Messages for other pods that found no room or no broker
    BRIDGE_DROPPED = "typephoon_bridge_dropped_total";
    /// Messages of other pods that could not be read, such as those of another version
    BRIDGE_UNREADABLE = "typephoon_bridge_unreadable_total";
    /// Events of other pods that no module here knows
    BRIDGE_UNKNOWN = "typephoon_bridge_unknown_total";
    /// Connections to the broker that were lost, or could not be opened
    BRIDGE_RECONNECTS = "typephoon_bridge_reconnects_total";
}
