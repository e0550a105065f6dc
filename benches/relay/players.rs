//! Players with a seat in a game, and the sockets they open.
//!
//! With our server they come the way a browser does: queue in as a guest, fetch the token, wait for `GAME_START`. The
//! bare relay knows no lobby, so there the seats are made up, with ids and games of the same length.

use crate::Outcome;
use crate::server::{Kind, Server};
use futures_util::StreamExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{COOKIE, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// A client's end of a socket.
pub type Socket = WebSocketStream<TcpStream>;

/// Players of a full game, if it is not said otherwise.
pub const GAME_SIZE: usize = 5;

/// How many players are let in at the same moment.
const DOOR: usize = 2 * GAME_SIZE;

/// How long a player may take from the door to `GAME_START`, all those before him included.
const PATIENCE: Duration = Duration::from_mins(1);

/// Buffers of a client's socket: small, so that the generator does not spend its time on clearing them.
const BUFFER: usize = 1024;

/// A player of a game.
#[derive(Clone)]
pub struct Seat {
    pub game: u64,
    pub user: String,
    server: SocketAddr,
    cookie: Option<HeaderValue>,
    /// The sub-protocol of its sockets.
    protocol: Option<HeaderValue>,
}

impl Seat {
    /// Opens one more game socket of this player.
    pub async fn open(&self) -> Outcome<Socket> {
        self.open_on(TcpStream::connect(self.server).await?).await
    }

    /// The same on a connection that is there.
    pub async fn open_on(&self, stream: TcpStream) -> Outcome<Socket> {
        let path = format!("/api/v1/game/ws?game_id={}", self.game);
        let cookie = self.cookie.clone().map(|cookie| (COOKIE, cookie));
        let protocol = self.protocol.clone().map(|protocol| (SEC_WEBSOCKET_PROTOCOL, protocol));
        shake_hands(stream, self.server, &path, cookie.into_iter().chain(protocol)).await
    }

    /// The address of a path of its server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server)
    }

    /// A request of this player.
    pub fn sign(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        self.cookie.iter().fold(request, |request, cookie| request.header(COOKIE, cookie.clone()))
    }
}

/// Seats `count` players, ordered by game.
pub async fn take_seats(server: &Server, count: usize) -> Outcome<Vec<Seat>> {
    match server.kind {
        Kind::Bare => Ok((0..count).map(|number| made_up(server, number)).collect()),
        Kind::Edits => {
            let mut seats = queue_in(server.address, count).await?;
            let protocol = Some(HeaderValue::from_static("typephoon.v2"));
            seats.iter_mut().for_each(|seat| seat.protocol = protocol.clone());
            Ok(seats)
        }
        _ => queue_in(server.address, count).await,
    }
}

fn made_up(server: &Server, number: usize) -> Seat {
    let (game, user) = (number / server.race + 1, format!("guest-{number:032x}"));
    Seat { game: game as u64, user, server: server.address, cookie: None, protocol: None }
}

async fn queue_in(server: SocketAddr, count: usize) -> Outcome<Vec<Seat>> {
    let door = Arc::new(Semaphore::new(DOOR));
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut arrivals = JoinSet::new();
    for _ in 0..count {
        let guest = Guest { server, http: http.clone() };
        let door = Arc::clone(&door);
        arrivals.spawn(timeout(PATIENCE, async move { guest.take_seat(&door).await }));
    }
    let mut seats = Vec::with_capacity(count);
    while let Some(arrival) = arrivals.join_next().await {
        seats.push(arrival???);
    }
    seats.sort_by_key(|seat| seat.game);
    Ok(seats)
}

/// Somebody who comes to our server without a token.
#[derive(Clone)]
pub struct Guest {
    pub server: SocketAddr,
    pub http: reqwest::Client,
}

impl Guest {
    async fn take_seat(&self, door: &Semaphore) -> Outcome<Seat> {
        let entry = door.acquire().await?;
        let (mut lobby, game, cookie) = self.arrive().await?;
        drop(entry);
        event(&mut lobby, "GAME_START").await?;
        lobby.close(None).await?;
        let user = self.own_id(game, &cookie).await?;
        Ok(Seat { game, user, server: self.server, cookie: Some(cookie), protocol: None })
    }

    /// Takes a seat and fetches the token. Returns the lobby's socket, the game and the cookie.
    pub async fn arrive(&self) -> Outcome<(Socket, u64, HeaderValue)> {
        let mut lobby = open(self.server, "/api/v1/lobby/queue-in/ws").await?;
        let game =
            event(&mut lobby, "INIT").await?["game_id"].as_u64().ok_or("INIT without game_id")?;
        let grant = event(&mut lobby, "GET_TOKEN").await?;
        let key = grant["guest_token_key"].as_str().ok_or("GET_TOKEN without a key")?;
        Ok((lobby, game, self.redeem(key).await?))
    }

    /// Exchanges the key of the lobby for the cookie that proves who one is.
    async fn redeem(&self, key: &str) -> Outcome<HeaderValue> {
        let key = utf8_percent_encode(key, NON_ALPHANUMERIC);
        let url = format!("http://{}/api/v1/auth/guest-token?key={key}", self.server);
        let answer = self.http.get(url).send().await?.error_for_status()?;
        for cookie in answer.headers().get_all(reqwest::header::SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            if pair.starts_with("TP_AT=") {
                return Ok(HeaderValue::from_str(pair)?);
            }
        }
        Err("no TP_AT among the cookies of a guest".into())
    }

    async fn own_id(&self, game: u64, cookie: &HeaderValue) -> Outcome<String> {
        let url = format!("http://{}/api/v1/game/players?game_id={game}", self.server);
        let answer =
            self.http.get(url).header(reqwest::header::COOKIE, cookie.clone()).send().await?;
        let players: Value = answer.error_for_status()?.json().await?;
        Ok(players["me"]["id"].as_str().ok_or("a player without an id")?.to_owned())
    }
}

/// Waits for an event; those before it are let go by.
async fn event(socket: &mut Socket, name: &str) -> Outcome<Value> {
    while let Some(message) = socket.next().await {
        let message = message?;
        if !message.is_text() {
            continue;
        }
        let event: Value = serde_json::from_str(message.to_text()?)?;
        if event["event"] == name {
            return Ok(event);
        }
    }
    Err(format!("the socket was closed before {name}").into())
}

async fn open(server: SocketAddr, path: &str) -> Outcome<Socket> {
    shake_hands(TcpStream::connect(server).await?, server, path, []).await
}

async fn shake_hands(
    stream: TcpStream,
    server: SocketAddr,
    path: &str,
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Outcome<Socket> {
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{server}{path}").into_client_request()?;
    request.headers_mut().extend(headers);
    let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    Ok(tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?.0)
}
