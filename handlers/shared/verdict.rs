//! Verdicts: an organiser has struck a result, or cleared it. A module that counts results asks for the verdict before it counts
//! one, and again when it hears that there is a new one.

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::Grade;
use crate::Error;
use crate::bus::{Event, Never, Reach};
use crate::game::{Figures, Game, GameId, Part, Player, Timestamp, UserId};
use crate::live::Step;
use crate::module::{Cx, Question};

/// What organisers have decided about a result, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether it is struck: it does not count. Otherwise it is cleared.
    pub is_struck: bool,
    /// Why, in a sentence that the player can read.
    pub reason: String,
    /// When that was decided.
    pub at: Timestamp,
}

impl Verdict {
    /// Whether another one says the same, whenever it was given.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.is_struck == other.is_struck && self.reason == other.reason
    }
}

/// Whether a player's result is struck, while the facts of the race are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct IsStruck(bool);

impl Part for IsStruck {
    const NAME: &'static str = "struck";
}

impl Player {
    /// Whether the result is struck: what follows from the facts leaves it out.
    pub fn is_struck(&self) -> bool {
        self.part::<IsStruck>().0
    }
}

impl Verdict {
    /// Notes it in the facts of the race.
    pub fn put_into(&self, game: &mut Game, user: &UserId) -> Step<()> {
        let player = game.player_mut(user).filter(|it| it.is_struck() != self.is_struck);
        let is_news = player.is_some();
        player.into_iter().for_each(|player| player.put(IsStruck(self.is_struck)));
        Step::changed_if(is_news)
    }
}

/// Asked by modules that count or show results: the verdict on a player's result. Without an answer there is none.
#[derive(Clone, Debug)]
pub struct VerdictWanted {
    /// The race.
    pub game: GameId,
    /// The player.
    pub user: UserId,
}

impl Question for VerdictWanted {
    const NAME: &'static str = "verdict.wanted";
    type Answer = Verdict;
}

/// Whether a player's result is struck.
///
/// # Errors
/// As of [`Cx::ask`].
pub async fn is_struck(cx: &Cx, game: GameId, user: &UserId) -> Result<bool, Error> {
    let verdict = cx.ask(VerdictWanted { game, user: user.clone() }).await?;
    Ok(verdict.is_some_and(|verdict| verdict.is_struck))
}

/// There is a new verdict on a result: [`VerdictWanted`] has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResultJudged {
    /// The race.
    pub game: GameId,
    /// The player.
    pub user: UserId,
}

impl Event for ResultJudged {
    const NAME: &'static str = "result.judged";
    const REACH: Reach = Reach::Once;
    type Loss = Never;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// Asked when a result is to be judged: whose it is, by the id of its signed form.
#[derive(Clone, Debug)]
pub struct ResultWanted {
    /// The id.
    pub id: String,
}

impl Question for ResultWanted {
    const NAME: &'static str = "result.wanted";
    type Answer = (GameId, UserId);
}

/// Asked when organisers look: results under suspicion, or those that are judged.
#[derive(Clone, Debug)]
pub struct SuspectsWanted {
    /// Those that are judged; else those that are under suspicion, and not judged.
    pub are_judged: bool,
    /// How many.
    pub size: u32,
    /// Where the page begins: `next` of the page before.
    pub after: Option<String>,
}

impl Question for SuspectsWanted {
    const NAME: &'static str = "suspects.wanted";
    type Answer = Suspects;
}

/// Some results, newest first.
#[derive(Clone, Debug, Default)]
pub struct Suspects {
    /// The results.
    pub rows: Vec<Suspect>,
    /// Where the next page begins, if there are more.
    pub next: Option<String>,
}

/// A result that organisers look at.
#[derive(Clone, Debug)]
pub struct Suspect {
    /// The race.
    pub game: GameId,
    /// The player's name in it.
    pub name: String,
    /// The result.
    pub figures: Figures,
    /// When it arrived.
    pub finished: Timestamp,
    /// What it is based on.
    pub grade: Option<Grade>,
    /// Why it is not verified, and the signals that a program has typed, as the API names them.
    pub why: Vec<String>,
    /// The link of the replay.
    pub link: String,
    /// The id of the signed result.
    pub id: String,
    /// The verdict so far.
    pub verdict: Option<Verdict>,
}
