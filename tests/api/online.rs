//! How many play.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::server::{Server, within};
use crate::site::{ANONYMOUS, Site};

/// Pods tell each other every two seconds.
const SOON: Duration = Duration::from_secs(10);

async fn are_online(site: &Site, players: usize) {
    within(SOON, &format!("{players} are online"), async || {
        let answer = site.get("/api/v1/online", ANONYMOUS).await;
        (*answer.ok() == json!({"ok": true, "players": players})).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_player_is_online_once_however_many_sockets_are_open() {
    let server = Server::for_players(3).await;
    // On one pod, since who is on two counts twice.
    let site = server.site().at(0);
    are_online(&site, 0).await;
    let anna = crate::persona::Player::guest(&site).await;
    are_online(&site, 1).await;
    let mut tab = anna.another_lobby("").await;
    tab.expect("INIT").await;
    are_online(&site, 1).await;
    let ben = crate::persona::Player::guest(&site).await;
    are_online(&site, 2).await;
    for socket in [anna.lobby, tab, ben.lobby] {
        socket.close().await;
    }
    are_online(&site, 0).await;
}

#[tokio::test]
async fn players_of_all_pods_are_online_on_each() {
    let server = Server::start().await;
    let [_anna, _ben, _cleo] = server.lobby_of().await;
    for pod in 0..server.ports().len() {
        are_online(&server.site().at(pod), 3).await;
    }
}

#[tokio::test]
async fn how_many_play_is_no_secret() {
    let server = Server::start().await;
    let garbage = "garbage".to_owned();
    server.get("/api/v1/online", &garbage).await.ok();
    let head = server.send(server.request(Method::HEAD, "/api/v1/online", ANONYMOUS)).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}
