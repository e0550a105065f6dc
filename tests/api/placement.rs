//! Races behind `deploy/nginx.conf`: all players of a race are on one pod. Skipped without nginx and the services, unless
//! `REQUIRE_SERVICES` is set.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::cluster;
use crate::nginx::Nginx;
use crate::persona::Player;
use crate::server::{Server, eventually, time_passes, within};
use crate::service::free_port;
use crate::site::ANONYMOUS;

const PODS: usize = 3;
/// How long a pod is told of a game after its last socket (3 s), and some rounds of looking for it.
const LINGER: Duration = Duration::from_secs(12);
/// Players of a race.
const PLAYERS: usize = 3;

/// Three pods with nginx in front, if all of that is there.
async fn behind_nginx() -> Option<(Server, Nginx)> {
    if !cluster::is_possible().await {
        return None;
    }
    let settings = Server::with().set("game.player_limit", PLAYERS).on_pods(PODS);
    let server = settings.start().await;
    let nginx = Nginx::before(server.site().ports()).await?;
    Some((server, nginx))
}

/// A counter of these pods, as their metrics have it.
async fn counted(server: &Server, pods: &[usize], name: &str) -> Vec<u64> {
    let mut counts = Vec::new();
    for pod in pods {
        counts.push(server.counted(*pod, name).await);
    }
    counts
}

async fn sockets(server: &Server, pods: &[usize]) -> Vec<u64> {
    counted(server, pods, "typephoon_sockets_opened_total").await
}

/// The messages that pods have sent each other, once nothing but races goes on.
async fn messages(server: &Server) -> Vec<u64> {
    let mut before = Vec::new();
    eventually("the pods have told each other what they had to", async || {
        time_passes(Duration::from_millis(300)).await;
        let now = counted(server, &[0, 1, 2], "typephoon_bridge_messages_total").await;
        (std::mem::replace(&mut before, now.clone()) == now).then_some(now)
    })
    .await
}

/// A lobby whose players have heard GAME_START and left it, as pages do.
async fn lobby(nginx: &Nginx) -> Vec<Player> {
    let site = nginx.site();
    let mut players = Vec::new();
    for _ in 0..PLAYERS {
        players.push(Player::guest(&site).await);
    }
    for player in &mut players {
        player.lobby.until("GAME_START").await;
    }
    for player in &mut players {
        player.lobby.say(Message::Close(None)).await;
        player.lobby.ended().await;
    }
    players
}

/// All open their game sockets. Returns the only one of `pods` that has got any.
async fn race_on_one(server: &Server, pods: &[usize], players: &mut [Player]) -> usize {
    let before = sockets(server, pods).await;
    for player in players.iter_mut() {
        player.race().await;
    }
    let after = sockets(server, pods).await;
    let opened: Vec<u64> =
        after.iter().zip(&before).map(|(after, before)| after - before).collect();
    let on: Vec<usize> = (0..pods.len()).filter(|it| opened[*it] > 0).collect();
    assert_eq!(on.len(), 1, "sockets of one race, pod by pod: {opened:?}");
    assert_eq!(opened[on[0]], players.len() as u64);
    pods[on[0]]
}

/// All players see every position of the first one.
async fn types_before_all(players: &mut [Player], words: std::ops::Range<i64>) {
    let (anna, others) = players.split_first_mut().expect("players");
    for word in words {
        anna.types(word, 0).await;
        for other in &mut *others {
            other.sees(anna, word, 0).await;
        }
    }
}

