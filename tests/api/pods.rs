//! What only a cluster has: players of one race on three pods. Skipped without the services, unless `REQUIRE_SERVICES`
//! is set.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::cluster;
use crate::device::Device;
use crate::persona::{Player, QUEUE_IN};
use crate::server::{Server, Settings, eventually, time_passes};
use crate::site::ANONYMOUS;
use crate::wall_clock::faketime;

const PODS: usize = 3;

/// Three pods, if the services are there.
async fn three(settings: Settings) -> Option<Server> {
    if !cluster::is_possible().await {
        return None;
    }
    Some(settings.on_pods(PODS).start().await)
}

/// Pods whose lobbies are full with so many players.
async fn three_for(players: usize) -> Option<Server> {
    three(Server::with().set("game.player_limit", players)).await
}

/// A player on each of these pods, all in one race, after START.
pub async fn race_on<const N: usize>(server: &Server, pods: [usize; N]) -> [Player; N] {
    let mut players: Vec<Player> = Vec::new();
    for pod in pods {
        players.push(Player::guest(&server.site().at(pod)).await);
        assert_eq!(players[0].game, players[players.len() - 1].game, "one lobby for all");
    }
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in &mut players {
        player.hears("START").await;
    }
    players.try_into().ok().expect("as many as pods")
}

/// The counters of that name, pod by pod.
async fn counted(server: &Server, name: &str) -> [u64; PODS] {
    let mut counts = [0; PODS];
    for (pod, count) in counts.iter_mut().enumerate() {
        *count = server.counted(pod, name).await;
    }
    counts
}

/// The messages that each pod has sent, once nothing but the race goes on.
async fn messages(server: &Server) -> [u64; PODS] {
    let mut before = counted(server, "typephoon_bridge_messages_total").await;
    eventually("the pods have told each other what they had to", async || {
        time_passes(Duration::from_millis(300)).await;
        let now = counted(server, "typephoon_bridge_messages_total").await;
        (std::mem::replace(&mut before, now) == now).then_some(now)
    })
    .await
}

#[tokio::test]
async fn players_of_one_race_on_three_pods_see_each_other() {
    let Some(server) = three_for(3).await else { return };
    let [mut anna, mut ben, mut cleo] = race_on(&server, [0, 1, 2]).await;
    for word in 0..5 {
        anna.types(word, 1).await;
        ben.sees(&anna, word, 1).await;
        cleo.sees(&anna, word, 1).await;
        cleo.types(word, 2).await;
        anna.sees(&cleo, word, 2).await;
        ben.sees(&cleo, word, 2).await;
    }
    for (player, wpm) in [(&cleo, 60.0), (&anna, 70.0), (&ben, 50.0)] {
        player.finishes(wpm).await;
    }
    for pod in 0..PODS {
        let path = format!("/api/v1/game/result?game_id={}", anna.game);
        let answer = server.site().at(pod).get(&path, &anna).await;
        let ranking = answer.ok()["ranking"].as_array().expect("a list").clone();
        let ids: Vec<_> = ranking.iter().map(|line| line["id"].clone()).collect();
        assert_eq!(ids, [&cleo, &anna, &ben].map(|it| json!(it.id)), "on pod {pod}");
    }
}

#[tokio::test]
async fn start_reaches_the_players_of_all_pods_at_once() {
    let Some(server) = three_for(3).await else { return };
    let mut spreads = Vec::new();
    for _ in 0..3 {
        let mut players = server.grid_of::<PODS>().await;
        let heard = players.iter_mut().map(async |player| {
            player.hears("START").await;
            Instant::now()
        });
        let heard = join_all(heard).await;
        let (first, last) = (heard.iter().min(), heard.iter().max());
        spreads.push(*last.expect("three") - *first.expect("three"));
    }
    // The machine may be busy with something else for a moment.
    spreads.sort();
    assert!(spreads[1] < Duration::from_millis(200), "{spreads:?}");
}

#[tokio::test]
async fn a_keystroke_goes_to_no_pod_if_all_opponents_are_here() {
    let Some(server) = three_for(2).await else { return };
    let [mut anna, mut ben] = race_on(&server, [1, 1]).await;
    let before = messages(&server).await;
    for word in 0..20 {
        anna.types(word, 0).await;
        ben.sees(&anna, word, 0).await;
    }
    assert_eq!(messages(&server).await, before);
}

#[tokio::test]
async fn a_keystroke_is_one_message_to_the_pods_that_hold_an_opponent() {
    let Some(server) = three_for(3).await else { return };
    let [mut anna, mut ben, mut cleo] = race_on(&server, [0, 1, 1]).await;
    let before = messages(&server).await;
    for word in 0..20 {
        anna.types(word, 0).await;
        ben.sees(&anna, word, 0).await;
        cleo.sees(&anna, word, 0).await;
    }
    let after = messages(&server).await;
    assert_eq!(after[0] - before[0], 20, "to the one pod, not to the third");
    assert_eq!(after[1..], before[1..]);

    let [mut dora, mut emil, mut fay] = race_on(&server, [0, 1, 2]).await;
    let before = messages(&server).await;
    for word in 0..20 {
        dora.types(word, 0).await;
        emil.sees(&dora, word, 0).await;
        fay.sees(&dora, word, 0).await;
    }
    let after = messages(&server).await;
    assert_eq!(after[0] - before[0], 20, "to the two others together");
    assert_eq!(after[1..], before[1..]);
}

