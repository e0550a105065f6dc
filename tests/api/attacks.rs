//! What a stranger can do with bare connections and raw frames: it has a bound, and harms no other player.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::persona::QUEUE_IN;
use crate::raw::Raw;
use crate::server::{Server, eventually, time_passes};
use crate::site::ANONYMOUS;

const ASK: &str = "GET /healthcheck/alive HTTP/1.1\r\nhost: here\r\n\r\n";

/// Whether a newcomer is served.
async fn is_served(server: &Server, last: u8) -> bool {
    Raw::from(server.port(), last).await.send(ASK).await.answer().await.status == 200
}

#[tokio::test]
async fn empty_fragments_without_end_cost_the_socket() {
    let server = Server::with().embedded().unset("limits.frames_per_second").start().await;
    let mut lobby = server.connect("mallory", QUEUE_IN, ANONYMOUS).await;
    lobby.say_raw(&[0x01, 0x80, 0, 0, 0, 0]).await;
    let fragments = [0x00, 0x80, 0, 0, 0, 0].repeat(10_000);
    for _ in 0..20 {
        if !lobby.say_raw(&fragments).await {
            break;
        }
    }
    assert_eq!(lobby.closed().await, 4429);
    assert_eq!(server.counted(0, "typephoon_sockets_flooding_total").await, 1);
}

#[tokio::test]
async fn pings_without_end_cost_the_socket() {
    let server = Server::with().embedded().unset("limits.frames_per_second").start().await;
    let mut lobby = server.connect("mallory", QUEUE_IN, ANONYMOUS).await;
    lobby.say_raw(&[0x89, 0x80, 0, 0, 0, 0].repeat(10_000)).await;
    assert_eq!(lobby.closed().await, 4429);
}

#[tokio::test]
async fn a_message_in_pieces_is_one_message() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let stroke =
        json!({"event": "KEY_STOKE", "game_id": anna.game, "word_index": 3, "char_index": 1});
    let text = stroke.to_string();
    let mut opcode = Data::Text;
    for piece in text.as_bytes().chunks(5) {
        let frame = Frame::message(piece.to_vec(), OpCode::Data(opcode), false);
        anna.track().say(Message::Frame(frame)).await;
        opcode = Data::Continue;
    }
    let last = Frame::message(Vec::new(), OpCode::Data(opcode), true);
    anna.track().say(Message::Frame(last)).await;
    ben.sees(&anna, 3, 1).await;
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_by_the_close_code() {
    let server = Server::start().await;
    for (what, bytes, code) in [
        ("a text that is no UTF-8", &[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe][..], 1007),
        ("an unknown opcode", &[0x83, 0x80, 0, 0, 0, 0], 1002),
        ("a reserved bit", &[0xc1, 0x80, 0, 0, 0, 0], 1002),
        ("a frame without a mask", &[0x81, 0x01, b'x'], 1002),
        ("a ping in pieces", &[0x09, 0x80, 0, 0, 0, 0], 1002),
        ("a piece of no message", &[0x80, 0x80, 0, 0, 0, 0], 1002),
        ("a close frame of one byte", &[0x88, 0x81, 0, 0, 0, 0, 3], 1002),
        ("a frame that is too large", &[0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0], 1009),
    ] {
        let mut lobby = server.connect(what, QUEUE_IN, ANONYMOUS).await;
        lobby.say_raw(bytes).await;
        assert_eq!(lobby.closed().await, code, "{what}");
    }
}

#[tokio::test]
async fn a_low_soft_limit_of_files_is_raised() {
    let server = Server::with().embedded().ulimit("-Sn 256").start().await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(Raw::connect(server.port()).await);
    }
    assert!(is_served(&server, 1).await);
    drop(idle);
}

#[tokio::test]
async fn a_low_hard_limit_of_files_is_told_and_refuses_in_the_envelope() {
    let server = Server::with().embedded().ulimit("-n 256").start().await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(Raw::connect(server.port()).await);
    }
    idle.last_mut().expect("the last one").answer().await.refused(503, "SERVICE_UNAVAILABLE");
    drop(idle);
    eventually("there is room again", async || is_served(&server, 1).await.then_some(())).await;
    let log = server.log();
    assert_eq!(log.matches("raise the hard limit").count(), 1, "{log}");
    assert_eq!(log.matches("connections refused").count(), 1, "not a line for each: {log}");
    assert!(!log.contains("cannot be accepted"), "some files are kept for all else: {log}");
    assert!(server.counted(0, "typephoon_connections_refused_total").await >= 244);
}

