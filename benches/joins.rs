//! How many players a second find a seat, with the live state on Redis: through one server, and through
//! three that share their games.
//!
//! `cargo bench --bench joins` needs a Redis at 127.0.0.1:6379 (`TEST_REDIS` names another) and uses keys
//! under a prefix of its own, which expire.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use typephoon_api::game::{Door, PodName, SocketId, TextWish, Timestamp, User, UserId, UserType};
use typephoon_api::live::{Entry, LiveState, LobbyRules, RedisLive};
use typephoon_api::records::{Journal, Records};
use typephoon_api::settings::{RedisSettings, Settings};

const PLAYERS: usize = 20_000;
/// Players of a server who come at the same time.
const AT_ONCE: usize = 200;

const RULES: LobbyRules = LobbyRules {
    player_limit: 5,
    countdown: Duration::from_secs(5),
    full_grace: Duration::from_secs(1),
    kept: Duration::from_secs(60),
    text: TextWish { words: None, punctuation: false, numbers: false },
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for pods in [1, 3, 1, 3] {
        joins(pods).await?;
    }
    Ok(())
}

async fn joins(pods: usize) -> Result<(), Box<dyn Error>> {
    let address = std::env::var("TEST_REDIS").unwrap_or_else(|_| "redis://127.0.0.1:6379/0".into());
    let redis = RedisSettings {
        url: Some(address.into()),
        prefix: format!("typephoon-bench-{:016x}", rand::random::<u64>()),
        ..RedisSettings::default()
    };
    let data = tempfile::tempdir()?;
    let (data_dir, shared) = (data.path().into(), Some(redis.clone()));
    let settings = Settings { data_dir, redis: shared, ..Settings::default() };
    let records = Records::open(&settings, false).await?;
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let mut waits = JoinSet::new();
    let begun = Instant::now();
    for number in 0..pods {
        let journal = Journal::start(records.clone(), &tasks, stop.clone());
        let pod = PodName::of_run(&number.to_string());
        let live = Arc::new(RedisLive::connect(&redis, records.clone(), journal, pod).await?);
        for _ in 0..AT_ONCE {
            waits.spawn(come(live.clone(), PLAYERS / AT_ONCE / pods));
        }
    }
    let mut waits = waits.join_all().await.concat();
    let elapsed = begun.elapsed();
    waits.sort_unstable();
    let at = |percent: usize| waits[waits.len() * percent / 100].as_secs_f64() * 1e3;
    println!(
        "{pods} server(s): {:.0} joins/s; a join takes {:.1} ms (median), {:.1} ms (99 %) with {} at once",
        waits.len() as f64 / elapsed.as_secs_f64(),
        at(50),
        at(99),
        AT_ONCE * pods,
    );
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(())
}

/// So many players come, one after the other. Returns how long each waited.
async fn come(live: Arc<RedisLive>, players: usize) -> Vec<Duration> {
    let mut waits = Vec::with_capacity(players);
    for _ in 0..players {
        let user =
            User { id: UserId::new_guest(), name: "Anna".into(), user_type: UserType::Guest };
        let (now, begun) = (Timestamp::now(), Instant::now());
        let (door, socket, previous) = (Door::Open, SocketId(1), None);
        let entry = Entry { user, door, socket, previous, now, rules: RULES };
        live.enter(entry).await.expect("a seat");
        waits.push(begun.elapsed());
    }
    waits
}
