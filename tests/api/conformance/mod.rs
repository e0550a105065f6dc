//! The cases of the Autobahn test suite for WebSocket servers (RFC 6455), on the socket of a race. The suite itself needs
//! Python 2 and a server that echoes; here a stroke that the other player sees tells that a message has been taken.
//! What differs from the suite on purpose is in `docs/protocol.md`.
//!
//! `cases` has the groups 1 to 5, 7, 9 and 10, `utf8` the group 6, and `wire` the connection.

mod cases;
mod utf8;
mod wire;

use self::wire::{Back, Wire};
use crate::persona::Player;
use crate::server::Server;

/// What is sent on a new socket, and what follows from it.
#[derive(Clone)]
struct Case {
    /// As the suite numbers it, if it does.
    name: String,
    /// The bytes, in the pieces in which they are written.
    pieces: Vec<Vec<u8>>,
    /// How many strokes the other player sees.
    strokes: usize,
    /// What comes back up to the end of the connection.
    back: Vec<Back>,
}

/// The track on which cases are run, and the other player.
struct Track {
    server: Server,
    anna: Player,
    ben: Player,
}

impl Track {
    async fn open() -> Self {
        // The markers come faster than a player types.
        let settings = Server::with().set("game.player_limit", 2);
        let server = settings.set("limits.frames_per_second", 1000).start().await;
        let [anna, ben] = server.race_of().await;
        Self { server, anna, ben }
    }

    /// Runs cases one after the other, and says of each that fails what came instead.
    async fn passes(&mut self, cases: Vec<Case>) {
        let mut failed = Vec::new();
        let count = cases.len();
        for case in cases {
            let mut wire = Wire::open(self.server.port(), &self.anna).await;
            for piece in &case.pieces {
                wire.send(piece).await;
            }
            let back = wire.end().await;
            let strokes = self.strokes().await;
            if (strokes, &back) != (case.strokes, &case.back) {
                let Case { name, strokes: wanted, back: awaited, .. } = case;
                failed.push(format!(
                    "{name}: {strokes} strokes and {back:?} instead of {wanted} and {awaited:?}"
                ));
            }
        }
        assert!(failed.is_empty(), "{} of {count} cases:\n{}", failed.len(), failed.join("\n"));
    }

    /// How many strokes the other player has seen since the last time.
    async fn strokes(&mut self) -> usize {
        let marker = self.anna.stroke(9, 0);
        self.anna.types(9, 0).await;
        let stroke = self.anna.stroke(wire::STROKE.0, wire::STROKE.1);
        let mut strokes = 0;
        loop {
            let heard = self.ben.hears("KEY_STOKE").await;
            if heard == marker {
                return strokes;
            }
            assert_eq!(heard, stroke);
            strokes += 1;
        }
    }
}

#[tokio::test]
async fn frames_pings_reserved_bits_and_opcodes_are_as_autobahn_wants_them() {
    let mut track = Track::open().await;
    let game = track.anna.game;
    track.passes([cases::framing(game), cases::pings(), cases::reserved(game)].concat()).await;
}

#[tokio::test]
async fn fragments_and_limits_are_as_autobahn_wants_them() {
    let mut track = Track::open().await;
    let game = track.anna.game;
    track.passes([cases::fragments(game), cases::limits(game)].concat()).await;
}

#[tokio::test]
async fn closing_is_as_autobahn_wants_it() {
    let mut track = Track::open().await;
    let game = track.anna.game;
    track.passes([cases::closing(game), cases::close_codes()].concat()).await;
}

#[tokio::test]
async fn utf8_is_as_autobahn_wants_it() {
    let mut track = Track::open().await;
    let game = track.anna.game;
    track.passes(utf8::cases(game)).await;
}

#[tokio::test]
async fn no_extension_is_negotiated() {
    let track = Track::open().await;
    let head = Wire::open(track.server.port(), &track.anna).await.head;
    assert!(head.starts_with("http/1.1 101") && !head.contains("extensions"), "{head}");
    // Compressed frames (groups 12 and 13) are those with a reserved bit.
    let mut wire = Wire::open(track.server.port(), &track.anna).await;
    wire.send(&wire::frame(0xc1, b"\x2a\x49\x2d\x2e\x01\x00")).await;
    assert_eq!(wire.end().await, [Back::Close(Some(1002))]);
}
