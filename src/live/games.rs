//! Lobbies and races of one process, as a state machine without clock, chance or waiting.
//!
//! Every operation answers with its outcome and the change to be written down, if it made one.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::{Claim, Departed, Entry, Finish, names};
use crate::game::{
    Game, GameId, Log, Passage, Player, Result as GameResult, Stage, Timestamp, User, UserId,
};
use crate::records::Change;
use crate::{Error, Kind};

/// An outcome, and what is to be written down.
pub type Changed<T> = (T, Option<Change>);

/// Every game that is not over.
#[derive(Debug, Default)]
pub struct Games {
    games: HashMap<GameId, Arc<Game>>,
    /// Lobbies that may have room, oldest first: finished games never slow the search down.
    open: BTreeSet<GameId>,
    /// The latest game of every user who sits somewhere.
    seats: HashMap<UserId, GameId>,
    ids: Ids,
}

/// Where the ids of new games come from.
#[derive(Debug)]
enum Ids {
    /// One more than the last.
    Counted(GameId),
    /// Those that the records have set aside for us.
    Reserved(VecDeque<GameId>),
}

impl Default for Ids {
    fn default() -> Self {
        Self::Counted(GameId(0))
    }
}

impl Games {
    /// No games yet; the next one comes after `last`.
    pub fn new(last: GameId) -> Self {
        Self { ids: Ids::Counted(last), ..Self::default() }
    }

    /// Games of a server that has been away. No lobby closes, no race starts and nobody counts as absent
    /// before `resume`, so that players have time to come back. Those who are away when their lobby
    /// closes keep their seats: they may still come before START.
    pub fn restore(last: GameId, games: Vec<Game>, resume: Timestamp) -> Self {
        let mut restored = Self::new(last);
        for mut game in games {
            game.version += 1;
            match game.stage {
                Stage::Lobby => {
                    game.closes_at = game.closes_at.max(resume);
                    for player in &mut game.players {
                        player.absent_since = Some(resume);
                    }
                    restored.open.extend((!game.full).then_some(game.id));
                }
                Stage::Countdown => game.starts_at = game.starts_at.map(|at| at.max(resume)),
                Stage::Closed | Stage::Running => {}
            }
            // A seat in a race that is on keeps nobody from a seat in a lobby.
            for player in game.players.iter().filter(|_| game.stage < Stage::Running) {
                restored.seats.insert(player.user.id.clone(), game.id);
            }
            if let Ids::Counted(last) = &mut restored.ids {
                *last = game.id.max(*last);
            }
            restored.games.insert(game.id, Arc::new(game));
        }
        restored
    }

    /// The facts of a game.
    pub fn find(&self, id: GameId) -> Option<Arc<Game>> {
        self.games.get(&id).cloned()
    }

    /// The facts of every game.
    pub fn all(&self) -> Vec<Arc<Game>> {
        self.games.values().cloned().collect()
    }

    /// See [`LiveState::enter`](super::LiveState::enter). `None` if ids have to be reserved first.
    pub fn enter(&mut self, entry: Entry) -> Changed<Option<Arc<Game>>> {
        let Some(id) = self.place_for(&entry) else { return (None, None) };
        let opened = self.games.entry(id).or_insert_with(|| Arc::new(opened(id, &entry)));
        let game = Arc::make_mut(opened);
        game.version += 1;
        if game.stage == Stage::Lobby {
            game.log.push(Passage::Came);
        }
        match game.player_mut(&entry.user.id) {
            Some(player) => {
                player.sockets += 1;
                player.absent_since = None;
            }
            None => {
                let user = User { name: names::unique(&entry.user, game), ..entry.user };
                self.seats.insert(user.id.clone(), id);
                game.players.push(Player {
                    user,
                    sockets: 1,
                    absent_since: None,
                    started: None,
                    result: None,
                });
                if game.players.len() >= entry.rules.player_limit {
                    game.full = true;
                    game.closes_at = entry.now + entry.rules.full_grace;
                    self.open.remove(&id);
                }
            }
        }
        let game = opened.clone();
        (Some(game.clone()), Some(Change::Saved(game)))
    }