#[tokio::test]
async fn all_players_of_a_race_are_on_one_pod_and_their_keystrokes_cross_no_broker() {
    let Some((server, nginx)) = behind_nginx().await else { return };
    let mut players = lobby(&nginx).await;
    race_on_one(&server, &[0, 1, 2], &mut players).await;
    for player in &mut players {
        player.hears("START").await;
    }
    // The pods of their lobby sockets get events for a few seconds more, in case a player comes back.
    within(LINGER, "keystrokes cross no broker", async || {
        let before = messages(&server).await;
        types_before_all(&mut players, 0..20).await;
        (messages(&server).await == before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_killed_pod_moves_its_races_to_another() {
    let Some((mut server, nginx)) = behind_nginx().await else { return };
    let mut players = lobby(&nginx).await;
    let lost = race_on_one(&server, &[0, 1, 2], &mut players).await;
    for player in &mut players {
        player.hears("START").await;
    }
    server.kill_pod(lost);
    let left: Vec<usize> = (0..PODS).filter(|pod| *pod != lost).collect();
    race_on_one(&server, &left, &mut players).await;
    types_before_all(&mut players, 0..5).await;
    for player in &players {
        player.finishes(60.0).await;
    }
    assert_eq!(players[0].ranking().await.len(), PLAYERS);
}

#[tokio::test]
async fn a_game_is_asked_for_on_one_pod_and_all_else_goes_round() {
    const GAMES: usize = 40;
    let Some((_server, nginx)) = behind_nginx().await else { return };
    let site = nginx.site();
    for game in (0..GAMES).chain(0..GAMES) {
        site.get(&format!("/api/v1/game/words?game_id={game}"), ANONYMOUS).await;
    }
    for _ in 0..2 * PODS {
        site.get("/api/v1/game/words", ANONYMOUS).await;
        site.get("/api/v1/online", ANONYMOUS).await.ok();
    }
    let asked = 2 * GAMES + 4 * PODS;
    let lines = eventually("nginx has written its log", async || {
        Some(nginx.answered()).filter(|lines| lines.len() >= asked)
    })
    .await;
    let mut games: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &lines {
        let [.., game, _status, pod, _time] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        if game == "game=-" || game == "game=" {
            *others.entry(pod).or_default() += 1;
        } else {
            games.entry(game).or_default().insert(pod);
        }
    }
    assert!(games.values().all(|pods| pods.len() == 1), "{games:?}");
    let used: BTreeSet<&str> = games.values().flatten().copied().collect();
    assert_eq!((games.len(), used.len()), (GAMES, PODS), "games are spread: {games:?}");
    assert!(others.len() == PODS && others.values().all(|count| *count == 4), "{others:?}");
}

#[tokio::test]
async fn the_proxy_says_who_asks_by_which_host_and_scheme_and_believes_no_player() {
    let pod = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = pod.local_addr().expect("an address").port();
    let Some(nginx) = Nginx::before(&[port; PODS]).await else { return };
    let site = nginx.site();
    let asks = site
        .handshake_request("/api/v1/game/ws?game_id=7", ANONYMOUS)
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-forwarded-proto", "https");
    let hears = async {
        let (mut stream, _) = pod.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a request"));
        }
        stream.write_all(b"HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n").await.expect("an answer");
        String::from_utf8(head).expect("text").to_lowercase()
    };
    let (head, answer) = tokio::join!(hears, site.send(asks));
    assert_eq!(answer.status, 404);
    let host = format!("host: 127.0.0.1:{}", nginx.port());
    for header in [
        "get /api/v1/game/ws?game_id=7 http/1.1",
        &host,
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
        "upgrade: websocket",
        "connection: upgrade",
    ] {
        assert!(head.lines().any(|line| line == header), "no {header:?} in {head}");
    }
}

#[tokio::test]
async fn pods_that_are_all_away_are_told_of_in_the_envelope() {
    let away = [free_port(), free_port(), free_port()];
    let Some(nginx) = Nginx::before(&away).await else { return };
    for path in ["/api/v1/online", "/api/v1/game/words?game_id=1"] {
        let answer = nginx.site().get(path, ANONYMOUS).await;
        assert_eq!((answer.status, answer.code()), (503, "UNKNOWN_ERROR"), "{path}");
        assert_eq!(answer.header("retry-after"), "1");
    }
}
