//! Traces over OTLP, as a collector gets them.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server::Server;
use crate::site::NOBODY;

/// Takes whatever is posted. Names in a protobuf message stand there as plain text.
pub struct Collector {
    pub address: String,
    posted: Arc<Mutex<String>>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let posted: Arc<Mutex<String>> = Arc::default();
        let into = posted.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, into.clone()));
            }
        });
        Self { address, posted }
    }

    pub fn posted(&self) -> String {
        self.posted.lock().expect("nobody panics with it").clone()
    }
}

/// Answers every request on one connection with 200, once all of it has come.
async fn take(mut stream: TcpStream, into: Arc<Mutex<String>>) {
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await.is_ok_and(|bytes| bytes > 0) {
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if request.len() < head.len() + 4 + length.unwrap_or(0_usize) {
            continue;
        }
        into.lock().expect("nobody panics with it").push_str(&text);
        request.clear();
        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_race_can_be_followed_in_its_spans() {
    let collector = Collector::start().await;
    let mut server = Server::with()
        .embedded()
        .set("telemetry.otlp_endpoint", &collector.address)
        .set("telemetry.keystroke_sample", 1)
        .set("game.player_limit", 2)
        .start()
        .await;
    let [mut anna, mut ben] = server.race_of().await;
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
    server
        .get("/api/v1/auth/guest-token?key=a-secret-key", NOBODY)
        .await
        .refused(400, "KEY_NOT_FOUND");
    server.terminate().await;

    let spans = collector.posted();
    assert!(spans.contains("POST /v1/traces"), "{spans}");
    for name in [
        "GET /api/v1/lobby/queue-in/ws",
        "open lobby socket",
        "publish player.joined",
        "process lobby.countdown",
        "process lobby.closed",
        "publish race.started",
        "open race socket",
        "receive KEY_STOKE",
        "GET /api/v1/auth/guest-token",
        "typephoon-api",
    ] {
        assert!(spans.contains(name), "no {name:?} in the spans");
    }
    assert!(!spans.contains("a-secret-key"), "a query is in the spans");
}

#[tokio::test]
async fn a_collector_that_is_away_holds_up_nobody() {
    let server = Server::with()
        .set("telemetry.otlp_endpoint", "http://127.0.0.1:9")
        .set("game.player_limit", 2)
        .start()
        .await;
    let [mut anna, ben] = server.race_of().await;
    anna.types(1, 0).await;
    let mut ben = ben;
    ben.sees(&anna, 1, 0).await;
}
