//! Wraps every request in a span, and measures its duration by route, method and status. Error answers get their trace
//! id.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Instant;

use salvo::http::{HeaderValue, Method};
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};
use tracing::Instrument;

use super::edge::{of_status, tell};
use crate::telemetry::{RequestSpan, RequestStart, TraceContext, count};

/// The header of an error answer with its trace id, as in `error.trace_id` of the envelope.
const TRACE_ID: &str = "x-trace-id";

/// Measures every request, and handles it in its span. The label of a path is a known route or a group of routes, never
/// client input.
pub(super) struct Measure {
    pub(super) paths: BTreeSet<&'static str>,
}

#[async_trait]
impl Handler for Measure {
    async fn handle(
        &self,
        req: &mut Request,
        depot: &mut Depot,
        res: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        let (begun, method) = (Instant::now(), method(req.method()));
        let route = self.route(req.matched_path());
        // A part that varies may be a link that only its owner knows.
        let is_template = route.contains('{');
        let path = if is_template { route } else { req.uri().path() }.to_owned();
        let traceparent = req.headers().get("traceparent").and_then(|it| it.to_str().ok());
        let traceparent = traceparent.map(ToOwned::to_owned);
        let start =
            RequestStart { method, route, path: &path, traceparent: traceparent.as_deref() };
        let request = RequestSpan::start(&start);
        let span = request.span.clone();
        let handling = async {
            ctrl.call_next(req, depot, res).await;
            is_told_in_full(req, res);
        };
        handling.instrument(span).await;
        let status = res.status_code.map_or(404, |status| status.as_u16());
        request.end(&start, status);
        let labels = [Cow::Borrowed(method), Cow::Borrowed(route), Cow::Owned(status.to_string())];
        count::HTTP_DURATION.observe_named(labels, begun.elapsed());
    }
}

impl Measure {
    fn route(&self, matched: &str) -> &'static str {
        let own = self.paths.iter().find(|path| path.trim_start_matches('/') == matched);
        match own {
            Some(path) => path,
            None if matched.starts_with("web/") => "/web/{file}",
            None if matched.is_empty() => "",
            None => "/{page}",
        }
    }
}

/// Puts an error that salvo answered with a bare status into the envelope, within the span of its request, and the
/// trace id into a header.
fn is_told_in_full(req: &Request, res: &mut Response) {
    let Some(status) = res.status_code.filter(|it| it.is_client_error() || it.is_server_error())
    else {
        return;
    };
    if req.method() != Method::HEAD && (res.body.is_none() || res.body.is_error()) {
        tell(res, &of_status(status));
    }
    let trace = TraceContext::current().trace_id();
    if let Some(trace) = trace.and_then(|trace| HeaderValue::try_from(trace).ok()) {
        res.headers_mut().insert(TRACE_ID, trace);
    }
}

/// The methods of RFC 9110; all others are `_OTHER`, as OpenTelemetry's HTTP conventions define.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_routes_of_ours_whatever_a_client_asks_for() {
        let measure = Measure { paths: BTreeSet::from(["/api/v1/online"]) };
        for (matched, route) in [
            ("api/v1/online", "/api/v1/online"),
            ("web/{**file}", "/web/{file}"),
            ("docs", "/{page}"),
            ("", ""),
        ] {
            assert_eq!(measure.route(matched), route);
        }
        let brew = Method::from_bytes(b"BREW").unwrap();
        assert_eq!((method(&Method::GET), method(&brew)), ("GET", "_OTHER"));
    }
}
