//! Clients that stall: game sockets that never read what their race tells them, and requests that are never finished.
//!
//! What is asked for is the memory of the server while they hang, and whether it lets go of them. Our server alone: the
//! bare relay has no limits.

use crate::players::{GAME_SIZE, Seat, Socket, take_seats};
use crate::report::Row;
use crate::server::{Kind, START_COUNTDOWN, Server};
use crate::{Outcome, proc};
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

/// Games over which the sockets are spread; in each somebody types.
const GAMES: usize = 10;
/// Between two keystrokes of a typing player: far faster than a person, so that buffers fill soon.
const KEY: Duration = Duration::from_millis(10);
/// Between two looks at the server's memory.
const GLANCE: Duration = Duration::from_millis(100);
/// Between two bytes of a request that is never finished.
const TRICKLE: Duration = Duration::from_secs(1);
/// A client's receive buffer: small, so that the server's own buffers are what fills.
const RECEIVE: u32 = 4096;
/// After this the server should have let go.
const PATIENCE: Duration = Duration::from_mins(3);
const SETTLE: Duration = Duration::from_secs(2);

/// Requests whose head, or whose body, is never finished.
const HEAD: &[u8] = b"GET /healthcheck/alive HTTP/1.1\r\nhost: here\r\nx-slow: ";
const BODY: &[u8] = b"POST /api/v1/auth/guest HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: 4000\r\n\r\n{";

/// Memory of the server, and how many clients it let go of.
struct Seen {
    before: u64,
    most: u64,
    after: u64,
    let_go: usize,
    within: Duration,
}

impl Seen {
    fn rows(&self, what: &str, count: usize) -> Vec<Row> {
        let mebibytes = |bytes: u64| bytes as f64 / 1024.0 / 1024.0;
        let figures = [
            ("before", "MiB", mebibytes(self.before)),
            ("at most", "MiB", mebibytes(self.most)),
            ("after", "MiB", mebibytes(self.after)),
            ("closed by the server", "", self.let_go as f64),
            ("the last of them after", "s", self.within.as_secs_f64()),
        ];
        let row = |(name, unit, value)| {
            let mut row = Row::new(format!("{count} {what}: {name}"), unit, 1);
            row.add(Kind::Server, value);
            row
        };
        figures.map(row).into()
    }
}

/// Has so many clients stall, of each kind.
pub async fn measure(count: usize) -> Outcome<Vec<Row>> {
    proc::raise_open_files()?;
    let data = tempfile::tempdir()?;
    let server = Server::start(Kind::Server, data.path()).await?;
    let mut rows = never_read(&server, count).await?.rows("sockets that never read", count);
    rows.extend(never_finished(&server, count, HEAD).await?.rows("unfinished heads", count));
    rows.extend(never_finished(&server, count, BODY).await?.rows("unfinished bodies", count));
    server.stop().await?;
    Ok(rows)
}

async fn never_read(server: &Server, count: usize) -> Outcome<Seen> {
    let seats = take_seats(server, GAMES * GAME_SIZE).await?;
    let (typists, others): (Vec<_>, Vec<_>) =
        seats.into_iter().enumerate().partition(|(number, _)| number % GAME_SIZE == 0);
    let mut sockets = JoinSet::new();
    for number in 0..count {
        let stream = connect(server.address).await?;
        let (_, seat) = &others[number % others.len()];
        sockets.spawn(stalls(seat.open_on(stream).await?));
    }
    let mut typing = JoinSet::new();
    for (_, seat) in typists {
        typing.spawn(types(seat));
    }
    sleep(Duration::from_secs(START_COUNTDOWN)).await;
    watch(server, sockets).await
}

/// Does not read for as long as the server may need to notice, and then says whether it was closed.
async fn stalls(mut socket: Socket) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        sleep(SETTLE).await;
        // The peer has shut the connection down: known without a byte being read.
        if is_shut(socket.get_mut()) {
            return true;
        }
    }
    false
}

fn is_shut(stream: &mut TcpStream) -> bool {
    // A write to a connection that the server has closed fails, at the second time at the latest.
    const PONG: &[u8] = &[0x8a, 0x80, 0, 0, 0, 0];
    matches!(stream.try_write(PONG), Err(error) if error.kind() != std::io::ErrorKind::WouldBlock)
}

/// Types for as long as it is let, and reads what comes.
async fn types(seat: Seat) -> Outcome<()> {
    let (mut write, mut read) = seat.open().await?.split();
    let mut keys = interval(KEY);
    for number in 0_usize.. {
        tokio::select! {
            message = read.next() => if !matches!(message, Some(Ok(_))) { break },
            _ = keys.tick() => {
                let word = number % 25;
                let key = format!(r#"{{"event":"KEY_STOKE","game_id":{},"word_index":{word},"char_index":0}}"#, seat.game);
                write.send(Message::text(key)).await?;
            }
        }
    }
    Ok(())
}

async fn never_finished(server: &Server, count: usize, begin: &'static [u8]) -> Outcome<Seen> {
    let mut requests = JoinSet::new();
    for _ in 0..count {
        let stream = connect(server.address).await?;
        requests.spawn(trickles(stream, begin));
    }
    watch(server, requests).await
}

/// Sends a byte now and then, and says whether the server has closed the connection.
async fn trickles(mut stream: TcpStream, begin: &[u8]) -> bool {
    let begun = Instant::now();
    let mut bytes = begin;
    let mut answer = [0; 256];
    while begun.elapsed() < PATIENCE {
        if stream.write_all(bytes).await.is_err() {
            return true;
        }
        bytes = b" ";
        if let Ok(Ok(0) | Err(_)) = timeout(TRICKLE, stream.read(&mut answer)).await {
            return true;
        }
    }
    false
}

/// Watches the server's memory until all clients are done.
async fn watch(server: &Server, mut clients: JoinSet<bool>) -> Outcome<Seen> {
    let (begun, before) = (Instant::now(), proc::resident(server.pid())?);
    let mut seen = Seen { before, most: before, after: before, let_go: 0, within: Duration::ZERO };
    let mut glances = interval(GLANCE);
    loop {
        tokio::select! {
            _ = glances.tick() => seen.most = seen.most.max(proc::resident(server.pid())?),
            done = clients.join_next() => match done {
                None => break,
                Some(is_closed) => if is_closed? {
                    seen.let_go += 1;
                    seen.within = begun.elapsed();
                }
            },
        }
    }
    sleep(SETTLE).await;
    seen.after = proc::resident(server.pid())?;
    Ok(seen)
}

async fn connect(address: SocketAddr) -> Outcome<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(RECEIVE)?;
    Ok(socket.connect(address).await?)
}
