//! What a transition says.

use crate::game::Timestamp;

/// What a transition makes of a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing: the facts stay as they were, whatever it did to its copy of them.
    Unchanged,
    /// Nothing; but the caller goes on only when what the facts say is in the records.
    Recorded,
    /// The facts have changed.
    Changed,
    /// The game is over, and is taken away.
    Over,
}

/// The answer of a transition: what it tells the caller, and what becomes of the game.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<T> {
    outcome: T,
    fate: Fate,
    not_before: Option<Timestamp>,
}

impl<T> Step<T> {
    fn new(outcome: T, fate: Fate) -> Self {
        Self { outcome, fate, not_before: None }
    }

    /// Nothing has changed.
    pub fn unchanged(outcome: T) -> Self {
        Self::new(outcome, Fate::Unchanged)
    }

    /// Nothing has changed; the caller waits until the facts are in the records.
    pub fn recorded(outcome: T) -> Self {
        Self::new(outcome, Fate::Recorded)
    }

    /// The facts have changed.
    pub fn changed(outcome: T) -> Self {
        Self::new(outcome, Fate::Changed)
    }

    /// The game is over.
    pub fn over(outcome: T) -> Self {
        Self::new(outcome, Fate::Over)
    }

    /// Only from then on, by the clock that all pods share: no pod whose own clock is wrong ends what others wait for.
    pub fn not_before(self, at: Timestamp) -> Self {
        Self { not_before: Some(at), ..self }
    }

    /// What becomes of the game.
    pub fn fate(&self) -> Fate {
        self.fate
    }

    /// Since when that may be.
    pub fn due(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// Whether the facts have changed, or are taken away.
    pub fn is_change(&self) -> bool {
        matches!(self.fate, Fate::Changed | Fate::Over)
    }

    /// What it tells the caller.
    pub fn outcome(&self) -> &T {
        &self.outcome
    }

    /// The same with something else to tell.
    pub fn map<U>(self, tell: impl FnOnce(T) -> U) -> Step<U> {
        let Self { outcome, fate, not_before } = self;
        Step { outcome: tell(outcome), fate, not_before }
    }

    /// What it tells, and the rest.
    pub(super) fn split(self) -> (T, Step<()>) {
        let Self { outcome, fate, not_before } = self;
        (outcome, Step { outcome: (), fate, not_before })
    }
}

impl Step<()> {
    /// The facts have changed, or nothing has.
    pub fn changed_if(is_changed: bool) -> Self {
        if is_changed { Self::changed(()) } else { Self::unchanged(()) }
    }
}
