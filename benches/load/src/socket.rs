//! The client's end of a WebSocket, on a bare TCP stream.
//!
//! It supports only what the server of this repository needs: no extensions, no fragments from the server, no check of
//! `Sec-WebSocket-Accept`. All sockets share one read buffer, and frames are handled in place, so that a delivered
//! frame costs neither an allocation nor a task.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// Bytes per read of a socket.
pub const READ: usize = 64 * 1024;

/// Maximum length of a message from the server; a longer one is an error.
const LONGEST: usize = 1 << 20;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// The outcome of a read, after its complete frames are handled.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Some frames, or none.
    Frames,
    /// The server has closed the socket, with this code; 1006 without a close frame.
    Closed(u16),
}

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// The beginning of a frame whose rest has not arrived yet.
    partial: Vec<u8>,
    /// Buffer for outgoing frames, allocated once per socket.
    out: Vec<u8>,
    mask: u32,
}

impl Socket {
    /// A socket on a stream after the handshake; `early` are the bytes received with its response.
    pub fn new(stream: TcpStream, early: &[u8], mask: u32) -> Self {
        Self { stream, partial: early.to_vec(), out: Vec::with_capacity(128), mask }
    }

    /// Waits for bytes and passes the text frames among them to `hear`. Answers pings. Cancellation-safe.
    ///
    /// # Errors
    /// Those of the connection, and `InvalidData` for an invalid frame.
    pub async fn read(
        &mut self,
        buffer: &RefCell<Vec<u8>>,
        mut hear: impl FnMut(&[u8]),
    ) -> io::Result<Received> {
        poll_fn(|context| self.poll(context, buffer, &mut hear)).await
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        buffer: &RefCell<Vec<u8>>,
        hear: &mut impl FnMut(&[u8]),
    ) -> Poll<io::Result<Received>> {
        // The stream signals no event for complete frames that arrived with the handshake.
        if split(&self.partial)?.is_some() {
            return Poll::Ready(self.handle_partial(&[], hear));
        }
        let mut buffer = buffer.borrow_mut();
        let mut read = ReadBuf::new(&mut buffer);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
        let bytes = read.filled();
        if bytes.is_empty() {
            return Poll::Ready(Ok(Received::Closed(1006)));
        }
        if !self.partial.is_empty() {
            return Poll::Ready(self.handle_partial(bytes, hear));
        }
        let (taken, received) = self.handle(bytes, hear)?;
        self.partial.extend_from_slice(&bytes[taken..]);
        Poll::Ready(Ok(received))
    }

    fn handle_partial(
        &mut self,
        more: &[u8],
        hear: &mut impl FnMut(&[u8]),
    ) -> io::Result<Received> {
        let mut bytes = std::mem::take(&mut self.partial);
        bytes.extend_from_slice(more);
        let (taken, received) = self.handle(&bytes, hear)?;
        bytes.drain(..taken);
        self.partial = bytes;
        Ok(received)
    }

    /// Handles the complete frames at the beginning. Returns their length in bytes.
    fn handle(
        &mut self,
        bytes: &[u8],
        hear: &mut impl FnMut(&[u8]),
    ) -> io::Result<(usize, Received)> {
        let mut taken = 0;
        while let Some((opcode, payload, length)) = split(&bytes[taken..])? {
            taken += length;
            match opcode {
                TEXT => hear(payload),
                PING => self.try_send(PONG, payload)?,
                CLOSE => {
                    let code = payload.first_chunk().map_or(1005, |it| u16::from_be_bytes(*it));
                    // The server does not wait long for the pong; whether it arrives is not measured.
                    let _ = self.try_send(CLOSE, payload.get(..2).unwrap_or_default());
                    return Ok((taken, Received::Closed(code)));
                }
                _ => {}
            }
        }
        Ok((taken, Received::Frames))
    }

    /// Sends a text frame. `write` appends its payload.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.frame(TEXT, write);
        match self.stream.try_write(&self.out) {
            Ok(count) if count == self.out.len() => Ok(()),
            Ok(count) => self.stream.write_all(&self.out[count..]).await,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.stream.write_all(&self.out).await
            }
            Err(error) => Err(error),
        }
    }

    /// Sends a close frame with 1000, as the page does.
    pub fn close(mut self) {
        let _ = self.try_send(CLOSE, &1000_u16.to_be_bytes());
    }

    /// Sends a control frame, if the kernel accepts it: these frames are far shorter than its buffer.
    fn try_send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        self.frame(opcode, |out| out.extend_from_slice(payload));
        match self.stream.try_write(&self.out) {
            Ok(count) if count == self.out.len() => Ok(()),
            Ok(_) => Err(ErrorKind::WriteZero.into()),
            Err(error) => Err(error),
        }
    }

    /// Builds a frame in `out`. Payloads are shorter than 64 KiB.
    fn frame(&mut self, opcode: u8, write: impl FnOnce(&mut Vec<u8>)) {
        // Most lengths fit into the second byte of the header; it is completed afterwards.
        self.out.clear();
        self.out.extend_from_slice(&[0x80 | opcode, 0, 0, 0, 0, 0]);
        write(&mut self.out);
        let length = self.out.len() - 6;
        // xorshift32: a different mask per frame is all that the protocol requires here.
        self.mask ^= self.mask << 13;
        self.mask ^= self.mask >> 17;
        self.mask ^= self.mask << 5;
        let mask = self.mask.to_be_bytes();
        for (byte, mask) in self.out[6..].iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        self.out[2..6].copy_from_slice(&mask);
        if let Ok(length @ 0..126) = u8::try_from(length) {
            self.out[1] = 0x80 | length;
        } else {
            let length = u16::try_from(length).expect("a payload shorter than 64 KiB");
            self.out[1] = 0x80 | 126;
            self.out.splice(2..2, length.to_be_bytes());
        }
    }
}

