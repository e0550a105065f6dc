//! The live state: lobbies and races, as atomic operations of the game.
//!
//! Nobody reads facts, changes them and writes them back: each operation here does all of it at once,
//! so that players who come, leave and finish together are all counted. In one process ([`Embedded`]) what
//! an operation changed is written down before it returns; on Redis ([`RedisLive`]), which several servers
//! share, a result is.

mod embedded;
mod games;
mod keys;
mod names;
mod redis;
#[cfg(test)]
mod tests;
mod timed;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use embedded::Embedded;
pub use games::Games;
pub use keys::OneTime;

pub use self::redis::{Beat, RedisLive};
pub(crate) use timed::TimedLive;

use crate::Error;
use crate::game::{
    Door, Figures, Game, GameId, Progress, SocketId, TextWish, Timestamp, Unranked, User, UserId,
};

/// Somebody wants to play.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who.
    pub user: User,
    /// Which kind of lobby.
    pub door: Door,
    /// On which socket.
    pub socket: SocketId,
    /// The lobby to come back to, if one is asked for.
    pub previous: Option<GameId>,
    /// Now.
    pub now: Timestamp,
    /// The rules for a lobby that is opened or filled.
    pub rules: LobbyRules,
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
    /// The text of a lobby that is opened.
    pub text: TextWish,
}

/// What is taken for a player's result, and when it arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// The figures.
    pub figures: Figures,
    /// When.
    pub at: Timestamp,
    /// Why it is not to be ranked, if so.
    pub unranked: Option<Unranked>,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It was taken, with this rank; 0 if it has none, as those of bots.
    Taken(u32),
    /// There was a result of this player already, with this rank; nothing changed.
    Before(u32),
}

/// What became of those whose absence lasted too long.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Departed {
    /// They have lost their seats.
    pub users: Vec<UserId>,
    /// The lobby without them; `None` if nobody is left, and so the lobby is gone.
    pub game: Option<Arc<Game>>,
}

/// The atomic operations. Each returns the facts as it left them.
#[async_trait]
pub trait LiveState: Send + Sync {
    /// Seats a player, by the first of these that is possible: where the player sits already behind such a
    /// [`Door`], as long as START has not been given there; the open lobby that is asked for, or the
    /// oldest with room; the latest lobby of the invitation, if it has room; a new one. The socket is
    /// noted, once however often it enters. A guest's name is made unique in the game.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn enter(&self, entry: Entry) -> Result<Arc<Game>, Error>;

    /// A lobby socket of the player has closed. With the last one the absence begins.
    /// Returns the facts, if the lobby still waits.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn go_absent(
        &self,
        game: GameId,
        user: &UserId,
        socket: SocketId,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error>;

    /// The same for a socket that was never told its game: [`enter`](Self::enter) has failed, and may have
    /// seated the player behind that door all the same.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn abandon(
        &self,
        user: &UserId,
        door: &Door,
        socket: SocketId,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error>;

    /// Takes the seats of those who have been absent from a waiting lobby since `before` or longer.
    /// A lobby that nobody is left in goes away.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn dismiss_absent(
        &self,
        game: GameId,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Departed, Error>;

    /// Seats bots in an open lobby that waits and has none, until `limit` players sit there. Returns the
    /// facts, if somebody was seated.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn seat_bots(
        &self,
        game: GameId,
        bots: Vec<User>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error>;

    /// The host of an invitation's lobby has it close at `closes_at`, unless it closes sooner, and is ready from then on.
    /// Once it has closed nothing changes.
    ///
    /// # Errors
    /// `GAME_NOT_FOUND`, also if nobody was invited to it; `NOT_A_PARTICIPANT`, `NOT_THE_HOST`;
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn hasten(
        &self,
        game: GameId,
        host: &UserId,
        closes_at: Timestamp,
    ) -> Result<Arc<Game>, Error>;

    /// A player in a lobby is ready. Once all people are ([`Game::is_ready`]), it closes at `closes_at`, unless it
    /// closes sooner. Once it has closed nothing changes.
    ///
    /// # Errors
    /// `GAME_NOT_FOUND`, `NOT_A_PARTICIPANT`; `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could
    /// not be written down.
    async fn be_ready(
        &self,
        game: GameId,
        user: &UserId,
        closes_at: Timestamp,
    ) -> Result<Arc<Game>, Error>;

    /// Closes a lobby that is due. `None` if it was not there, not due, or closed already.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn close_lobby(&self, game: GameId, now: Timestamp) -> Result<Option<Arc<Game>>, Error>;

    /// Gives a closed lobby its words and its START. `None` if it has them already, or is not there.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn prepare(
        &self,
        game: GameId,
        words: Arc<str>,
        starts_at: Timestamp,
    ) -> Result<Option<Arc<Game>>, Error>;

    /// Gives START to a race that is due. `None` if it was not there, not due, or started already.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn start(&self, game: GameId, now: Timestamp) -> Result<Option<Arc<Game>>, Error>;

    /// Notes that a player is told START, if it is given and the player has not had it: of several
    /// sockets one gets `true`, and says it.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn claim_start(&self, game: GameId, user: &UserId, now: Timestamp)
    -> Result<bool, Error>;

    /// Takes that back, if it is what was noted then: START did not reach the player after all.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn release_start(
        &self,
        game: GameId,
        user: &UserId,
        claimed: Timestamp,
    ) -> Result<(), Error>;

    /// Adds to what was seen of a player's typing in a race that runs, as [`Progress::absorb`] does.
    /// Returns the facts, if it counts; after the result nothing does.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn track(
        &self,
        game: GameId,
        user: &UserId,
        seen: &Progress,
    ) -> Result<Option<Arc<Game>>, Error>;

    /// Takes a player's result and decides its rank, once.
    ///
    /// # Errors
    /// `GAME_NOT_FOUND`, `NOT_A_PARTICIPANT`, `GAME_NOT_STARTED`; `SERVICE_UNAVAILABLE`, if the live state
    /// does not answer, or it could not be written down.
    async fn finish(&self, game: GameId, user: &UserId, claim: Claim) -> Result<Finish, Error>;

    /// Takes a game away that is due. `None` if it was not there, or not due.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn end(&self, game: GameId, now: Timestamp) -> Result<Option<Arc<Game>>, Error>;

    /// The facts of a game.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    async fn find(&self, game: GameId) -> Result<Option<Arc<Game>>, Error>;

    /// The facts of every game, for the timers of a server that starts.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    async fn all(&self) -> Result<Vec<Arc<Game>>, Error>;

    /// The games that are kept in which a user has a seat, oldest first.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    async fn played(&self, user: &UserId) -> Result<Vec<Arc<Game>>, Error>;

    /// Gives the seats of a guest in closed lobbies, races and results to the account that the guest has
    /// logged in to; not in games in which the account sits already. Returns the games.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
    async fn hand_over(&self, guest: &UserId, account: &User) -> Result<Vec<GameId>, Error>;

    /// Whether it does what is needed of it: runs a script that writes.
    ///
    /// # Errors
    /// The cause, for the log.
    async fn probe(&self) -> Result<(), String>;

    /// Keeps a text under a key that is good once, until `until`; see `keep`, which keeps more than texts.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    async fn keep_once(&self, key: String, text: String, until: Timestamp) -> Result<(), Error>;

    /// The text that was kept under the key, if it is not used or too old.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer.
    async fn take_once(&self, key: &str, now: Timestamp) -> Result<Option<String>, Error>;

    /// Forgets the texts whose time is over, if nothing else does: Redis expires its keys itself.
    fn expire_once(&self, _now: Timestamp) {}
}
