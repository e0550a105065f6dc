//! Questions that modules of the game ask each other.

use std::collections::HashMap;
use std::sync::Arc;

use super::{DrawnText, Spot, TextWish};
use crate::game::{Door, Figures, Game, GameId, Parts, UserId};
use crate::module::Question;

/// Asked by the login page: whether players can create accounts with name and password on this server.
#[derive(Debug)]
pub struct PasswordAccounts;

impl Question for PasswordAccounts {
    const NAME: &'static str = "accounts.offered";
    type Answer = bool;
}

/// Asked by the lobby: a player wants a kind of race that it does not know, by `game_type` of the query.
#[derive(Debug)]
pub struct ModeWanted {
    /// The query of the lobby socket, `game_type` included.
    pub query: HashMap<String, String>,
}

/// A kind of race.
#[derive(Clone, Debug, PartialEq)]
pub struct Mode {
    /// The door at which its players meet, if they come without an invitation.
    pub door: Door,
    /// What is stored with a lobby that is opened for it.
    pub parts: Parts,
}

impl Question for ModeWanted {
    const NAME: &'static str = "mode.wanted";
    type Answer = Mode;
}

/// Asked by the lobby, of all modules: what is stored with a lobby that this query opens, alone or for friends.
#[derive(Debug)]
pub struct LobbyWanted {
    /// The query of the lobby socket.
    pub query: HashMap<String, String>,
}

impl Question for LobbyWanted {
    const NAME: &'static str = "lobby.wanted";
    type Answer = Parts;
}

/// Asked when a lobby has closed: which text its players type. Without an answer, it is drawn from the server's words.
#[derive(Debug)]
pub struct TextWanted {
    /// The game.
    pub game: Arc<Game>,
    /// The number of words, and how they are dressed. A race with a time limit needs as many words as it asks for.
    pub wish: TextWish,
}

impl Question for TextWanted {
    const NAME: &'static str = "text.wanted";
    type Answer = DrawnText;
}

/// Asked before a claim is checked and becomes a result: a module may accept it in a way of its own.
#[derive(Debug)]
pub struct ClaimMade {
    /// The race.
    pub game: Arc<Game>,
    /// The player.
    pub user: UserId,
    /// The claimed figures: valid, but not checked against the typing.
    pub figures: Figures,
    /// The claimed number of correct words, if the client counts them.
    pub correct_words: Option<u32>,
}

impl Question for ClaimMade {
    const NAME: &'static str = "claim.made";
    /// It is accepted: nothing more is to be done.
    type Answer = ();
}

/// Asked before the claim of a player is checked: the figures that follow from what the player has typed, if that is known as
/// a whole.
#[derive(Debug)]
pub struct FiguresWanted {
    /// The race.
    pub game: Arc<Game>,
    /// The player.
    pub user: UserId,
}

impl Question for FiguresWanted {
    const NAME: &'static str = "figures.wanted";
    type Answer = Figures;
}

/// Asked for the link to the replay of a race.
#[derive(Debug)]
pub struct ReplayWanted {
    /// The race.
    pub game: GameId,
}

impl Question for ReplayWanted {
    const NAME: &'static str = "replay.wanted";
    /// The last part of its address; no answer if nothing is recorded.
    type Answer = String;
}

/// Asked for what one player typed in a recorded race.
#[derive(Debug)]
pub struct RecordingWanted {
    /// The race.
    pub game: GameId,
    /// The number of the player in the replay, from 1.
    pub player: usize,
}

/// What a player has typed in a race.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The player's name in that race.
    pub name: String,
    /// The text.
    pub text: DrawnText,
    /// Whether the race was against the clock.
    pub is_timed: bool,
    /// The positions, with their times.
    pub spots: Vec<Spot>,
    /// The figures of the result.
    pub figures: Figures,
}

impl Question for RecordingWanted {
    const NAME: &'static str = "recording.wanted";
    /// No answer without a result.
    type Answer = Recorded;
}

/// Asked for the fastest recorded race of a player, to the end of a text.
#[derive(Debug)]
pub struct BestWanted {
    /// The player.
    pub user: UserId,
}

impl Question for BestWanted {
    const NAME: &'static str = "best.wanted";
    /// The race, and the number of the player in its replay, from 1.
    type Answer = (GameId, usize);
}
