//! What a race survives: PostgreSQL killed under the server, and both of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tokio::sync::Notify;

use crate::persona::Player;
use crate::postgres::Postgres;
use crate::process::Log;
use crate::server::{Server, Settings, eventually};
use crate::signing;
use crate::site::{ANONYMOUS, Answer, Site};

/// Races that run at once.
const RACES: usize = 6;
/// Players of each: every other of them is registered.
const PLAYERS: usize = 4;

/// Requests that cannot be answered are given up soon.
fn settings(postgres: &Postgres) -> Settings {
    postgres.settings().set("limits.request_timeout", 1)
}

/// A registered player, in the lobby.
async fn registered(site: &Site, postgres: &Postgres, number: usize) -> Player {
    let (id, name) = (format!("google-{number}"), format!("User {number}"));
    postgres.execute(format!("insert into users (id, name) values ('{id}', '{name}')")).await;
    Player::known(site, signing::sign(&signing::claims(&id, &name, "REGISTERED"))).await
}

/// To START, from the lobby.
async fn starts(players: &mut [Player]) {
    for player in players.iter_mut() {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in players {
        player.hears("START").await;
    }
}

/// Races that have started, of registered players and guests.
async fn races(server: &Server, postgres: &Postgres) -> Vec<Vec<Player>> {
    let mut races = Vec::new();
    for race in 0..RACES {
        let mut players = Vec::new();
        for seat in 0..PLAYERS {
            players.push(match seat % 2 {
                0 => registered(server, postgres, race * PLAYERS + seat).await,
                _ => server.guest().await,
            });
        }
        races.push(players);
    }
    for players in &mut races {
        starts(players).await;
    }
    races
}

async fn reports(player: &Player, wpm: f64) -> Answer {
    let figures = json!({"game_id": player.game, "wpm": wpm, "wpm_raw": wpm, "acc": 97.5});
    player.posts(figures).await
}

/// Whether a report was taken; if not, the player was told to try again.
fn is_taken(answer: &Answer) -> bool {
    match answer.status {
        200 => drop(answer.ok()),
        503 => answer.refused(503, "SERVICE_UNAVAILABLE"),
        _ => answer.refused(500, "UNKNOWN_ERROR"),
    }
    answer.status == 200
}

/// All players report once, in all races concurrently and in each race one after the other. When half of the reports are
/// accepted, the database is killed. Returns the players whose reports were accepted.
async fn report_until_it_is_killed(
    races: &[Vec<Player>],
    postgres: &mut Postgres,
) -> BTreeSet<String> {
    let (count, half) = (AtomicUsize::new(0), Notify::new());
    let finishing = races.iter().map(async |players| {
        let mut taken = Vec::new();
        for player in players {
            if is_taken(&reports(player, 60.0).await) {
                taken.push(player.id.clone());
                if count.fetch_add(1, Ordering::Relaxed) + 1 == RACES * PLAYERS / 2 {
                    half.notify_one();
                }
            }
        }
        taken
    });
    let killing = async {
        half.notified().await;
        postgres.kill();
    };
    let (taken, ()) = tokio::join!(join_all(finishing), killing);
    let taken: BTreeSet<_> = taken.into_iter().flatten().collect();
    assert!(taken.len() < RACES * PLAYERS, "the database was killed in the middle of it");
    taken
}

/// Reports again until it is taken.
async fn insists(player: &Player) {
    eventually("the report is taken", async || {
        is_taken(&reports(player, 300.0).await).then_some(())
    })
    .await;
}

/// Who of a race is in the database, with the rank.
async fn kept(postgres: &Postgres, game: i64) -> BTreeMap<String, i64> {
    let sql = "select user_id, rank::bigint from game_results where game_id = $1";
    let rows: Vec<(String, i64)> = sqlx::query_as(sql)
        .bind(game)
        .fetch_all(&mut postgres.connect().await)
        .await
        .expect("rows");
    rows.into_iter().collect()
}

/// The ranks of those who have one.
fn ranks(ranking: &[Value]) -> BTreeMap<String, i64> {
    let finished = ranking.iter().filter(|entry| !entry["finished"].is_null());
    let rank =
        |entry: &Value| (entry["id"].as_str().unwrap().into(), entry["rank"].as_i64().unwrap());
    finished.map(rank).collect()
}

/// All players of a race have one rank; the results of registered players are stored with it, once, and all are counted.
async fn is_whole(server: &Server, postgres: &Postgres, players: &[Player]) {
    let game = players[0].game;
    let shown = ranks(&players[0].ranking().await);
    let all: BTreeSet<_> = shown.values().copied().collect();
    assert_eq!(all, (1..).take(players.len()).collect(), "{shown:?}");
    let mut registered = BTreeMap::new();
    for player in players.iter().filter(|player| player.id.starts_with("google-")) {
        let history = server.get("/api/v1/profile/history?page=1&size=50", player).await;
        let history = history.ok();
        let (total, row) = (&history["total"], &history["data"][0]);
        assert_eq!((total, &row["game_id"]), (&json!(1), &json!(game)), "{history}");
        assert_eq!(row["rank"], shown[&player.id], "{history}");
        registered.insert(player.id.clone(), shown[&player.id]);
    }
    assert_eq!(kept(postgres, game).await, registered);
    let count: i32 = sqlx::query_scalar("select finish_count from games where id = $1")
        .bind(game)
        .fetch_one(&mut postgres.connect().await)
        .await
        .expect("the row of the game");
    assert_eq!(usize::try_from(count).unwrap(), players.len());
}

/// What was taken is in the database, whatever else is.
async fn is_there(postgres: &Postgres, races: &[Vec<Player>], taken: &BTreeSet<String>) {
    for players in races {
        let kept = kept(postgres, players[0].game).await;
        for player in players.iter().filter(|player| player.id.starts_with("google-")) {
            assert!(!taken.contains(&player.id) || kept.contains_key(&player.id), "{}", player.id);
        }
    }
}

#[tokio::test]
async fn a_database_that_is_killed_while_results_are_posted_loses_none_that_was_taken() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let server = settings(&postgres).set("game.player_limit", PLAYERS).start().await;
    let races = races(&server, &postgres).await;
    let taken = report_until_it_is_killed(&races, &mut postgres).await;
    postgres.restart().await;
    is_there(&postgres, &races, &taken).await;

    for players in &races {
        let before = ranks(&players[0].ranking().await);
        for player in players {
            insists(player).await;
        }
        let after = players[0].ranking().await;
        assert!(
            before.iter().all(|(id, rank)| ranks(&after)[id] == *rank),
            "{before:?}, {after:?}"
        );
        for entry in after.iter().filter(|entry| before.contains_key(entry["id"].as_str().unwrap()))
        {
            assert_eq!(entry["wpm"], 60.0, "the first report counts");
        }
        is_whole(&server, &postgres, players).await;
    }
}

