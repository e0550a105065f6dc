//! Logs, traces and metrics.
//!
//! The only room that knows OpenTelemetry and Prometheus. Everything else speaks `tracing`, carries a
//! [`TraceContext`] where a cause travels further than its span, and counts with the instruments of [`count`].
//!
//! Without an OTLP endpoint no span is made at all, so tracing costs an atomic load where a span
//! would begin.

mod broker;
mod context;
pub mod count;
mod database;
mod export;
mod expose;
mod instruments;
mod late;
mod lines;
mod log;
mod meter;
mod own;
pub(crate) mod panics;
pub(crate) mod process;
mod rate;
mod relay;
mod spans;
pub(crate) mod troubles;

pub(crate) use broker::{Destination, Peer, receive_span, send_span, settle_span, take_in_span};
pub use context::TraceContext;
pub(crate) use database::{Store, live_operation, transaction_step};
pub use export::{Guard, init};
pub use expose::{Format, exposition, table};
pub(crate) use late::{Departure, SLOW_DELIVERY, frame_panicked, malformed_frame};
pub use meter::{About, Counter, CounterHandle, Gauge, Histogram, Timed};
pub(crate) use own::Own;
pub(crate) use relay::Born;
pub(crate) use spans::{
    FrameStart, RequestSpan, RequestStart, frame_span, gathered_span, mark_failed, process_span,
    publish_span, relay_span, socket_span, span_failed,
};

/// The target of lines that tell what an operator did: never left out, and to be picked out of the log by it.
pub(crate) const AUDIT: &str = "typephoon_api::audit";
