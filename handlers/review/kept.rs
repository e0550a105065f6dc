//! What is kept: the verdict on a result. By whom it is, the audit log says: the item is in the player's export.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::game::{GameId, Timestamp, User, UserId};
use crate::handlers::shared::Verdict;
use crate::module::Item;

/// How long the verdict on a guest's result is kept.
const GUESTS_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// A result that is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Judged {
    pub(super) game: GameId,
    pub(super) user: UserId,
    pub(super) verdict: Verdict,
}

impl Judged {
    /// The key of the verdict on a player's result.
    pub(super) fn key_of(game: GameId, user: &UserId) -> String {
        format!("{game}:{user}")
    }
}

impl Item for Judged {
    const COLLECTION: &'static str = "review.verdicts";

    fn key(&self) -> String {
        Self::key_of(self.game, &self.user)
    }

    fn owner(&self) -> Option<&UserId> {
        Some(&self.user)
    }

    /// By default, recordings of guests are deleted before.
    fn expires_at(&self) -> Option<Timestamp> {
        self.user.is_guest().then(|| self.verdict.at + GUESTS_FOR)
    }

    fn handed_over(self, account: &User) -> Option<Self> {
        Some(Self { user: account.id.clone(), ..self })
    }
}
