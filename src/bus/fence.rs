//! The fence around a handler function: it contains panics, errors and delays, and logs them with the module's name.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::owner::Owner;
use super::publish::Pending;
use crate::telemetry::panics::{self, Caught};
use crate::telemetry::{TraceContext, count, process_span, span_failed, troubles};
use crate::{Error, Kind};

/// A function of a module that takes longer is slow, and is logged while it still runs; unless the settings say otherwise.
pub const SLOW_AFTER: Duration = Duration::from_secs(1);

/// A delivery that takes longer is abandoned by its lane, which moves on. It is not cancelled: it may have changed
/// facts already, and be waiting for the records to announce that.
pub const LEFT_ALONE_AFTER: Duration = Duration::from_secs(30);

/// Runs one delivery of `what` to a module, in a span linked to its cause. In any case the caller continues with the
/// next delivery, once the handler's events are published; or after [`LEFT_ALONE_AFTER`], while a task of `tasks` waits
/// for the rest.
pub(crate) async fn fence(
    cx: &(impl Owner + Clone),
    what: &'static str,
    cause: &TraceContext,
    handling: impl Future<Output = Result<Pending, Error>> + Send + 'static,
    tasks: &TaskTracker,
) {
    count::EVENTS_DELIVERED.add([what], 1);
    let module = cx.module();
    let (span, cx) = (process_span(module, what, cause), cx.clone());
    let handled = async move {
        match guard(&cx, what, handling).await {
            Ok(pending) => pending.await,
            Err(error) => {
                count::HANDLER_ERRORS.add([module, what], 1);
                span_failed(error.kind());
                report(module, what, &error);
            }
        }
    };
    let mut handled = Box::pin(handled.instrument(span));
    // Usually it is done at once, and no timer is set.
    if handled.as_mut().now_or_never().is_some() {
        return;
    }
    if timeout(LEFT_ALONE_AFTER, handled.as_mut()).await.is_err() {
        count::HANDLER_LEFT_ALONE.add([module, what], 1);
        tracing::error!(module, event = what, after = ?LEFT_ALONE_AFTER, "a delivery takes too long and is abandoned");
        tasks.spawn(handled);
    }
}

/// Runs a function of a module, and measures it. A panic is logged, counted, and becomes an error; a delay is logged and
/// counted.
pub(crate) async fn guard<T>(
    cx: &impl Owner,
    what: &'static str,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    let begun = Instant::now();
    let outcome = guard_part(cx, what, work).await;
    count::HANDLER_DURATION.observe([cx.module(), what], begun.elapsed());
    outcome
}

/// The same for a part of work that is already measured.
pub(crate) async fn guard_part<T>(
    cx: &impl Owner,
    what: &'static str,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    match named_if_slow(cx, what, panics::catch_in(work)).await {
        Ok(outcome) => outcome,
        Err(caught) => {
            report_panic(cx, what, &caught);
            Err(Kind::UNKNOWN.into())
        }
    }
}

/// Starts the failure counters of a module's function at zero: Prometheus sees no increase in a counter that first
/// appears with one.
pub(crate) fn count_from_zero(module: &'static str, what: &'static str) {
    for counters in [&count::HANDLER_PANICS, &count::HANDLER_SLOW] {
        counters.add([module, what], 0);
    }
}

/// The same for deliveries to a module.
pub(crate) fn count_deliveries_from_zero(module: &'static str, what: &'static str) {
    count_from_zero(module, what);
    for counters in [&count::HANDLER_ERRORS, &count::HANDLER_LEFT_ALONE] {
        counters.add([module, what], 0);
    }
}

/// Logs that a function of a module failed. Outages are not logged here, since the health watch reports them.
fn report(module: &str, what: &str, error: &Error) {
    if error.kind() == Kind::UNAVAILABLE {
        tracing::debug!(module, event = what, %error, "handler failed");
    } else {
        tracing::error!(module, event = what, %error, "handler failed");
    }
}

/// Logs and counts a panic that was caught in a function of a module. Too many panics switch the module off.
pub(crate) fn report_panic(owner: &impl Owner, what: &'static str, caught: &Caught) {
    let (module, Caught { message, at }) = (owner.module(), caught);
    count::HANDLER_PANICS.add([module, what], 1);
    troubles::panicked(module, what, message);
    tracing::error!(module, event = what, panic = message, at, "handler panicked");
    owner.note_panic();
}

async fn named_if_slow<T>(
    owner: &impl Owner,
    what: &'static str,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    if let Some(done) = work.as_mut().now_or_never() {
        return done;
    }
    let (begun, module, budget) = (Instant::now(), owner.module(), owner.time_budget());
    if let Ok(done) = timeout(budget, work.as_mut()).await {
        return done;
    }
    count::HANDLER_SLOW.add([module, what], 1);
    tracing::warn!(module, event = what, "a handler takes longer than {budget:?}");
    let done = work.await;
    tracing::warn!(module, event = what, took = ?begun.elapsed(), "the slow handler is done");
    done
}
