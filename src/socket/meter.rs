//! Limits the bytes and raw frames that a client sends, as they are read.
//!
//! `pace` counts messages. Fragments are no messages: tungstenite collects them before the session sees anything, so a
//! flood of empty fragments costs CPU without a message. Here every frame counts.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Bytes;

use super::pace::EXCESS_SECONDS;
use super::rooms::Outbox;
use crate::http::edge::{Gcra, Place, linger};

/// Bytes per frame allowed on average.
const BYTES_PER_FRAME: u32 = 1024;

/// The burst, in seconds' worth: larger than that of `pace`, which closes a flood of whole messages first.
const BURST_SECONDS: u32 = EXCESS_SECONDS + 4;

/// A socket: tungstenite on the bare connection.
pub(super) type WebSocket = WebSocketStream<Metered>;

/// The connection of a socket, with its remaining budget. What tungstenite writes (pongs and close frames) goes through
/// the outbox, between other frames.
#[derive(Debug)]
pub(super) struct Metered {
    stream: OwnedReadHalf,
    outbox: Arc<Outbox>,
    _place: Place,
    meter: Meter,
}

impl Metered {
    /// `early` are bytes that were already read.
    pub(super) fn new((stream, place): (TcpStream, Place), mut meter: Meter, early: &[u8]) -> Self {
        // If that is too much, the next read fails.
        let _ = meter.spend(early);
        let (stream, connection) = stream.into_split();
        Self { stream, outbox: Arc::new(Outbox::of(connection)), _place: place, meter }
    }

    /// The client's outbox.
    pub(super) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Shuts the writing side down, and briefly drains what the client still sends.
    pub(super) async fn linger(&mut self) {
        self.outbox.shut_down();
        linger(&mut self.stream).await;
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        Poll::Ready(self.meter.spend(&buf.filled()[before..]).map_err(io::Error::other))
    }
}

impl AsyncWrite for Metered {
    /// tungstenite writes whole frames, all that it has at once.
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.outbox.push(Bytes::copy_from_slice(bytes).into());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbox.shut_down();
        Poll::Ready(Ok(()))
    }
}

/// The client has exceeded its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flood;

impl std::fmt::Display for Flood {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("more bytes or frames than a socket may send")
    }
}

impl std::error::Error for Flood {}

/// The budgets of bytes and raw frames. Twice `limits.frames_per_second` may be sustained, as with `pace`, which drops
/// half of them.
#[derive(Debug)]
pub(super) struct Meter {
    begun: Instant,
    per_second: u32,
    bytes: Gcra,
    frames: Gcra,
    headers: Headers,
}

impl Meter {
    pub(super) fn new(frames_per_second: u32) -> Self {
        let per_second = frames_per_second.max(1).saturating_mul(2);
        let (bytes, frames) = (Gcra::default(), Gcra::default());
        Self { begun: Instant::now(), per_second, bytes, frames, headers: Headers::default() }
    }

    /// Spends what has been read.
    fn spend(&mut self, read: &[u8]) -> Result<(), Flood> {
        let now = self.begun.elapsed();
        let burst = Duration::from_secs(BURST_SECONDS.into());
        let rate = f64::from(self.per_second);
        let frames = Duration::from_secs_f64(f64::from(self.headers.pass(read)) / rate);
        let bytes = read.len() as f64 / f64::from(BYTES_PER_FRAME) / rate;
        let fine = self.frames.try_spend_time(now, frames, burst).is_ok()
            && self.bytes.try_spend_time(now, Duration::from_secs_f64(bytes), burst).is_ok();
        if fine { Ok(()) } else { Err(Flood) }
    }
}

/// Finds the frames in a stream of bytes by their headers (RFC 6455, section 5.2).
#[derive(Debug, Default)]
struct Headers {
    /// Bytes of mask and payload that come before the next header.
    skip: u64,
    next: Next,
}

/// The next byte of a header.
#[derive(Debug, Default)]
enum Next {
    #[default]
    Opcode,
    Length,
    /// Remaining bytes of an extended length, and the bytes of mask that follow it.
    Longer {
        left: u8,
        mask: u64,
        length: u64,
    },
}

