//! Resident memory and CPU time of idle game sockets.

use crate::players::{GAME_SIZE, Seat, Socket, take_seats};
use crate::report::Row;
use crate::server::{Kind, START_COUNTDOWN, Server};
use crate::{Outcome, proc};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The sockets are spread over the players of a few games: what a socket costs is asked for, not what a game costs.
const GAMES: usize = 4;

/// Handshakes at the same moment.
const DOOR: usize = 50;

/// Files that generator and server need beside the sockets.
const OTHER_FILES: usize = 200;

/// Time for the server to finish what the handshakes left behind.
const SETTLE: Duration = Duration::from_secs(1);

/// How long CPU time is measured: each socket is pinged once (`limits.heartbeat`).
const HEARTBEAT: Duration = Duration::from_secs(20);

/// The line with the CPU time.
pub const CPU: &str = "CPU while all of them are idle";

/// Opens the numbers of sockets asked for at each server in turns.
pub async fn compare(turns: impl Iterator<Item = Kind>, counts: &[usize]) -> Outcome<Vec<Row>> {
    let room = proc::raise_open_files()?.saturating_sub(OTHER_FILES);
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    while let Some(count) = counts.pop_if(|count| *count > room) {
        eprintln!("{count} sockets left out: the limit of open files allows {room}");
    }
    let mut rows: Vec<Row> =
        counts.iter().map(|count| Row::new(format!("{count} sockets"), "KiB", 2)).collect();
    let mut base = Row::new("the process before them", "MiB", 1);
    let mut busy = Row::new(CPU, "% of a core", 2);
    for kind in turns {
        let data = tempfile::tempdir()?;
        let server = Server::start(kind, data.path()).await?;
        let seats = take_seats(&server, GAMES * GAME_SIZE).await?;
        let mut idle = Idle::default();
        // The first sockets hear START and make the server allocate what it needs once.
        idle.open_up_to(seats.len(), &seats).await?;
        sleep(Duration::from_secs(START_COUNTDOWN) + SETTLE).await;
        let (before, already) = (proc::resident(server.pid())?, idle.sockets.len());
        base.add(kind, kibibytes(before) / 1024.0);
        for (count, row) in counts.iter().zip(&mut rows) {
            idle.open_up_to(already + count, &seats).await?;
            sleep(SETTLE).await;
            idle.all_alive()?;
            let grown = proc::resident(server.pid())?.saturating_sub(before);
            row.add(kind, kibibytes(grown) / *count as f64);
        }
        let used = proc::cpu(server.pid())?;
        sleep(HEARTBEAT).await;
        let used = proc::cpu(server.pid())? - used;
        idle.all_alive()?;
        busy.add(kind, 100.0 * used.as_secs_f64() / HEARTBEAT.as_secs_f64());
        server.stop().await?;
    }
    rows.extend([base, busy]);
    Ok(rows)
}

fn kibibytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}

/// Sockets that only answer pings, each in a task that ends when the socket does.
#[derive(Default)]
struct Idle {
    sockets: JoinSet<()>,
}

impl Idle {
    async fn open_up_to(&mut self, count: usize, seats: &[Seat]) -> Outcome<()> {
        let mut handshakes: JoinSet<Outcome<Socket>> = JoinSet::new();
        let mut missing =
            (self.sockets.len()..count).map(|number| seats[number % seats.len()].clone());
        loop {
            while handshakes.len() < DOOR {
                let Some(seat) = missing.next() else { break };
                handshakes.spawn(async move { seat.open().await });
            }
            let Some(opened) = handshakes.join_next().await else {
                return Ok(());
            };
            let mut socket = opened??;
            self.sockets.spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
        }
    }

    /// A figure per socket means nothing when the server has closed some of them.
    fn all_alive(&mut self) -> Outcome<()> {
        match self.sockets.try_join_next() {
            None => Ok(()),
            Some(_) => Err("the server closed an idle socket".into()),
        }
    }
}
