//! A connection as hyper reads and writes it.
//!
//! hyper answers unreadable requests (400, 414, 431) itself, with an empty body. Such an answer is replaced here by one
//! in the envelope, and the client's remaining input is drained for a moment: closing with unread input would reset the
//! connection before the client has read the answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};

use super::answer::in_full;
use super::slots::ConnectionSlot;
use crate::{Error, Kind};

/// How long, and how many bytes, a client's input is drained after the last answer.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 16 << 20;

/// A connection, and its slot within the limit of open connections.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    slot: ConnectionSlot,
    /// Whether no line has ended yet of what was read since the last answer.
    in_first_line: bool,
    /// Until when input is drained, after an answer of hyper's own.
    lingers: Option<(Pin<Box<Sleep>>, usize)>,
}

impl Connection {
    pub(in crate::http) fn new(stream: TcpStream, slot: ConnectionSlot) -> Self {
        Self { stream, slot, in_first_line: true, lingers: None }
    }

    /// The bare connection, for protocols other than HTTP.
    pub(crate) fn into_parts(self) -> (TcpStream, ConnectionSlot) {
        (self.stream, self.slot)
    }

    /// The replacement of `bytes`, if they are an answer of hyper's own.
    fn replacement(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let error = match own_answer(bytes)? {
            // Too large for the buffer; hyper does not say which part of the head.
            431 if self.in_first_line => Error::new(Kind::URI_TOO_LONG, "the path is too long"),
            431 => Error::new(Kind::HEADERS_TOO_LARGE, "the headers are too large or too many"),
            414 => Error::new(Kind::URI_TOO_LONG, "the path is too long"),
            _ => Error::new(Kind::BAD_REQUEST, "malformed HTTP/1.1"),
        };
        Some(in_full(&error))
    }

    fn note_written(&mut self, written: &Poll<io::Result<usize>>) {
        self.in_first_line |= matches!(written, Poll::Ready(Ok(_)));
    }

    /// Writes `answer` instead of the `whole` answer of hyper. It is small, and nothing else waits, so the kernel
    /// accepts all of it.
    fn answer(
        &mut self,
        cx: &mut Context<'_>,
        answer: &[u8],
        whole: usize,
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, answer))?;
        self.lingers = Some((Box::pin(sleep(LINGER)), LINGER_BYTES));
        let is_whole = written == answer.len();
        Poll::Ready(if is_whole { Ok(whole) } else { Err(io::ErrorKind::WriteZero.into()) })
    }
}

/// The status of an answer of hyper's own, recognised by its empty body: every other error has one.
fn own_answer(bytes: &[u8]) -> Option<u16> {
    let line = bytes.strip_prefix(b"HTTP/1.")?;
    let status = match line.get(1..5)? {
        b" 400" => 400,
        b" 414" => 414,
        b" 431" => 431,
        _ => return None,
    };
    let empty = b"content-length: 0\r\n";
    bytes.windows(empty.len()).any(|it| it == empty).then_some(status)
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.in_first_line = self.in_first_line && !buf.filled()[before..].contains(&b'\n');
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(answer) = self.replacement(bytes) {
            return self.answer(cx, &answer, bytes.len());
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_written(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [bytes] = slices {
            return self.poll_write(cx, bytes);
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note_written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, lingers, .. } = &mut *self;
        let mut stream = Pin::new(stream);
        ready!(stream.as_mut().poll_shutdown(cx))?;
        while let Some((until, left)) = lingers
            && *left > 0
            && until.as_mut().poll(cx).is_pending()
        {
            let mut scratch = [0; 4096];
            let mut scratch = ReadBuf::new(&mut scratch);
            ready!(stream.as_mut().poll_read(cx, &mut scratch))?;
            let read = scratch.filled().len();
            *left = if read == 0 { 0 } else { left.saturating_sub(read) };
        }
        Poll::Ready(Ok(()))
    }
}

/// Drains the client's input, for a moment.
pub(crate) async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    let reading = async {
        let mut scratch = vec![0; 16 << 10];
        let mut left = LINGER_BYTES;
        while left > 0 {
            let read = stream.read(&mut scratch).await?;
            left = if read == 0 { 0 } else { left.saturating_sub(read) };
        }
        io::Result::Ok(())
    };
    let _ = timeout(LINGER, reading).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_empty_answers_of_these_statuses_are_replaced() {
        let bare = |line: &str| {
            format!("HTTP/1.1 {line}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        };
        for (line, status) in [
            ("400 Bad Request", Some(400)),
            ("414 URI Too Long", Some(414)),
            ("431 Request Header Fields Too Large", Some(431)),
            ("404 Not Found", None),
            ("200 OK", None),
        ] {
            assert_eq!(own_answer(bare(line).as_bytes()), status, "{line}");
        }
        let ours = in_full(&Kind::BAD_REQUEST.into());
        assert_eq!(own_answer(&ours), None, "an answer with a body stays as it is");
        assert_eq!(own_answer(b"HTTP/1"), None);
    }
}
