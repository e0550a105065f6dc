//! A WebSocket as a page holds it. A wait ends after the site's patience; the failure names the player, what was awaited,
//! and what came instead.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, tungstenite};

use crate::protocol::{Spoken, is_close_code};

/// What a page can hear.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A text frame that holds JSON.
    Frame(Value),
    /// The answer to a ping of ours.
    Pong,
    /// A close frame with its code and reason.
    Closed(u16, String),
    /// The end of the connection without a close frame: 1006 in a browser.
    Lost,
}

/// Events that the present page ignores, since they are newer than it.
const NEW: &[&str] = &["RESUME", "USER_FINISHED", "SPECTATORS"];

/// Why there is no socket.
#[derive(Debug)]
pub struct Refusal {
    /// Of the answer, if there was one.
    pub status: Option<u16>,
    #[expect(dead_code, reason = "shown when a test fails")]
    why: String,
}

pub struct Socket {
    who: String,
    stream: WebSocketStream<TcpStream>,
    patience: Duration,
    /// What may be said on it.
    spoken: Option<&'static Spoken>,
    /// Whether it hears events that the present page ignores.
    knows_new: bool,
    /// Heard while waiting for a pong, and not yet asked for.
    waiting: VecDeque<Heard>,
    /// Messages that came in one frame, and are not yet read.
    joined: VecDeque<Value>,
    /// For the message of a failure.
    past: VecDeque<String>,
}

