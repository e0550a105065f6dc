//! The operations port: metrics, probes, and a page for operators.
//!
//! A listener of its own, on loopback unless a setting says otherwise, so that nothing of it can be reached on the
//! public port. `port` takes it, `access` asks for the token, `figures` brings the gauges up to date. `page` is for
//! people, `tail` shows one game or player live, `actions` closes sockets (`closing` on all pods) and drains this pod, and
//! writes it down.
//!
//! Not here: what is measured, which is in `telemetry`.

mod access;
mod actions;
pub(crate) mod closing;
pub(crate) mod figures;
mod page;
mod port;
mod tail;

use std::sync::Arc;
use std::time::Duration;

use salvo::catcher::Catcher;
use salvo::prelude::CatchPanic;
use salvo::{Router, Service, affix_state};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::port::Port;

use self::access::Access;
use self::page::{LogIn, Page};
use crate::http::{self, Ends, Envelope, METRICS, Pages, metrics, probes};
use crate::module::{Cx, Parts};

/// The name under which its requests are known, as a module's would be.
const NAME: &str = "operations";

/// How long the head of a request may take, the pause before it included.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves until `stop`, as a task of `tasks`.
pub(crate) fn serve(port: Port, parts: &Arc<Parts>, tasks: &TaskTracker, stop: &CancellationToken) {
    let (service, stop) = (service(parts), stop.clone());
    // A tail never ends by itself: with the loop all connections are closed.
    let serving =
        async move { http::serve(port.listener, service, PATIENCE, &Ends::default()).await };
    tasks.spawn(stop.run_until_cancelled_owned(serving));
}

fn service(parts: &Arc<Parts>) -> Service {
    let cx = Cx::new(NAME, parts.clone());
    let access = Access::of(&parts.settings);
    let page = Page { access: access.clone(), files: Pages::default() };
    let behind_token = Router::new()
        .hoop(access.clone())
        .push(Router::with_path(&METRICS[1..]).get(metrics))
        .push(Router::with_path("ops/figures.json").get(page::figures))
        .push(Router::with_path("ops/tail").get(tail::tail))
        .push(Router::with_path("ops/close").post(actions::close))
        .push(Router::with_path("ops/drain").post(actions::drain));
    let router = Router::new()
        .hoop(affix_state::inject(cx))
        .push(probes())
        .push(behind_token)
        .push(Router::with_path("ops/login").post(LogIn(access)))
        .push(Router::with_path("ops").get(page.clone()))
        .push(Router::with_path("ops/{file}").get(page));
    Service::new(router).hoop(CatchPanic::new()).catcher(Catcher::new(Envelope))
}
