//! Three pods behind nginx, restarted one after the other while players race: what that costs them.
//!
//! Players do what pages of the present frontend do: queue in, race, close the race's socket at START and open it again,
//! type, report the result, and queue in again. They come back at once when a socket closes, whatever its reason says.
//!
//! A pod's handshakes are read off its metrics once a second. What is usual is measured before, with the same players.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::cluster::{self, Cluster};
use crate::proxy::Nginx;
use crate::racer::{self, Tally};
use crate::{Outcome, millis};

const PODS: usize = 3;
pub const PLAYERS: usize = 2_000;
/// Over what time the players come: about one race, so that races are spread evenly.
const ARRIVAL: Duration = Duration::from_secs(40);
/// Until races are spread evenly, and for how long the usual rate is measured.
const SETTLE: Duration = Duration::from_secs(20);
const USUAL: Duration = Duration::from_secs(60);
/// Between a pod that is ready and the end of the next: what `minReadySeconds` is in Kubernetes.
const READY: Duration = Duration::from_secs(5);
/// After the last one, until players stop.
const AFTER: Duration = Duration::from_secs(15);
/// How long the last races may take.
const END: Duration = Duration::from_secs(90);
/// Seconds over which rates are means: single seconds differ by chance, and lobbies fill in waves. The longer one is a drain.
const WINDOWS: [usize; 2] = [5, 20];

/// Handshakes of each pod, second by second.
type Samples = Vec<[f64; PODS]>;

pub async fn measure() -> Outcome<()> {
    println!(
        "\n{PODS} pods behind nginx, {PLAYERS} players in races of 5, all pods restarted one after the other"
    );
    let mut cluster = Cluster::start_with(PODS, cluster::ROLLING).await?;
    let nginx = Nginx::before(&cluster.ports()).await?;
    let tally = Arc::new(Tally::default());
    let mut racers = racer::come(nginx.address(), &tally, PLAYERS, ARRIVAL);
    sleep(ARRIVAL + SETTLE).await;
    let usual = sampled(&cluster, USUAL).await?;
    let before = tally.handshakes.load(Relaxed);
    let roll = roll(&mut cluster).await?;
    tally.is_over.store(true, Relaxed);
    let is_done = timeout(END, async { while racers.join_next().await.is_some() {} }).await.is_ok();
    report(&usual, &roll);
    tally.print();
    println!(
        "  handshakes while restarting {}{}",
        tally.handshakes.load(Relaxed) - before,
        if is_done { "" } else { "; some players did not finish" },
    );
    drop(nginx);
    cluster.stop().await
}

/// Restarts each pod, and samples meanwhile.
async fn roll(cluster: &mut Cluster) -> Outcome<Samples> {
    let sampler = Sampler::begin(cluster);
    for pod in 0..PODS {
        let begun = Instant::now();
        let code = cluster.terminate(pod).await?;
        let gone = begun.elapsed();
        cluster.restart(pod).await?;
        println!(
            "  pod {pod}: ended with {code} after {:.1} s, ready again {:.1} s later",
            millis(gone) / 1000.0,
            millis(begun.elapsed() - gone) / 1000.0
        );
        sleep(READY).await;
    }
    sleep(AFTER).await;
    sampler.end().await
}

async fn sampled(cluster: &Cluster, span: Duration) -> Outcome<Samples> {
    let sampler = Sampler::begin(cluster);
    sleep(span).await;
    sampler.end().await
}

/// Reads the counters of all pods each second.
struct Sampler {
    over: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<Samples>,
}

impl Sampler {
    fn begin(cluster: &Cluster) -> Self {
        let (over, ports) = (Arc::new(AtomicU64::new(0)), cluster.ports());
        let ends = over.clone();
        let task = tokio::spawn(async move {
            let mut before: Option<[Option<u64>; PODS]> = None;
            let mut samples = Samples::new();
            let mut second = tokio::time::interval(Duration::from_secs(1));
            while ends.load(Relaxed) == 0 {
                second.tick().await;
                let mut now = [None; PODS];
                for (pod, port) in ports.iter().enumerate() {
                    now[pod] = cluster::counted(*port, "typephoon_sockets_opened_total").await.ok();
                }
                if let Some(before) = before.replace(now) {
                    // A pod that has restarted counts from zero; one that is away has none.
                    let rate = |pod: usize| match (before[pod], now[pod]) {
                        (Some(before), Some(now)) if now >= before => (now - before) as f64,
                        (_, Some(now)) => now as f64,
                        _ => 0.0,
                    };
                    samples.push(std::array::from_fn(rate));
                }
            }
            samples
        });
        Self { over, task }
    }

    async fn end(self) -> Outcome<Samples> {
        self.over.store(1, Relaxed);
        Ok(self.task.await?)
    }
}

/// The handshakes of a pod per second.
struct Rates {
    mean: f64,
    /// The highest means over so many seconds.
    highest: [f64; WINDOWS.len()],
}

impl Rates {
    fn of(samples: &Samples, pod: usize) -> Self {
        let of_pod: Vec<f64> = samples.iter().map(|second| second[pod]).collect();
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len().max(1) as f64;
        let highest = WINDOWS.map(|window| of_pod.windows(window).map(mean).fold(0.0, f64::max));
        Self { mean: mean(&of_pod), highest }
    }
}

fn report(usual: &Samples, roll: &Samples) {
    for (index, window) in WINDOWS.iter().enumerate() {
        println!("  handshakes per second, highest mean over {window} s");
        for pod in 0..PODS {
            let (usual, roll) = (Rates::of(usual, pod), Rates::of(roll, pod));
            let (before, during) = (usual.highest[index], roll.highest[index]);
            println!(
                "    pod {pod}: usual {before:.0} (mean of all {:.0}), while restarting {during:.0}: {:.2} times the usual, {:.2} times the mean",
                usual.mean,
                during / before,
                during / usual.mean
            );
        }
    }
}
