//! The life of one socket: how it opens and closes. The loop in between is `Session::converse`.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tracing::Instrument;

use super::input::ClientMessage;
use super::pace::Pace;
use super::pulse::Pulse;
use super::rooms::{Member, Recipient, Seat};
use super::state::{Base, End, Ending, Session, note_pong};
use super::websocket::WebSocket;
use super::{CountedSocket, Opening, Socket};
use crate::Kind;
use crate::bus::{Emits, Owner, guard};
use crate::drain::goodbye_to_latecomer;
use crate::game::UserId;
use crate::telemetry::{TraceContext, socket_span, span_failed};

/// How long a client has to answer the server's close frame.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// Runs a socket from its handshake to its end.
///
/// Opening and closing are boxed, so that an idle socket holds only the state of its loop.
pub(super) async fn run<S: Socket>(
    ws: WebSocket,
    socket: S,
    base: Base,
    number: u64,
    cause: TraceContext,
) {
    let mut counted = CountedSocket::opened(S::CHANNEL.0);
    if let Some(mut session) = Box::pin(open(ws, socket, base, number, cause)).await {
        let end = session.converse().await;
        counted.ends_by(&end);
        Box::pin(session.end(end)).await;
    }
}

/// Opens the socket: it takes its seat and enters its room.
async fn open<S: Socket>(
    mut ws: WebSocket,
    mut socket: S,
    base: Base,
    number: u64,
    cause: TraceContext,
) -> Option<Box<Session<S>>> {
    let span = socket_span("open", S::CHANNEL.0, number, &cause);
    let opened = guard(&base.cx, "open", socket.open(&base.cx)).instrument(span.clone()).await;
    match opened {
        Ok(opening) => {
            let (session, emits) = Session::new(ws, socket, base, number, cause, opening);
            let entering = async {
                // Before it reads the facts, so that it hears of every later change.
                if let Some(bridge) = &session.sockets.bridge {
                    bridge.enter(session.seat.game, session.seat.room.has_one()).await;
                }
                emits.publish(session.cx.bus()).await;
            };
            entering.instrument(span).await;
            Some(Box::new(session))
        }
        Err(error) => {
            span.in_scope(|| span_failed(error.kind()));
            drop(span);
            farewell(&mut ws, error.kind().into(), |_| {}).await;
            None
        }
    }
}

impl<S: Socket> Session<S> {
    fn new(
        ws: WebSocket,
        mut socket: S,
        base: Base,
        number: u64,
        cause: TraceContext,
        opening: Opening<S::Emits>,
    ) -> (Self, S::Emits) {
        let Opening { game, user, login, greeting, emits } = opening;
        let Base { cx, sockets } = base;
        let limits = &cx.settings().limits;
        let outbox = ws.outbox().clone();
        outbox.belongs_to(Recipient { channel: S::CHANNEL, socket: number, game });
        let member = Arc::new(Member {
            socket: number,
            module: cx.module(),
            user: user.clone(),
            login,
            outbox,
        });
        let room = cx.rooms().enter(S::CHANNEL, game, &member, limits.sockets_per_player);
        let kept = room.player_state::<S::Own>(user.as_ref());
        let user = user.unwrap_or_else(UserId::none);
        let seat = Seat { game, user, socket: number, round_trip: None, kept, room };
        socket.seated(&seat);
        // It is in its room now: whatever the facts lack here, the room will be told.
        if cx.drain().is_on() {
            member.outbox.close(goodbye_to_latecomer(cx.peers()));
        }
        if !cx.takes("open") {
            member.outbox.close(Kind::UNAVAILABLE);
        }
        let (pace, pulse) = (Pace::new(limits.frames_per_second), Pulse::new());
        let (tracked, last_call, owed, alarm) = (None, None, None, None);
        let session = Self {
            ws,
            socket,
            cx,
            sockets,
            cause,
            seat,
            member,
            pace,
            pulse,
            tracked,
            last_call,
            owed,
            alarm,
            greeting,
        };
        (session, emits)
    }

    /// Leaves the room and closes the socket.
    async fn end(mut self: Box<Self>, end: End) {
        self.cx.rooms().leave(S::CHANNEL, &self.seat);
        if let Some(bridge) = &self.sockets.bridge {
            bridge.leave(self.seat.game);
        }
        let silent = matches!(end, End::Silent);
        let farewell = farewell(&mut self.ws, end, |pong| {
            // A late pong still shows that tracked frames arrived.
            note_pong(&mut self.pulse, &mut self.tracked, pong);
        });
        farewell.await;
        let Self { socket, cx, cause, seat, tracked, .. } = *self;
        let ending = Ending { silent, said: tracked.map(|(said, _)| said) };
        let span = socket_span("close", S::CHANNEL.0, seat.socket, &cause);
        let closed = async {
            let closed = guard(&cx, "close", socket.closed(&cx, &seat, &ending)).await;
            match closed {
                Ok(emits) => emits.publish(cx.bus()).await,
                Err(error) => {
                    span_failed(error.kind());
                    tracing::error!(module = cx.module(), %error, "a module failed at the close of a socket")
                }
            }
        };
        closed.instrument(span).await;
    }
}

/// Closes the connection as RFC 6455, section 7, requires: the server's close frame, then the client's. Does not wait
/// for a silent client.
async fn farewell(ws: &mut WebSocket, end: End, mut pong: impl FnMut(&[u8])) {
    let closing = async {
        ws.outbox().release();
        match end {
            End::Close(code, ref reason) => {
                ws.close(code, reason);
                ws.outbox().flush().await.ok()?;
            }
            End::Gone => {}
            End::Silent => return None,
        }
        while let Some(Ok(message)) = ws.next().await {
            match message {
                ClientMessage::Close(_) if matches!(end, End::Close(..)) => return Some(()),
                ClientMessage::Pong(payload) => pong(&payload),
                _ => {}
            }
        }
        // The answer to the client's close frame may wait there.
        let _ = ws.outbox().flush().await;
        if matches!(end, End::Close(..)) {
            // Drain unread input: otherwise the kernel would reset the connection before the close frame arrives.
            ws.linger().await;
        }
        Some(())
    };
    let _ = timeout(CLOSE_PATIENCE, closing).await;
}