    /// Where a player is to sit; perhaps in a game that is not there yet. `None` if that would need an
    /// id, and there is none.
    fn place_for(&mut self, entry: &Entry) -> Option<GameId> {
        let seated = self.seats.get(&entry.user.id).and_then(|id| self.games.get(id));
        if let Some(game) = seated.filter(|game| game.stage < Stage::Running) {
            return Some(game.id);
        }
        let asked_for = entry.previous.filter(|id| self.open.contains(id));
        let waits = |id: &GameId| self.games.get(id).is_some_and(|game| game.waits(entry.now));
        if let Some(id) = asked_for.filter(waits) {
            return Some(id);
        }
        while let Some(id) = self.open.first().copied() {
            if self.games.get(&id).is_some_and(|game| game.waits(entry.now)) {
                return Some(id);
            }
            // Its time is over, although nobody has closed it yet.
            self.open.remove(&id);
        }
        let id = match &mut self.ids {
            Ids::Counted(last) => {
                last.0 += 1;
                *last
            }
            Ids::Reserved(ids) => ids.pop_front()?,
        };
        self.open.insert(id);
        Some(id)
    }

    /// Takes ids that the records have set aside; from now on there are no others.
    pub fn reserve(&mut self, mut more: Vec<GameId>) {
        // A database that was set up anew begins again with ids that may be live here.
        more.retain(|id| !self.games.contains_key(id));
        match &mut self.ids {
            Ids::Reserved(ids) => ids.extend(more),
            Ids::Counted(_) => self.ids = Ids::Reserved(more.into()),
        }
    }

    /// See [`LiveState::go_absent`](super::LiveState::go_absent).
    pub fn go_absent(
        &mut self,
        id: GameId,
        user: &UserId,
        now: Timestamp,
    ) -> Changed<Option<Arc<Game>>> {
        self.change(id, |game| {
            let waits = game.stage == Stage::Lobby;
            let player = game.player_mut(user).filter(|_| waits)?;
            player.sockets = player.sockets.saturating_sub(1);
            if player.sockets == 0 {
                player.absent_since = Some(now);
            }
            Some(())
        })
    }

    /// See [`LiveState::dismiss_absent`](super::LiveState::dismiss_absent).
    pub fn dismiss_absent(
        &mut self,
        id: GameId,
        before: Timestamp,
        now: Timestamp,
    ) -> Changed<Departed> {
        let mut users = Vec::new();
        let (game, change) = self.change(id, |game| {
            let gone = |player: &Player| player.absent_since.is_some_and(|since| since <= before);
            if game.stage != Stage::Lobby || !game.players.iter().any(gone) {
                return None;
            }
            users.extend(game.players.iter().filter(|it| gone(it)).map(|it| it.user.id.clone()));
            game.players.retain(|player| !gone(player));
            users.iter().for_each(|user| game.log.push(Passage::Left(user.clone())));
            Some(())
        });
        for user in &users {
            self.seats.remove(user);
        }
        match game {
            Some(game) if game.players.is_empty() => {
                let (_, change) = self.remove(id, now);
                (Departed { users, game: None }, change)
            }
            game => (Departed { users, game }, change),
        }
    }

    /// See [`LiveState::close_lobby`](super::LiveState::close_lobby).
    pub fn close_lobby(&mut self, id: GameId, now: Timestamp) -> Changed<Option<Arc<Game>>> {
        let due = self.games.get(&id).filter(|it| it.stage == Stage::Lobby && it.closes_at <= now);
        let Some(game) = due else { return (None, None) };
        if game.players.iter().all(|player| player.absent_since.is_some()) {
            let (_, change) = self.remove(id, now);
            return (None, change);
        }
        self.open.remove(&id);
        self.change(id, |game| {
            game.stage = Stage::Closed;
            Some(())
        })
    }

    /// See [`LiveState::prepare`](super::LiveState::prepare).
    pub fn prepare(
        &mut self,
        id: GameId,
        words: Arc<str>,
        starts_at: Timestamp,
    ) -> Changed<Option<Arc<Game>>> {
        self.change(id, |game| {
            (game.stage == Stage::Closed).then(|| {
                game.stage = Stage::Countdown;
                game.words = words;
                game.starts_at = Some(starts_at);
            })
        })
    }

    /// See [`LiveState::start`](super::LiveState::start).
    pub fn start(&mut self, id: GameId, now: Timestamp) -> Changed<Option<Arc<Game>>> {
        self.change(id, |game| {
            let due = game.stage == Stage::Countdown && game.starts_at.is_some_and(|at| at <= now);
            due.then(|| game.stage = Stage::Running)
        })
    }

