//! The whole HTTP service: the routes and sockets of all modules, the runtime's own, and the layers around them.

use std::collections::BTreeSet;
use std::sync::Arc;

use salvo::catcher::Catcher;
use salvo::handler;
use salvo::http::{HeaderValue, Method, StatusCode, header};
use salvo::prelude::{CatchPanic, Timeout};
use salvo::{
    Depot, FlowCtrl, Handler, Request, Response, Router, Service, affix_state, async_trait,
};

use super::edge::Cors;
use super::edge::RequestLimit;
use super::edge::{of_status, tell};
use super::gate::Gate;
use super::host::OneHost;
use super::measure::Measure;
use super::openapi::{self, Failures};
use super::policy::Policy;
use super::{Answer, Empty, asyncapi, docs, health, web};
use crate::Kind;
use crate::module::Route;
use crate::module::context::{Cx, RouteEntry};
use crate::socket::{SocketRoute, Sockets};

/// The endpoint for HEAD.
fn head_of(route: &Route) -> SharedEndpoint {
    SharedEndpoint(if route.changes_state { Arc::new(unchanged) } else { route.endpoint.clone() })
}

/// Shares one endpoint between several places of the router.
struct SharedEndpoint(Arc<dyn Handler>);

#[async_trait]
impl Handler for SharedEndpoint {
    // salvo finds the documentation of an endpoint by its type.
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

/// HEAD of routes whose GET changes state.
#[handler]
async fn unchanged() -> Answer<Empty> {
    Answer::ok()
}

/// HEAD of sockets, which only GET can open.
struct SocketsAreForGet;

#[async_trait]
impl Handler for SocketsAreForGet {
    async fn handle(&self, _: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        res.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        tell(res, &Kind::UPGRADE_REQUIRED.into());
    }
}

/// The service that the server runs.
pub(crate) fn service(
    cx: &Cx,
    routes: Vec<Route>,
    sockets: Vec<SocketRoute>,
    shared: &Arc<Sockets>,
) -> Service {
    let mut paths = BTreeSet::new();
    let mut api = Router::new();
    let mut failures = Failures::default();
    for route in routes.into_iter().chain(health::routes(cx.settings())) {
        let RouteEntry { ref method, path, .. } = route.entry;
        paths.insert(path);
        failures.of_route(&route);
        let cx = cx.of(route.module);
        let mut at = Router::with_path(&path[1..]).hoop(Gate::of_route(&cx, &route.entry));
        at = at.hoop(affix_state::inject(cx));
        if *method == Method::GET {
            at = at.push(Router::new().head(head_of(&route)));
        }
        let goal = SharedEndpoint(route.endpoint);
        at = at.push(match *method {
            Method::POST => Router::new().post(goal),
            Method::DELETE => Router::new().delete(goal),
            _ => Router::new().get(goal),
        });
        api = api.push(at);
    }
    let protocol = asyncapi::document(cx.table(), &sockets, &cx.bus().events());
    let docs = docs::Docs::new(openapi::document(&api, &failures, &sockets), &protocol);
    for socket in sockets {
        paths.insert(socket.path);
        let cx = cx.of(socket.module);
        let at = Router::with_path(&socket.path[1..]).hoop(Gate::of_socket(&cx));
        let at = at.push(Router::new().head(SocketsAreForGet));
        api = api.push(
            at.push(Router::new().get(SharedEndpoint((socket.endpoint)(cx, shared.clone())))),
        );
    }
    let router = Router::new().push(api).push(docs.router()).push(web::router(cx));
    paths.extend(docs::PATHS);
    let measure = Measure { paths: paths.clone() };
    let around = Around { paths };
    Service::new(router)
        .hoop(measure)
        .hoop(Policy)
        .hoop(Cors(cx.origins().clone()))
        .hoop(OneHost)
        .hoop(RequestLimit(cx.limits().clone()))
        .hoop(around)
        .hoop(Timeout::new(cx.settings().limits.request_timeout))
        .hoop(CatchPanic::new())
        .catcher(Catcher::new(EnvelopeCatcher))
}

/// Redirects paths with a trailing slash, and sets the length of answers to HEAD.
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
        ctrl.call_next(req, depot, res).await;
        if req.method() == Method::HEAD {
            announce_length(res);
        }
    }
}

/// Sets the length of the body that GET would send, since hyper drops the body of HEAD.
fn announce_length(res: &mut Response) {
    if let Some(length) = res.body.size().filter(|length| *length > 0) {
        res.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

impl Around {
    /// The path without its slash, if it is a route. Relative, since only the proxy knows the scheme and host that the
    /// browser uses. It begins with a segment of a known route, so it is never `//host`.
    fn without_slash(&self, req: &Request) -> Option<HeaderValue> {
        let path = req.uri().path().strip_suffix('/')?;
        self.paths.iter().find(|pattern| matches(pattern, path))?;
        let query = req.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        HeaderValue::try_from(format!("{path}{query}")).ok()
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

/// Puts salvo's bare statuses into the envelope.
pub(crate) struct EnvelopeCatcher;

#[async_trait]
impl Handler for EnvelopeCatcher {
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
