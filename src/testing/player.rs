//! A player of the server inside a test, as the page plays: over its sockets and routes.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The longest wait for a frame.
const PATIENCE: Duration = Duration::from_secs(20);

/// Time between two keys: fast, but not faster than people are believed to type.
const KEY: Duration = Duration::from_millis(60);

/// A guest.
pub(crate) struct Player {
    /// Its id.
    pub(crate) id: String,
    /// Its game.
    pub(crate) game: i64,
    server: String,
    cookie: String,
    /// The lobby's socket; in the race, the race's.
    socket: Socket,
}

impl Player {
    pub(super) async fn queue_in(server: &str, query: &str) -> Self {
        let path = format!("/api/v1/lobby/queue-in/ws{query}");
        let mut socket = connect(server, &path, "").await;
        let game = hear(&mut socket, "INIT").await["game_id"].as_i64().expect("a number");
        let offer = hear(&mut socket, "GET_TOKEN").await;
        let key = offer["guest_token_key"].as_str().expect("a key");
        let url = format!("http://{server}/api/v1/auth/guest-token?key={key}");
        let answer = reqwest::get(url).await.expect("an answer");
        let cookies = answer.headers().get_all("set-cookie").iter();
        let cookie = cookies.filter_map(|it| it.to_str().ok()?.split(';').next());
        let cookie = cookie.collect::<Vec<_>>().join("; ");
        let mut player = Self { id: String::new(), game, server: server.into(), cookie, socket };
        let players = player.get(&format!("/api/v1/lobby/players?game_id={game}")).await;
        player.id = players["me"]["id"].as_str().expect("an id").to_owned();
        player
    }

    /// The next frame of this event; others before it are skipped.
    pub(crate) async fn hears(&mut self, event: &str) -> Value {
        hear(&mut self.socket, event).await
    }

    /// Sends a frame; `game_id` is added.
    pub(crate) async fn sends(&mut self, mut frame: Value) {
        frame["game_id"] = self.game.into();
        self.socket.send(Message::text(frame.to_string())).await.expect("an open socket");
    }

    /// Waits for the end of the lobby, opens the race's socket, and waits for START.
    pub(crate) async fn starts(&mut self) {
        self.hears("GAME_START").await;
        let path = format!("/api/v1/game/ws?game_id={}", self.game);
        self.socket = connect(&self.server, &path, &self.cookie).await;
        self.hears("START").await;
    }

    /// Types the first words of the text, key by key; returns the number of typed characters.
    pub(crate) async fn types(&mut self, words: usize) -> usize {
        let text = self.get(&format!("/api/v1/game/words?game_id={}", self.game)).await;
        let text = text["words"].as_str().expect("words").to_owned();
        let mut typed = 0;
        for (number, word) in text.split(' ').take(words).enumerate() {
            let first = if number == 0 { 0 } else { -1 };
            let length = i64::try_from(word.chars().count()).expect("a word");
            for place in first..length {
                sleep(KEY).await;
                typed += 1;
                let position = json!({"word_index": number, "char_index": place});
                self.sends(merged(json!({"event": "KEY_STOKE"}), position)).await;
            }
        }
        typed
    }

    /// Types the whole text, and reports the result as the page does. Returns the server's answer.
    pub(crate) async fn finishes(&mut self) -> Value {
        let begun = Instant::now();
        let typed = self.types(usize::MAX).await;
        let words = f64::from(u32::try_from(typed).expect("a short text")) / 5.0;
        let wpm = words / (begun.elapsed().as_secs_f64() / 60.0);
        let claim = json!({"game_id": self.game, "wpm": wpm, "wpm_raw": wpm, "acc": 100.0});
        self.post("/api/v1/game/statistics", claim).await
    }

    /// The JSON answer of a path.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = reqwest::Client::new().get(self.url(path));
        self.answer(request).await
    }

    /// The JSON answer to a body.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let request = reqwest::Client::new().post(self.url(path)).json(&body);
        self.answer(request).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.header("cookie", &self.cookie).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }
}

fn merged(mut frame: Value, more: Value) -> Value {
    let (Some(fields), Value::Object(more)) = (frame.as_object_mut(), more) else { return frame };
    fields.extend(more);
    frame
}

async fn connect(server: &str, path: &str, cookie: &str) -> Socket {
    let request = format!("ws://{server}{path}").into_client_request();
    let mut request = request.expect("a proper address");
    if !cookie.is_empty() {
        let cookie = HeaderValue::from_str(cookie).expect("a cookie");
        request.headers_mut().insert("cookie", cookie);
    }
    connect_async(request).await.expect("a handshake").0
}

async fn hear(socket: &mut Socket, event: &str) -> Value {
    let hearing = async {
        loop {
            let message = socket.next().await.expect("an open socket").expect("a frame");
            match message {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    if frame["event"] == event {
                        return frame;
                    }
                }
                Message::Ping(bytes) => pong(socket, bytes).await,
                Message::Close(frame) => panic!("closed while waiting for {event}: {frame:?}"),
                _ => {}
            }
        }
    };
    let heard = timeout(PATIENCE, hearing).await;
    heard.unwrap_or_else(|_| panic!("no {event} within {PATIENCE:?}"))
}

/// tungstenite answers pings only when something is written.
async fn pong(socket: &mut Socket, bytes: Bytes) {
    socket.send(Message::Pong(bytes)).await.expect("an open socket");
}