    /// See [`LiveState::claim_start`](super::LiveState::claim_start).
    pub fn claim_start(&mut self, id: GameId, user: &UserId, now: Timestamp) -> Changed<bool> {
        let (claimed, change) = self.change(id, |game| {
            let running = game.stage == Stage::Running;
            let player = game.player_mut(user).filter(|it| running && it.started.is_none())?;
            player.started = Some(now);
            Some(())
        });
        (claimed.is_some(), change)
    }

    /// See [`LiveState::release_start`](super::LiveState::release_start).
    pub fn release_start(&mut self, id: GameId, user: &UserId) -> Changed<()> {
        let (_, change) = self.change(id, |game| game.player_mut(user)?.started.take().map(drop));
        ((), change)
    }

    /// See [`LiveState::finish`](super::LiveState::finish).
    pub fn finish(
        &mut self,
        id: GameId,
        user: &UserId,
        claim: Claim,
    ) -> Changed<Result<Finish, Error>> {
        let Some(game) = self.games.get(&id) else {
            return (Err(Kind::GAME_NOT_FOUND.into()), None);
        };
        let Some(player) = game.player(user) else {
            return (Err(Kind::NOT_A_PARTICIPANT.into()), None);
        };
        if let Some(result) = player.result {
            // Whoever sends it again may do so because it is not written yet: let them wait for it too.
            return (Ok(Finish::Before(result.rank)), Some(Change::Saved(game.clone())));
        }
        if game.stage != Stage::Running {
            return (Err(Kind::GAME_NOT_STARTED.into()), None);
        }
        let rank = u32::try_from(game.finishers() + 1).unwrap_or(u32::MAX);
        let result = GameResult { rank, finished: claim.at, figures: claim.figures };
        let (_, change) = self.change(id, |game| {
            game.player_mut(user)?.result = Some(result);
            Some(())
        });
        (Ok(Finish::Taken(rank)), change)
    }

    /// See [`LiveState::hand_over`](super::LiveState::hand_over).
    pub fn hand_over(
        &mut self,
        id: GameId,
        guest: &UserId,
        account: &User,
    ) -> Changed<Option<Arc<Game>>> {
        let (game, change) = self.change(id, |game| {
            let moves = game.stage > Stage::Lobby && game.player(&account.id).is_none();
            game.player_mut(guest).filter(|_| moves)?.user = account.clone();
            Some(())
        });
        if game.is_some() && self.seats.get(guest) == Some(&id) {
            self.seats.remove(guest);
            self.seats.entry(account.id.clone()).or_insert(id);
        }
        (game, change)
    }

    /// See [`LiveState::end`](super::LiveState::end).
    pub fn end(&mut self, id: GameId, now: Timestamp) -> Changed<Option<Arc<Game>>> {
        match self.games.get(&id) {
            Some(game) if game.ends_at <= now => self.remove(id, now),
            _ => (None, None),
        }
    }

    /// Changes the facts of a game, if it is there and `change` finds something to change.
    fn change(
        &mut self,
        id: GameId,
        change: impl FnOnce(&mut Game) -> Option<()>,
    ) -> Changed<Option<Arc<Game>>> {
        let Some(game) = self.games.get_mut(&id) else { return (None, None) };
        let facts = Arc::make_mut(game);
        if change(facts).is_none() {
            return (None, None);
        }
        facts.version += 1;
        (Some(game.clone()), Some(Change::Saved(game.clone())))
    }

    fn remove(&mut self, id: GameId, at: Timestamp) -> Changed<Option<Arc<Game>>> {
        let Some(game) = self.games.remove(&id) else { return (None, None) };
        self.open.remove(&id);
        for player in &game.players {
            if self.seats.get(&player.user.id) == Some(&id) {
                self.seats.remove(&player.user.id);
            }
        }
        (Some(game), Some(Change::Ended { game: id, at }))
    }
}

/// A lobby without anybody in it yet.
fn opened(id: GameId, entry: &Entry) -> Game {
    let (now, rules) = (entry.now, &entry.rules);
    Game {
        id,
        version: 0,
        stage: Stage::Lobby,
        opened_at: now,
        closes_at: now + rules.countdown,
        full: false,
        starts_at: None,
        ends_at: now + rules.kept,
        words: "".into(),
        players: Vec::new(),
        log: Log::default(),
    }
}
