//! A way from one server to a service, which a test can cut.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They are passed on.
    Open,
    /// Those that are there end, and new ones end at once.
    Cut,
    /// Nothing is passed on, and nobody is told: a cable that was pulled.
    Silent,
}

/// Listens on a port of its own; goes away when dropped.
pub struct Proxy {
    port: u16,
    way: watch::Sender<Way>,
    task: AbortHandle,
}

impl Proxy {
    /// A way to a port of this machine.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (way, ways) = watch::channel(Way::Open);
        let task = tokio::spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while passing.try_join_next().is_some() {}
                passing.spawn(pass(stream, target, ways.clone()));
            }
        });
        Self { port, way, task: task.abort_handle() }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn is(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes on what comes, as long as the way is open. A connection that was cut is not mended.
async fn pass(mut from: TcpStream, target: u16, mut ways: watch::Receiver<Way>) {
    if *ways.borrow_and_update() != Way::Open {
        return hold(&mut ways).await;
    }
    let Ok(mut to) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    tokio::select! {
        _ = copy_bidirectional(&mut from, &mut to) => {}
        _ = ways.changed() => hold(&mut ways).await,
    }
}

/// Keeps a connection for as long as the way is silent.
async fn hold(ways: &mut watch::Receiver<Way>) {
    while *ways.borrow_and_update() == Way::Silent {
        if ways.changed().await.is_err() {
            return;
        }
    }
}
