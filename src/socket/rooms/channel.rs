//! Channels: the kinds of sockets.

use std::fmt;

/// The kind of a socket. The sockets of one game and channel share a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Channel(pub &'static str);

/// The lobby's sockets (`queue-in`).
pub const LOBBY: Channel = Channel("lobby");
/// The race's sockets.
pub const RACE: Channel = Channel("race");

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
