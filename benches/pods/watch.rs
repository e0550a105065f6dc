//! What spectators of one race cost its racers and the pods: the same load with and without them, in turns.
//!
//! The spectators have a thread of their own, so that the racers of the generator do not wait for them; on a machine with few
//! cores they take time from the pods all the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::header::COOKIE;
use serde_json::Value;
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::cluster::{Cluster, Player, Socket, http, open};
use crate::figures::{self, Compared};
use crate::{Outcome, RATE, SPAN, millis, race};

/// Racers, in races of five; the first race is watched.
const RACERS: usize = 100;
/// How often each load takes its turn, if spectators are all that is measured.
pub const ROUNDS: usize = 7;
/// Handshakes at once.
const DOOR: usize = 64;
/// The longest that a spectator waits for a frame before it looks whether the measurement is over.
const GLANCE: Duration = Duration::from_millis(250);

/// Measures so many pods with so many spectators.
pub async fn measure(pods: usize, spectators: usize, rounds: usize) -> Outcome<()> {
    println!(
        "\n{pods} pods, {RACERS} racers in races of 5, {RATE} keystrokes/s each, {} s; {spectators} spectators of one race",
        SPAN.as_secs()
    );
    let cluster = Cluster::start(pods).await?;
    let mut found = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (turn, count) in [0, spectators].into_iter().enumerate() {
            found[turn].push(turn_with(&cluster, count).await?);
        }
    }
    cluster.stop().await?;
    let medians =
        |of: fn(&Turn) -> f64| found.each_ref().map(|turns| median(turns.iter().map(of).collect()));
    let (late, cores) = (medians(|it| it.p99), medians(|it| it.cores));
    println!("  {:<44}{:>10}{:>10}{:>10}", "medians", "without", "with", "ratio");
    print_line("keystroke to another player, p50, ms", medians(|it| it.p50));
    print_line("keystroke to another player, p99, ms", late);
    print_line("CPU of the pods, cores", cores);
    for (count, late, cores) in [(0, late[0], cores[0]), (spectators, late[1], cores[1])] {
        let name = format!("{pods} pods, {RACERS} players, {count} spectators");
        let latency = format!("{name}: relay latency, 99th percentile");
        figures::note(&latency, "ms", late, Compared::Alone);
        figures::note(&format!("{name}: CPU of the pods"), "cores", cores, Compared::Alone);
    }
    let last = found[1].last().ok_or("no turn")?;
    println!(
        "  spectators held to the end {}, of {spectators}; places came in {:.1} s",
        last.held, last.opened
    );
    println!(
        "  frames per spectator and second {:.2}; between two, at most {:.0} ms",
        last.frames, last.gap
    );
    Ok(())
}

fn print_line(name: &str, [without, with]: [f64; 2]) {
    println!("  {name:<44}{without:>10.2}{with:>10.2}{:>10.3}", with / without);
}

/// What one turn gave.
struct Turn {
    p50: f64,
    p99: f64,
    cores: f64,
    held: usize,
    opened: f64,
    frames: f64,
    gap: f64,
}

async fn turn_with(cluster: &Cluster, spectators: usize) -> Outcome<Turn> {
    let players = cluster.seat(RACERS, false).await?.players;
    let link = link_of(&players[0]).await?;
    let pods: Vec<SocketAddr> = cluster.addresses();
    let begun = Instant::now();
    let crowd = Crowd::gather(pods, link, spectators).await?;
    let opened = begun.elapsed().as_secs_f64();
    let before = (cluster.cpu()?, crowd.frames.load(Relaxed), Instant::now());
    let (raced, _) = race::run(players, RATE, SPAN).await?;
    let took = before.2.elapsed().as_secs_f64();
    let cores = (cluster.cpu()? - before.0).as_secs_f64() / took;
    let frames = (crowd.frames.load(Relaxed) - before.1) as f64;
    let gap = crowd.longest.load(Relaxed) as f64;
    let held = crowd.leave()?;
    Ok(Turn {
        p50: raced.percentile(50),
        p99: raced.percentile(99),
        cores,
        held,
        opened,
        frames: frames / spectators.max(1) as f64 / SPAN.as_secs_f64(),
        gap,
    })
}

async fn link_of(player: &Player) -> Outcome<String> {
    let url = format!("http://{}/api/v1/watch?game_id={}", player.pod, player.game);
    let share = http().get(url).header(COOKIE, &player.cookie).send().await?;
    let share: Value = share.error_for_status()?.json().await?;
    Ok(share["link"].as_str().ok_or("a link")?.to_owned())
}

/// Spectators on a thread of their own.
struct Crowd {
    /// Frames that they have received.
    frames: Arc<AtomicU64>,
    /// The longest time between two frames with carets, in milliseconds.
    longest: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Crowd {
    /// Returns once all of them have a place.
    async fn gather(pods: Vec<SocketAddr>, link: String, count: usize) -> Outcome<Self> {
        let (frames, longest) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let is_over = Arc::<AtomicBool>::default();
        let (ready, gathered) = oneshot::channel();
        let its = (frames.clone(), longest.clone(), is_over.clone());
        let thread = std::thread::spawn(move || {
            // On a machine with few cores the racers' clients would wait for theirs.
            let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
            let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.map_or(0, |runtime| runtime.block_on(watch(pods, link, count, its, ready)))
        });
        gathered.await??;
        Ok(Self { frames, longest, is_over, thread })
    }

    /// Returns how many sockets were still open.
    fn leave(self) -> Outcome<usize> {
        self.is_over.store(true, Relaxed);
        self.thread.join().map_err(|_| "the spectators have panicked".into())
    }
}

type Shared = (Arc<AtomicU64>, Arc<AtomicU64>, Arc<AtomicBool>);

async fn watch(
    pods: Vec<SocketAddr>,
    link: String,
    count: usize,
    its: Shared,
    ready: oneshot::Sender<Outcome<()>>,
) -> usize {
    let door = Arc::new(Semaphore::new(DOOR));
    let mut arrivals = JoinSet::new();
    for number in 0..count {
        let (pod, door) = (pods[number % pods.len()], door.clone());
        let path = format!("/api/v1/watch/live/ws?link={link}");
        arrivals.spawn(async move {
            let _entry = door.acquire().await?;
            open(pod, &path, None).await
        });
    }
    let mut spectators = JoinSet::new();
    let mut failed = None;
    while let Some(arrival) = arrivals.join_next().await {
        match arrival {
            Ok(Ok(socket)) => drop(spectators.spawn(spectate(socket, its.clone()))),
            Ok(Err(error)) => failed = Some(error),
            Err(error) => failed = Some(error.into()),
        }
    }
    let _ = ready.send(failed.map_or(Ok(()), Err));
    let ended = spectators.join_all().await;
    ended.into_iter().filter(|is_open| *is_open).count()
}

/// Returns whether the socket was open to the end.
async fn spectate(mut socket: Socket, (frames, longest, is_over): Shared) -> bool {
    let mut last: Option<Instant> = None;
    while !is_over.load(Relaxed) {
        let text = match timeout(GLANCE, socket.next()).await {
            Err(_) => continue,
            Ok(Some(Ok(Message::Text(text)))) => text,
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return false,
            Ok(Some(Ok(_))) => continue,
        };
        frames.fetch_add(1, Relaxed);
        if text.starts_with(r#"{"event":"CARETS""#) {
            let gap = last.map_or(0.0, |last| millis(last.elapsed()));
            longest.fetch_max(gap as u64, Relaxed);
            last = Some(Instant::now());
        }
    }
    true
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
