//! The OpenAPI document: what salvo derives from the router, plus the errors of every route, and the sockets.

use salvo::Router;
use salvo::http::Method;
use salvo::oapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use salvo::oapi::{
    Components, Info, OpenApi, Operation, PathItem, PathItemType, RefOr, Response as Documented,
    Responses,
};

use super::caller::require_token;
use super::{health, may_fail};
use crate::Kind;
use crate::module::Route;
use crate::module::context::RouteEntry;
use crate::socket::SocketRoute;

const ABOUT: &str = "Real-time multiplayer typing race. Frames of sockets and close codes are in /asyncapi.json. HEAD \
                     works wherever GET does, and changes nothing.";

/// Errors of any request: from the parser, a timeout, or a panic.
const ANY: [Kind; 5] = [
    Kind::BAD_REQUEST,
    Kind::URI_TOO_LONG,
    Kind::HEADERS_TOO_LARGE,
    Kind::UNKNOWN,
    Kind::UNAVAILABLE,
];

/// Errors of any socket handshake.
const ANY_SOCKET: [Kind; 4] =
    [Kind::UPGRADE_REQUIRED, Kind::ORIGIN_NOT_ALLOWED, Kind::RESTARTING, Kind::VALIDATION];

/// The failures that routes declare, and whether they require a role.
#[derive(Default)]
pub(super) struct Failures(Vec<(PathItemType, RouteEntry, Vec<Kind>)>);

impl Failures {
    pub(super) fn of_route(&mut self, route: &Route) {
        let methods = match route.entry.method {
            Method::POST => vec![PathItemType::Post],
            Method::DELETE => vec![PathItemType::Delete],
            _ => vec![PathItemType::Get, PathItemType::Head],
        };
        for method in methods {
            self.0.push((method, route.entry.clone(), route.fails.clone()));
        }
    }
}

/// The whole document.
pub(super) fn document(api: &Router, failures: &Failures, sockets: &[SocketRoute]) -> OpenApi {
    let cookie = SecurityScheme::from(ApiKey::Cookie(ApiKeyValue::new("TP_AT")));
    let name = "typephoon-api";
    let mut document = OpenApi::new(name, env!("CARGO_PKG_VERSION"))
        .info(Info::new(name, env!("CARGO_PKG_VERSION")).description(ABOUT))
        .add_security_scheme("access_token", cookie)
        .merge_router(api);
    for item in document.paths.values_mut() {
        add_idle_head(item);
    }
    for socket in sockets {
        let operation = handshake(&mut document.components, socket);
        document.paths.insert(socket.path, PathItem::new(PathItemType::Get, operation));
    }
    for (path, item) in document.paths.iter_mut() {
        for (method, operation) in item.operations.iter_mut() {
            let own = failures.0.iter().find(|(of, at, _)| of == method && at.path == path);
            if let Some((_, entry, kinds)) = own {
                may_fail(&mut document.components, operation, kinds);
                if entry.role.is_some() {
                    require_token(operation);
                }
            }
            complete(&mut document.components, operation, path, method);
        }
    }
    document
}

/// HEAD of a route that changes state does nothing: no endpoint documents it.
fn add_idle_head(item: &mut PathItem) {
    let has_head = item.operations.contains_key(&PathItemType::Head);
    let Some(get) = item.operations.get(&PathItemType::Get).filter(|_| !has_head) else { return };
    let mut head = get.clone();
    head.responses = Responses::new().response("200", Documented::new("Does nothing."));
    item.operations.insert(PathItemType::Head, head);
}

/// Adds what all routes have in common.
fn complete(
    components: &mut Components,
    operation: &mut Operation,
    path: &str,
    method: &PathItemType,
) {
    may_fail(components, operation, &ANY);
    if !path.starts_with("/healthcheck/") {
        may_fail(components, operation, &[Kind::TOO_MANY_REQUESTS]);
    }
    if path == health::READY {
        may_fail(components, operation, &[Kind::RESTARTING]);
    }
    if matches!(method, PathItemType::Post | PathItemType::Delete) {
        may_fail(components, operation, &[Kind::ORIGIN_NOT_ALLOWED]);
    }
    let verb = match method {
        PathItemType::Post => "post",
        PathItemType::Delete => "delete",
        PathItemType::Head => "head",
        _ => "get",
    };
    let words = path.replace(['{', '}'], "").replace(['/', '-'], "_");
    operation.operation_id = Some(format!("{verb}{words}"));
    if *method == PathItemType::Head {
        for response in operation.responses.values_mut() {
            if let RefOr::Type(response) = response {
                response.contents.clear();
            }
        }
    }
}

fn handshake(components: &mut Components, socket: &SocketRoute) -> Operation {
    let upgraded = Documented::new("Switches to WebSocket (RFC 6455).");
    let mut operation = Operation::new()
        .add_tag("sockets")
        .summary(socket.about)
        .add_response("101", upgraded)
        .parameters((socket.query)());
    let refused = ANY_SOCKET.iter().chain(socket.refuses);
    let refused: Vec<_> = refused.map(|it| Kind { status: it.handshake, ..*it }).collect();
    may_fail(components, &mut operation, &refused);
    operation
}
