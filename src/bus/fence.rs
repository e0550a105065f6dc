//! The fence around a handler function: what goes wrong inside stays inside, and gets a name.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::publish::Pending;
use crate::telemetry::{TraceContext, count, process_span, span_failed, troubles};
use crate::{Error, Kind};

/// From here on a delivery is called slow, and named in the log while it still runs.
pub const SLOW_AFTER: Duration = Duration::from_secs(1);

/// A delivery that is not done by now is left to itself, so that its lane moves on. It is not dropped:
/// it may have changed facts already, and be waiting for the records to announce that.
pub const LEFT_ALONE_AFTER: Duration = Duration::from_secs(30);

/// Runs one delivery of `what` to `module`, in a span linked to what caused it. Whatever happens, the
/// caller goes on with the next delivery, once what the handler publishes is on its way; or after
/// [`LEFT_ALONE_AFTER`], while a task of `tasks` waits for the rest.
pub(crate) async fn fence(
    module: &'static str,
    what: &'static str,
    cause: &TraceContext,
    handling: impl Future<Output = Result<Pending, Error>> + Send + 'static,
    tasks: &TaskTracker,
) {
    count::EVENTS_DELIVERED.add([what], 1);
    let (span, begun) = (process_span(module, what, cause), Instant::now());
    let handled = async move {
        let outcome = guard(module, what, handling).await;
        count::HANDLER_DURATION.observe([module, what], begun.elapsed());
        match outcome {
            Ok(pending) => pending.await,
            Err(error) => {
                count::HANDLER_ERRORS.add([module, what], 1);
                span_failed(error.kind());
                report(module, what, &error);
            }
        }
    };
    let mut handled = Box::pin(handled.instrument(span));
    // Mostly it is done at once: then no timer is set.
    if handled.as_mut().now_or_never().is_some() {
        return;
    }
    if timeout(LEFT_ALONE_AFTER, handled.as_mut()).await.is_err() {
        count::HANDLER_LEFT_ALONE.add([module, what], 1);
        tracing::error!(module, event = what, after = ?LEFT_ALONE_AFTER, "not waited for any longer");
        tasks.spawn(handled);
    }
}

/// Runs a function of a module. A panic is logged, counted, and becomes an error; a delay is logged and
/// counted.
pub(crate) async fn guard<T>(
    module: &'static str,
    what: &'static str,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    match named_if_slow(module, what, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(outcome) => outcome,
        Err(panic) => {
            report_panic(module, what, &*panic);
            Err(Kind::UNKNOWN.into())
        }
    }
}

/// Begins the counts of what may go wrong with a function of a module at zero: Prometheus sees no increase in a counter
/// that first shows up with one.
pub(crate) fn count_from_zero(module: &'static str, what: &'static str) {
    for counters in [&count::HANDLER_PANICS, &count::HANDLER_SLOW] {
        counters.add([module, what], 0);
    }
}

/// The same for what is delivered to a module.
pub(crate) fn count_deliveries_from_zero(module: &'static str, what: &'static str) {
    count_from_zero(module, what);
    for counters in [&count::HANDLER_ERRORS, &count::HANDLER_LEFT_ALONE] {
        counters.add([module, what], 0);
    }
}

/// Logs that a function of a module failed. An outage, which all of them meet, is for the health watch to report.
fn report(module: &str, what: &str, error: &Error) {
    if error.kind() == Kind::UNAVAILABLE {
        tracing::debug!(module, event = what, %error, "handler failed");
    } else {
        tracing::error!(module, event = what, %error, "handler failed");
    }
}

/// Logs and counts a panic that was caught in a function of a module.
pub(crate) fn report_panic(
    module: &'static str,
    what: &'static str,
    panic: &(dyn std::any::Any + Send),
) {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    count::HANDLER_PANICS.add([module, what], 1);
    let message = text.unwrap_or("no message");
    troubles::panicked(module, what, message);
    tracing::error!(module, event = what, message, "handler panicked; the module goes on");
}

async fn named_if_slow<T>(
    module: &'static str,
    what: &'static str,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    if let Some(done) = work.as_mut().now_or_never() {
        return done;
    }
    let begun = Instant::now();
    if let Ok(done) = timeout(SLOW_AFTER, work.as_mut()).await {
        return done;
    }
    count::HANDLER_SLOW.add([module, what], 1);
    tracing::warn!(module, event = what, "takes longer than {SLOW_AFTER:?}");
    let done = work.await;
    tracing::warn!(module, event = what, took = ?begun.elapsed(), "done at last");
    done
}
