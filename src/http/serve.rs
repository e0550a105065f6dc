//! The loop that serves connections: hyper parses and writes HTTP/1.1, salvo's service answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use salvo::Service;
use salvo::conn::ConnCtrl;
use salvo::conn::http1;
use salvo::http::uri::Scheme;
use salvo::http::{HeaderValue, StatusCode, header};
use salvo::hyper::service::{Service as _, service_fn};
use salvo::rt::tokio::{TokioIo, TokioTimer};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::edge::Connection;
use super::listener::Listener;
use crate::drain::Drain;

/// Buffer for a request's head, and for pending writes, in bytes.
const BUFFER: usize = 64 << 10;

/// After the stop, idle connections are closed after this time, in which a request may still arrive, or an answer be
/// read.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(1);

/// After the stop, connections are accepted for this long: the kernel would reset those in the accept queue, with the
/// requests sent on them.
const LAST_CALL: Duration = Duration::from_millis(20);

/// Signals that a server is about to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    /// While it is on, each answer closes its connection, so that a proxy does not reuse it.
    pub(crate) drain: Drain,
    /// Once cancelled, no connections are accepted.
    pub(crate) stop: CancellationToken,
}

/// Serves the connections of `listener` until the stop, then lets running requests finish. Dropping the future closes
/// all connections. `patience` limits the time for the head of a request, including the idle time before it.
pub(crate) async fn serve(
    mut listener: Listener,
    service: Service,
    patience: Duration,
    ends: &Ends,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(BUFFER);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = ends.stop.cancelled() => break,
            accepted = listener.accept() => {
                connections.spawn(converse(http.clone(), &service, accepted, ends.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    let last_call = Instant::now() + LAST_CALL;
    while let Ok(accepted) = timeout_at(last_call, listener.accept()).await {
        connections.spawn(converse(http.clone(), &service, accepted, ends.clone()));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Serves one connection, until it ends or becomes a socket.
fn converse(
    http: http1::Builder,
    service: &Service,
    (connection, peer): (Connection, SocketAddr),
    Ends { drain, stop }: Ends,
) -> impl Future<Output = ()> + Send + 'static {
    let handling = Arc::new(AtomicUsize::new(0));
    let local = salvo::conn::SocketAddr::Unknown;
    let handler =
        service.hyper_handler(local, peer.into(), Scheme::HTTP, None, ConnCtrl::new(), None);
    let counted = handling.clone();
    let handler = service_fn(move |request| {
        let (answer, handled) = (handler.call(request), HandledRequest::begin(&counted));
        let drain = drain.clone();
        async move {
            let mut answer = answer.await;
            drop(handled);
            if let Ok(answer) = &mut answer
                && drain.is_on()
                && answer.status() != StatusCode::SWITCHING_PROTOCOLS
            {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            answer
        }
    });
    async move {
        let served = http.serve_connection(TokioIo::new(connection), handler).with_upgrades();
        let mut served = std::pin::pin!(served);
        // Errors are the client's: it got an answer, or is gone.
        tokio::select! {
            _ = served.as_mut() => return,
            () = stop.cancelled() => served.as_mut().graceful_shutdown(),
        }
        let idle = async {
            sleep(STOP_GRACE).await;
            while handling.load(Ordering::Acquire) > 0 {
                sleep(STOP_GRACE).await;
            }
        };
        tokio::select! {
            _ = served.as_mut() => {}
            () = idle => {}
        }
    }
}

/// A request that is being handled.
struct HandledRequest(Arc<AtomicUsize>);

impl HandledRequest {
    fn begin(handling: &Arc<AtomicUsize>) -> Self {
        handling.fetch_add(1, Ordering::AcqRel);
        Self(handling.clone())
    }
}

impl Drop for HandledRequest {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
