//! The operations port: metrics, probes, and a page for operators.
//!
//! It has its own listener, on loopback unless a setting says otherwise, so none of it is reachable on the public port.
//! `port` binds it, `access` checks the token. `page` serves the page, `tail` streams the
//! events of one game or player, `actions` closes sockets (`closing`: on all pods), drains this pod, and audits both;
//! `switching` switches handler modules off and on.
//!
//! The instruments themselves are in `telemetry`.

mod access;
mod actions;
mod closing;
mod page;
mod port;
mod switching;
mod tail;

use std::time::Duration;

use salvo::catcher::Catcher;
use salvo::prelude::{CatchPanic, Timeout};
use salvo::{Router, Service, affix_state};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::port::Port;
pub(crate) use self::switching::poll as poll_switches;

use self::access::Access;
use self::page::{LogIn, OperationsPage};
use crate::http::{self, Ends, EnvelopeCatcher, METRICS, Pages, metrics, probes};
use crate::module::Declarations;
use crate::module::context::{Cx, Switch};
use crate::settings::Settings;

/// The module label of its requests in metrics.
const NAME: &str = "operations";

/// Timeout for the head of a request, including the idle time before it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Subscribes every pod to the events of operators, and sets the limit of panics.
pub(crate) fn wire(declared: &mut Declarations, settings: &Settings) {
    declared.switches.allow_panics(settings.handlers.panics_per_minute);
    let own = Switch::new(NAME, &declared.rooms);
    closing::wire(&mut declared.bus, &own, &declared.rooms);
    switching::wire(&mut declared.bus, &own, &declared.switches);
}

/// Serves until `stop`, as a task of `tasks`.
pub(crate) fn serve(port: Port, cx: &Cx, tasks: &TaskTracker, stop: &CancellationToken) {
    let (service, stop) = (service(cx.of(NAME)), stop.clone());
    // A tail never ends by itself; ending the loop closes all connections.
    let serving =
        async move { http::serve(port.listener, service, PATIENCE, &Ends::default()).await };
    tasks.spawn(stop.run_until_cancelled_owned(serving));
}

fn service(cx: Cx) -> Service {
    let access = Access::of(cx.settings());
    let patience = cx.settings().limits.request_timeout;
    let page = OperationsPage { access: access.clone(), files: Pages::default() };
    let behind_token = Router::new()
        .hoop(access.clone())
        .push(Router::with_path(&METRICS[1..]).get(metrics))
        .push(Router::with_path("ops/figures.json").get(page::figures))
        .push(Router::with_path("ops/tail").get(tail::tail))
        .push(Router::with_path("ops/close").post(actions::close))
        .push(Router::with_path("ops/drain").post(actions::drain))
        .push(Router::with_path("ops/switch").post(switching::switch_module));
    let router = Router::new()
        .hoop(affix_state::inject(cx.clone()))
        .push(probes())
        .push(behind_token)
        .push(Router::with_path("ops/login").post(LogIn { access, cx }))
        .push(Router::with_path("ops").get(page.clone()))
        .push(Router::with_path("ops/{file}").get(page));
    // A tail has been answered once it begins.
    Service::new(router)
        .hoop(Timeout::new(patience))
        .hoop(CatchPanic::new())
        .catcher(Catcher::new(EnvelopeCatcher))
}
