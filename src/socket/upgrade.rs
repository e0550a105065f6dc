//! From an HTTP request to an open socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use salvo::http::headers::{
    Connection as ConnectionHeader, HeaderMapExt, SecWebsocketAccept, SecWebsocketKey,
    Upgrade as UpgradeHeader,
};
use salvo::http::{HeaderMap, StatusCode, header};
use salvo::hyper::upgrade::OnUpgrade;
use salvo::oapi::Parameter;
use salvo::rt::tokio::TokioIo;
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use super::Socket;
use super::life;
use super::rooms::Channel;
use super::state::{Base, Sockets};
use super::websocket::{Meter, WebSocket};
use crate::auth::Cookies;
use crate::game::UserId;
use crate::http::edge::{Connection, Limits, Query, refuse_handshake};
use crate::module::context::Cx;
use crate::telemetry::TraceContext;
use crate::{Error, Kind};

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// A request for a socket.
pub struct Handshake<'a> {
    request: &'a Request,
    limits: &'a Limits,
    protocol: Option<&'static str>,
}

impl Handshake<'_> {
    /// Its query parameters.
    pub fn query(&self) -> Query<'_> {
        Query::of(self.request)
    }

    /// Its cookies.
    pub fn cookies(&self) -> Cookies<'_> {
        Cookies::of(self.request)
    }

    /// Whether the client is a browser: browsers always send `Origin`, programs rarely do.
    pub fn is_browser(&self) -> bool {
        self.request.headers().contains_key("origin")
    }

    /// The sub-protocol that was chosen, if the client has asked for one that the socket speaks.
    pub fn protocol(&self) -> Option<&'static str> {
        self.protocol
    }

    /// Spends one new guest, or one lobby that is not open, of the client address's budget.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, if the budget is exhausted.
    pub fn spend_guest(&self) -> Result<(), Error> {
        self.limits.spend_guest(self.request)
    }

    /// Spends one seat of the budgets of the client address and of the player, if known. `is_own_game`: in a lobby that
    /// is not open.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, if a budget is exhausted.
    pub fn spend_seat(&self, player: Option<&UserId>, is_own_game: bool) -> Result<(), Error> {
        self.limits.spend_seat(self.request, player, is_own_game)
    }
}

/// A socket as a route.
pub struct SocketRoute {
    pub(crate) module: &'static str,
    pub(crate) path: &'static str,
    pub(crate) channel: Channel,
    pub(crate) about: &'static str,
    /// Its sub-protocols.
    pub(crate) protocols: &'static [&'static str],
    /// Its query and its own errors, for the documentation.
    pub(crate) query: fn() -> Vec<Parameter>,
    pub(crate) refuses: &'static [Kind],
    pub(crate) endpoint: Box<dyn FnOnce(Cx, Arc<Sockets>) -> Arc<dyn Handler> + Send>,
}

impl SocketRoute {
    pub(crate) fn new<S: Socket>(module: &'static str) -> Self {
        Self {
            module,
            path: S::PATH,
            channel: S::CHANNEL,
            about: S::ABOUT,
            protocols: S::PROTOCOLS,
            query: S::query,
            refuses: S::REFUSES,
            endpoint: Box::new(|cx, sockets| {
                let base = Base { cx, sockets };
                Arc::new(Upgrade::<S> { base, of: std::marker::PhantomData })
            }),
        }
    }
}

struct Upgrade<S> {
    base: Base,
    of: std::marker::PhantomData<fn() -> S>,
}

#[async_trait]
impl<S: Socket> Handler for Upgrade<S> {
    async fn handle(&self, req: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        if let Err(error) = self.upgrade(req, res).await {
            refuse_handshake(res, &error);
        }
    }
}

