//! Probes, and the counters for Prometheus.

use salvo::Writer;
use salvo::http::Method;
use salvo::oapi::endpoint;

use super::router::Route;
use super::{Answer, Empty};
use crate::module::Cx;
use crate::telemetry::count;
use crate::{Error, Kind};

/// Where it is told that the process runs.
pub(super) const ALIVE: &str = "/healthcheck/alive";
/// Where it is told whether it should get players.
pub(super) const READY: &str = "/healthcheck/ready";

/// The routes of every server, whatever its modules.
pub(super) fn routes() -> [Route; 3] {
    [
        Route::new("http", Method::GET, ALIVE, alive),
        Route::new("http", Method::GET, READY, ready),
        Route::new("http", Method::GET, "/metrics", metrics),
    ]
}

/// Whether the process runs.
#[endpoint(tags("health"))]
async fn alive() -> Answer<Empty> {
    Answer::ok()
}

/// Whether this server should get players: everything that it needs answers, and it is not stopping.
#[endpoint(tags("health"))]
async fn ready(cx: Cx) -> Result<Answer<Empty>, Error> {
    if cx.parts().stop.is_cancelled() {
        return Err(Kind::RESTARTING.into());
    }
    match cx.parts().health.complaint() {
        Some(complaint) => Err(Error::new(Kind::UNKNOWN, complaint)),
        None => Ok(Answer::ok()),
    }
}

/// The counters of this server, in the text format of Prometheus.
#[endpoint(tags("health"))]
async fn metrics() -> String {
    let line = |counter: &&count::Counter| {
        format!("# TYPE {0} counter\n{0} {1}\n", counter.name, counter.get())
    };
    count::ALL.iter().map(line).collect()
}
