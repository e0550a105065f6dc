//! The operations port: metrics, probes, and a page for those who run the server.
//!
//! A listener of its own, on loopback unless a setting says otherwise, so that nothing of it can be reached on the
//! public port. `port` takes it, `access` asks for the token, `figures` brings the gauges up to date.
//!
//! Not here: what is measured, which is in `telemetry`.

mod access;
pub(crate) mod figures;
mod port;

use std::sync::Arc;

use salvo::catcher::Catcher;
use salvo::prelude::CatchPanic;
use salvo::{Router, Server, Service, affix_state};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::port::Port;

use self::access::Access;
use crate::http::{Envelope, METRICS, metrics, probes};
use crate::module::{Cx, Parts};

/// The name under which its requests are known, as a module's would be.
const NAME: &str = "operations";

/// Serves until `stop`, as a task of `tasks`.
pub(crate) fn serve(port: Port, parts: &Arc<Parts>, tasks: &TaskTracker, stop: &CancellationToken) {
    let server = Server::new(port.acceptor);
    let (handle, stop) = (server.handle(), stop.clone());
    let serving = server.try_serve(service(parts));
    tasks.spawn(async move {
        let stopped = async {
            stop.cancelled().await;
            handle.stop_forceful();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            served = serving => if let Err(error) = served {
                tracing::error!(%error, "the operations port is closed");
            },
            () = stopped => {}
        }
    });
}

fn service(parts: &Arc<Parts>) -> Service {
    let cx = Cx::new(NAME, parts.clone());
    let behind_token = Router::new()
        .hoop(Access::of(&parts.settings))
        .push(Router::with_path(&METRICS[1..]).get(metrics));
    let router = Router::new().hoop(affix_state::inject(cx)).push(probes()).push(behind_token);
    Service::new(router).hoop(CatchPanic::new()).catcher(Catcher::new(Envelope))
}