#[tokio::test]
async fn a_server_that_is_killed_while_the_database_is_away_loses_nothing_that_was_taken() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let mut server = settings(&postgres).set("game.player_limit", PLAYERS).start().await;
    let races = races(&server, &postgres).await;
    let taken = report_until_it_is_killed(&races, &mut postgres).await;
    server.kill().await;
    postgres.restart().await;
    is_there(&postgres, &races, &taken).await;
    server.restart().await;

    for players in &races {
        for player in players {
            insists(player).await;
        }
        is_whole(&server, &postgres, players).await;
    }
}

#[tokio::test]
async fn a_server_that_is_killed_before_its_own_file_is_written_gives_no_rank_twice() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut server = settings(&postgres).set("game.player_limit", 2).start().await;
    let mut players =
        [registered(&server, &postgres, 1).await, registered(&server, &postgres, 2).await];
    starts(&mut players).await;
    let [anna, ben] = &players;
    let file = server.data_dir().join("typephoon.sqlite3");
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut lock = sqlx::SqliteConnection::connect_with(&file).await.expect("the server's file");
    lock.execute("begin immediate").await.expect("no other writer");
    assert!(!is_taken(&reports(anna, 60.0).await));
    server.kill().await;
    lock.close().await.expect("a connection that closes");
    server.restart().await;

    insists(ben).await;
    insists(anna).await;
    is_whole(&server, &postgres, &players).await;
}

#[tokio::test]
async fn a_result_that_the_database_has_not_got_when_the_server_is_killed_gets_there_by_itself() {
    let Some(postgres) = Postgres::start().await else { return };
    let mut server = settings(&postgres).set("game.player_limit", 2).start().await;
    let mut players = [registered(&server, &postgres, 1).await, server.guest().await];
    starts(&mut players).await;
    let [anna, ben] = &players;
    ben.finishes(50.0).await;
    let mut lock = postgres.connect().await;
    lock.execute("begin; lock table game_results").await.expect("a lock");
    assert!(!is_taken(&reports(anna, 60.0).await));
    server.kill().await;
    lock.close().await.expect("a connection that closes");
    server.restart().await;
    is_whole(&server, &postgres, &players).await;
}

