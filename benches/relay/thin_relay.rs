//! The yardstick: a relay that does nothing but relay.
//!
//! One task per socket, one broadcast channel per game, texts passed on as they came: no tokens, no rules, no
//! reading of frames. What the server costs above this is the price of everything it does for the players.

use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// Read and write buffer of each socket.
const BUFFER: usize = 4 * 1024;

/// Keystrokes that a socket may be behind; when full, the oldest are dropped for that socket.
const BACKLOG: usize = 64;

/// A text and the number of the socket that sent it, which does not get it back.
type Keystroke = (u64, Utf8Bytes);

/// The channel of each game, by the query string that named it.
type Games = Arc<Mutex<HashMap<String, broadcast::Sender<Keystroke>>>>;

/// Serves on a free port, told on standard output, until the process is killed.
pub async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let games = Games::default();
    for number in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // Nobody awaits it: it ends with its socket or with the process.
        tokio::spawn(relay(stream, number, Arc::clone(&games)));
    }
    Ok(())
}

async fn relay(stream: TcpStream, number: u64, games: Games) -> Result<(), Error> {
    let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
    let mut game = String::new();
    #[allow(clippy::result_large_err, reason = "the signature is the library's")]
    let note_game = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        game = request.uri().query().unwrap_or_default().to_owned();
        Ok(response)
    };
    let mut socket =
        tokio_tungstenite::accept_hdr_async_with_config(stream, note_game, Some(config)).await?;
    let game = games
        .lock()
        .expect("nothing panics while it holds the lock")
        .entry(game)
        .or_insert_with(|| broadcast::Sender::new(BACKLOG))
        .clone();
    let mut keystrokes = game.subscribe();
    loop {
        tokio::select! {
            received = socket.next() => match received {
                Some(Ok(Message::Text(text))) => {
                    // It cannot fail: this task itself is subscribed.
                    let _ = game.send((number, text));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            relayed = keystrokes.recv() => match relayed {
                Ok((sender, text)) if sender != number => socket.send(Message::Text(text)).await?,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}
