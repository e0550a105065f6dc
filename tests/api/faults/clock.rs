//! The wall clock is set while players wait and race: on the only server, and on one pod of two.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::cluster;
use crate::persona::Player;
use crate::server::{Server, Settings, machine_for_itself, time_passes, within};
use crate::site::{ANONYMOUS, Site};
use crate::wall_clock::WallClock;

/// Seconds ahead of the true time, one after the other: steps of 10 s, 60 s and 1 h, each forwards and backwards.
const STEPS: [i64; 6] = [10, 0, -60, 0, 3600, 0];
/// Races under way at the first step: the latest are in their countdowns, the others run.
const UNDER_WAY: usize = 5;
/// A full lobby waits for that long.
const FULL_LOBBY: Duration = Duration::from_secs(1);
const START_COUNTDOWN: Duration = Duration::from_secs(2);
/// How late a race may start.
const LATE: Duration = Duration::from_secs(1);
/// How long these players type.
const TYPING: Duration = Duration::from_millis(3500);

fn races_of_two() -> Settings {
    Server::with()
        .set("game.player_limit", 2)
        .set("game.word_count", 5)
        .set("game.start_countdown", START_COUNTDOWN.as_secs())
        .set("game.check_results", true)
}

/// A full lobby of two players, each at another site.
async fn lobby(sites: [&Site; 2]) -> [Player; 2] {
    let [one, two] = sites;
    let players = [Player::guest(one).await, Player::guest(two).await];
    assert_eq!(players[0].game, players[1].game, "one lobby for both");
    players
}

/// It comes when it is due, and not more than a second later. The countdown began a little before the player knew.
fn is_on_time(what: &str, since: Instant, due: Duration) {
    let took = since.elapsed();
    assert!(took >= due / 2 && took <= due + LATE, "{what} after {took:?}, not {due:?}");
}

/// Types the whole text, and hands the result in: the speed from START to the last key.
async fn races(mut player: Player, start: Instant) {
    let words = player.words().await;
    let text: usize = words.iter().map(|word| word.len() + 1).sum();
    let pause = TYPING / u32::try_from(text).expect("a short text");
    for (word, text) in (0..).zip(&words) {
        for char in (0..).take(text.len()) {
            time_passes(pause).await;
            player.types(word, char).await;
        }
    }
    time_passes(pause).await;
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    let wpm = f64::from(u32::try_from(text - 1).expect("a short text")) / 5.0 / minutes;
    let figures = json!({"game_id": player.game, "wpm": wpm, "wpm_raw": wpm, "acc": 100.0});
    player.posts(figures).await.ok();
    let own = player.ranking().await.into_iter().find(|entry| entry["id"] == player.id);
    let rank = own.map(|entry| entry["rank"].clone());
    assert!(rank == Some(json!(1)) || rank == Some(json!(2)), "{} has rank {rank:?}", player.name);
}

/// From a full lobby, which was filled at `full`, to both results.
async fn plays(mut players: [Player; 2], full: Instant, prepared: oneshot::Sender<()>) {
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        is_on_time("GAME_START", full, FULL_LOBBY);
    }
    let countdown = Instant::now();
    prepared.send(()).expect("waited for");
    for player in &mut players {
        player.race().await;
    }
    for player in &mut players {
        player.track().until("START").await;
        is_on_time("START", countdown, START_COUNTDOWN);
    }
    let start = Instant::now();
    join_all(players.map(|player| races(player, start))).await;
}

/// Races begin one after the other; from the sixth on, the clock is set when a lobby is full. Each step meets a lobby,
/// countdowns and races.
async fn nothing_is_lost_by_steps(sites: [&Site; 2], clock: &WallClock) {
    let mut races = JoinSet::new();
    let steps = [None; UNDER_WAY].into_iter().chain(STEPS.map(Some));
    for step in steps {
        let players = lobby(sites).await;
        let full = Instant::now();
        if let Some(seconds) = step {
            clock.is_ahead(seconds);
        }
        let (prepared, is_prepared) = oneshot::channel();
        races.spawn(plays(players, full, prepared));
        is_prepared.await.expect("GAME_START in time");
    }
    while let Some(race) = races.join_next().await {
        race.expect("a whole race");
    }
}

#[tokio::test]
async fn a_step_of_the_wall_clock_costs_no_race_no_start_and_no_result() {
    let (Some(alone), Some(one_of_two)) = (WallClock::new(), WallClock::new()) else { return };
    let machine = machine_for_itself().await;
    let server = alone.of(races_of_two().embedded(), 0).alone(&machine).start().await;
    let of_server = async { nothing_is_lost_by_steps([&server.site(); 2], &alone).await };
    let of_pods = async {
        if !cluster::is_possible().await {
            return;
        }
        let settings = one_of_two.of(races_of_two().on_pods(2), 0);
        let pods = settings.alone(&machine).start().await;
        let [wrong, right] = [0, 1].map(|pod| pods.site().at(pod));
        nothing_is_lost_by_steps([&right, &wrong], &one_of_two).await;
    };
    tokio::join!(of_server, of_pods);
    assert!(server.log().contains("the wall clock was set"), "{}", server.log());
}

/// A lobby and a race go on after the wall clock was set while the server was down.
async fn goes_on_after(seconds: i64) {
    let Some(clock) = WallClock::new() else { return };
    let mut server = clock.of(races_of_two().embedded(), 0).start().await;
    let mut racing: [Player; 2] = server.race_of().await;
    let start = Instant::now();
    // The offset of the clock is kept once a second.
    let kept = server.data_dir().join("clock");
    within(Duration::from_secs(5), "the clock is kept", async || kept.exists().then_some(())).await;
    let [anna, ben] = &mut lobby([&server.site(); 2]).await;
    server.kill().await;
    clock.is_ahead(seconds);
    server.restart().await;

    for player in [&mut *anna, &mut *ben] {
        let game = player.game;
        player.queues_in("").await;
        assert_eq!(player.game, game, "known by its token, and in its seat");
    }
    for player in &mut racing {
        player.race().await;
    }
    for player in [&mut *anna, &mut *ben] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in [anna, ben] {
        player.hears("START").await;
        server.get("/api/v1/profile/user-info", &*player).await.ok();
    }
    join_all(racing.map(|player| races(player, start))).await;
    server.get("/healthcheck/ready", ANONYMOUS).await.ok();
}

#[tokio::test]
async fn a_server_that_restarts_after_a_step_of_the_wall_clock_goes_on_with_its_games_and_logins() {
    tokio::join!(goes_on_after(-3600), goes_on_after(3600));
}