#[tokio::test]
async fn a_result_is_kept_although_its_game_ends_before_the_database_is_back() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let server = postgres
        .settings()
        .set("game.player_limit", 2)
        .set("game.cleanup_countdown", 4)
        .start()
        .await;
    let mut site = server.site();
    // The outage is part of what they wait for.
    site.patience *= 2;
    let mut players = [registered(&site, &postgres, 1).await, Player::guest(&site).await];
    starts(&mut players).await;
    let [anna, ben] = &players;
    postgres.kill();
    // While Ben's result is tried to be written, Anna's waits behind it, and the end of the game behind hers.
    let first = async { ben.finishes(60.0).await };
    let second = async {
        has_a_rank(ben).await;
        anna.finishes(60.0).await;
    };
    let third = async {
        has_a_rank(anna).await;
        eventually("the game has ended", async || {
            (anna.asks("/api/v1/game/result").await.status == 404).then_some(())
        })
        .await;
        postgres.restart().await;
    };
    tokio::join!(first, second, third);
    assert_eq!(kept(&postgres, anna.game).await, BTreeMap::from([(anna.id.clone(), 2)]));
    let sql = "select status, end_at is not null from games where id = $1";
    let mut connection = postgres.connect().await;
    let (status, ended): (i32, bool) =
        sqlx::query_as(sql).bind(anna.game).fetch_one(&mut connection).await.expect("its row");
    assert_eq!((status, ended), (2, true));
}

/// Waits until the result of a player is ranked, be it written down or not.
async fn has_a_rank(player: &Player) {
    eventually("there is a rank", async || {
        ranks(&player.ranking().await).contains_key(&player.id).then_some(())
    })
    .await;
}

#[tokio::test]
async fn lobbies_and_races_wait_for_the_database_and_go_on_when_it_is_back() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let server = postgres
        .settings()
        .set("game.player_limit", 2)
        .set("game.lobby_countdown", 3)
        .set("game.start_countdown", 2)
        .start()
        .await;
    let mut racing: [Player; 2] = server.race_of().await;
    let mut on_the_grid: [Player; 2] = server.grid_of().await;
    let mut waiting = server.guest().await;
    postgres.kill();

    eventually("the server is not ready", async || {
        let answer = server.get("/healthcheck/ready", ANONYMOUS).await;
        (answer.status != 200).then(|| answer.refused(500, "UNKNOWN_ERROR"))
    })
    .await;
    server.get("/healthcheck/alive", ANONYMOUS).await.ok();
    eventually("START is due", async || {
        let left = on_the_grid[0].asks("/api/v1/game/countdown").await;
        (left.ok()["seconds_left"] == 0.0).then_some(())
    })
    .await;
    eventually("the lobby is due", async || {
        let left = waiting.asks("/api/v1/lobby/countdown").await;
        (left.status != 200 || left.body["seconds_left"] == 0.0).then_some(())
    })
    .await;
    let [anna, ben] = &mut racing;
    anna.types(1, 0).await;
    ben.sees(anna, 1, 0).await;

    postgres.restart().await;
    for player in &mut on_the_grid {
        player.hears("START").await;
    }
    waiting.lobby.until("GAME_START").await;
    waiting.race().await;
    waiting.hears("START").await;
    for player in racing.iter().chain(&on_the_grid).chain([&waiting]) {
        player.finishes(60.0).await;
    }
    eventually("the server is ready again", async || {
        (server.get("/healthcheck/ready", ANONYMOUS).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_waits_for_its_database_and_says_so() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let settings = postgres.settings();
    postgres.kill();
    let said = format!("waiting for PostgreSQL at 127.0.0.1:{}/postgres: ", postgres.port());
    let coming = async |log: &Log| {
        let line = eventually("the server says what it waits for", async || {
            log.text().lines().find(|line| line.contains(&said)).map(ToOwned::to_owned)
        })
        .await;
        assert!(line.contains("refused"), "and why: {line}");
        postgres.restart().await;
    };
    let server = settings.start_while(coming).await;
    assert!(server.log().contains("records in PostgreSQL"), "{}", server.log());
    server.guest().await;
}
