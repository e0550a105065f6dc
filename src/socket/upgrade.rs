//! From an HTTP request to an open socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use salvo::oapi::Parameter;
use salvo::websocket::WebSocketUpgrade;
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::life;
use super::{Channel, Socket};
use crate::auth::Cookies;
use crate::http::{Limits, Query, refuse_handshake, socket_ticket};
use crate::module::Cx;
use crate::telemetry::TraceContext;
use crate::{Error, Kind};

/// Bytes read from the connection at once: the frames of the game are far smaller, and every idle
/// socket keeps such a buffer.
const READ_BUFFER: usize = 1024;
/// Bytes written in one go when several frames wait.
const WRITE_BUFFER: usize = 4096;

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// A request that wants to be a socket.
pub struct Handshake<'a> {
    request: &'a Request,
    limits: &'a Limits,
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

    /// Whether a browser asks: they all say from which page, and programs rarely do.
    pub fn is_browser(&self) -> bool {
        self.request.headers().contains_key("origin")
    }

    /// Spends one new guest identity of the client's address, or one lobby that is not for everybody.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`, if it has had too many.
    pub fn spend_guest(&self) -> Result<(), Error> {
        self.limits.spend_guest(self.request)
    }
}

/// A socket as the router takes it.
pub struct SocketRoute {
    pub(crate) module: &'static str,
    pub(crate) path: &'static str,
    pub(crate) channel: Channel,
    pub(crate) about: &'static str,
    /// What the documentation says of its query, and of refusals of its own.
    pub(crate) query: fn() -> Vec<Parameter>,
    pub(crate) refuses: &'static [Kind],
    pub(crate) endpoint: Box<dyn FnOnce(Cx) -> Arc<dyn Handler> + Send>,
}

impl SocketRoute {
    pub(crate) fn new<S: Socket>(module: &'static str) -> Self {
        Self {
            module,
            path: S::PATH,
            channel: S::CHANNEL,
            about: S::ABOUT,
            query: S::query,
            refuses: S::REFUSES,
            endpoint: Box::new(|cx| Arc::new(Upgrade::<S> { cx, of: std::marker::PhantomData })),
        }
    }
}

struct Upgrade<S> {
    cx: Cx,
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
            return Err(Error::new(Kind::UPGRADE_REQUIRED, "this is a WebSocket"));
        }
        let parts = self.cx.parts();
        if parts.stop.is_cancelled() {
            return Err(Kind::RESTARTING.into());
        }
        if !parts.origins.trusts(req.headers()) {
            return Err(Error::new(
                Kind::ORIGIN_NOT_ALLOWED,
                "pages of this origin may not do that",
            ));
        }
        let ticket = socket_ticket(&self.cx, req)?;
        let handshake = Handshake { request: req, limits: &parts.limits };
        let socket = S::admit(&self.cx, &handshake).await?;
        let (cx, tasks, cause) = (self.cx.clone(), parts.tasks.clone(), TraceContext::current());
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let upgrade = WebSocketUpgrade::with_config(config(parts.settings.limits.frame_bytes));
        let life = move |ws| {
            // Boxed at once: the future is moved several times on its way into its task, and every
            // future that holds it by value would be as large.
            let life = Box::pin(life::run(ws, socket, cx, number, cause));
            tasks.track_future(async move {
                life.await;
                drop(ticket);
            })
        };
        let upgraded = upgrade.upgrade(req, res, life).await;
        upgraded.map_err(|error| Error::new(Kind::BAD_REQUEST, error.brief))
    }
}

fn config(frame_bytes: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(1 << 20)
        .max_message_size(Some(frame_bytes))
        .max_frame_size(Some(frame_bytes))
}
