//! Probes, and the metrics if a setting puts them on this port.

use salvo::http::{HeaderValue, Method, header};
use salvo::oapi::endpoint;
use salvo::{Request, Response, Router, Writer};

use super::figures::exposed;
use super::{Answer, Empty};
use crate::module::Route;
use crate::module::context::Cx;
use crate::settings::Settings;
use crate::telemetry::Format;
use crate::{Error, Kind};

/// Path of the liveness probe.
pub(super) const ALIVE: &str = "/healthcheck/alive";
/// Path of the metrics.
pub(crate) const METRICS: &str = "/metrics";
/// Path of the readiness probe.
pub(super) const READY: &str = "/healthcheck/ready";

/// The routes that do not belong to a module.
pub(super) fn routes(settings: &Settings) -> Vec<Route> {
    let mut routes = vec![
        Route::new("http", Method::GET, ALIVE, alive),
        Route::new("http", Method::GET, READY, ready),
    ];
    if settings.operations.public_metrics {
        routes.push(Route::new("http", Method::GET, METRICS, metrics));
    }
    routes
}

/// The same for the operations port.
pub(crate) fn probes() -> Router {
    Router::new()
        .push(Router::with_path(&ALIVE[1..]).get(alive))
        .push(Router::with_path(&READY[1..]).get(ready))
}

/// Liveness: the process runs.
#[endpoint(tags("health"))]
async fn alive() -> Answer<Empty> {
    Answer::ok()
}

/// Readiness: all dependencies are up, and the server does not drain.
#[endpoint(tags("health"))]
async fn ready(cx: Cx) -> Result<Answer<Empty>, Error> {
    if cx.drain().is_on() {
        return Err(Error::new(Kind::RESTARTING, "draining: sockets move to other pods"));
    }
    match cx.health().complaint() {
        Some(complaint) => Err(Error::new(Kind::UNKNOWN, complaint)),
        None => Ok(Answer::ok()),
    }
}

/// The metrics of this pod, in the format of OpenMetrics or Prometheus.
#[endpoint(tags("health"))]
pub(crate) async fn metrics(cx: Cx, req: &mut Request, res: &mut Response) {
    let accept = req.headers().get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let format = Format::asked_for(accept.unwrap_or_default());
    let content_type = HeaderValue::from_static(format.content_type());
    res.headers_mut().insert(header::CONTENT_TYPE, content_type);
    res.body(exposed(&cx, format));
}
