//! A bare connection to a server, for what no client would send.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::server::PATIENCE;

/// An answer to it.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl RawAnswer {
    /// An error with this status and code, in the envelope.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            (&body["ok"], &body["error"]["code"]),
            (&false.into(), &code.into()),
            "{self:?}"
        );
        assert!(self.head.contains("content-type: application/json"), "{self:?}");
        assert!(
            self.head.contains(&format!("content-length: {}\r\n", self.body.len())),
            "{self:?}"
        );
    }
}

pub struct Raw(TcpStream);

impl Raw {
    pub async fn connect(port: u16) -> Self {
        Self::from(port, 1).await
    }

    /// A connection from another address of this machine, `127.0.0.{last}`.
    pub async fn from(port: u16, last: u8) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).expect("an address of this machine");
        let connected = socket.connect(SocketAddr::from(([127, 0, 0, 1], port)));
        let connected =
            tokio::time::timeout(PATIENCE, connected).await.expect("a connection in time");
        let connected = connected.expect("a connection");
        connected.set_nodelay(true).expect("no delay");
        Self(connected)
    }

    /// Sends what it can: a server that closes meanwhile is no failure.
    pub async fn send(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        let _ = tokio::time::timeout(PATIENCE, self.0.write_all(text.as_ref())).await;
        self
    }

    /// The answer, up to the length that it says.
    pub async fn answer(&mut self) -> RawAnswer {
        let reading = async {
            let mut bytes = Vec::new();
            loop {
                if let Some(answer) = whole(&bytes) {
                    return answer;
                }
                let read = self.0.read_buf(&mut bytes).await.expect("an answer");
                assert!(read > 0, "the end, after {:?}", String::from_utf8_lossy(&bytes));
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("an answer in time")
    }

    /// Waits until the server has closed the connection.
    pub async fn ended(&mut self, patience: Duration) {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(patience, self.0.read_to_end(&mut rest)).await;
        // A reset is an end, too.
        let _ = end.unwrap_or_else(|_| panic!("open after {patience:?}"));
    }
}

fn whole(bytes: &[u8]) -> Option<RawAnswer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let head = format!("{head}\r\n");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
    let status = head.get(9..12)?.parse().expect("a status");
    (body.len() >= length).then(|| RawAnswer { status, body: body.to_owned(), head })
}
