//! Guests who come, and their results: how many a second, the CPU of each, and how long each waits.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::players::{GAME_SIZE, Guest, take_seats};
use crate::report::Row;
use crate::server::{Kind, START_COUNTDOWN, Server};
use crate::{Outcome, proc};

/// Guests before those that are measured.
const FIRST: usize = 100;

/// Measures servers in turns: `guests` of whom so many are on their way `at_once`.
pub async fn compare(
    turns: impl Iterator<Item = Kind>,
    (guests, at_once): (usize, usize),
) -> Outcome<Vec<Row>> {
    proc::raise_open_files()?;
    let mut rows = vec![
        Row::new("CPU per join", "ms", 3),
        Row::new("joins", "/s", 0),
        Row::new("from connecting to the token, median", "ms", 1),
        Row::new("from connecting to the token, 99th percentile", "ms", 1),
        Row::new("CPU per result", "ms", 3),
    ];
    for kind in turns.filter(|kind| *kind != Kind::Bare) {
        let data = tempfile::tempdir()?;
        let server = Server::start(kind, data.path()).await?;
        come(&server, FIRST, at_once).await?;
        let (before, begun) = (proc::cpu(server.pid())?, Instant::now());
        let mut waits = come(&server, guests, at_once).await?;
        let (cpu, took) = (proc::cpu(server.pid())? - before, begun.elapsed());
        waits.sort_unstable();
        let at = |percent: usize| waits[(waits.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        let each = cpu.as_secs_f64() * 1e3 / guests as f64;
        let per_second = guests as f64 / took.as_secs_f64();
        let result = results(&server, guests.min(1000) / GAME_SIZE * GAME_SIZE).await?;
        let figures = [each, per_second, at(50), at(99), result];
        rows.iter_mut().zip(figures).for_each(|(row, figure)| row.add(kind, figure));
        server.stop().await?;
    }
    Ok(rows)
}

/// Guests come, and keep their lobby sockets until all have come. Returns how long each waited.
async fn come(server: &Server, guests: usize, at_once: usize) -> Outcome<Vec<Duration>> {
    let (door, http) = (Arc::new(Semaphore::new(at_once)), reqwest::Client::builder().no_proxy());
    let guest = Guest { server: server.address, http: http.build()? };
    let mut arrivals: JoinSet<Outcome<_>> = JoinSet::new();
    for _ in 0..guests {
        let (door, guest) = (door.clone(), guest.clone());
        arrivals.spawn(async move {
            let _entry = door.acquire().await?;
            let begun = Instant::now();
            let arrived = guest.arrive().await?;
            Ok((begun.elapsed(), arrived))
        });
    }
    let (mut waits, mut sockets) = (Vec::new(), Vec::new());
    while let Some(arrival) = arrivals.join_next().await {
        let (wait, (socket, ..)) = arrival??;
        waits.push(wait);
        sockets.push(socket);
    }
    Ok(waits)
}

/// Milliseconds of CPU per result of that many players, each sent once.
async fn results(server: &Server, players: usize) -> Outcome<f64> {
    let (seats, mut sockets) = (take_seats(server, players).await?, Vec::new());
    for seat in &seats {
        sockets.push(seat.open().await?);
    }
    sleep(Duration::from_secs(START_COUNTDOWN + 1)).await;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let before = proc::cpu(server.pid())?;
    let mut sent: JoinSet<Outcome<()>> = JoinSet::new();
    for seat in seats {
        while sent.len() >= GAME_SIZE {
            sent.join_next().await.ok_or("a request")???;
        }
        let http = http.clone();
        sent.spawn(async move {
            let claim = json!({"game_id": seat.game, "wpm": 70.0, "wpm_raw": 75.0, "acc": 97.0});
            let request = http.post(seat.url("/api/v1/game/statistics")).json(&claim);
            seat.sign(request).send().await?.error_for_status()?;
            Ok(())
        });
    }
    while let Some(answered) = sent.join_next().await {
        answered??;
    }
    let cpu = proc::cpu(server.pid())? - before;
    Ok(cpu.as_secs_f64() * 1e3 / players as f64)
}