/// The first frame from the server: opcode, payload and total length. `None` while it is incomplete.
fn split(bytes: &[u8]) -> io::Result<Option<(u8, &[u8], usize)>> {
    let &[first, second, ..] = bytes else { return Ok(None) };
    let (header, length) = match second {
        0..126 => (2, usize::from(second)),
        126 => match bytes.get(2..4) {
            Some(length) => (4, usize::from(length[0]) << 8 | usize::from(length[1])),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10).and_then(<[u8]>::first_chunk) {
            Some(length) => {
                (10, usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX))
            }
            None => return Ok(None),
        },
        _ => return Err(fault("a masked frame")),
    };
    if first & 0xF0 != 0x80 || first & 0x0F == CONTINUATION {
        return Err(fault("a fragment, or reserved bits"));
    }
    if length > LONGEST {
        return Err(fault("a frame of more than 1 MiB"));
    }
    let payload = bytes.get(header..header + length);
    Ok(payload.map(|payload| (first & 0x0F, payload, header + length)))
}

fn fault(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    async fn pair(early: &[u8]) -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        (Socket::new(client.expect("a connection"), early, 7), server.expect("a connection").0)
    }

    async fn read(socket: &mut Socket) -> (Vec<String>, Received) {
        let mut texts = Vec::new();
        let buffer = RefCell::new(vec![0; 1024]);
        let received = socket
            .read(&buffer, |text| texts.push(String::from_utf8_lossy(text).into_owned()))
            .await
            .expect("frames");
        (texts, received)
    }

    #[tokio::test]
    async fn frames_are_found_wherever_the_bytes_are_cut() {
        let long = "x".repeat(300);
        let mut bytes = b"\x81\x03one\x81\x00\x81\x7e\x01\x2c".to_vec();
        bytes.extend_from_slice(long.as_bytes());
        for cut in 0..bytes.len() {
            let (mut socket, mut server) = pair(&bytes[..cut]).await;
            server.write_all(&bytes[cut..]).await.expect("a connection");
            let mut texts = Vec::new();
            while texts.len() < 3 {
                texts.extend(read(&mut socket).await.0);
            }
            assert_eq!(texts, ["one", "", &long], "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn pings_are_answered_and_a_close_tells_its_code() {
        let (mut socket, mut server) = pair(b"").await;
        server.write_all(b"\x89\x02hi\x88\x02\x0f\xa8").await.expect("a connection");
        assert_eq!(read(&mut socket).await, (vec![], Received::Closed(4008)));
        let mut answer = [0; 16];
        server.read_exact(&mut answer).await.expect("pong and close");
        assert_eq!(answer[..2], [0x8a, 0x82]);
        assert_eq!([answer[6] ^ answer[2], answer[7] ^ answer[3]], *b"hi");
        assert_eq!(answer[8..10], [0x88, 0x82]);
    }

    #[tokio::test]
    async fn a_text_is_masked_and_has_its_length() {
        for length in [5, 125, 126, 4000] {
            let (mut socket, mut server) = pair(b"").await;
            let text = "a".repeat(length);
            socket.send(|out| out.extend_from_slice(text.as_bytes())).await.expect("a connection");
            let header = if length < 126 { 2 } else { 4 };
            let mut sent = vec![0; header + 4 + length];
            server.read_exact(&mut sent).await.expect("a frame");
            let mask: Vec<u8> = sent[header..header + 4].to_vec();
            let read: Vec<u8> =
                sent[header + 4..].iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
            assert_eq!(read, text.as_bytes());
        }
    }

    #[test]
    fn what_no_server_sends_is_a_fault() {
        for bytes in [
            &b"\x81\x81abcd"[..],
            b"\x01\x00",
            b"\x80\x00",
            b"\xc1\x00",
            b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(split(bytes).is_err(), "{bytes:?}");
        }
    }
}
