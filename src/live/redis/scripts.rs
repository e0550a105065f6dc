//! The scripts: each operation is one of them, so that it is atomic and one round trip.
//!
//! They stand beside this file; each begins with `common.lua`. A script touches keys of one slot only;
//! those that it makes up by itself begin with a key that it was given.

use std::sync::LazyLock;

use redis::Script;

macro_rules! scripts {
    ($($(#[doc = $doc:literal])* $name:ident = $file:literal;)*) => {
        $($(#[doc = $doc])* pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            let common = include_str!("scripts/common.lua");
            let own = include_str!(concat!("scripts/", $file, ".lua"));
            Script::new(&format!("{common}\n{own}"))
        });)*
    };
}

scripts! {
    /// Seats a player.
    ENTER = "enter";
    /// The same, in a game that is prepared.
    REENTER = "reenter";
    /// A lobby socket has closed.
    GO_ABSENT = "go_absent";
    /// One that was not told its game.
    ABANDON = "abandon";
    /// Takes the seats of those who were absent for too long.
    DISMISS = "dismiss";
    /// Seats bots.
    SEAT_BOTS = "seat_bots";
    /// The host wants the lobby closed.
    HASTEN = "hasten";
    /// A player is ready.
    BE_READY = "be_ready";
    /// Closes a lobby.
    CLOSE = "close";
    /// Makes a race of a closed lobby.
    MOVE = "move";
    /// Removes the lobby of which it was made.
    SETTLE = "settle";
    /// Gives START.
    START = "start";
    /// Gives up the seats of a game that runs, or is over.
    UNSEAT = "unseat";
    /// Notes that a player is told START.
    CLAIM_START = "claim_start";
    /// Takes that back.
    RELEASE_START = "release_start";
    /// Adds to what was seen of a player's typing.
    TRACK = "track";
    /// Takes a result.
    FINISH = "finish";
    /// Gives a seat of a guest to an account.
    HAND_OVER = "hand_over";
    /// The same with the place that the guest comes back to.
    MOVE_SEAT = "move_seat";
    /// Takes what is good once.
    TAKE_ONCE = "take_once";
    /// Takes the sockets of a dead pod out of lobbies.
    FORGET = "forget";
    /// What is due on the agenda.
    OVERDUE = "overdue";
    /// Writes, to see whether that is possible.
    PROBE = "probe";
    /// A sign of life.
    BEAT = "beat";
    /// Who gives none.
    SILENT = "silent";
}
