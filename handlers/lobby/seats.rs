//! The seats of a lobby: transitions.

use std::time::Duration;

use crate::game::{
    Door, Game, GameId, OpenSocket, Parts, SocketId, Stage, Timestamp, User, UserId,
};
use crate::handlers::shared::{Level, Passage, Wishes};
use crate::live::Step;
use crate::{Error, Kind};

/// A player asks for a seat in a lobby.
#[derive(Clone, Debug)]
pub struct SeatRequest {
    /// The player.
    pub user: User,
    /// The kind of lobby.
    pub door: Door,
    /// The player's socket.
    pub socket: OpenSocket,
    /// The lobby to return to, if one is requested.
    pub previous: Option<GameId>,
    /// Now.
    pub now: Timestamp,
    /// The rules for a lobby that is opened or filled.
    pub rules: LobbyRules,
    /// What modules store with a lobby that is opened.
    pub parts: Parts,
    /// The player's level.
    pub level: Level,
}

/// How lobbies open and fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LobbyRules {
    /// Players at most.
    pub player_limit: usize,
    /// How long a lobby waits after its first player.
    pub countdown: Duration,
    /// How long a full lobby waits for its last player to get the cookie.
    pub full_grace: Duration,
    /// How long a game is kept after its lobby was opened.
    pub kept: Duration,
}

/// A lobby that opens for a player, still without seats.
pub fn open(id: GameId, request: &SeatRequest) -> Game {
    let (now, rules) = (request.now, &request.rules);
    Game {
        door: request.door.clone(),
        closes_at: now + rules.countdown,
        ends_at: now + rules.kept,
        ..Game::opened(id, now, request.parts.clone())
    }
}

/// Seats a player: in the player's own seat, or in a new one if the lobby has room. Returns whether that was possible.
pub fn seat(game: &mut Game, request: &SeatRequest) -> bool {
    if !come_back(game, request) {
        if game.door != request.door || !game.has_room(request.now) {
            return false;
        }
        take_new_seat(game, request);
    }
    true
}

/// Seats a player in the player's own seat, before START. Returns whether there is one.
pub fn come_back(game: &mut Game, request: &SeatRequest) -> bool {
    if !game.holds_seat(&request.user.id, &request.door) {
        return false;
    }
    if let Some(player) = game.player_mut(&request.user.id) {
        player.sockets.extend([request.socket.clone()]);
        player.absent_since = None;
    }
    // The latest entry of the log is this arrival: the lobby socket relies on it.
    if game.stage == Stage::Lobby {
        game.log(Passage::Came);
        // A page that reloads may say that its player is ready before it is back.
        close_if_ready(game, request.now + request.rules.full_grace);
    }
    true
}

fn take_new_seat(game: &mut Game, request: &SeatRequest) {
    game.seat(request.user.clone(), Some(request.socket.clone()));
    if request.level.0.is_some()
        && let Some(player) = game.player_mut(&request.user.id)
    {
        player.put(request.level);
    }
    if game.players.len() > request.rules.player_limit {
        send_a_bot_away(game);
    }
    if game.people().count() >= request.rules.player_limit {
        game.full = true;
        game.closes_at = request.now + request.rules.full_grace;
    }
    game.log(Passage::Came);
}

/// Bots make room for people.
fn send_a_bot_away(game: &mut Game) {
    let last = game.players.iter().rfind(|player| !player.user.is_person());
    if let Some(bot) = last.map(|player| player.user.id.clone()) {
        game.take_seats(|player| player.user.id == bot);
    }
}

/// Takes back the seat of a player whom another pod has seated elsewhere at the same time.
pub fn withdraw(game: &mut Game, user: &UserId) -> Step<()> {
    if game.stage > Stage::Lobby || game.take_seats(|player| player.user.id == *user).is_empty() {
        return Step::unchanged(());
    }
    if game.people().next().is_none() { Step::over(()) } else { Step::changed(()) }
}

/// A lobby socket of a player has closed; the absence begins with the last one.
pub fn go_absent(game: &mut Game, user: &UserId, socket: SocketId, now: Timestamp) -> Step<()> {
    let waits = game.stage == Stage::Lobby;
    let Some(player) = game.player_mut(user).filter(|_| waits) else { return Step::unchanged(()) };
    player.lose_sockets(|it, _| *it == socket, now);
    Step::changed(())
}

/// Takes the seats of players who have been absent from a waiting lobby for `grace` or longer, and returns their ids.
/// A lobby without people is over.
pub fn dismiss_absent(game: &mut Game, grace: Duration, now: Timestamp) -> Step<Vec<UserId>> {
    if game.stage != Stage::Lobby {
        return Step::unchanged(Vec::new());
    }
    let since = game.players.iter().filter_map(|player| player.absent_since);
    let latest = since.filter(|since| *since + grace <= now).max();
    let Some(latest) = latest else { return Step::unchanged(Vec::new()) };
    let left = game.take_seats(|player| player.absent_since.is_some_and(|it| it <= latest));
    let is_empty = game.people().next().is_none();
    let step = if is_empty { Step::over(left) } else { Step::changed(left) };
    step.not_before(latest + grace)
}

/// Closes a lobby that is due. If all people are absent, the lobby is over instead.
pub fn close(game: &mut Game, now: Timestamp) -> Step<()> {
    if game.stage != Stage::Lobby || game.closes_at > now {
        return Step::unchanged(());
    }
    let due = game.closes_at;
    if game.people().all(|player| player.absent_since.is_some()) {
        return Step::over(()).not_before(due);
    }
    game.stage = Stage::Closed;
    Step::changed(()).not_before(due)
}

/// A player in a lobby is ready. Once all people are ([`Game::is_ready`]), it closes at `closes_at`, unless it
/// closes sooner. Once it has closed nothing changes.
///
/// # Errors
/// `NOT_A_PARTICIPANT`.
pub fn be_ready(game: &mut Game, user: &UserId, closes_at: Timestamp) -> Step<Result<(), Error>> {
    if game.player(user).is_none() {
        return Step::unchanged(Err(Kind::NOT_A_PARTICIPANT.into()));
    }
    if game.stage > Stage::Lobby || game.part::<Wishes>().ready.contains(user) {
        return Step::unchanged(Ok(()));
    }
    game.edit(|wishes: &mut Wishes| wishes.ready.insert(user.clone()));
    close_if_ready(game, closes_at);
    Step::changed(Ok(()))
}

/// Once all people are ready ([`Game::is_ready`]), the lobby closes at `closes_at`, unless it closes sooner.
fn close_if_ready(game: &mut Game, closes_at: Timestamp) {
    if game.is_ready() {
        game.closes_at = game.closes_at.min(closes_at);
    }
}
