//! Logs, traces and metrics.
//!
//! OpenTelemetry and Prometheus are used here only. All other code uses `tracing`, passes a [`TraceContext`] where a
//! cause outlives its span, and counts with the instruments of [`count`].
//!
//! Without an OTLP endpoint no span is created, so tracing costs one atomic load per potential span.

mod broker;
mod context;
pub mod count;
mod database;
mod declared;
mod export;
mod expose;
mod instruments;
mod late;
mod lines;
mod log;
mod meter;
pub(crate) mod panics;
pub(crate) mod process;
mod rate;
mod relay;
mod spans;
pub(crate) mod troubles;

pub(crate) use broker::{Destination, Peer, receive_span, send_span, settle_span, take_in_span};
pub use context::TraceContext;
pub(crate) use database::{StoreLocation, live_operation, transaction_step};
pub(crate) use declared::ModuleInstrument;
pub use export::{Guard, init};
pub use expose::{Format, exposition, table};
pub(crate) use late::{Departure, SLOW_DELIVERY, frame_panicked, malformed_frame};
pub use meter::{About, Counter, CounterHandle, Gauge, Histogram, Timed};
pub(crate) use relay::Born;
pub(crate) use spans::{
    FrameStart, RequestSpan, RequestStart, frame_span, gathered_span, mark_failed, process_span,
    publish_span, relay_span, socket_span, span_failed,
};

/// The target of log lines about operators' actions, for filtering the log. They are never suppressed.
pub(crate) const AUDIT: &str = "typephoon_api::audit";
