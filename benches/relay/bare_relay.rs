//! The yardstick: a relay that does nothing but relay.
//!
//! One thread, one task and one queue per socket. A text goes, as it came, into the queues of the other sockets of its
//! game, which share its bytes; what has gathered in a queue is flushed at once. No tokens, no rules, no reading of
//! frames, no other threads that share the work: what the server costs above this is the price of everything it does
//! for the players.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

/// Read and write buffer of each socket.
const BUFFER: usize = 4 * 1024;

/// Texts that a socket may be behind; when full, new ones are dropped for that socket.
const BACKLOG: usize = 64;

/// The queues of a game's sockets, by the number of the socket.
type Room = Arc<Mutex<Vec<(u64, mpsc::Sender<Utf8Bytes>)>>>;

/// The room of each game, by the query string that named it.
type Games = Arc<Mutex<HashMap<String, Room>>>;

/// Serves on a free port, told on standard output, until the process is killed.
pub async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let games = Games::default();
    for number in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // It is not awaited: it ends with its socket or with the process.
        tokio::spawn(enter(stream, number, Arc::clone(&games)));
    }
    Ok(())
}

async fn enter(stream: TcpStream, number: u64, games: Games) -> Result<(), Error> {
    let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    let mut game = String::new();
    #[allow(clippy::result_large_err, reason = "the signature is the library's")]
    let note_game = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        game = request.uri().query().unwrap_or_default().to_owned();
        Ok(response)
    };
    let socket = accept_hdr_async_with_config(stream, note_game, Some(config)).await?;
    let room = Arc::clone(lock(&games).entry(game).or_default());
    let (queue, texts) = mpsc::channel(BACKLOG);
    lock(&room).push((number, queue));
    let ended = relay(socket, number, &room, texts).await;
    lock(&room).retain(|(other, _)| *other != number);
    ended
}

async fn relay(
    mut socket: WebSocketStream<TcpStream>,
    number: u64,
    room: &Room,
    mut texts: mpsc::Receiver<Utf8Bytes>,
) -> Result<(), Error> {
    loop {
        tokio::select! {
            received = socket.next() => match received {
                Some(Ok(Message::Text(text))) => {
                    for (_, queue) in lock(room).iter().filter(|(other, _)| *other != number) {
                        let _ = queue.try_send(text.clone());
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            // Never `None`: the room has the other end.
            Some(text) = texts.recv() => {
                socket.feed(Message::Text(text)).await?;
                while let Ok(text) = texts.try_recv() {
                    socket.feed(Message::Text(text)).await?;
                }
                socket.flush().await?;
            }
        }
    }
}

/// There is one thread, so a lock is free, and cheap.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
