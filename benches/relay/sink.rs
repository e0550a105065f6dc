//! Where the server sends its spans while it is measured: a collector that looks at nothing.

use crate::Outcome;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Takes,
    Refuses,
    Hangs,
}

/// A running sink; it ends when this is dropped.
pub struct Sink {
    pub address: SocketAddr,
    _task: JoinSet<()>,
}

impl Sink {
    /// Takes a free port.
    pub async fn start(manner: Manner) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(take(stream, manner));
            }
        });
        Ok(Self { address, _task: task })
    }
}

/// Answers each request of a connection, once all of it has come.
async fn take(mut stream: TcpStream, manner: Manner) {
    let status = if manner == Manner::Takes { "200 OK" } else { "503 Service Unavailable" };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await.is_ok_and(|bytes| bytes > 0) {
        let Some(head) = request.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.and_then(|length| length.parse().ok()).unwrap_or(0_usize);
        if request.len() < head + 4 + length {
            continue;
        }
        request.clear();
        if manner != Manner::Hangs && stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
