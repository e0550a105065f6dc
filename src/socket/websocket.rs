//! The server's end of a WebSocket: messages from the bytes of its connection, within the client's budgets.
//!
//! `pace` limits messages. Fragments are no messages, so a flood of empty ones would cost CPU unnoticed: here every
//! frame counts, and every byte.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::Instant;

use super::input::{Broken, ClientMessage, Input};
use super::pace::EXCESS_SECONDS;
use super::rooms::{Frame, Outbox};
use crate::http::edge::{ConnectionSlot, Gcra, linger};

/// Bytes read from the connection at once. They are read into the stack, so an idle socket holds no buffer.
const READ: usize = 2048;

/// Bytes per frame allowed on average.
const BYTES_PER_FRAME: u32 = 1024;

/// The burst, in seconds' worth: larger than that of `pace`, which closes a flood of whole messages first.
const BURST_SECONDS: u32 = EXCESS_SECONDS + 4;

/// The connection of a socket.
#[derive(Debug)]
pub(super) struct WebSocket {
    stream: OwnedReadHalf,
    outbox: Arc<Outbox>,
    _slot: ConnectionSlot,
    meter: Meter,
    input: Input,
    /// Bytes that were read, and not parsed yet: a client that writes several messages at once.
    unread: Vec<u8>,
    /// Whether no more messages are to come.
    is_over: bool,
    /// Whether the server has sent its close frame.
    has_closed: bool,
}

impl WebSocket {
    /// Takes messages of up to `limit` bytes. `early` are bytes that were already read. `joins`: see [`Outbox::of`].
    pub(super) fn new(
        (stream, slot): (TcpStream, ConnectionSlot),
        joins: bool,
        mut meter: Meter,
        early: &[u8],
        limit: usize,
    ) -> Self {
        // If that is too much, the next read fails.
        let _ = meter.spend(early.len(), 0);
        let (stream, connection) = stream.into_split();
        Self {
            stream,
            outbox: Arc::new(Outbox::of(connection, joins)),
            _slot: slot,
            meter,
            input: Input::new(limit),
            unread: early.to_vec(),
            is_over: false,
            has_closed: false,
        }
    }

    /// The client's outbox.
    pub(super) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// The next message; `None` after the last one. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Result<ClientMessage, Broken>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// The same. Answers pings and a close frame.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<ClientMessage, Broken>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let message = match self.parse_unread() {
            Some(message) => message,
            None => match ready!(self.poll_read(context)) {
                Some(message) => message,
                None => {
                    self.is_over = true;
                    return Poll::Ready(None);
                }
            },
        };
        match &message {
            Ok(ClientMessage::Ping(payload)) => self.outbox.push(Frame::pong(payload)),
            Ok(ClientMessage::Close(answer)) => {
                self.is_over = true;
                if !self.has_closed {
                    self.outbox.push(Frame::close(answer));
                }
            }
            Ok(_) => {}
            Err(_) => self.is_over = true,
        }
        Poll::Ready(Some(message))
    }

    /// Takes back the buffer of a text.
    pub(super) fn recycle(&mut self, text: String) {
        self.input.recycle(text);
    }

    /// Sends the server's close frame.
    pub(super) fn close(&mut self, code: u16, reason: &str) {
        self.has_closed = true;
        // What the client sent before a violation is no longer parsed, but its close frame may still come.
        self.outbox.push(Frame::close(&[&code.to_be_bytes(), reason.as_bytes()].concat()));
    }

    /// Shuts the writing side down, and briefly drains what the client still sends.
    pub(super) async fn linger(&mut self) {
        self.outbox.shut_down();
        linger(&mut self.stream).await;
    }

    fn parse_unread(&mut self) -> Option<Result<ClientMessage, Broken>> {
        if self.unread.is_empty() {
            return None;
        }
        let mut bytes = &self.unread[..];
        let message = self.input.parse(&mut bytes);
        let parsed = self.unread.len() - bytes.len();
        if parsed == self.unread.len() {
            self.unread = Vec::new();
        } else {
            self.unread.drain(..parsed);
        }
        self.spend(0).err().map(Err).or(message)
    }

    /// Reads until a message is complete; `None` at the end of the connection.
    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<ClientMessage, Broken>>> {
        loop {
            let mut space = [const { MaybeUninit::uninit() }; READ];
            let mut buffer = ReadBuf::uninit(&mut space);
            if ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)).is_err() {
                return Poll::Ready(Some(Err(Broken::Gone)));
            }
            let mut bytes = buffer.filled();
            if bytes.is_empty() {
                return Poll::Ready(None);
            }
            let read = bytes.len();
            let message = self.input.parse(&mut bytes);
            self.unread.extend_from_slice(bytes);
            if let Some(message) = self.spend(read).err().map(Err).or(message) {
                return Poll::Ready(Some(message));
            }
        }
    }

    /// Spends bytes that were read, and the frames that were parsed.
    fn spend(&mut self, bytes: usize) -> Result<(), Broken> {
        self.meter.spend(bytes, self.input.take_frames()).map_err(|Flood| Broken::Flood)
    }
}

/// The client has exceeded its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flood;

/// The budgets of bytes and raw frames. Twice `limits.frames_per_second` may be sustained, as with `pace`, which drops
/// half of them.
#[derive(Debug)]
pub(super) struct Meter {
    begun: Instant,
    per_second: u32,
    bytes: Gcra,
    frames: Gcra,
}

impl Meter {
    pub(super) fn new(frames_per_second: u32) -> Self {
        let per_second = frames_per_second.max(1).saturating_mul(2);
        let (bytes, frames) = (Gcra::default(), Gcra::default());
        Self { begun: Instant::now(), per_second, bytes, frames }
    }

    /// Spends bytes that were read, and frames that began in them.
    fn spend(&mut self, bytes: usize, frames: u32) -> Result<(), Flood> {
        let now = self.begun.elapsed();
        let burst = Duration::from_secs(BURST_SECONDS.into());
        let rate = f64::from(self.per_second);
        let frames = Duration::from_secs_f64(f64::from(frames) / rate);
        let bytes = Duration::from_secs_f64(bytes as f64 / f64::from(BYTES_PER_FRAME) / rate);
        let fine = self.frames.try_spend_time(now, frames, burst).is_ok()
            && self.bytes.try_spend_time(now, bytes, burst).is_ok();
        if fine { Ok(()) } else { Err(Flood) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads until the meter stops it; at most a million times.
    fn reads(meter: &mut Meter, bytes: usize, frames: u32) -> usize {
        (0..1_000_000).take_while(|_| meter.spend(bytes, frames).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn empty_fragments_have_an_end() {
        let mut meter = Meter::new(60);
        assert_eq!(reads(&mut meter, 6, 1), 120 * BURST_SECONDS as usize);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(reads(&mut meter, 6, 1), 120, "as many come back in a second");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_have_an_end_too() {
        let taken = reads(&mut Meter::new(60), 4_104, 1);
        assert!((600..720).contains(&taken), "{taken} frames of 4 KiB");
    }

    #[tokio::test(start_paused = true)]
    async fn a_typist_never_meets_it() {
        let mut meter = Meter::new(60);
        for _ in 0..10_000 {
            assert_eq!(meter.spend(96, 1), Ok(()));
            tokio::time::advance(Duration::from_millis(10)).await;
        }
    }
}
