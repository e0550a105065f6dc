//! Property tests of lobbies and races. A story is a random sequence of steps of some players. It runs against an
//! in-memory store: after each step the rules' promises must hold. Then both stores must behave in the same way.

mod clerk;
mod cluster;
mod commits;
mod contract;
mod crowd;
mod embedded;
mod examples;
mod promises;
mod redis;
mod restarts;
mod shares;
mod story;
mod test_pod;

use std::time::Duration;

use self::test_pod::{MemoryGames, TestPod};
use crate::game::{
    Door, Figures, Game, GameId, OpenSocket, Parts, SocketId, Stage, Timestamp, Unranked, User,
    UserId, UserType,
};
use crate::handlers::lobby::seats::{LobbyRules, SeatRequest};
use crate::handlers::shared::{Claim, Finish, Level, Progress, TextWish, Wishes, token_of};
use crate::{Error, Kind};

/// The rules of these lobbies; half seconds, so that waits often end exactly when something is due.
fn rules(player_limit: usize) -> LobbyRules {
    LobbyRules {
        player_limit,
        countdown: Duration::from_secs(2),
        full_grace: Duration::from_millis(500),
        kept: Duration::from_secs(12),
    }
}

/// The socket of a player with one socket.
const SOCKET: SocketId = SocketId(1);
/// How long a player may be absent.
const ABSENCE: Duration = Duration::from_millis(500);
/// From the words to START.
const START_COUNTDOWN: Duration = Duration::from_millis(500);
/// Grace period after a restart, in which nothing is due.
const RESUME: Duration = Duration::from_secs(1);

/// The `n`th player. Some share a name, and some are registered.
fn player(n: usize) -> User {
    let is_guest = n % 5 != 4;
    let (kind, user_type) =
        if is_guest { ("guest", UserType::Guest) } else { ("player", UserType::Registered) };
    let name = ["Anna", "Ben", "Anna 2"][n % 3].to_owned();
    User { id: format!("{kind}-{n}").as_str().into(), name, user_type }
}

fn request(n: usize, rules: LobbyRules, now: Timestamp) -> SeatRequest {
    request_on(SOCKET, n, rules, now)
}

/// A socket on the pod that gets the request.
fn on_a_pod(socket: SocketId) -> OpenSocket {
    (socket, "here".into())
}

fn request_on(socket: SocketId, n: usize, rules: LobbyRules, now: Timestamp) -> SeatRequest {
    let socket = on_a_pod(socket);
    let user = player(n);
    SeatRequest {
        user,
        door: Door::OPEN,
        socket,
        previous: None,
        now,
        rules,
        parts: parts(),
        level: Level::default(),
    }
}

/// What a lobby opens with.
fn parts() -> Parts {
    let text = TextWish { words: Some(50), punctuation: true, numbers: false };
    Parts::default().with(Wishes { text, ..Wishes::default() })
}

/// One of two invitations.
fn invited(n: i64) -> Door {
    crate::handlers::shared::invited(&format!("invitation-{}", n % 2))
}

/// The same request, for a race alone.
fn alone(request: SeatRequest) -> SeatRequest {
    let rules = LobbyRules { player_limit: 1, ..request.rules };
    SeatRequest { door: Door::ALONE, rules, ..request }
}

/// Two bots with the same name as the player Anna.
fn bots() -> Vec<User> {
    let bot = |n| User { id: UserId::from(n), name: "Anna".into(), user_type: UserType::Guest };
    vec![bot("bot-1"), bot("bot-2")]
}

fn claim(at: Timestamp) -> Claim {
    Claim { figures: Figures { wpm: 60.0, wpm_raw: 65.0, acc: 97.5 }, at, unranked: None }
}
