//! How many players a second find a seat, with the live state on Redis: through one server, two and four that share their
//! games, at one door and at many.
//!
//! `cargo bench --bench joins` needs a Redis at 127.0.0.1:6379 (`TEST_REDIS` names another) and uses keys
//! under a prefix of its own, which it deletes. In a cluster of Redis (`TEST_REDIS_CLUSTER` names a node) it does the same.

mod figures;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use figures::Compared;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use typephoon_api::game::{Door, Parts, PodName, SocketId, Timestamp, User, UserId, UserType};
use typephoon_api::handlers::lobby::matchmaker::Matchmaker;
use typephoon_api::handlers::lobby::seats::{LobbyRules, SeatRequest};
use typephoon_api::handlers::shared::{Level, invited};
use typephoon_api::live::{Live, RedisLive};
use typephoon_api::records::{Journal, Records};
use typephoon_api::settings::{RedisSettings, Settings};

const PLAYERS: usize = 20_000;
/// Players of a server who come at the same time.
const AT_ONCE: usize = 200;
/// Doors, where there are many.
const DOORS: usize = 1_000;
/// Players who come within one second.
const CROWD: usize = 5_000;

const RULES: LobbyRules = LobbyRules {
    player_limit: 5,
    countdown: Duration::from_secs(5),
    full_grace: Duration::from_secs(1),
    kept: Duration::from_secs(60),
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for doors in [1, DOORS] {
        for pods in [1, 2, 4, 1, 2, 4] {
            joins(pods, doors).await?;
        }
    }
    crowd(3).await
}

/// Servers that share their games.
struct Servers {
    redis: RedisSettings,
    pods: Vec<Pod>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _data: tempfile::TempDir,
}

#[derive(Clone)]
struct Pod {
    live: Live,
    matchmaker: Arc<Matchmaker>,
    tasks: TaskTracker,
}

impl Servers {
    async fn start(pods: usize) -> Result<Self, Box<dyn Error>> {
        let cluster = std::env::var("TEST_REDIS_CLUSTER").ok();
        let single = std::env::var("TEST_REDIS").ok();
        let redis = RedisSettings {
            cluster: cluster.is_some(),
            url: Some(
                cluster.or(single).unwrap_or_else(|| "redis://127.0.0.1:6379/0".into()).into(),
            ),
            prefix: format!("typephoon-bench-{:016x}", rand::random::<u64>()),
            ..RedisSettings::default()
        };
        let data = tempfile::tempdir()?;
        let (data_dir, shared) = (data.path().into(), Some(redis.clone()));
        let settings = Settings { data_dir, redis: shared, ..Settings::default() };
        let records = Records::open(&settings, false).await?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let mut servers = Self { redis: redis.clone(), pods: Vec::new(), tasks, stop, _data: data };
        for number in 0..pods {
            let journal = Journal::start(records.clone(), &servers.tasks, servers.stop.clone());
            let pod = PodName::of_run(&number.to_string());
            let live = RedisLive::connect(&redis, records.clone(), journal, pod).await?;
            let (live, matchmaker) = (Live::on_redis(live), Arc::default());
            servers.pods.push(Pod { live, matchmaker, tasks: servers.tasks.clone() });
        }
        Ok(servers)
    }

    async fn stop(self) -> Result<(), Box<dyn Error>> {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        clear(&self.redis).await
    }
}

/// Deletes the keys of these servers, unless they are in a cluster: there they expire.
async fn clear(redis: &RedisSettings) -> Result<(), Box<dyn Error>> {
    let Some(url) = redis.url.as_ref().filter(|_| !redis.cluster) else { return Ok(()) };
    let mut server = redis::Client::open(url.expose())?.get_multiplexed_async_connection().await?;
    let (pattern, mut cursor) = (format!("{{{}*", redis.prefix), 0_u64);
    loop {
        let mut scan = redis::cmd("SCAN");
        let scan = scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(10_000);
        let (next, keys): (u64, Vec<String>) = scan.query_async(&mut server).await?;
        if !keys.is_empty() {
            redis::cmd("UNLINK").arg(keys).exec_async(&mut server).await?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

async fn joins(pods: usize, doors: usize) -> Result<(), Box<dyn Error>> {
    let servers = Servers::start(pods).await?;
    let (mut waits, before) = (JoinSet::new(), RedisLive::conflicts());
    let begun = Instant::now();
    for pod in &servers.pods {
        for _ in 0..AT_ONCE {
            waits.spawn(come(pod.clone(), PLAYERS / AT_ONCE / pods, doors));
        }
    }
    let mut waits = waits.join_all().await.concat();
    let elapsed = begun.elapsed();
    waits.sort_unstable();
    let at = |percent: usize| waits[waits.len() * percent / 100].as_secs_f64() * 1e3;
    let joins = waits.len() as f64;
    println!(
        "{pods} server(s), {doors} door(s): {:.0} joins/s; a join takes {:.1} ms (median), {:.1} ms (99 %) with {} at \
         once; {:.4} conflicts per join",
        joins / elapsed.as_secs_f64(),
        at(50),
        at(99),
        AT_ONCE * pods,
        (RedisLive::conflicts() - before) as f64 / joins,
    );
    let name = format!("seats in Redis, {pods} server(s), {doors} door(s)");
    figures::note(&name, "/s", joins / elapsed.as_secs_f64(), Compared::Alone);
    servers.stop().await
}

/// A crowd comes to one door within a second.
async fn crowd(pods: usize) -> Result<(), Box<dyn Error>> {
    let servers = Servers::start(pods).await?;
    let (mut waits, begun) = (JoinSet::new(), Instant::now());
    for number in 0..CROWD {
        let pod = servers.pods[number % pods].clone();
        let after = Duration::from_secs(1) * number as u32 / CROWD as u32;
        waits.spawn(async move {
            tokio::time::sleep(after).await;
            come(pod, 1, 1).await
        });
    }
    let mut waits = waits.join_all().await.concat();
    waits.sort_unstable();
    println!(
        "{pods} servers: {CROWD} players who come within a second sit after {:.2} s, the slowest after {:.0} ms",
        begun.elapsed().as_secs_f64(),
        waits[waits.len() - 1].as_secs_f64() * 1e3,
    );
    servers.stop().await
}

/// So many players come, one after the other. Returns how long each waited.
async fn come(pod: Pod, players: usize, doors: usize) -> Vec<Duration> {
    let mut waits = Vec::with_capacity(players);
    for _ in 0..players {
        let user =
            User { id: UserId::new_guest(), name: "Anna".into(), user_type: UserType::Guest };
        let (now, begun) = (Timestamp::now(), Instant::now());
        let (door, previous) = (door_of(doors), None);
        let socket = (SocketId(1), pod.live.pod().clone());
        let parts = Parts::default();
        let request = SeatRequest {
            user,
            door,
            socket,
            previous,
            now,
            rules: RULES,
            parts,
            level: Level::default(),
        };
        pod.matchmaker.seat(&pod.live, &pod.tasks, request).await.expect("a seat");
        waits.push(begun.elapsed());
    }
    waits
}

/// One of so many doors; if there is only one, that of open races.
fn door_of(doors: usize) -> Door {
    match doors {
        1 => Door::OPEN,
        _ => invited(&format!("invitation-{}", rand::random_range(0..doors))),
    }
}
