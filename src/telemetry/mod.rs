//! Logs, traces and counters.
//!
//! The only room that knows OpenTelemetry. Everything else speaks `tracing`, and carries a
//! [`TraceContext`] where a cause travels further than its span.
//!
//! Without an OTLP endpoint no span is made at all, so tracing costs an atomic load where a span
//! would begin.

pub mod count;
mod export;
mod spans;

pub use export::{Guard, init};
pub use spans::TraceContext;
pub(crate) use spans::{frame_span, process_span, publish_span, request_span, socket_span};
