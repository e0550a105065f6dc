//! The drain: a pod that stops, or that an operator takes out, sends its players to the others; a single server tells
//! them when to come back.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;

use crate::cluster;
use crate::persona::{Player, QUEUE_IN};
use crate::server::{Server, eventually};
use crate::site::{ANONYMOUS, Answer, Site};
use crate::socket::{Heard, Socket};

/// Players on the pod that drains.
const PLAYERS: usize = 24;
/// A pod closes ten sockets a second if they are few: the last of so many after over two seconds.
const SPREAD: Duration = Duration::from_millis(2_000);

/// The close code of a socket, and after how many seconds its client is to come back.
async fn goodbye(socket: &mut Socket) -> (u16, f64) {
    loop {
        match socket.hear("the end").await {
            Heard::Closed(code, reason) => {
                let after = reason.strip_prefix("RESTARTING retry-after=");
                let after = after.and_then(|seconds| seconds.parse().ok());
                return (code, after.unwrap_or_else(|| panic!("when to come back: {reason:?}")));
            }
            Heard::Lost => panic!("no close frame"),
            _ => {}
        }
    }
}

async fn drain(site: &Site, form: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = site.request(Method::POST, "/ops/drain", ANONYMOUS).body(form.to_owned());
    request = request.header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.send(request).await
}

#[tokio::test]
async fn a_single_server_that_stops_closes_at_once_and_tells_each_page_another_time_to_come_back() {
    let mut server = Server::with().embedded().set("game.player_limit", 40).start().await;
    let mut players = Vec::new();
    for _ in 0..PLAYERS {
        players.push(server.guest().await);
    }
    let begun = Instant::now();
    server.ask_to_end();
    let told = join_all(players.iter_mut().map(|it| goodbye(&mut it.lobby))).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(server.ended().await.success());
    assert!(
        told.iter().all(|(code, after)| *code == 1012 && (0.5..=1.5).contains(after)),
        "{told:?}"
    );
    let mut times: Vec<f64> = told.iter().map(|(_, after)| *after).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    assert!(times.len() > PLAYERS / 2 && times[times.len() - 1] - times[0] > 0.4, "{times:?}");
}

#[tokio::test]
async fn an_operator_drains_a_server_and_ends_the_drain() {
    let server = Server::with().embedded().start().await;
    let site = server.operations(0);
    let mut anna = server.guest().await;
    let foreign = [("origin", "https://evil.example")];
    drain(&site, "drain=on", &foreign).await.refused(403, "ORIGIN_NOT_ALLOWED");
    drain(&site, "drain=please", &[]).await.refused(422, "VALIDATION_ERROR");
    anna.lobby.is_silent().await;

    drain(&site, "drain=on", &[]).await.ok();
    assert_eq!(goodbye(&mut anna.lobby).await.0, 1012);
    server.get("/healthcheck/ready", ANONYMOUS).await.refused(503, "RESTARTING");
    let refused = server.handshake(QUEUE_IN, ANONYMOUS).await;
    refused.refused(503, "RESTARTING");
    assert_eq!(refused.header("retry-after"), "1");
    let answer = server.get("/api/v1/online", ANONYMOUS).await;
    answer.ok();
    assert_eq!(answer.header("connection"), "close", "no proxy keeps it for the next request");
    let figures = site.get("/ops/figures.json", ANONYMOUS).await;
    assert_eq!(
        (&figures.ok()["draining"], &figures.ok()["stopping"]),
        (&true.into(), &false.into())
    );

    drain(&site, "drain=off", &[]).await.ok();
    server.get("/healthcheck/ready", ANONYMOUS).await.ok();
    let answer = server.get("/api/v1/online", ANONYMOUS).await;
    assert_eq!(answer.header("connection"), "");
    let ben = server.guest().await;
    let figures = site.get("/ops/figures.json", ANONYMOUS).await;
    let acts: Vec<_> = figures.ok()["acts"].as_array().expect("a list").iter().collect();
    let acts: Vec<_> = acts.iter().map(|act| act["action"].as_str().expect("a text")).collect();
    assert_eq!(acts, ["end drain", "drain"]);
    // And once more.
    drain(&site, "drain=on", &[]).await.ok();
    let mut ben = ben;
    assert_eq!(goodbye(&mut ben.lobby).await.0, 1012);
}

/// Three pods, and a lobby whose players are all on the first.
async fn crowd() -> Option<(Server, Vec<Player>)> {
    if !cluster::is_possible().await {
        return None;
    }
    let server = Server::with().set("game.player_limit", 40).on_pods(3).start().await;
    eventually("the pods know of each other", async || {
        let answer = server.operations(0).get("/ops/figures.json", ANONYMOUS).await;
        (answer.ok()["pods"].as_array()?.len() == 3).then_some(())
    })
    .await;
    let mut players = Vec::new();
    for _ in 0..PLAYERS {
        players.push(Player::guest(&server.site().at(0)).await);
    }
    Some((server, players))
}

#[tokio::test]
async fn a_pod_that_stops_sends_its_players_to_the_others_one_by_one_and_a_second_signal_ends_it() {
    let Some((mut server, mut players)) = crowd().await else { return };
    let (game, begun) = (players[0].game, Instant::now());
    server.ask_pod_to_end(0);
    let draining = server.site().at(0);
    eventually("it takes no new players", async || {
        (draining.handshake(QUEUE_IN, ANONYMOUS).await.status == 503).then_some(())
    })
    .await;
    draining.get("/healthcheck/ready", ANONYMOUS).await.refused(503, "RESTARTING");
    let next = server.site().at(1);
    let moves = players.iter_mut().map(async |player| {
        let told = goodbye(&mut player.lobby).await;
        let closed = begun.elapsed();
        player.turns_to(&next);
        player.queues_in("").await;
        assert_eq!(player.game, game, "the seat is kept");
        (told, closed)
    });
    let answers = async {
        // Requests are answered to the end: here, as long as half of the sockets are open.
        while begun.elapsed() < SPREAD / 2 {
            draining.get("/api/v1/online", ANONYMOUS).await.ok();
        }
    };
    let (moved, ()) = tokio::join!(join_all(moves), answers);
    assert!(server.pod_ended(0).await.success());
    assert!(moved.iter().all(|((code, after), _)| *code == 1012 && *after <= 0.1), "{moved:?}");
    let mut times: Vec<Duration> = moved.iter().map(|(_, closed)| *closed).collect();
    times.sort();
    assert!(times[PLAYERS - 1] >= SPREAD, "{times:?}");
    let half = times[PLAYERS / 2];
    assert!((SPREAD / 4..SPREAD * 3 / 4 + SPREAD / 2).contains(&half), "evenly: {times:?}");

    let begun = Instant::now();
    server.ask_pod_to_end(1);
    eventually("the first has gone", async || {
        let told = join_all(players.iter_mut().map(async |it| !it.lobby.is_open())).await;
        told.contains(&true).then_some(())
    })
    .await;
    server.ask_pod_to_end(1);
    assert_eq!(server.pod_ended(1).await.code(), Some(1), "it was not let to finish");
    assert!(begun.elapsed() < SPREAD, "{:?}", begun.elapsed());
}
