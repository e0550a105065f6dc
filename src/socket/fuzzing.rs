//! Entry points for fuzzing what clients send on a socket.

use std::any::Any;
use std::sync::Arc;

use super::input::Input;
use super::rooms::{KeptPlayer, Member, RACE, Seat};
use super::sender::{FrameHandlers, Sent};
use super::session::address;
use crate::bus::Bus;
use crate::game::GameId;
use crate::module::context::Ground;
use crate::module::{Cx, Declarations};
use crate::settings::Settings;

/// A race of two players: one sends the fuzzer's input, the other watches.
pub struct Track {
    bus: Arc<Bus<Cx>>,
    ground: Arc<Ground>,
    frames: FrameHandlers,
    seat: Seat,
    watcher: Arc<Member>,
}

impl Track {
    /// With the frame handlers of all modules.
    pub fn of(mut declared: Declarations) -> Self {
        let (_, ground) = declared.set_up(Settings::default()).expect("the default settings");
        let Declarations { bus, rooms, frames, .. } = declared;
        let [member, watcher] = [(1, "anna"), (2, "ben")].map(|(socket, user)| {
            let (user, outbox) = (Some(user.into()), Arc::default());
            Arc::new(Member { socket, module: "race", user, login: None, outbox })
        });
        rooms.enter(RACE, GameId(1), &member, 2);
        let room = rooms.enter(RACE, GameId(1), &watcher, 2);
        let (game, user, socket) = (GameId(1), "anna".into(), member.socket);
        let seat =
            Seat { game, user, socket, round_trip: None, kept: KeptPlayer::of(Arc::new(())), room };
        Self { bus: bus.build().0, ground, frames, seat, watcher }
    }

    /// Handles a text frame, on every channel; the room keeps `own` for its player. What the watcher is shown must be a
    /// message about one of the first `length` words.
    pub fn takes(&self, text: &str, own: Arc<dyn Any + Send + Sync>, length: usize) {
        let seat = Seat { kept: KeptPlayer::of(own), ..self.seat.clone() };
        for channel in self.frames.keys() {
            let Ok(addressed) = address(&self.frames, *channel, text) else { continue };
            let outbox = Arc::default();
            let sent = Sent { seat: &seat, outbox: &outbox, ground: &self.ground, text };
            drop((addressed.frame.handler)(&self.bus, &sent));
        }
        for text in self.watcher.outbox.take_texts() {
            let shown: serde_json::Value = serde_json::from_str(&text).expect("a message");
            let word = shown["word_index"].as_u64().expect("a position");
            assert!((word as usize) < length, "{shown}");
        }
    }
}

/// The bytes of a connection: the messages in them must not depend on how they are split.
pub fn fragments(bytes: &[u8], piece: usize) {
    let read = |piece: usize| {
        let (mut input, mut messages) = (Input::new(4096), Vec::new());
        for mut piece in bytes.chunks(piece.max(1)) {
            while let Some(message) = input.parse(&mut piece) {
                let is_broken = message.is_err();
                messages.push(message);
                if is_broken {
                    return messages;
                }
            }
        }
        messages
    };
    assert_eq!(read(piece), read(bytes.len()), "in pieces of {piece}");
}