#[tokio::test]
async fn keystrokes_that_come_together_travel_together() {
    const RACES: usize = 10;
    const ROUNDS: i64 = 20;
    let Some(server) = three_for(2).await else { return };
    let mut races = Vec::new();
    for _ in 0..RACES {
        races.push(race_on(&server, [0, 1]).await);
    }
    let before = messages(&server).await;
    let playing = races.iter_mut().map(async |[anna, ben]| {
        let stroke = |round: i64| {
            let mut frame = anna.stroke(round, 0);
            frame.as_object_mut().expect("a frame").remove("user_id");
            Message::text(frame.to_string())
        };
        let strokes: Vec<_> = (0..ROUNDS).map(stroke).collect();
        assert!(anna.track().say_all(strokes).await);
        while ben.hears("KEY_STOKE").await != anna.stroke(ROUNDS - 1, 0) {}
    });
    join_all(playing).await;
    let sent = messages(&server).await[0] - before[0];
    let typed = RACES as u64 * ROUNDS.unsigned_abs();
    assert!(sent * 5 <= typed, "{sent} messages for {typed} keystrokes");
}

#[tokio::test]
async fn all_players_hear_of_arrivals_and_departures_in_the_same_order() {
    const GUESTS: usize = 12;
    let Some(server) = three(Server::with().set("game.player_limit", 20)).await else { return };
    let mut watchers = server.lobby_of::<PODS>().await;
    let visits = (0..GUESTS).map(async |number| {
        let guest = server.guest().await;
        if number % 2 == 0 {
            guest.lobby.close().await;
            return None;
        }
        Some(guest)
    });
    let _stay = join_all(visits).await;

    let mut stories = Vec::new();
    for watcher in &mut watchers {
        let mut story: Vec<Value> = Vec::new();
        while story.len() < GUESTS + GUESTS / 2 {
            match watcher.lobby.hear("who comes and goes").await {
                crate::socket::Heard::Frame(frame) => story.push(frame),
                other => panic!("{} heard {other:?}", watcher.name),
            }
        }
        stories.push(story);
    }
    assert_eq!(stories[0], stories[1]);
    assert_eq!(stories[0], stories[2]);
}

#[tokio::test]
async fn a_logout_on_one_pod_closes_the_sockets_on_another() {
    let Some(server) = three_for(5).await else { return };
    let device = Device::of_new_account(&server.site().at(0), "Anna").await;
    let mut lobby = server.site().at(1).connect("anna", QUEUE_IN, &device).await;
    lobby.expect("INIT").await;
    device.logs_out(&server.site().at(2)).await.ok();
    let code = lobby.closed().await;
    assert!((4500..5000).contains(&code), "not to come back: {code}");
}

#[tokio::test]
async fn pods_with_different_countdowns_play_one_game() {
    let settings = Server::with()
        .set_on(0, "game.lobby_countdown", 2)
        .set_on(1, "game.lobby_countdown", 3)
        .set_on(2, "game.lobby_countdown", 1.5);
    let Some(server) = three(settings).await else { return };
    for pods in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
        let [mut anna, mut ben, mut cleo] = race_on(&server, pods).await;
        anna.types(0, 1).await;
        ben.sees(&anna, 0, 1).await;
        cleo.sees(&anna, 0, 1).await;
    }
}

/// The second of the hour by the clock of a pod, which every answer bears (`date: Mon, 23 Nov 2026 01:20:45 GMT`).
async fn second(server: &Server, pod: usize) -> i64 {
    let answer = server.site().at(pod).get("/healthcheck/alive", ANONYMOUS).await;
    let date = answer.header("date").to_owned();
    let [_, minute, second] = date[17..25].split(':').collect::<Vec<_>>()[..] else {
        panic!("a time in {date}")
    };
    minute.parse::<i64>().expect("a minute") * 60 + second.parse::<i64>().expect("a second")
}

#[tokio::test]
async fn pods_whose_clocks_differ_play_fair_and_believe_each_other() {
    let Some(library) = faketime() else { return };
    let mut settings = Server::with().set("game.player_limit", 3).set("game.start_countdown", 1);
    for (pod, wrong) in [(1, "+2s"), (2, "-2s")] {
        settings = settings
            .variable_on(pod, "LD_PRELOAD", &library)
            .variable_on(pod, "FAKETIME", wrong)
            .variable_on(pod, "FAKETIME_DONT_FAKE_MONOTONIC", 1);
    }
    let Some(server) = three(settings).await else { return };
    let [early, late] = [second(&server, 2).await, second(&server, 1).await];
    assert!((3..=5).contains(&(late - early).rem_euclid(3600)), "their clocks: {early}, {late}");
    let mut players = server.grid_of::<PODS>().await;
    let path = format!("/api/v1/game/countdown?game_id={}", players[0].game);
    for (pod, player) in players.iter().enumerate() {
        let answer = server.site().at(pod).get(&path, player).await;
        let left = answer.ok()["seconds_left"].as_f64().expect("seconds");
        assert!((0.0..=1.0).contains(&left), "pod {pod} says {left}");
    }
    let heard = players.iter_mut().map(async |player| {
        player.hears("START").await;
        Instant::now()
    });
    let heard = join_all(heard).await;
    let spread = *heard.iter().max().expect("three") - *heard.iter().min().expect("three");
    assert!(spread < Duration::from_millis(200), "{spread:?}");

    // Each pod accepts a token at once, whichever pod has signed it.
    for (pod, player) in players.iter().enumerate() {
        for other in 0..PODS {
            let site = server.site().at(other);
            site.get("/api/v1/profile/user-info", player).await.ok();
        }
        let device = Device::of_new_account(&server.site().at(pod), &format!("Player {pod}")).await;
        let elsewhere = server.site().at((pod + 1) % PODS);
        elsewhere.get("/api/v1/profile/user-info", &device).await.ok();
        Device::from(&device.asks_for_more(&elsewhere).await);
    }
}