#[tokio::test]
async fn an_address_has_its_share_of_the_connections() {
    let server = Server::with().embedded().set("limits.connections_per_address", 3).start().await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut connection = Raw::from(server.port(), 2).await;
        connection.send(ASK).await.answer().await;
        held.push(connection);
    }
    let answer = Raw::from(server.port(), 2).await.answer().await;
    answer.refused(429, "TOO_MANY_REQUESTS");
    assert!(answer.head.contains("retry-after: "), "{answer:?}");
    assert!(is_served(&server, 3).await, "another address");

    held.pop();
    eventually("its share is free again", async || is_served(&server, 2).await.then_some(())).await;
}

#[tokio::test]
async fn a_trusted_proxy_may_hold_any_number_of_connections() {
    let server = Server::with()
        .embedded()
        .set("limits.connections_per_address", 3)
        .set("limits.trusted_proxies", r#"["127.0.0.2"]"#)
        .start()
        .await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut connection = Raw::from(server.port(), 2).await;
        assert_eq!(connection.send(ASK).await.answer().await.status, 200);
        held.push(connection);
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let server = Server::with().embedded().set("limits.request_timeout", 1).start().await;
    let mut silent = Raw::connect(server.port()).await;
    let mut half = Raw::connect(server.port()).await;
    half.send("GET /healthcheck/alive HTTP/1.1\r\nho").await;
    let mut idle = Raw::connect(server.port()).await;
    idle.send(ASK).await.answer().await;
    for connection in [&mut silent, &mut half, &mut idle] {
        connection.ended(Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_takes_no_more_memory_than_a_whole_one() {
    let server = Server::with().embedded().start().await;
    let operations = server.operations(0).port();
    let mut slow = Vec::new();
    for (port, path) in [(server.port(), "/api/v1/auth/guest"), (operations, "/ops/drain")] {
        for _ in 0..50 {
            let mut request = Raw::connect(port).await;
            let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000");
            request.send(format!("{head}\r\n\r\n{{")).await;
            slow.push(request);
        }
    }
    assert!(is_served(&server, 1).await);
    let before = server.memory();
    // Time is the subject: bytes that come together are read together.
    for _ in 0..200 {
        for request in &mut slow {
            request.send(" ").await;
        }
        time_passes(Duration::from_millis(1)).await;
    }
    let grown = server.memory().saturating_sub(before) / 1_000_000;
    assert!(grown < 8, "{grown} MB more, for 20 kB");
}

#[tokio::test]
async fn half_sent_requests_do_not_hold_up_the_stop() {
    let mut server = Server::with().embedded().start().await;
    let mut idle = Raw::connect(server.port()).await;
    idle.send(ASK).await.answer().await;
    let mut head = Raw::connect(server.port()).await;
    head.send("GET /healthcheck/alive HTTP/1.1\r\nho").await;
    let mut body = Raw::connect(server.port()).await;
    body.send("POST /api/v1/auth/guest HTTP/1.1\r\nhost: here\r\ncontent-length: 90\r\n\r\n{")
        .await;
    // Answered after the others were read.
    server.get("/healthcheck/alive", ANONYMOUS).await.ok();

    let before = Instant::now();
    server.ask_to_end();
    body.answer().await.refused(503, "RESTARTING");
    let status = server.ended().await;
    assert!(status.success(), "{status}");
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_request_that_is_on_its_way_at_the_stop_is_answered() {
    let mut server = Server::with().embedded().start().await;
    let mut anna = Raw::connect(server.port()).await;
    anna.send("GET /healthcheck/alive HTTP/1.1\r\nho").await;
    server.get("/healthcheck/alive", ANONYMOUS).await.ok();
    server.ask_to_end();
    eventually("it stops", async || server.log().contains("stopping").then_some(())).await;
    let answer = anna.send("st: here\r\n\r\n").await.answer().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let status = server.ended().await;
    assert!(status.success(), "{status}");
}
