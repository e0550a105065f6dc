//! Logs, traces and metrics.
//!
//! The only room that knows OpenTelemetry and Prometheus. Everything else speaks `tracing`, carries a
//! [`TraceContext`] where a cause travels further than its span, and counts with the instruments of [`count`].
//!
//! Without an OTLP endpoint no span is made at all, so tracing costs an atomic load where a span
//! would begin.

pub mod count;
mod export;
mod expose;
mod instruments;
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

pub use export::{Guard, init};
pub use expose::{Format, exposition, table};
pub use meter::{About, Counter, CounterHandle, Gauge, Histogram, Timed};
pub(crate) use own::Own;
pub(crate) use relay::Born;
pub use spans::TraceContext;
pub(crate) use spans::{frame_span, process_span, publish_span, request_span, socket_span};

/// The target of lines that tell what an operator did: never left out, and to be picked out of the log by it.
pub(crate) const AUDIT: &str = "typephoon_api::audit";
