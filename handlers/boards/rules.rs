//! Which results are on boards.

use serde::{Deserialize, Serialize};

use super::entry::{Board, BoardEntry, BoardRace, Period};
use crate::game::{Game, Part, Player, Result as GameResult, Timestamp, UserId, UserType};
use crate::handlers::shared::{Grade, Text, again_at, raise};

/// How many results of the race are entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Entered(pub(super) usize);

impl Part for Entered {
    const NAME: &'static str = "boards_entered";
}

/// The ranked results of registered players.
pub(super) fn results(game: &Game) -> impl Iterator<Item = &Player> {
    let is_ranked = |player: &&Player| player.result.is_some_and(|result| result.rank > 0);
    let players = game.players.iter().filter(|it| it.user.user_type == UserType::Registered);
    players.filter(is_ranked)
}

/// When the results of a race are entered again: some time after the last one, unless that is done.
pub(super) fn due(game: &Game) -> Option<Timestamp> {
    again_at(results(game), game.part::<Entered>().0)
}

/// Notes how many results are entered. Returns whether that is news.
pub(super) fn put_count(game: &mut Game, entered: Entered) -> bool {
    game.edit(|known: &mut Entered| raise(&mut known.0, entered.0))
}

/// The kind of a race: that of its text, with the time if it is against the clock. `None` if it is on no board.
pub(super) fn kind_of(game: &Game) -> Option<String> {
    let kind = game.text_kind()?;
    Some(match game.time_limit() {
        Some(limit) => format!("{kind}-{}s", limit.as_secs()),
        None => kind,
    })
}

/// A result that is on boards.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BoardResult {
    kind: String,
    pub(super) user: UserId,
    name: String,
    race: BoardRace,
}

impl BoardResult {
    /// The result of a player: ranked, of a registered player, and in a text of at least so many words.
    pub(super) fn of(game: &Game, player: &Player, least_words: usize) -> Option<Self> {
        let result = player.result.filter(|result| result.rank > 0)?;
        let is_long = Text::of(&game.words()).words() >= least_words;
        if player.user.user_type != UserType::Registered || !is_long {
            return None;
        }
        let GameResult { figures, finished, .. } = result;
        let race = BoardRace { game: game.id, figures, grade: None, finished };
        let (user, name) = (player.user.id.clone(), player.user.name.clone());
        Some(Self { kind: kind_of(game)?, user, name, race })
    }

    /// Its entries on the boards of its time, with its grade.
    pub(super) fn entries(&self, grade: Option<Grade>) -> Vec<BoardEntry> {
        let boards = Period::ALL.map(|period| Board::at(period, &self.kind, self.race.finished));
        let race = BoardRace { grade, ..self.race };
        let is_verified = grade == Some(Grade::Verified);
        let verified = boards.clone().into_iter().filter(|_| is_verified).map(Board::of_verified);
        let entry = |board| BoardEntry::of(&board, self.user.clone(), self.name.clone(), race);
        boards.into_iter().chain(verified).map(entry).collect()
    }

    /// The keys of its entries on the boards of verified races.
    pub(super) fn verified_keys(&self) -> impl Iterator<Item = String> {
        let boards = Period::ALL.map(|period| Board::at(period, &self.kind, self.race.finished));
        boards.into_iter().map(|board| board.of_verified().key_of(&self.user))
    }
}
