//! The WebSocket itself: extensions, closing, the end of the server.

use tokio_tungstenite::tungstenite::Message;

use crate::persona::QUEUE_IN;
use crate::server::Server;
use crate::site::ANONYMOUS;

#[tokio::test]
async fn a_browser_that_offers_compression_is_served() {
    let server = Server::start().await;
    let offer = [("sec-websocket-extensions", "permessage-deflate; client_max_window_bits")];
    let mut lobby = server.connect_with("anna", QUEUE_IN, offer).await;
    lobby.expect("INIT").await;
    lobby.expect("GET_TOKEN").await;
}

#[tokio::test]
async fn a_close_is_answered_with_a_close() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    anna.track().say(Message::Close(None)).await;
    anna.track().ended().await;
    ben.track().is_silent().await;
}

#[tokio::test]
async fn a_server_that_goes_down_tells_its_sockets_to_come_back() {
    let mut server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let mut cleo = server.guest().await;

    server.ask_to_end();
    assert_eq!(anna.track().closed().await, 1012);
    assert_eq!(ben.track().closed().await, 1012);
    assert_eq!(cleo.lobby.closed().await, 1012);
    let status = server.ended().await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn an_idle_server_ends_at_once() {
    let mut server = Server::start().await;
    let before = std::time::Instant::now();
    let status = server.terminate().await;
    assert!(status.success(), "{status}");
    assert!(before.elapsed().as_secs_f64() < 2.0, "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_crash_ends_the_connection_without_a_word() {
    let mut server = Server::for_one().await;
    let [mut anna] = server.race_of().await;
    server.kill().await;
    assert_eq!(anna.track().ended().await, None);
}

#[tokio::test]
async fn a_handshake_of_another_age_is_refused_in_the_envelope() {
    let server = Server::start().await;
    for (name, value) in [("sec-websocket-version", "8"), ("upgrade", "h2c")] {
        let mut request = server.handshake_request(QUEUE_IN, ANONYMOUS).build().expect("a request");
        request.headers_mut().insert(name, value.parse().expect("a value"));
        let answer = server.send_request(request).await;
        assert!((400..500).contains(&answer.status), "{name}: {value}: {answer:?}");
        answer.refused(answer.status, answer.code());
    }
}

#[tokio::test]
async fn neither_a_token_nor_the_words_reach_the_log() {
    let server = Server::with().set("game.player_limit", 1).log_level("debug").start().await;
    let [mut anna] = server.race_of().await;
    let words = anna.words().await.join(" ");
    anna.types(0, 0).await;
    anna.finishes(60.0).await;
    anna.leaves_track().close().await;
    server.get("/healthcheck/ready", ANONYMOUS).await.ok();

    let log = server.log();
    assert!(log.lines().count() > 1, "{log}");
    let signature = anna.token.rsplit('.').next().expect("three parts");
    assert!(!log.contains(signature), "the token");
    assert!(!log.contains(&words), "the words");
    assert!(!log.contains("guest-token-"), "the key to a token");
}
