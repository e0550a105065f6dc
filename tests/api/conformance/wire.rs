//! A WebSocket as bytes: what a case sends, and what comes back.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::persona::Player;
use crate::server::PATIENCE;

/// The stroke that tells that a message has been taken.
pub const STROKE: (i64, i64) = (3, 0);

/// What comes back, besides the text frames of the race and the server's own pings.
#[derive(Clone, Debug, PartialEq)]
pub enum Back {
    Pong(Vec<u8>),
    /// A close frame with its code, if it has one.
    Close(Option<u16>),
    /// The connection ends without one.
    Drop,
}

/// A message that is a stroke; `rest` are more fields.
pub fn stroke(game: i64, rest: &[u8]) -> Vec<u8> {
    let (word, char) = STROKE;
    let begin = format!(
        r#"{{"event":"KEY_STOKE","game_id":{game},"word_index":{word},"char_index":{char}"#
    );
    [begin.as_bytes(), rest, b"}"].concat()
}

/// A stroke of so many bytes.
pub fn stroke_of(game: i64, length: usize) -> Vec<u8> {
    let blanks = length - stroke(game, b"").len();
    stroke(game, &b" ".repeat(blanks))
}

/// A frame of a client: its first byte (the flags and the opcode), and its payload, which is masked.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).expect("below 126")),
        long => match u16::try_from(long) {
            Ok(long) => {
                frame.push(0x80 | 126);
                frame.extend(long.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        },
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A close frame with a code and a reason.
pub fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes(), reason].concat())
}

pub struct Wire {
    stream: TcpStream,
    /// Of the answer to the handshake.
    pub head: String,
    /// Read, and not yet understood.
    rest: Vec<u8>,
}

impl Wire {
    /// One more socket of a player in the race, which offers compression.
    pub async fn open(port: u16, player: &Player) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let request = format!(
            "GET /api/v1/game/ws?game_id={} HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-extensions: permessage-deflate\r\ncookie: TP_AT={}\r\n\r\n",
            player.game, player.token
        );
        stream.write_all(request.as_bytes()).await.expect("a server that listens");
        let (mut read, end) = (Vec::new(), b"\r\n\r\n");
        let answered = async {
            loop {
                if let Some(at) = read.windows(end.len()).position(|it| it == end) {
                    return at + end.len();
                }
                assert!(stream.read_buf(&mut read).await.expect("an answer") > 0, "the end");
            }
        };
        let at = tokio::time::timeout(PATIENCE, answered).await.expect("an answer in time");
        let rest = read.split_off(at);
        Self { stream, head: String::from_utf8(read).expect("a head").to_lowercase(), rest }
    }

    /// Sends what it can: a server that closes meanwhile is no failure.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = tokio::time::timeout(PATIENCE, self.stream.write_all(bytes)).await;
    }

    /// What comes back up to the end of the connection, which the client closes, too, as soon as the server has.
    pub async fn end(mut self) -> Vec<Back> {
        let mut back = Vec::new();
        loop {
            match tokio::time::timeout(PATIENCE, self.next()).await.expect("an end in time") {
                Some((0xa, payload)) => back.push(Back::Pong(payload)),
                Some((0x8, payload)) => {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    back.push(Back::Close(code));
                    let _ = self.stream.shutdown().await;
                }
                Some((0x1 | 0x9, _)) => {}
                Some(other) => panic!("no frame of the server: {other:?}"),
                None => {
                    if !matches!(back.last(), Some(Back::Close(_))) {
                        back.push(Back::Drop);
                    }
                    return back;
                }
            }
        }
    }

    /// The opcode and payload of the next frame; `None` at the end.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.take(2).await?;
        assert_eq!((head[0] & 0xf0, head[1] & 0x80), (0x80, 0), "whole, and without a mask");
        let length = match head[1] {
            126 => u16::from_be_bytes(*self.take(2).await?.first_chunk()?).into(),
            127 => panic!("no message of the server is so long"),
            length => usize::from(length),
        };
        Some((head[0] & 0xf, self.take(length).await?))
    }

    async fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.rest.len() < count {
            // A reset is an end, too.
            if self.stream.read_buf(&mut self.rest).await.unwrap_or(0) == 0 {
                return None;
            }
        }
        let rest = self.rest.split_off(count);
        Some(std::mem::replace(&mut self.rest, rest))
    }
}
