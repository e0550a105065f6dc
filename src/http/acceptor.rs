//! The public port: bound first, so that a second server notices, and probes are answered while the server waits for
//! its services.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use salvo::{Depot, FlowCtrl, Handler, Request, Response, Router, Service, Writer, async_trait};
use tokio::net::{TcpSocket, lookup_host};

use super::edge::tell;
use super::listener::{Caps, Listener};
use super::{Answer, Ends, health, serve};
use crate::{Error, Kind};

/// Accept queue: large enough for a class that connects at the same moment.
const BACKLOG: u32 = 4096;

/// The kernel's send buffer per connection: large enough for every answer, and small enough that a client that does not
/// read is noticed.
const SEND_BUFFER: u32 = 128 * 1024;

/// Timeout for the head of a request while the server starts.
const STARTING_PATIENCE: Duration = Duration::from_secs(15);

/// A bound port.
pub(crate) struct Acceptor {
    listener: TcpListener,
    address: SocketAddr,
    /// Its address as configured.
    name: String,
    caps: Caps,
}

impl Acceptor {
    /// Binds the port. Every connection inherits `TCP_NODELAY` and the size of the send buffer; without the first, a
    /// keystroke waits up to 40 ms for the TCP acknowledgement of the one before.
    ///
    /// # Errors
    /// One sentence with the cause.
    pub(crate) async fn bind(host: &str, port: u16, caps: Caps) -> Result<Self, String> {
        let name = format!("{host}:{port}");
        let unusable = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                format!(
                    "port {port} on {host} is taken by another program; server.port (TP_SERVER__PORT) sets another"
                )
            }
            _ => unusable(&name, &error),
        };
        let mut addresses = lookup_host((host, port)).await.map_err(unusable)?;
        let address =
            addresses.next().ok_or_else(|| format!("server.host {host} has no address"))?;
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let listening = || {
            let socket = socket?;
            socket.set_reuseaddr(true)?;
            socket.set_nodelay(true)?;
            socket.set_send_buffer_size(SEND_BUFFER)?;
            socket.bind(address)?;
            let listener = socket.listen(BACKLOG)?.into_std()?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listening().map_err(unusable)?;
        Ok(Self { listener, address, name, caps })
    }

    /// Answers probes while `work` runs: alive, but not ready. Other requests get 503.
    ///
    /// # Errors
    /// That of `work`, or one sentence about the port.
    pub(crate) async fn answer_while<T>(
        &self,
        work: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        let starting = Router::new()
            .push(Router::with_path(&health::ALIVE[1..]).get(Alive))
            .push(Router::with_path(&health::READY[1..]).get(Starting(Kind::UNKNOWN)))
            .push(Router::with_path("{**}").goal(Starting(Kind::UNAVAILABLE)));
        let never = Ends::default();
        let serving = serve(self.listener()?, Service::new(starting), STARTING_PATIENCE, &never);
        // Ending the loop closes its connections; the clients reconnect to the real service.
        tokio::select! {
            done = work => done,
            () = serving => Err("serving ended".into()),
        }
    }

    /// The listener for the real service, and its address.
    ///
    /// # Errors
    /// One sentence about the port.
    pub(crate) fn open(&self) -> Result<(Listener, SocketAddr), String> {
        Ok((self.listener()?, self.address))
    }

    fn listener(&self) -> Result<Listener, String> {
        let listener = self.listener.try_clone().and_then(tokio::net::TcpListener::from_std);
        let listener = listener.map_err(|error| unusable(&self.name, &error))?;
        Ok(Listener::new(listener, self.caps.clone()))
    }
}

fn unusable(name: &str, error: &io::Error) -> String {
    format!("cannot listen on {name}: {error}")
}

struct Alive;

#[async_trait]
impl Handler for Alive {
    async fn handle(
        &self,
        req: &mut Request,
        depot: &mut Depot,
        res: &mut Response,
        _: &mut FlowCtrl,
    ) {
        Answer::ok().write(req, depot, res).await;
    }
}

/// Answers that the server is starting.
struct Starting(Kind);

#[async_trait]
impl Handler for Starting {
    async fn handle(&self, _: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        tell(res, &Error::new(self.0, "starting up: the log names the services that are awaited"));
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::settings::LimitSettings;

    async fn take(port: u16) -> Result<Acceptor, String> {
        Acceptor::bind("127.0.0.1", port, Caps::of(&LimitSettings::default(), 100)).await
    }

    /// The status of an answer, and the connection, kept alive if possible.
    async fn ask(address: SocketAddr, path: &str) -> (String, TcpStream) {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut line = [0; 12];
        stream.read_exact(&mut line).await.expect("an answer");
        (String::from_utf8_lossy(&line[9..]).into_owned(), stream)
    }

    async fn status(address: SocketAddr, path: &str) -> String {
        ask(address, path).await.0
    }

    #[tokio::test]
    async fn a_starting_server_is_alive_and_refuses_requests() {
        let acceptor = take(0).await.expect("a port");
        let address = acceptor.address;
        let mut kept = None;
        let work = async {
            assert_eq!(status(address, "/healthcheck/alive").await, "200");
            assert_eq!(status(address, "/healthcheck/ready").await, "500");
            assert_eq!(status(address, "/api/v1/lobby/queue-in/ws").await, "503");
            assert_eq!(status(address, "/").await, "503");
            kept = Some(ask(address, "/").await.1);
            Ok(7)
        };
        assert_eq!(acceptor.answer_while(work).await, Ok(7));
        // The start-up server must close its connections: this read ends, possibly with an error.
        let mut rest = Vec::new();
        let _ = kept.expect("it was opened").read_to_end(&mut rest).await;
        let refused = take(address.port()).await.map(drop).unwrap_err();
        assert!(refused.contains("is taken by another program"), "{refused}");
        acceptor.open().expect("the port is still ours");
    }

    #[tokio::test]
    async fn a_start_that_fails_says_why() {
        let acceptor = take(0).await.expect("a port");
        let work = async { Err::<(), _>("no database".to_owned()) };
        assert_eq!(acceptor.answer_while(work).await, Err("no database".to_owned()));
    }
}
