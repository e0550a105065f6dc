//! A way to a server or a service, which a test can cut, hold up or make slow.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They are passed on.
    Open,
    /// The same, but each packet takes so long, in either direction.
    Late(Duration),
    /// They are held up: all that was sent arrives at once when the way is open again.
    Stalled,
    /// Those that are there end, and new ones end at once.
    Cut,
    /// Nothing is passed on, and no side is told: a cable that was pulled.
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
    if is_dead(*ways.borrow()) {
        return hold(&mut ways).await;
    }
    let Ok(mut to) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    let (mut down, mut up) = (ways.clone(), ways.clone());
    let ((client, to_client), (server, to_server)) = (from.split(), to.split());
    let both = async {
        tokio::join!(carry(client, to_server, &mut up), carry(server, to_client, &mut down))
    };
    tokio::select! {
        _ = both => {}
        () = async { drop(ways.wait_for(|way| is_dead(*way)).await) } => {}
    }
    hold(&mut ways).await;
}

fn is_dead(way: Way) -> bool {
    matches!(way, Way::Cut | Way::Silent)
}

/// Carries what comes in one direction, until it ends.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    ways: &mut watch::Receiver<Way>,
) {
    let (sent, mut travelling) = mpsc::channel(1024);
    let at_entry = ways.clone();
    let enter = async move {
        let mut packet = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut packet).await {
            let way = *at_entry.borrow();
            let time = if let Way::Late(time) = way { time } else { Duration::ZERO };
            if sent.send((Instant::now() + time, packet[..length].to_vec())).await.is_err() {
                break;
            }
        }
    };
    let arrive = async {
        while let Some((due, packet)) = travelling.recv().await {
            tokio::time::sleep_until(due).await;
            let is_there = ways.wait_for(|way| *way != Way::Stalled).await.is_ok();
            if !is_there || to.write_all(&packet).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
        travelling.close();
    };
    tokio::join!(enter, arrive);
}

/// Keeps a connection for as long as the way is silent.
async fn hold(ways: &mut watch::Receiver<Way>) {
    while *ways.borrow_and_update() == Way::Silent {
        if ways.changed().await.is_err() {
            return;
        }
    }
}
