//! The fence around a handler function: what goes wrong inside stays inside, and gets a name.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use super::publish::Pending;
use crate::telemetry::{TraceContext, count, process_span};
use crate::{Error, Kind};

/// From here on a delivery is called slow, and named in the log while it still runs.
pub const SLOW_AFTER: Duration = Duration::from_secs(1);

/// A delivery that is not done by now is given up, so that its lane moves on.
pub const ABANDONED_AFTER: Duration = Duration::from_secs(30);

/// Runs one delivery of `what` to `module`, in a span linked to what caused it. Whatever happens, the
/// caller goes on with the next delivery, once what the handler publishes is on its way.
pub(crate) async fn fence(
    module: &'static str,
    what: &'static str,
    cause: &TraceContext,
    handling: impl Future<Output = Result<Pending, Error>> + Send,
) {
    let span = process_span(module, what, cause);
    let handled = async {
        match guard(module, what, handling).await {
            Ok(pending) => pending.await,
            Err(error) => {
                count::HANDLER_ERRORS.add(1);
                tracing::error!(module, event = what, %error, "handler failed");
            }
        }
    };
    handled.instrument(span).await;
}

/// Runs a function of a module. A panic or a delay is logged and counted; a panic, or a delay without
/// end, becomes an error.
pub(crate) async fn guard<T>(
    module: &'static str,
    what: &'static str,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    match within_time(module, what, AssertUnwindSafe(work).catch_unwind()).await {
        Some(Ok(outcome)) => outcome,
        Some(Err(panic)) => {
            report_panic(module, what, &*panic);
            Err(Kind::UNKNOWN.into())
        }
        None => {
            count::HANDLER_ABANDONED.add(1);
            tracing::error!(module, event = what, after = ?ABANDONED_AFTER, "given up");
            Err(Kind::UNAVAILABLE.into())
        }
    }
}

/// Logs and counts a panic that was caught in a function of a module.
pub(crate) fn report_panic(module: &str, what: &str, panic: &(dyn std::any::Any + Send)) {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    count::HANDLER_PANICS.add(1);
    let message = text.unwrap_or("no message");
    tracing::error!(module, event = what, message, "handler panicked; the module goes on");
}

/// The output of `work`, or `None` if it is given up.
async fn within_time<T>(
    module: &'static str,
    what: &'static str,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    // Most work is done at once: then no timer is set.
    if let Some(done) = work.as_mut().now_or_never() {
        return Some(done);
    }
    let begun = Instant::now();
    if let Ok(done) = timeout(SLOW_AFTER, work.as_mut()).await {
        return Some(done);
    }
    count::HANDLER_SLOW.add(1);
    tracing::warn!(module, event = what, "takes longer than {SLOW_AFTER:?}");
    let done = timeout(ABANDONED_AFTER - SLOW_AFTER, work).await.ok()?;
    tracing::warn!(module, event = what, took = ?begun.elapsed(), "done at last");
    Some(done)
}
