//! The table of instruments, part two: counters with labels, gauges and histograms.
//!
//! The comment of an entry is its help text, and its row in `docs/telemetry.md`. Labels have few values, all of
//! them names of the code: `module`, `event`, `timer`, `channel`, `code`, `operation` and those of HTTP. No label
//! holds an id of a player, a game or a socket.

use super::meter::{By, Counters, Gauge, Gauges, Histogram, Histograms, Instrument, One, Sum};
use super::relay::RelayLatency;

/// Upper bounds for times that a player waits, in seconds.
pub const WAITS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds for work inside the process, in seconds.
const WORK: &[f64] =
    &[0.000_01, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
/// Upper bounds for the lateness of timers, in seconds.
const LATENESS: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper bounds for the latency between pods, in seconds.
const CROSSING: &[f64] = &[
    0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0,
    5.0,
];
/// Upper bounds for sizes of batches and queues.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

macro_rules! instruments {
    ($($(#[doc = $help:literal])* $name:ident: $type:ty = $make:path, $($given:expr),+;)*) => {
        $($(#[doc = $help])* pub static $name: $type = $make(concat!($($help),*), $($given),+);)*
        /// All of them.
        pub(super) static OTHERS: &[&'static dyn Instrument] = &[$(&$name),*];
    };
}

instruments! {
    /// Duration of HTTP requests, from the first byte read to the response; includes socket upgrades
    HTTP_DURATION: Histograms<3> = By::in_buckets, "http_server_request_duration_seconds",
        &["http_request_method", "http_route", "http_response_status_code"], WAITS;

    /// Open sockets
    SOCKETS_OPEN: Gauges<1> = By::new, "typephoon_sockets_open", &["channel"];
    /// Sockets opened
    SOCKETS_OPENED: Counters<1> = By::new, "typephoon_sockets_opened_total", &["channel"];
    /// Sockets closed, by the close code that the server sent; `gone` if the client closed it, `silent` if it stopped responding
    SOCKETS_CLOSED: Counters<2> = By::new, "typephoon_sockets_closed_total", &["channel", "code"];
    /// From the arrival of a position at this pod to its write to the other players' sockets; one keystroke in 16 is measured
    RELAY_LATENCY: RelayLatency = RelayLatency::new, "typephoon_relay_latency_seconds";
    /// Frames waiting in an outbox, observed whenever the socket's task writes them
    OUTBOX_DEPTH: Histogram = One::in_buckets, "typephoon_outbox_depth", SIZES;
    /// Players with an open socket on this pod
    PLAYERS: Gauge = One::new, "typephoon_players_online";
    /// Games with an open socket on this pod: waiting lobbies, running races
    GAMES_OPEN: Gauges<1> = By::new, "typephoon_games_open", &["channel"];

    /// Events published on this pod, such as `race.started`
    EVENTS_PUBLISHED: Counters<1> = By::new, "typephoon_events_published_total", &["event"];
    /// Deliveries of events and timers to the modules that hear them
    EVENTS_DELIVERED: Counters<1> = By::new, "typephoon_events_delivered_total", &["event"];
    /// Positions missed by a module that lagged
    LAGGED: Counters<1> = By::new, "typephoon_events_lagged_total", &["event"];
    /// Time a module took for an event, a timer, a request or a step of a socket; the count is the number handled
    HANDLER_DURATION: Histograms<2> = By::in_buckets, "typephoon_handler_duration_seconds",
        &["module", "event"], WORK;
    /// Deliveries that failed with an error
    HANDLER_ERRORS: Counters<2> = By::new, "typephoon_handler_errors_total", &["module", "event"];
    /// Functions of a module that panicked
    HANDLER_PANICS: Counters<2> = By::new, "typephoon_handler_panics_total", &["module", "event"];
    /// Functions of a module that exceeded the time budget (`handlers.time_budget`)
    HANDLER_SLOW: Counters<2> = By::new, "typephoon_handler_slow_total", &["module", "event"];
    /// Deliveries abandoned by their lane after 30 seconds
    HANDLER_LEFT_ALONE: Counters<2> = By::new, "typephoon_handler_left_alone_total", &["module", "event"];
    /// Whether a module is switched on, on this pod
    HANDLER_ENABLED: Gauges<1> = By::new, "typephoon_handler_enabled", &["module"];
    /// Events, frames, requests and sockets withheld from a module while it was switched off
    HANDLER_SKIPPED: Counters<2> = By::new, "typephoon_handler_skipped_total", &["module", "event"];
    /// Timers fired
    TIMERS_FIRED: Counters<1> = By::new, "typephoon_timers_fired_total", &["timer"];
    /// Delay between a timer's deadline and its run
    TIMER_LATENESS: Histograms<1> = By::in_buckets, "typephoon_timer_lateness_seconds", &["timer"], LATENESS;

    /// From the publication of an event on another pod to its arrival here
    BRIDGE_LATENCY: Histogram = One::in_buckets, "typephoon_bridge_latency_seconds", CROSSING;
    /// Positions per batch to other pods
    BRIDGE_BATCH_SIZE: Histogram = One::in_buckets, "typephoon_bridge_batch_size", SIZES;
    /// Messages to the broker that await a confirm
    BRIDGE_UNCONFIRMED: Gauge = One::new, "typephoon_bridge_unconfirmed";
    /// Whether the connection to the broker is up
    BRIDGE_CONNECTED: Gauge = One::new, "typephoon_bridge_connected";

    /// Duration of operations on the live state, in this process or in Redis
    LIVE_DURATION: Histograms<1> = By::in_buckets, "typephoon_live_operation_duration_seconds",
        &["operation"], WAITS;
    /// Duration of operations on the record store
    RECORDS_DURATION: Histograms<1> = By::in_buckets, "typephoon_records_operation_duration_seconds",
        &["operation"], WAITS;
    /// Connections of the record store's pools
    RECORDS_CONNECTIONS: Gauges<2> = By::new, "typephoon_records_connections", &["database", "state"];
    /// Whether a dependency of this pod is up
    DEPENDENCY_UP: Gauges<1> = By::new, "typephoon_dependency_up", &["dependency"];

    /// Threads of the runtime
    RUNTIME_WORKERS: Gauge = One::new, "typephoon_runtime_workers";
    /// Tasks alive
    RUNTIME_TASKS: Gauge = One::new, "typephoon_runtime_tasks";
    /// Tasks in the global queue of the runtime
    RUNTIME_QUEUE: Gauge = One::new, "typephoon_runtime_queue_depth";
    /// Time that the threads of the runtime were busy
    RUNTIME_BUSY: Sum = One::new, "typephoon_runtime_busy_seconds_total";

    /// User and system CPU time
    PROCESS_CPU: Sum = One::new, "process_cpu_seconds_total";
    /// Resident memory
    PROCESS_RSS: Gauge = One::new, "process_resident_memory_bytes";
    /// Open file descriptors
    PROCESS_FDS: Gauge = One::new, "process_open_fds";
    /// Limit of open file descriptors
    PROCESS_FD_LIMIT: Gauge = One::new, "process_max_fds";
    /// Start of the process, in seconds since 1970
    PROCESS_START: Gauge = One::new, "process_start_time_seconds";
}