impl Headers {
    /// Scans what was read. Returns how many frames begin in it.
    fn pass(&mut self, mut read: &[u8]) -> u32 {
        let mut frames = 0;
        loop {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(read.len());
            self.skip -= skipped as u64;
            let Some((&byte, rest)) = read[skipped..].split_first() else { return frames };
            read = rest;
            self.next = match self.next {
                Next::Opcode => {
                    frames += 1;
                    Next::Length
                }
                Next::Length => {
                    let mask = if byte & 0x80 == 0 { 0 } else { 4 };
                    match byte & 0x7f {
                        126 => Next::Longer { left: 2, mask, length: 0 },
                        127 => Next::Longer { left: 8, mask, length: 0 },
                        length => self.begin(u64::from(length) + mask),
                    }
                }
                Next::Longer { left, mask, length } => {
                    let length = length << 8 | u64::from(byte);
                    match left {
                        1 => self.begin(length.saturating_add(mask)),
                        _ => Next::Longer { left: left - 1, mask, length },
                    }
                }
            };
        }
    }

    fn begin(&mut self, skip: u64) -> Next {
        self.skip = skip;
        Next::Opcode
    }
}

/// The number of frames that begin in a stream of bytes which arrives in pieces.
#[cfg(fuzzing)]
pub(super) fn frames_in(bytes: &[u8], piece: usize) -> u64 {
    let mut headers = Headers::default();
    bytes.chunks(piece).map(|piece| u64::from(headers.pass(piece))).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    use super::*;

    /// The bytes of a frame, as a client sends them if there is a mask.
    fn bytes(mut frame: Frame, mask: Option<[u8; 4]>) -> Vec<u8> {
        frame.header_mut().mask = mask;
        let mut bytes = Vec::new();
        frame.format(&mut bytes).expect("a frame");
        bytes
    }

    fn any_frame() -> impl Strategy<Value = Vec<u8>> {
        let sizes = prop_oneof![0..3_usize, 120..130_usize, 65_530..65_540_usize];
        let opcodes = prop_oneof![Just(Data::Text), Just(Data::Continue)];
        let message = (sizes, opcodes, any::<bool>()).prop_map(|(size, opcode, is_final)| {
            Frame::message(vec![7; size], OpCode::Data(opcode), is_final)
        });
        let frame =
            prop_oneof![message, (0..126_usize).prop_map(|size| Frame::ping(vec![7; size]))];
        (frame, any::<Option<[u8; 4]>>()).prop_map(|(frame, mask)| bytes(frame, mask))
    }

    fn of_client(payload: Vec<u8>, opcode: Data, is_final: bool) -> Vec<u8> {
        bytes(Frame::message(payload, OpCode::Data(opcode), is_final), Some([1, 2, 3, 4]))
    }

    proptest! {
        #[test]
        fn every_frame_is_counted_however_it_arrives(
            frames in prop::collection::vec(any_frame(), 0..12),
            piece in 1..2_000_usize,
        ) {
            let mut headers = Headers::default();
            let stream = frames.concat();
            let counted: u32 = stream.chunks(piece).map(|piece| headers.pass(piece)).sum();
            prop_assert_eq!(counted as usize, frames.len());
            prop_assert_eq!(headers.skip, 0);
        }
    }

    /// Reads until the meter stops it; at most a million times.
    fn reads(meter: &mut Meter, bytes: &[u8]) -> usize {
        (0..1_000_000).take_while(|_| meter.spend(bytes).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn empty_fragments_have_an_end() {
        let fragment = of_client(Vec::new(), Data::Continue, false);
        let mut meter = Meter::new(60);
        assert_eq!(reads(&mut meter, &fragment), 120 * BURST_SECONDS as usize);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(reads(&mut meter, &fragment), 120, "as many come back in a second");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_have_an_end_too() {
        let large = of_client(vec![7; 4_096], Data::Text, true);
        let taken = reads(&mut Meter::new(60), &large);
        assert!((600..720).contains(&taken), "{taken} frames of 4 KiB");
    }

    #[tokio::test(start_paused = true)]
    async fn a_typist_never_meets_it() {
        let keystroke = of_client(vec![7; 90], Data::Text, true);
        let mut meter = Meter::new(60);
        for _ in 0..10_000 {
            assert_eq!(meter.spend(&keystroke), Ok(()));
            tokio::time::advance(Duration::from_millis(10)).await;
        }
    }
}
