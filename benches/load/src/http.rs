//! A minimal HTTP client for requests and handshakes: connections are kept alive and shared, and responses are parsed
//! only as far as needed.

use std::cell::RefCell;
use std::fmt::Write;
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::time::Duration;

use rand::RngExt;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::options::Target;
use crate::socket::Socket;

/// Timeout of a response.
const PATIENCE: Duration = Duration::from_secs(30);

/// Maximum length of the head of a response.
const LONGEST_HEAD: usize = 16 * 1024;

/// The kinds of failures, as the report counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(match error.kind() {
            ErrorKind::ConnectionRefused => "connection refused".into(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                "connection lost".into()
            }
            ErrorKind::TimedOut => "timeout".into(),
            _ => error.to_string(),
        })
    }
}

/// The client of a request, as its headers tell it.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// `TP_AT=…`, once the player has a token.
    pub cookie: Option<String>,
    /// For `X-Forwarded-For`.
    pub address: Option<Ipv4Addr>,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    /// The access token's cookie, if the response sets it.
    pub cookie: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    /// The body, if the status is a success.
    fn json(self) -> Result<(Value, Option<String>), Failure> {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        if self.status == 200 {
            return Ok((body, self.cookie));
        }
        let code = body["error"]["code"].as_str().unwrap_or_default();
        Err(Failure(format!("HTTP {} {code}", self.status).trim_end().to_owned()))
    }
}

/// The idle connections to one server.
#[derive(Debug)]
pub struct Http {
    target: Target,
    idle: RefCell<Vec<TcpStream>>,
}

impl Http {
    /// A pool without connections.
    pub fn new(target: Target) -> Self {
        Self { target, idle: RefCell::default() }
    }

    /// Sends a `GET`, whose response is JSON and may set a cookie.
    ///
    /// # Errors
    /// Those of the connection, or status and code of a response that is not a success.
    pub async fn get(
        &self,
        path: &str,
        client: &Client,
    ) -> Result<(Value, Option<String>), Failure> {
        self.ask(self.head("GET", path, client, "\r\n")).await?.json()
    }

    /// Sends a `POST` with JSON.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, path: &str, client: &Client, body: &Value) -> Result<Value, Failure> {
        let body = body.to_string();
        let more = format!(
            "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Ok(self.ask(self.head("POST", path, client, &more)).await?.json()?.0)
    }

    /// Opens a socket.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn open(
        &self,
        path: &str,
        protocol: Option<&str>,
        client: &Client,
    ) -> Result<Socket, Failure> {
        let protocol =
            protocol.map_or(String::new(), |it| format!("sec-websocket-protocol: {it}\r\n"));
        let more = format!(
            "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n{protocol}sec-websocket-key: {}\r\n\r\n",
            nonce()
        );
        let request = self.head("GET", path, client, &more);
        let mut stream = self.connect().await?;
        stream.write_all(request.as_bytes()).await?;
        let (answer, rest) = within(read_answer(&mut stream)).await?;
        match answer.status {
            101 => Ok(Socket::new(stream, &rest, rand::rng().random_range(1..u32::MAX))),
            _ => Err(answer.json().err().unwrap_or_else(|| Failure("no upgrade".into()))),
        }
    }

    fn head(&self, method: &str, path: &str, client: &Client, more: &str) -> String {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.target.host);
        if let Some(cookie) = &client.cookie {
            let _ = write!(head, "cookie: {cookie}\r\n");
        }
        if let Some(address) = client.address {
            let _ = write!(head, "x-forwarded-for: {address}\r\n");
        }
        head.push_str(more);
        head
    }

    async fn connect(&self) -> Result<TcpStream, Failure> {
        let stream = within(async { Ok(TcpStream::connect(self.target.address).await?) }).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Sends a request on an idle connection, or on a new one if there is none or the server has just closed it.
    async fn ask(&self, request: String) -> Result<Answer, Failure> {
        while let Some(stream) = self.take() {
            if let Ok(answer) = self.ask_on(stream, &request).await {
                return Ok(answer);
            }
        }
        self.ask_on(self.connect().await?, &request).await
    }

    /// An idle connection that the server has not closed.
    fn take(&self) -> Option<TcpStream> {
        loop {
            let stream = self.idle.borrow_mut().pop()?;
            if matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
            {
                return Some(stream);
            }
        }
    }

    async fn ask_on(&self, mut stream: TcpStream, request: &str) -> Result<Answer, Failure> {
        stream.write_all(request.as_bytes()).await?;
        let (answer, _) = within(read_answer(&mut stream)).await?;
        self.idle.borrow_mut().push(stream);
        Ok(answer)
    }
}

async fn within<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(Failure("timeout".into())))
}

/// Reads a response, and the bytes received after it.
async fn read_answer(stream: &mut TcpStream) -> Result<(Answer, Vec<u8>), Failure> {
    let mut bytes = Vec::with_capacity(1024);
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
        if bytes.len() > LONGEST_HEAD {
            return Err(Failure("no HTTP".into()));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(Failure("connection lost".into()));
        }
    };
    let (status, length, cookie) =
        parse(&bytes[..head]).ok_or_else(|| Failure("no HTTP".into()))?;
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(Failure("connection lost".into()));
        }
    }
    let rest = bytes.split_off(head + length);
    let body = bytes.split_off(head);
    Ok((Answer { status, cookie, body }, rest))
}

/// Status, length of the body, and the access token's cookie. The server always sends a length.
fn parse(head: &[u8]) -> Option<(u16, usize, Option<String>)> {
    let mut lines = std::str::from_utf8(head).ok()?.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let (mut length, mut cookie) = (0, None);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        } else if name.eq_ignore_ascii_case("set-cookie") && value.starts_with("TP_AT=") {
            cookie = value.split(';').next().map(str::to_owned);
        }
    }
    Some((status, length, cookie))
}

/// The key of a handshake: sixteen random bytes in base64.
fn nonce() -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut random = rand::rng();
    let mut nonce: String =
        (0..21).map(|_| char::from(DIGITS[random.random_range(0..64)])).collect();
    // The last digit holds two bits of the last byte.
    nonce.push(char::from(DIGITS[16 * random.random_range(0..4)]));
    nonce + "=="
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_status_length_and_token() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nset-cookie: USERNAME=x\r\n\
            set-cookie: TP_AT=abc.def; HttpOnly; Path=/\r\n\r\n";
        assert_eq!(parse(head), Some((200, 11, Some("TP_AT=abc.def".into()))));
        assert_eq!(parse(b"nonsense\r\n\r\n"), None);
    }

    #[test]
    fn a_refusal_is_counted_by_status_and_code() {
        let body = br#"{"ok":false,"error":{"code":"GAME_NOT_FOUND","message":""}}"#.to_vec();
        let refused = Answer { status: 404, cookie: None, body }.json();
        assert_eq!(refused.err(), Some(Failure("HTTP 404 GAME_NOT_FOUND".into())));
        let plain = Answer { status: 502, cookie: None, body: b"<html>".to_vec() }.json();
        assert_eq!(plain.err(), Some(Failure("HTTP 502".into())));
    }

    #[test]
    fn a_nonce_is_sixteen_bytes_of_base64() {
        let nonce = nonce();
        assert_eq!(nonce.len(), 24);
        assert!(nonce.ends_with("==") && "AQgw".contains(&nonce[21..22]), "{nonce}");
    }
}
