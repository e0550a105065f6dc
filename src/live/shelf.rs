//! The games of one process, in memory.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::{Applied, Fate, Index, Transition};
use crate::game::{Game, GameId, Timestamp};
use crate::records::Change;

/// The source of ids of new games.
#[derive(Debug)]
enum Ids {
    /// One more than the last.
    Counted(GameId),
    /// Ids that the records have reserved for this process.
    Reserved(VecDeque<GameId>),
}

/// All live games, and their indexes.
#[derive(Debug)]
pub(super) struct Shelf {
    games: HashMap<GameId, Arc<Game>>,
    indexes: HashMap<Index, BTreeSet<GameId>>,
    ids: Ids,
}

impl Shelf {
    /// Starts with these games; ids of new games come after `last`.
    pub(super) fn new(last: GameId, games: Vec<Game>) -> Self {
        let last = games.iter().map(|game| game.id).max().unwrap_or_default().max(last);
        let (ids, indexes) = (Ids::Counted(last), HashMap::new());
        let mut shelf = Self { games: HashMap::new(), indexes, ids };
        games.into_iter().for_each(|game| shelf.put(Arc::new(game)));
        shelf
    }

    pub(super) fn find(&self, id: GameId) -> Option<Arc<Game>> {
        self.games.get(&id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Game>> {
        self.games.values().cloned().collect()
    }

    pub(super) fn seek(&self, index: &Index, limit: usize) -> Vec<Arc<Game>> {
        let ids = self.indexes.get(index).into_iter().flatten();
        ids.take(limit).filter_map(|id| self.find(*id)).collect()
    }

    /// The indexes.
    #[cfg(test)]
    pub(super) fn indexes(&self) -> &HashMap<Index, BTreeSet<GameId>> {
        &self.indexes
    }

    /// Applies a transition. Also returns the change for the journal.
    pub(super) fn change(
        &mut self,
        id: GameId,
        transition: &mut Transition<'_>,
    ) -> (Applied, Option<Change>) {
        let Some(known) = self.games.get(&id) else { return (Applied::Missing, None) };
        let mut next = Game::clone(known);
        match transition(&mut next).fate() {
            Fate::Unchanged => (Applied::Done(known.clone()), None),
            Fate::Recorded => (Applied::Done(known.clone()), Some(Change::Saved(known.clone()))),
            Fate::Changed => {
                next.version += 1;
                let next = Arc::new(next);
                self.put(next.clone());
                (Applied::Done(next.clone()), Some(Change::Saved(next)))
            }
            Fate::Over => {
                self.remove(id);
                (
                    Applied::Done(Arc::new(next)),
                    Some(Change::Ended { game: id, at: Timestamp::now() }),
                )
            }
        }
    }

    /// Opens a game; `None` if ids have to be reserved first.
    pub(super) fn open(&mut self, make: &mut dyn FnMut(GameId) -> Game) -> Option<Arc<Game>> {
        let id = match &mut self.ids {
            Ids::Counted(last) => {
                last.0 += 1;
                *last
            }
            Ids::Reserved(ids) => ids.pop_front()?,
        };
        let game = Arc::new(make(id));
        self.put(game.clone());
        Some(game)
    }

    /// Adds reserved ids; from now on ids are no longer counted.
    pub(super) fn reserve(&mut self, mut more: Vec<GameId>) {
        // Ids of a database that was set up anew may be live here.
        more.retain(|id| !self.games.contains_key(id));
        match &mut self.ids {
            Ids::Reserved(ids) => ids.extend(more),
            Ids::Counted(_) => self.ids = Ids::Reserved(more.into()),
        }
    }

    fn put(&mut self, game: Arc<Game>) {
        let id = game.id;
        for index in Index::of(&game) {
            self.indexes.entry(index).or_default().insert(id);
        }
        let Some(before) = self.games.insert(id, game.clone()) else { return };
        let now = Index::of(&game);
        let gone = Index::of(&before).into_iter().filter(|index| !now.contains(index));
        gone.for_each(|index| self.unlink(&index, id));
    }

    fn remove(&mut self, id: GameId) {
        let Some(game) = self.games.remove(&id) else { return };
        Index::of(&game).iter().for_each(|index| self.unlink(index, id));
    }

    fn unlink(&mut self, index: &Index, id: GameId) {
        let Some(ids) = self.indexes.get_mut(index) else { return };
        ids.remove(&id);
        if ids.is_empty() {
            self.indexes.remove(index);
        }
    }
}
