//! A crowd at once, from the door to the ranking.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;

use crate::persona::Player;
use crate::server::{Server, machine_for_itself};

const CROWD: usize = 500;
const TABLE: usize = 5;

/// Two sockets for each, and as many files in the server, which inherits the limit.
fn allow_many_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = 4096;
    if current.is_some_and(|current| current < wanted) {
        let current = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum })
            .expect("more open files");
    }
}

/// Runs an action for all players concurrently.
async fn all<T, F>(players: Vec<T>, action: impl Fn(T) -> F) -> Vec<Player>
where
    F: Future<Output = Player> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for player in players {
        tasks.spawn(action(player));
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_players_race_in_a_hundred_full_games() {
    allow_many_open_files();
    let machine = machine_for_itself().await;
    let server = Server::with()
        .alone(&machine)
        .set("game.player_limit", TABLE)
        .set("game.start_countdown", 2)
        .start()
        .await;
    let mut site = server.site();
    site.patience = Duration::from_secs(30);

    let sites = vec![site; CROWD];
    let players = all(sites, |site| async move { Player::guest(&site).await }).await;
    let mut tables: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for player in &players {
        assert!(
            tables.entry(player.game).or_default().insert(player.id.clone()),
            "a player is seated twice"
        );
    }
    assert_eq!(tables.len(), CROWD / TABLE);
    assert!(tables.values().all(|seated| seated.len() == TABLE), "{:?}", sizes(&tables));
    let seated: BTreeSet<_> = tables.values().flatten().collect();
    assert_eq!(seated.len(), CROWD);

    let players = all(players, |mut player| async move {
        player.lobby.until("GAME_START").await;
        player.race().await;
        player.starts().await;
        // The page reopens its socket now.
        player.race().await;
        for word in 0..5 {
            player.types(word, 0).await;
        }
        player.finishes(60.0).await;
        player
    })
    .await;

    all(players, |mut player| {
        let table = tables[&player.game].clone();
        async move {
            let ranking = player.ranking().await;
            let ranks: Vec<_> =
                ranking.iter().map(|entry| entry["rank"].as_u64().expect("a rank")).collect();
            assert_eq!(ranks, [1, 2, 3, 4, 5], "game {}", player.game);
            let ids: BTreeSet<_> = ranking
                .iter()
                .map(|entry| entry["id"].as_str().expect("an id").to_owned())
                .collect();
            assert_eq!(ids, table);
            let names: BTreeSet<_> =
                ranking.iter().map(|entry| entry["name"].to_string()).collect();
            assert_eq!(names.len(), TABLE, "{names:?}");
            player.track().is_alive().await;
            player
        }
    })
    .await;
}

fn sizes(tables: &BTreeMap<i64, BTreeSet<String>>) -> Vec<usize> {
    tables.values().map(BTreeSet::len).collect()
}
