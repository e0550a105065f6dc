//! When a ghost comes, where it is, and when it is done.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::game::{Figures, Game, Part, Player, Stage, Timestamp, User, UserId};
use crate::handlers::shared::{Claim, DrawnText, Passage, Recorded, SpotTape, Stroke, TextAbout};

/// Most bytes of a way: about 2,000 keystrokes. It is stored with the facts of the game.
const WAY: usize = 4 * 1024;

/// Time from the last letter to the result: a person's result has to travel, too.
const HANDING_IN: Duration = Duration::from_millis(100);

/// The recording that a race is against; stored with the game. The default stands for none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Challenge {
    /// The name of the recorded player.
    name: String,
    words: Arc<str>,
    about: TextAbout,
    way: SpotTape,
    figures: Option<Figures>,
}

impl Part for Challenge {
    const NAME: &'static str = "challenge";
}

impl Challenge {
    /// The challenge of a recording.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, if it cannot be raced.
    pub(super) fn of(recorded: &Recorded, now: Timestamp) -> Result<Self, Error> {
        if recorded.is_timed || recorded.spots.is_empty() {
            return Err(Error::validation("challenge: must be a race to the end of a text"));
        }
        let mut way = SpotTape::default();
        recorded.spots.iter().for_each(|spot| way.push(*spot, now));
        if way.is_cut || way.size() > WAY {
            return Err(Error::validation("challenge: the recording is too long"));
        }
        let DrawnText { words, about } = recorded.text.clone();
        let (name, figures) = (recorded.name.clone(), Some(recorded.figures));
        Ok(Self { name, words: words.into(), about, way, figures })
    }

    fn is_set(&self) -> bool {
        self.figures.is_some()
    }

    /// The name of the ghost.
    pub(super) fn label(&self) -> String {
        format!("ghost of {}", self.name)
    }

    /// The text to type, if there is a challenge.
    pub(super) fn text(&self) -> Option<DrawnText> {
        let about = TextAbout { kind: TextAbout::AGAIN.into(), ..self.about.clone() };
        self.is_set().then(|| DrawnText { words: self.words.to_string(), about })
    }

    /// Where the ghost is, and when.
    pub(super) fn strokes(&self) -> Vec<Stroke> {
        let spots = self.way.spots();
        let stroke = |it: crate::handlers::shared::Spot| Stroke {
            after: Duration::from_millis(it.at.into()),
            word_index: it.word_index,
            char_index: it.char_index,
        };
        spots.into_iter().map(stroke).collect()
    }

    /// From START to the last letter.
    fn duration(&self) -> Duration {
        self.strokes().last().map_or(Duration::ZERO, |stroke| stroke.after)
    }
}

fn ghost(game: &Game) -> Option<&Player> {
    game.players.iter().find(|player| player.user.is_ghost())
}

/// Whether the race has a challenge and its text, or will have: another module may have decided for another text.
fn is_challenge(game: &Game) -> bool {
    let (challenge, words) = (game.part::<Challenge>(), game.words());
    challenge.is_set() && (words.is_empty() || words == challenge.words)
}

/// When the ghost takes its seat: at once, if the lobby has a challenge.
pub(super) fn arrives_at(game: &Game) -> Option<Timestamp> {
    let is_due = game.stage < Stage::Running && ghost(game).is_none();
    (is_due && is_challenge(game)).then_some(game.opened_at)
}

/// Seats the ghost, if it is due. Returns whether it was.
pub(super) fn sit_down(game: &mut Game, user: User) -> bool {
    let is_due = arrives_at(game).is_some();
    if is_due {
        game.seat(user, None);
        game.log(Passage::Came);
    }
    is_due
}

/// The ghost of a running race that has no result yet, and START.
pub(super) fn typing(game: &Game) -> Option<(&UserId, Timestamp)> {
    let start = game.starts_at.filter(|_| game.stage == Stage::Running && is_challenge(game))?;
    let ghost = ghost(game).filter(|ghost| ghost.result.is_none())?;
    Some((&ghost.user.id, start))
}

/// When the result of the ghost is due.
pub(super) fn finishes_at(game: &Game) -> Option<Timestamp> {
    let (_, start) = typing(game)?;
    Some(start + game.part::<Challenge>().duration() + HANDING_IN)
}

/// What the ghost hands in now, if it is due.
pub(super) fn claim(game: &Game, now: Timestamp) -> Option<(UserId, Claim)> {
    let (ghost, _) = typing(game)?;
    let figures = game.part::<Challenge>().figures?;
    let is_due = finishes_at(game)? <= now;
    is_due.then(|| (ghost.clone(), Claim { figures, at: now, unranked: None }))
}
