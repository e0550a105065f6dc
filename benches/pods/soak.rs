//! Three pods behind nginx for an hour, under races, reconnects and slow readers, while two of them are killed in turns:
//! `cargo bench --bench pods -- soak`, with `--minutes 10 --kill-every 2` for another time.
//!
//! The first pod lives on: its memory, open files and tasks are printed each minute, and compared at the end, when all
//! players have gone, with those before they came. Memory is compared with that after a sixth of the time. It fails if
//! something was lost or refused, if files or tasks are left, or if an hour's memory has grown.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::{Instant, interval_at, sleep, sleep_until, timeout};

use crate::Outcome;
use crate::cluster::{self, Cluster};
use crate::proxy::Nginx;
use crate::racer::{self, Tally};

const PODS: usize = 3;
const PLAYERS: usize = 300;
/// Over what time the players come.
const ARRIVAL: Duration = Duration::from_secs(40);
/// A pod that was killed is away for so long.
const AWAY: Duration = Duration::from_secs(10);
/// How long the last races may take, and games without a result.
const END: Duration = Duration::from_secs(180);
/// After that, until the pod has forgotten them.
const SETTLE: Duration = Duration::from_secs(90);
/// In how many minutes memory has come to what it stays at, after a sixth of the time; shorter soaks do not judge it.
const SETTLED: u64 = 60;
/// By how much memory may differ then, in percent.
const FLUCTUATION: u64 = 5;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// How often a pod at rest is looked at, a second apart: the fewest files and tasks count.
const LOOKS: usize = 10;

/// What a pod holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    mebibytes: u64,
    /// Open files besides `connections`.
    files: u64,
    /// To the database, which the pool keeps for ten minutes after they were needed.
    connections: u64,
    tasks: u64,
}

impl Held {
    async fn by(port: u16) -> Outcome<Self> {
        let metrics = cluster::metrics(port).await?;
        let of = |name| cluster::sum(&metrics, name);
        let connections = of("typephoon_records_connections");
        Ok(Self {
            mebibytes: of("process_resident_memory_bytes") >> 20,
            files: of("process_open_fds").saturating_sub(connections),
            connections,
            tasks: of("typephoon_runtime_tasks"),
        })
    }

    /// What it holds for longer than a moment.
    async fn at_rest(port: u16) -> Outcome<Self> {
        let mut held = Self::by(port).await?;
        for _ in 1..LOOKS {
            sleep(SECOND).await;
            let now = Self::by(port).await?;
            held.files = held.files.min(now.files);
            held.tasks = held.tasks.min(now.tasks);
        }
        Ok(held)
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { mebibytes, files, connections, tasks } = self;
        write!(f, "{mebibytes} MiB, {files} files, {connections} connections to the database, ")?;
        write!(f, "{tasks} tasks")
    }
}

/// The number after an argument.
fn argument(name: &str, default: u64) -> Outcome<u64> {
    let mut arguments = std::env::args().skip_while(|it| it != name).skip(1);
    Ok(arguments.next().map_or(Ok(default), |it| it.parse())?)
}

pub async fn measure() -> Outcome<()> {
    let minutes = argument("--minutes", 60)?;
    let kill_every = MINUTE * u32::try_from(argument("--kill-every", 5)?)?;
    println!("\n{PODS} pods behind nginx, {PLAYERS} players in races of 5, {minutes} minutes");
    let mut cluster = Cluster::start_with(PODS, cluster::ROLLING).await?;
    let nginx = Nginx::before(&cluster.ports()).await?;
    let steady = cluster.ports()[0];
    let before = Held::at_rest(steady).await?;
    println!("  before: {before}");
    let tally = Arc::new(Tally::default());
    let mut racers = racer::come(nginx.address(), &tally, PLAYERS, ARRIVAL);
    let end = Instant::now() + MINUTE * u32::try_from(minutes)?;
    let (mut looks, mut kills) = (
        interval_at(Instant::now() + MINUTE, MINUTE),
        interval_at(Instant::now() + kill_every, kill_every),
    );
    let (mut held, mut killed) = (Vec::new(), 0);
    loop {
        tokio::select! {
            _ = looks.tick() => {
                held.push(Held::by(steady).await?);
                let ranked = tally.ranked.load(Relaxed);
                println!("  minute {}: {}; {ranked} results", held.len(), held[held.len() - 1]);
            }
            _ = kills.tick() => {
                let pod = 1 + killed % (PODS - 1);
                killed += 1;
                cluster.kill(pod).await?;
                sleep(AWAY).await;
                cluster.restart(pod).await?;
            }
            () = sleep_until(end) => break,
        }
    }
    tally.is_over.store(true, Relaxed);
    let is_done = timeout(END, async { while racers.join_next().await.is_some() {} }).await.is_ok();
    racers.abort_all();
    drop(nginx);
    sleep(SETTLE).await;
    let after = Held::at_rest(steady).await?;
    println!("  after:  {after}; {killed} pods killed; all players have finished: {is_done}");
    let early = held.get(held.len() / 6).map_or(before, |held| *held);
    let late = held.last().map_or(before, |held| *held);
    println!(
        "  memory after a sixth of the time {} MiB, at its end {} MiB",
        early.mebibytes, late.mebibytes
    );
    tally.print();
    cluster.stop().await?;
    let (lost, untaken) = (tally.lost.load(Relaxed), tally.untaken.load(Relaxed));
    let failures = tally.failures.load(Relaxed);
    if !is_done || lost + untaken + failures > 0 {
        return Err("races or results were lost".into());
    }
    if after.files > before.files || after.tasks > before.tasks {
        return Err("files or tasks are left".into());
    }
    // An allocator returns pages when it pleases: memory goes up and down by a few percent.
    let grew = minutes >= SETTLED && late.mebibytes * 100 > early.mebibytes * (100 + FLUCTUATION);
    if grew { Err("memory has grown".into()) } else { Ok(()) }
}