impl<S: Socket> Upgrade<S> {
    async fn upgrade(&self, req: &mut Request, res: &mut Response) -> Result<(), Error> {
        if !req.headers().contains_key("sec-websocket-key") {
            res.headers_mut().insert("upgrade", "websocket".parse().expect("a header value"));
            return Err(Error::new(
                Kind::UPGRADE_REQUIRED,
                "this path accepts WebSocket handshakes only",
            ));
        }
        let cx = &self.base.cx;
        if cx.drain().is_on() {
            return Err(Kind::RESTARTING.into());
        }
        if !cx.origins().trusts(req.headers()) {
            return Err(Error::new(
                Kind::ORIGIN_NOT_ALLOWED,
                "pages of this origin are not allowed to do that",
            ));
        }
        let (accept, upgrade) = shake_hands(req)?;
        let slot = cx.limits().socket_slot(req)?;
        let protocol = chosen(req.headers(), S::PROTOCOLS);
        let handshake = Handshake { request: req, limits: cx.limits(), protocol };
        let socket = S::admit(cx, &handshake).await?;
        let (base, cause) = (self.base.clone(), TraceContext::current());
        let joins = protocol.is_some_and(|it| S::JOINED.contains(&it));
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        cx.tasks().spawn(async move {
            if let Some(ws) = open(upgrade, &base.cx, joins).await {
                // Boxed here: the future is moved several times, and every future that holds it by value would be as
                // large.
                Box::pin(life::run(ws, socket, base, number, cause)).await;
            }
            drop(slot);
        });
        res.status_code(StatusCode::SWITCHING_PROTOCOLS);
        res.headers_mut().typed_insert(ConnectionHeader::upgrade());
        res.headers_mut().typed_insert(UpgradeHeader::websocket());
        res.headers_mut().typed_insert(accept);
        if let Some(protocol) = protocol {
            let protocol = header::HeaderValue::from_static(protocol);
            res.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        Ok(())
    }
}

/// Checks the handshake (RFC 6455, section 4.2.1). Returns the server's half of it, and the pending connection.
fn shake_hands(req: &mut Request) -> Result<(SecWebsocketAccept, OnUpgrade), Error> {
    let malformed = |what| Error::new(Kind::BAD_REQUEST, what);
    let headers = req.headers();
    let connection = headers.typed_get::<ConnectionHeader>();
    if !connection.is_some_and(|it| it.contains(header::UPGRADE)) {
        return Err(malformed("header connection: must be upgrade"));
    }
    if !is(headers, header::UPGRADE, "websocket") {
        return Err(malformed("header upgrade: must be websocket"));
    }
    if !is(headers, header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(malformed("header sec-websocket-version: must be 13"));
    }
    let key = headers.typed_get::<SecWebsocketKey>();
    let key = key.ok_or_else(|| malformed("sec-websocket-key: is not 16 bytes in base64"))?;
    let upgrade = req.extensions_mut().remove();
    let upgrade = upgrade.ok_or_else(|| malformed("this connection cannot be upgraded"))?;
    Ok((key.into(), upgrade))
}

/// The first of the sub-protocols that the client asks for, in its order, that is `spoken` here.
fn chosen(headers: &HeaderMap, spoken: &[&'static str]) -> Option<&'static str> {
    let asked = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let asked = asked.filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(','));
    asked.map(str::trim).find_map(|asked| spoken.iter().find(|it| **it == asked).copied())
}

fn is(headers: &HeaderMap, name: header::HeaderName, wanted: &str) -> bool {
    headers.get(name).is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(wanted.as_bytes()))
}

/// The socket, once the handshake is answered; `None` if the client has disconnected.
async fn open(upgrade: OnUpgrade, cx: &Cx, joins: bool) -> Option<WebSocket> {
    let limits = &cx.settings().limits;
    let parts = upgrade.await.ok()?.downcast::<TokioIo<Connection>>();
    let parts =
        parts.map_err(|_| tracing::error!("a socket on an unexpected kind of connection")).ok()?;
    let meter = Meter::new(limits.frames_per_second);
    let connection = parts.io.into_inner().into_parts();
    Some(WebSocket::new(connection, joins, meter, &parts.read_buf, limits.frame_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_prefers_among_what_the_socket_speaks() {
        let chosen = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                let value = header::HeaderValue::from_static(line);
                headers.append(header::SEC_WEBSOCKET_PROTOCOL, value);
            }
            chosen(&headers, &["one", "two"])
        };
        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&["three"]), None);
        assert_eq!(chosen(&["three, two,one"]), Some("two"));
        assert_eq!(chosen(&["three", "one"]), Some("one"));
        assert_eq!(chosen(&["One"]), None, "names are compared exactly");
    }
}
