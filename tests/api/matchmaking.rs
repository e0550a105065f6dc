//! Which lobby a player gets, also when many come or go in the same instant.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::persona::{Player, QUEUE_IN, game_in};
use crate::server::{Server, eventually};
use crate::signing;
use crate::site::ANONYMOUS;

/// How many sit in which game, by the players' own account.
fn tables(players: &[Player]) -> BTreeMap<i64, usize> {
    let mut tables = BTreeMap::new();
    for player in players {
        *tables.entry(player.game).or_default() += 1;
    }
    tables
}

async fn come_at_once(server: &Server, count: usize) -> Vec<Player> {
    let players = join_all((0..count).map(|_| server.guest())).await;
    let identities: BTreeSet<_> = players.iter().map(|player| player.id.clone()).collect();
    assert_eq!(identities.len(), count, "an identity for each player");
    players
}

#[tokio::test]
async fn a_full_lobby_starts_about_a_second_after_the_last_has_joined() {
    let server =
        Server::with().set("game.player_limit", 2).set("game.start_countdown", 0.6).start().await;
    let mut anna = server.guest().await;
    let joining = Instant::now();
    let mut ben = server.guest().await;
    let joined = Instant::now();
    assert_eq!(anna.game, ben.game);

    let cleo = server.guest().await;
    assert_ne!(cleo.game, anna.game, "a full lobby takes no player, also before it starts");

    anna.lobby.expect("USER_JOINED").await;
    anna.lobby.expect("GAME_START").await;
    ben.lobby.expect("GAME_START").await;
    let started = Instant::now();
    assert!(
        started - joining >= Duration::from_millis(500),
        "time for the cookie: {:?}",
        started - joining
    );
    assert!(started - joined < Duration::from_secs(2), "{:?}", started - joined);

    // From here on it is as in the timed case.
    assert_eq!(anna.words().await, ben.words().await);
    anna.race().await;
    ben.race().await;
    anna.hears("START").await;
    ben.hears("START").await;
    // Counted from the last arrival, since a busy machine may hear of GAME_START late.
    let waited = joining.elapsed();
    assert!(waited >= Duration::from_millis(1_000), "a second, and the countdown: {waited:?}");
    anna.finishes(60.0).await;
    ben.finishes(60.0).await;
}

#[tokio::test]
async fn ten_who_come_at_once_fill_two_lobbies() {
    let server = Server::start().await;
    let mut players = come_at_once(&server, 10).await;
    let tables = tables(&players);
    assert_eq!(tables.values().copied().collect::<Vec<_>>(), [5, 5], "{tables:?}");

    for player in &mut players {
        player.lobby.until("GAME_START").await;
    }
    for player in &players {
        assert_eq!(player.ranking().await.len(), 5);
    }
}

#[tokio::test]
async fn a_crowd_around_the_end_of_a_countdown_is_seated_in_as_few_lobbies_as_can_be() {
    let server = Server::with().set("game.lobby_countdown", 1).start().await;
    let anna = server.guest().await;
    eventually("the countdown is nearly over", async || {
        let answer = anna.asks("/api/v1/lobby/countdown").await;
        (answer.body["seconds_left"].as_f64().unwrap_or(0.0) < 0.05).then_some(())
    })
    .await;

    let mut players = come_at_once(&server, 25).await;
    players.push(anna);
    let tables = tables(&players);
    assert!(tables.values().all(|seated| *seated <= 5), "{tables:?}");
    assert!(tables.len() <= 7, "{tables:?}");
    for player in &mut players {
        player.lobby.until("GAME_START").await;
    }
    for player in &players {
        assert_eq!(
            player.ranking().await.len(),
            tables[&player.game],
            "no player is lost or seated twice"
        );
    }
}

#[tokio::test]
async fn ten_who_leave_at_once_leave_no_ghosts() {
    let server = Server::with().set("game.player_limit", 20).start().await;
    let mut anna = server.guest().await;
    let mut others = come_at_once(&server, 11).await;
    let ben = others.pop().expect("eleven");
    let mut leaving: BTreeSet<_> = others.iter().map(|player| player.id.clone()).collect();

    drop(others);
    while !leaving.is_empty() {
        let heard = anna.lobby.until("USER_LEFT").await;
        let who = heard.last().expect("a frame")["user_id"].as_str().expect("an id");
        assert!(leaving.remove(who), "{who} has left twice, or was not here");
    }
    let listed = anna.asks("/api/v1/lobby/players").await;
    let listed = listed.ok()["others"].as_array().expect("a list");
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["id"], ben.id);
}

#[tokio::test]
async fn one_player_with_many_sockets_is_seated_once() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let mut tabs = join_all((0..6).map(|_| anna.another_lobby(""))).await;
    for tab in &mut tabs {
        assert_eq!(game_in(&tab.expect("INIT").await), anna.game);
    }
    assert_eq!(anna.asks("/api/v1/lobby/players").await.ok()["others"], serde_json::json!([]));

    let ben = server.guest().await;
    assert_eq!(ben.game, anna.game, "seven tabs do not fill a lobby of five");
}

#[tokio::test]
async fn one_player_who_comes_through_many_sockets_at_once_is_seated_once() {
    let server = Server::start().await;
    let token = signing::sign(&signing::guest_claims(signing::SOME_GUEST));
    let mut tabs = join_all((0..6).map(|_| server.connect("anna", QUEUE_IN, &token))).await;
    let mut games = BTreeSet::new();
    for tab in &mut tabs {
        games.insert(game_in(&tab.expect("INIT").await));
    }
    assert_eq!(games.len(), 1, "{games:?}");
}