impl Socket {
    /// Completes the handshake, or fails the test with the server's refusal.
    pub async fn open<'a>(
        who: &str,
        port: u16,
        path: &str,
        headers: impl IntoIterator<Item = (&'static str, &'a str)>,
        patience: Duration,
    ) -> Self {
        let opened = Self::try_open(who, port, path, headers, patience).await;
        opened.unwrap_or_else(|refusal| panic!("{who}: {path}: {refusal:?}"))
    }

    /// The same, where a refusal is no failure.
    pub async fn try_open<'a>(
        who: &str,
        port: u16,
        path: &str,
        headers: impl IntoIterator<Item = (&'static str, &'a str)>,
        patience: Duration,
    ) -> Result<Self, Refusal> {
        let spoken = Spoken::at(path);
        let who = format!("{who} ({})", path.split('?').next().unwrap_or(path));
        let mut request =
            format!("ws://127.0.0.1:{port}{path}").into_client_request().expect("a proper address");
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a header value");
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let stream = tokio::time::timeout(patience, connect(port, request)).await;
        let stream = stream.unwrap_or_else(|_| {
            panic!("{who} waited for a handshake: nothing within {patience:?}")
        })?;
        let (waiting, joined, past) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Ok(Self { who, stream, patience, spoken, knows_new: false, waiting, joined, past })
    }

    /// From now on it hears events, too, that the present page ignores.
    pub fn knows_new_events(mut self) -> Self {
        self.knows_new = true;
        self
    }

    /// The very next frame, which must be this event.
    pub async fn expect(&mut self, event: &str) -> Value {
        match self.hear(event).await {
            Heard::Frame(frame) if frame["event"] == event => frame,
            other => self.fail(event, &other),
        }
    }

    /// All frames up to the first of this event, which is the last of them.
    pub async fn until(&mut self, event: &str) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            match self.hear(event).await {
                Heard::Frame(frame) => frames.push(frame),
                other => self.fail(event, &other),
            }
            if frames.last().is_some_and(|frame| frame["event"] == event) {
                return frames;
            }
        }
    }

    /// Waits for the server's close frame, whatever else comes first, and returns its code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.hear("a close frame").await {
                Heard::Closed(code, _) => return code,
                Heard::Lost => self.fail("a close frame", &Heard::Lost),
                Heard::Frame(_) | Heard::Pong => {}
            }
        }
    }

    /// Waits until the connection is gone, with a close frame (then its code) or without.
    pub async fn ended(&mut self) -> Option<u16> {
        loop {
            match self.hear("the end").await {
                Heard::Closed(code, _) => return Some(code),
                Heard::Lost => return None,
                Heard::Frame(_) | Heard::Pong => {}
            }
        }
    }

    /// Reads what has piled up until nothing more comes for a while: true if the connection turns out to have ended.
    pub async fn has_ended(&mut self, quiet: Duration) -> bool {
        while let Ok(message) = tokio::time::timeout(quiet, self.stream.next()).await {
            if let Some(Heard::Closed(..) | Heard::Lost) = self.understand(message) {
                return true;
            }
        }
        false
    }

    /// Whatever comes next; pings of the server are answered on the way.
    pub async fn hear(&mut self, waiting_for: &str) -> Heard {
        if let Some(heard) = self.waiting.pop_front() {
            return heard;
        }
        self.read(waiting_for).await
    }

    /// The connection is open: the server answers a ping. What it said before is kept for later.
    pub async fn is_alive(&mut self) {
        self.say(Message::Ping(Bytes::new())).await;
        loop {
            match self.read("a pong").await {
                Heard::Pong => return,
                end @ (Heard::Closed(..) | Heard::Lost) => self.fail("a pong", &end),
                frame @ Heard::Frame(_) => self.waiting.push_back(frame),
            }
        }
    }

    /// The connection is open and the server has said nothing.
    pub async fn is_silent(&mut self) {
        self.is_alive().await;
        if let Some(frame) = self.waiting.front() {
            panic!("{} was to hear nothing, but heard {frame:?}", self.who);
        }
    }

    /// Sends a frame as the AsyncAPI document has it.
    pub async fn send(&mut self, frame: Value) {
        let fault = self.spoken.and_then(|spoken| spoken.fault_of_client(&frame));
        if let Some(fault) = fault {
            panic!("{} was to send what /asyncapi.json does not know: {frame}: {fault}", self.who);
        }
        self.say(Message::text(frame.to_string())).await;
    }

    /// Sends any frame, documented or not; a connection that has ended meanwhile is noticed when the test listens.
    pub async fn say(&mut self, message: Message) {
        let _ = tokio::time::timeout(self.patience, self.stream.send(message)).await;
    }

    /// Sends many frames with one flush, and says whether the connection took them.
    pub async fn say_all(&mut self, messages: impl IntoIterator<Item = Message>) -> bool {
        for message in messages {
            if self.stream.feed(message).await.is_err() {
                return false;
            }
        }
        self.stream.flush().await.is_ok()
    }

    /// Writes bytes as they are, below the protocol; says whether the connection took them.
    pub async fn say_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).await.is_ok()
    }

    /// Closes as the page does.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: 1000.into(), reason: "user left".into() };
        let _ = self.stream.close(Some(frame)).await;
    }

    /// Breaks off without a close frame.
    pub async fn vanish(&mut self) {
        let _ = self.stream.get_mut().shutdown().await;
    }

    /// Takes whatever has already arrived, without waiting: false once the connection has ended.
    pub fn is_open(&mut self) -> bool {
        while let Some(message) = self.stream.next().now_or_never() {
            match self.understand(message) {
                Some(Heard::Closed(..) | Heard::Lost) => return false,
                Some(heard) => self.waiting.push_back(heard),
                None => {}
            }
            while let Some(frame) = self.joined.pop_front() {
                let heard = self.take(frame);
                self.waiting.extend(heard);
            }
        }
        true
    }

    /// The next ping of the server, whatever else comes first.
    pub async fn pinged(&mut self) {
        let ping = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Ping(_))) => return,
                    Some(Ok(_)) => {}
                    end => panic!("{} waited for a ping and heard {end:?}", self.who),
                }
            }
        };
        tokio::time::timeout(self.patience, ping).await.expect("a ping in time");
    }

    async fn read(&mut self, waiting_for: &str) -> Heard {
        let deadline = tokio::time::Instant::now() + self.patience;
        loop {
            if let Some(heard) = self.joined.pop_front().and_then(|frame| self.take(frame)) {
                return heard;
            }
            if !self.joined.is_empty() {
                continue;
            }
            let Ok(message) = tokio::time::timeout_at(deadline, self.stream.next()).await else {
                let (who, patience, past) = (&self.who, self.patience, &self.past);
                panic!(
                    "{who} waited for {waiting_for}: nothing within {patience:?}; before: {past:?}"
                );
            };
            if let Some(heard) = self.understand(message) {
                return heard;
            }
        }
    }

    fn understand(
        &mut self,
        message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> Option<Heard> {
        let heard = match message {
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(Value::Array(several)) => {
                    assert!(several.len() > 1, "{} heard {text} in an array", self.who);
                    self.joined.extend(several);
                    return self.joined.pop_front().and_then(|frame| self.take(frame));
                }
                Ok(frame) => return self.take(frame),
                Err(_) => panic!("{} heard what is no JSON: {text:?}", self.who),
            },
            Some(Ok(Message::Ping(_))) => return None,
            Some(Ok(Message::Pong(_))) => Heard::Pong,
            Some(Ok(Message::Close(frame))) => {
                let (code, reason) =
                    frame.map_or((1005, String::new()), |f| (f.code.into(), f.reason.to_string()));
                assert!(is_close_code(code, &reason), "{}: {code} {reason:?}", self.who);
                Heard::Closed(code, reason)
            }
            Some(Ok(other)) => panic!("{} heard what no page understands: {other:?}", self.who),
            Some(Err(_)) | None => Heard::Lost,
        };
        self.remember(&heard);
        Some(heard)
    }

    /// Takes a message, unless the present page would ignore it.
    fn take(&mut self, frame: Value) -> Option<Heard> {
        self.is_documented(&frame);
        if self.ignores(&frame) {
            return None;
        }
        let heard = Heard::Frame(frame);
        self.remember(&heard);
        Some(heard)
    }

    fn remember(&mut self, heard: &Heard) {
        self.past.push_back(format!("{heard:?}"));
        if self.past.len() > 10 {
            self.past.pop_front();
        }
    }

    /// What the server says is as the AsyncAPI document has it.
    fn is_documented(&self, frame: &Value) {
        let fault = self.spoken.and_then(|spoken| spoken.fault_of_server(frame));
        if let Some(fault) = fault {
            panic!("{} heard what /asyncapi.json does not know: {frame}: {fault}", self.who);
        }
    }

    fn ignores(&self, frame: &Value) -> bool {
        !self.knows_new && frame["event"].as_str().is_some_and(|event| NEW.contains(&event))
    }

    fn fail(&self, waiting_for: &str, instead: &Heard) -> ! {
        panic!(
            "{} waited for {waiting_for}; instead came {instead:?}; the last it heard: {:?}",
            self.who, self.past
        );
    }
}

/// A stream whose buffers are small, so that a reader that never reads is noticed soon, and a crowd stays cheap.
async fn connect(port: u16, request: Request) -> Result<WebSocketStream<TcpStream>, Refusal> {
    let socket = TcpSocket::new_v4().expect("a TCP socket");
    socket.set_recv_buffer_size(8 * 1024).expect("a small buffer");
    socket.set_nodelay(true).expect("no delay");
    let stream = socket.connect(([127, 0, 0, 1], port).into()).await;
    let stream = stream.map_err(|error| Refusal { status: None, why: error.to_string() })?;
    let config = WebSocketConfig::default().read_buffer_size(4096);
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((stream, _)) => Ok(stream),
        Err(error) => {
            let status = match &error {
                tungstenite::Error::Http(answer) => Some(answer.status().as_u16()),
                _ => None,
            };
            Err(Refusal { status, why: format!("handshake refused: {error:?}") })
        }
    }
}
