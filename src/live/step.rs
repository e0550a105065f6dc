//! The answer of a transition.

use crate::game::Timestamp;

/// The effect of a transition on a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// None: the facts stay as they were, whatever it did to its copy.
    Unchanged,
    /// None; but the caller waits until the facts are in the records.
    Recorded,
    /// The facts have changed.
    Changed,
    /// The game is over, and is removed.
    Over,
}

/// The answer of a transition: an outcome for the caller, and the effect on the game.
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

    /// Takes effect only from this time on, by the clock that all pods share, so that a pod with a wrong clock ends nothing
    /// early.
    pub fn not_before(self, at: Timestamp) -> Self {
        Self { not_before: Some(at), ..self }
    }

    /// The effect on the game.
    pub fn fate(&self) -> Fate {
        self.fate
    }

    /// The time from which it may take effect.
    pub fn due(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// Whether the facts have changed, or are removed.
    pub fn is_change(&self) -> bool {
        matches!(self.fate, Fate::Changed | Fate::Over)
    }

    /// The same with another outcome.
    pub fn map<U>(self, tell: impl FnOnce(T) -> U) -> Step<U> {
        let Self { outcome, fate, not_before } = self;
        Step { outcome: tell(outcome), fate, not_before }
    }

    /// The outcome, and the rest.
    pub(super) fn split(self) -> (T, Step<()>) {
        let Self { outcome, fate, not_before } = self;
        (outcome, Step { outcome: (), fate, not_before })
    }
}

impl Step<()> {
    /// Changed, or unchanged.
    pub fn changed_if(is_changed: bool) -> Self {
        if is_changed { Self::changed(()) } else { Self::unchanged(()) }
    }
}