#[tokio::test]
async fn a_player_comes_back_to_its_waiting_lobby_whichever_way_it_asks() {
    let server = Server::for_players(2).await;
    let mut anna = server.guest().await;
    let game = anna.game;

    for query in [
        "",
        "?queue_in_type=new",
        "?queue_in_type=new&prev_game_id=999999",
        "?queue_in_type=reconnect",
    ] {
        anna.queues_in(query).await;
        assert_eq!(anna.game, game, "{query}");
        anna.lobby.expect("USER_JOINED").await;
    }
    anna.queues_in(&format!("?queue_in_type=reconnect&prev_game_id={game}")).await;
    assert_eq!(anna.game, game);
}

#[tokio::test]
async fn a_player_comes_back_to_its_own_lobby_though_another_is_open() {
    let server = Server::for_players(2).await;
    let [mut anna, _ben] = server.lobby_of().await;
    let full = anna.game;
    let cleo = server.guest().await;
    assert_ne!(cleo.game, full);

    // Anna's lobby is full and starts within the second; the open one is not hers.
    anna.queues_in("").await;
    assert_eq!(anna.game, full);
    anna.lobby.until("GAME_START").await;
}

#[tokio::test]
async fn a_stranger_who_knows_an_open_lobby_may_join_it() {
    let server = Server::for_players(2).await;
    let anna = server.guest().await;
    let mut stranger = server
        .connect(
            "a stranger",
            &format!(
                "/api/v1/lobby/queue-in/ws?queue_in_type=reconnect&prev_game_id={}",
                anna.game
            ),
            ANONYMOUS,
        )
        .await;
    assert_eq!(game_in(&stranger.expect("INIT").await), anna.game);
    stranger.expect("GET_TOKEN").await;
    stranger.expect("USER_JOINED").await;
}

#[tokio::test]
async fn to_come_back_to_what_is_over_full_or_unknown_is_to_come_anew() {
    let server =
        Server::with().set("game.player_limit", 2).set("game.start_countdown", 0).start().await;
    let [anna, ben] = server.race_of().await;
    anna.finishes(60.0).await;
    ben.finishes(50.0).await;
    let [cleo, _dora] = server.lobby_of().await;
    let (over, full) = (anna.game.to_string(), cleo.game.to_string());
    let emil = server.guest().await;

    // One sits down with Emil, then two by two.
    let mut table =
        [emil.game, emil.game + 1, emil.game + 1, emil.game + 2, emil.game + 2, emil.game + 3]
            .into_iter();
    let mut newcomers = Vec::new();
    for gone in [&over, &full, "999999", "-1", "0", "1000000000000000000000000000000"] {
        let mut newcomer =
            server.guest_in(&format!("?queue_in_type=reconnect&prev_game_id={gone}")).await;
        assert_eq!(
            Some(game_in(&newcomer.expect("INIT").await)),
            table.next(),
            "an open lobby instead of {gone}"
        );
        newcomer.expect("GET_TOKEN").await;
        newcomer.expect("USER_JOINED").await;
        newcomers.push(newcomer);
    }
}

#[tokio::test]
async fn to_come_anew_is_not_to_come_back() {
    let server = Server::for_players(2).await;
    let [cleo, _dora] = server.lobby_of().await;
    let mut fay = server.guest_in(&format!("?prev_game_id={}", cleo.game)).await;
    assert_ne!(game_in(&fay.expect("INIT").await), cleo.game);
}

#[tokio::test]
async fn a_player_who_missed_game_start_is_sent_to_the_race() {
    let server =
        Server::with().set("game.player_limit", 2).set("game.start_countdown", 3).start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    let game = anna.game;
    anna.lobby.expect("GAME_START").await;
    ben.lobby.expect("GAME_START").await;

    let back = format!("?queue_in_type=reconnect&prev_game_id={game}");
    for query in ["", "?queue_in_type=new", "?queue_in_type=reconnect", &back] {
        let asked = Instant::now();
        anna.queues_in(query).await;
        assert_eq!(anna.game, game, "{query:?}");
        let heard = anna.lobby.until("GAME_START").await;
        assert_eq!(game_in(heard.last().expect("a frame")), game);
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "at once, not after {:?}",
            asked.elapsed()
        );
    }
    anna.race().await;
    anna.hears("START").await;
}

#[tokio::test]
async fn a_player_who_reloads_while_the_countdown_ends_is_sent_to_the_race() {
    let server =
        Server::with().set("game.lobby_countdown", 2).set("game.start_countdown", 2).start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    let game = anna.game;
    eventually("the countdown is nearly over", async || {
        let answer = anna.asks("/api/v1/lobby/countdown").await;
        (answer.body["seconds_left"].as_f64().unwrap_or(0.0) < 0.2).then_some(())
    })
    .await;

    anna.lobby.vanish().await;
    ben.lobby.expect("GAME_START").await;
    anna.queues_in("").await;
    assert_eq!(anna.game, game);
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.hears("START").await;
    assert_eq!(anna.ranking().await.len(), 2);
}

#[tokio::test]
async fn a_player_who_has_raced_gets_a_new_lobby() {
    let server =
        Server::with().set("game.player_limit", 2).set("game.start_countdown", 0).start().await;
    let [mut anna, mut ben] = server.race_of().await;
    let game = anna.game;
    anna.finishes(70.0).await;
    ben.finishes(60.0).await;

    for player in [&mut anna, &mut ben] {
        player.queues_in("").await;
        player.lobby.expect("USER_JOINED").await;
        assert!(player.game > game);
    }
    assert_eq!(anna.game, ben.game);
    anna.lobby.until("GAME_START").await;
}
