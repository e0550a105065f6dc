//! The whole HTTP service: every module's routes and sockets, ours, and what lies around them.

use std::collections::BTreeSet;
use std::sync::Arc;

use salvo::catcher::Catcher;
use salvo::http::{HeaderValue, Method, StatusCode, header};
use salvo::oapi::OpenApi;
use salvo::prelude::{CatchPanic, Timeout};
use salvo::{
    Depot, FlowCtrl, Handler, Request, Response, Router, Service, affix_state, async_trait,
};
use tracing::Instrument;

use super::answer::{of_status, tell};
use super::cors::Cors;
use super::host::OneHost;
use super::limits::RequestLimit;
use super::measure::Measure;
use super::{docs, health, web};
use crate::module::{Cx, Parts};
use crate::socket::SocketRoute;
use crate::telemetry::request_span;

/// A REST route of a module.
pub struct Route {
    module: &'static str,
    method: Method,
    path: &'static str,
    endpoint: Arc<dyn Handler>,
}

impl Route {
    pub(crate) fn new(
        module: &'static str,
        method: Method,
        path: &'static str,
        endpoint: impl Handler,
    ) -> Self {
        Self { module, method, path, endpoint: Arc::new(endpoint) }
    }
}

/// Lets one endpoint stand at several places of the router.
struct Shared(Arc<dyn Handler>);

#[async_trait]
impl Handler for Shared {
    // The documentation of an endpoint is found by its type.
    fn type_id(&self) -> std::any::TypeId {
        Handler::type_id(&*self.0)
    }
    fn type_name(&self) -> &'static str {
        Handler::type_name(&*self.0)
    }
    async fn handle(
        &self,
        req: &mut Request,
        depot: &mut Depot,
        res: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        self.0.handle(req, depot, res, ctrl).await;
    }
}

/// The service that the server runs.
pub(crate) fn service(
    parts: &Arc<Parts>,
    routes: Vec<Route>,
    sockets: Vec<SocketRoute>,
) -> Service {
    let mut paths = BTreeSet::new();
    let mut api = Router::new();
    for route in routes.into_iter().chain(health::routes(&parts.settings)) {
        paths.insert(route.path);
        let cx = Cx::new(route.module, parts.clone());
        let mut at = Router::with_path(&route.path[1..]).hoop(affix_state::inject(cx));
        if route.method == Method::GET {
            at = at.push(Router::new().head(Shared(route.endpoint.clone())));
        }
        let goal = Shared(route.endpoint);
        at = at.push(match route.method {
            Method::POST => Router::new().post(goal),
            Method::DELETE => Router::new().delete(goal),
            _ => Router::new().get(goal),
        });
        api = api.push(at);
    }
    let docs = docs::Docs::new(documented(&api), &parts.table, &sockets);
    for socket in sockets {
        paths.insert(socket.path);
        let cx = Cx::new(socket.module, parts.clone());
        api = api.push(Router::with_path(&socket.path[1..]).get(Shared((socket.endpoint)(cx))));
    }
    let router = Router::new().push(api).push(docs.router()).push(web::router(&parts.settings));
    let measure = Measure { paths: paths.clone() };
    let around = Around { paths };
    Service::new(router)
        .hoop(measure)
        .hoop(Cors(parts.origins.clone()))
        .hoop(OneHost)
        .hoop(RequestLimit(parts.limits.clone()))
        .hoop(around)
        .hoop(Timeout::new(parts.settings.limits.request_timeout))
        .hoop(CatchPanic::new())
        .catcher(Catcher::new(Envelope))
}

fn documented(api: &Router) -> OpenApi {
    let about = "Real-time multiplayer typing race. Sockets, codes and close codes: see /docs.";
    let cookie = salvo::oapi::security::ApiKeyValue::new("TP_AT");
    let cookie =
        salvo::oapi::security::SecurityScheme::from(salvo::oapi::security::ApiKey::Cookie(cookie));
    OpenApi::new("typephoon-api", env!("CARGO_PKG_VERSION"))
        .info(salvo::oapi::Info::new("typephoon-api", env!("CARGO_PKG_VERSION")).description(about))
        .add_security_scheme("access_token", cookie)
        .merge_router(api)
}

/// The span of a request, and the redirection of paths that end in a slash.
struct Around {
    paths: BTreeSet<&'static str>,
}

#[async_trait]
impl Handler for Around {
    async fn handle(
        &self,
        req: &mut Request,
        depot: &mut Depot,
        res: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        if let Some(location) = self.without_slash(req) {
            res.status_code(StatusCode::TEMPORARY_REDIRECT);
            res.headers_mut().insert(header::LOCATION, location);
            ctrl.skip_rest();
            return;
        }
        let traceparent = req.headers().get("traceparent").and_then(|it| it.to_str().ok());
        let span = request_span(req.method().as_str(), req.matched_path(), traceparent);
        ctrl.call_next(req, depot, res).instrument(span.clone()).await;
        let status = i64::from(res.status_code.unwrap_or_default().as_u16());
        span.record("http.response.status_code", status);
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
    }
}

impl Around {
    /// Where the same path without its slash is, if there is something.
    fn without_slash(&self, req: &Request) -> Option<HeaderValue> {
        let path = req.uri().path().strip_suffix('/')?;
        self.paths.iter().find(|pattern| matches(pattern, path))?;
        let host = req.headers().get(header::HOST)?.to_str().ok()?;
        let query = req.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        HeaderValue::try_from(format!("http://{host}{path}{query}")).ok()
    }
}

/// Whether it is the path of a route: `{name}` stands for any one part.
fn matches(pattern: &str, path: &str) -> bool {
    let is_variable = |part: &str| part.starts_with('{');
    let (mut parts, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(it)) if part == it || is_variable(part) && !it.is_empty() => {}
            _ => return false,
        }
    }
}

/// Puts into the envelope what salvo answers with a bare status.
pub(crate) struct Envelope;

#[async_trait]
impl Handler for Envelope {
    async fn handle(
        &self,
        _: &mut Request,
        _: &mut Depot,
        res: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        if let Some(status) = res.status_code {
            tell(res, &of_status(status));
        }
        ctrl.skip_rest();
    }
}
