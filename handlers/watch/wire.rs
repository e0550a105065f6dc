//! The messages and answers about races that are watched. Players are known by the numbers of their seats.

use salvo::extract::Metadata;
use salvo::oapi::{Components, EndpointArgRegister, Operation, ToSchema};
use salvo::{Depot, Extractible, Request};
use serde::{Deserialize, Serialize};

use super::audience::Audiences;
use super::count::{SpectatorCounts, SpectatorsCounted};
use crate::Error;
use crate::bus::{Event, Never, Reach};
use crate::game::{GameId, PlayerMoved};
use crate::handlers::shared::{BotMoved, CaretTold, GhostMoved, PublicLink, Standing, TextAbout};
use crate::http::{lenient, no_metadata};
use crate::module::{Brief, Gathered};
use crate::socket::{Message, Newest};

/// How far a race has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum WatchStage {
    /// Players are coming.
    Lobby,
    /// START is due.
    Countdown,
    /// START was given.
    Running,
    /// All players have a result, or the game is removed.
    Over,
}

/// The position of a player: the number of the seat, the index of the word, from 0, and the index of the last character typed in
/// the word, -1 before the first.
pub(super) type WatchCaret = [i64; 3];

/// A race as spectators see it. Stands for all before it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Watching {
    pub(super) game_id: GameId,
    pub(super) stage: WatchStage,
    /// The words of the text, joined by single blanks; null in the lobby.
    pub(super) words: Option<String>,
    /// What is known of the text; absent for common words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<TextAbout>,
    /// For how many seconds the text may be typed; present in races against the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seconds: Option<u16>,
    /// Seconds until START is due, in the countdown.
    pub(super) starts_in: Option<f64>,
    /// Seconds since START, while the race is running.
    pub(super) running_for: Option<f64>,
    /// The players with their results so far; `id` is the number of the seat, from 1.
    pub(super) players: Vec<Standing>,
    /// The positions of players: `[seat, word, character]`.
    pub(super) carets: Vec<WatchCaret>,
    /// How many are watching.
    pub(super) spectators: u32,
    /// The last part of the replay's address, once the race is over and recorded.
    pub(super) replay: Option<String>,
}

impl Message for Watching {
    const EVENT: &'static str = "WATCHING";
}

/// Where the carets are now, once per tick while something moves. Players without one have not typed since the spectator's pod
/// began to watch: they are where `WATCHING` has them.
#[derive(Serialize, ToSchema)]
pub(super) struct Carets {
    game_id: GameId,
    /// `[seat, word, character]`.
    carets: Vec<WatchCaret>,
    /// How many are watching.
    spectators: u32,
}

impl Message for Carets {
    const EVENT: &'static str = "CARETS";
}

/// What is noted for the next tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WatchRow {
    /// The word and the character that a player has reached.
    Caret(u32, i32),
    /// The number of spectators has changed.
    Counted,
}

impl WatchRow {
    pub(super) fn moved(it: &PlayerMoved) -> Self {
        Self::Caret(it.word_index, it.char_index)
    }

    pub(super) fn bot_moved(it: &BotMoved) -> Self {
        Self::Caret(it.word_index, it.char_index)
    }

    pub(super) fn ghost_moved(it: &GhostMoved) -> Self {
        Self::Caret(it.word_index, it.char_index)
    }

    pub(super) fn told(it: &CaretTold) -> Self {
        Self::Caret(it.word_index, it.char_index)
    }

    pub(super) fn counted(_: &SpectatorsCounted) -> Self {
        Self::Counted
    }

    pub(super) fn position(self) -> Option<(u32, i32)> {
        match self {
            Self::Caret(word, char) => Some((word, char)),
            Self::Counted => None,
        }
    }
}

impl Gathered for Carets {
    type Row = WatchRow;

    fn of(brief: Brief<'_>, game_id: GameId, rows: &Newest<WatchRow>) -> Option<Self> {
        let scene = brief.state::<Audiences>().get(game_id)?.known()?;
        // A guest after a login is known once the facts are read again.
        let carets =
            rows.iter().filter_map(|(user, row)| scene.caret(user.as_ref()?, row.position()?));
        let spectators = brief.state::<SpectatorCounts>().shown(game_id);
        Some(Self { game_id, carets: carets.collect(), spectators })
    }
}

/// How many are watching the race or its lobby. Sent to the players, at most once per second, when it changes.
#[derive(Serialize, ToSchema)]
pub(super) struct Spectators {
    pub(super) game_id: GameId,
    /// On all pods.
    pub(super) count: u32,
}

impl Message for Spectators {
    const EVENT: &'static str = "SPECTATORS";
}

impl Spectators {
    pub(super) fn of(counted: &SpectatorsCounted) -> Self {
        Self { game_id: counted.game, count: counted.count }
    }
}

/// The host has allowed or forbidden spectators.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct WatchChosen {
    pub(super) game: GameId,
    pub(super) allowed: bool,
}

impl Event for WatchChosen {
    const NAME: &'static str = "watch.chosen";
    const REACH: Reach = Reach::Game;
    type Loss = Never;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// Whether spectators may watch the lobby and its race, as the host has chosen now.
#[derive(Serialize, ToSchema)]
pub(super) struct Allowed {
    game_id: GameId,
    allowed: bool,
}

impl Message for Allowed {
    const EVENT: &'static str = "WATCH_CHOSEN";
}

impl Allowed {
    pub(super) fn of(chosen: &WatchChosen) -> Self {
        Self { game_id: chosen.game, allowed: chosen.allowed }
    }
}

/// A choice of the host.
#[derive(Deserialize, ToSchema)]
pub(super) struct WatchChoice {
    /// The game.
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) game_id: i64,
    /// Whether spectators may watch.
    pub(super) allowed: bool,
}

/// The way to watch a game.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "WatchLink"))]
pub(super) struct WatchLink {
    /// The last part of the address for spectators; null if the host has forbidden them.
    pub(super) link: Option<String>,
    /// Whether spectators may watch.
    pub(super) allowed: bool,
    /// How many are watching.
    pub(super) spectators: u32,
}

/// The race of a link, in the path.
pub(super) struct WatchedGame(pub(super) GameId);

impl<'ex> Extractible<'ex> for WatchedGame {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, Error> {
        PublicLink::Watch.in_path(req, depot).await.map(Self)
    }
}

impl EndpointArgRegister for WatchedGame {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        PublicLink::document(components, operation, "link", "The link for spectators.");
    }
}
