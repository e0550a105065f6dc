//! How long requests take, by route, method and status.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Instant;

use salvo::http::Method;
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use crate::telemetry::count;

/// Measures every request. The label of a path is a route of ours or a group of them, never what a client makes
/// up.
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
        ctrl.call_next(req, depot, res).await;
        let status = res.status_code.map_or(404, |status| status.as_u16());
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

/// The methods of RFC 9110; every other is `_OTHER`, by the conventions for metrics of HTTP.
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
