//! Items that follow from results. They are written in the transaction that writes the results, so that neither is there
//! without the other.
//!
//! Facts are written again with each later change of their game, so items are derived and written again, too. That changes
//! nothing: under each key, the item stays that is first in its first index.

use super::{Change, ItemWrite, Records};
use crate::game::Game;

/// Derives items from the results of a game.
pub(crate) type Derivation = Box<dyn Fn(&Game) -> Vec<ItemWrite> + Send + Sync>;

/// The derivations of all modules.
pub(crate) struct Derivations(Vec<Derivation>);

impl std::fmt::Debug for Derivations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} derivations", self.0.len())
    }
}

impl Records {
    /// From now on, items are derived so. Called once, before games change.
    pub(crate) fn derive_by(&self, derivations: Vec<Derivation>) {
        // The first call counts.
        let _ = self.derivations.set(Derivations(derivations));
    }

    /// The items that follow from the results in these facts, in the order of their keys, so that two pods cannot deadlock.
    pub(super) fn derived(&self, changes: &[Change]) -> Vec<ItemWrite> {
        let Some(Derivations(derivations)) = self.derivations.get() else { return Vec::new() };
        let games = changes.iter().filter_map(|change| match change {
            Change::Saved(game) if game.players.iter().any(|it| it.result.is_some()) => Some(game),
            Change::Saved(_) | Change::Ended { .. } => None,
        });
        let of_all = games.flat_map(|game| derivations.iter().flat_map(|derive| derive(game)));
        let is_valid = |write: &ItemWrite| {
            let checked = write.check();
            let (collection, key) = (write.collection, &write.key);
            let invalid = |error: &_| tracing::error!(%error, collection, key, "an item cannot be written with its result");
            checked.inspect_err(invalid).is_ok()
        };
        let mut writes: Vec<_> = of_all.filter(is_valid).collect();
        writes.sort_by(|a, b| (a.collection, &a.key).cmp(&(b.collection, &b.key)));
        writes
    }
}
