//! Where a player is to sit, and where the ids of new games come from.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::{Changed, Games};
use crate::game::{
    Door, Game, GameId, Log, Passage, Player, Progress, SocketId, Stage, User, Wishes,
};
use crate::live::{Entry, names};
use crate::records::Change;

/// Where the ids of new games come from.
#[derive(Debug)]
pub(super) enum Ids {
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
    /// See [`LiveState::enter`](crate::live::LiveState::enter). `None` if ids have to be reserved first.
    pub fn enter(&mut self, entry: Entry) -> Changed<Option<Arc<Game>>> {
        let Some(id) = self.place_for(&entry) else { return (None, None) };
        let opened = self.games.entry(id).or_insert_with(|| Arc::new(opened(id, &entry)));
        let game = Arc::make_mut(opened);
        game.version += 1;
        match game.player_mut(&entry.user.id) {
            Some(player) => {
                player.sockets.insert(entry.socket);
                player.absent_since = None;
            }
            None => {
                let user = User { name: names::unique(&entry.user, game), ..entry.user };
                self.seats.insert((user.id.clone(), game.door.clone()), id);
                self.played.add(&user.id, id);
                game.players.push(seat(user, Some(entry.socket)));
                if game.players.len() > entry.rules.player_limit {
                    send_a_bot_away(game);
                }
                if game.people().count() >= entry.rules.player_limit {
                    game.full = true;
                    game.closes_at = entry.now + entry.rules.full_grace;
                    self.open.remove(&id);
                }
            }
        }
        // The latest entry is this arrival: a lobby socket counts on it.
        if game.stage == Stage::Lobby {
            game.log.push(Passage::Came);
        }
        let game = opened.clone();
        (Some(game.clone()), Some(Change::Saved(game)))
    }

    /// Where a player is to sit; perhaps in a game that is not there yet. `None` if that would need an
    /// id, and there is none.
    fn place_for(&mut self, entry: &Entry) -> Option<GameId> {
        let is_own = |id: &GameId| {
            let game = self.games.get(id).filter(|game| game.stage < Stage::Running);
            game.is_some_and(|game| game.player(&entry.user.id).is_some())
        };
        let seat = (entry.user.id.clone(), entry.door.clone());
        let own = self.seats.get(&seat).copied().filter(is_own);
        if own.is_some() {
            return own;
        }
        if let Some(id) = self.waiting_for(entry) {
            return Some(id);
        }
        let id = match &mut self.ids {
            Ids::Counted(last) => {
                last.0 += 1;
                *last
            }
            Ids::Reserved(ids) => ids.pop_front()?,
        };
        self.find_by(&entry.door, id);
        Some(id)
    }

    /// The lobby with room that lets a player in.
    fn waiting_for(&mut self, entry: &Entry) -> Option<GameId> {
        let waits = |games: &HashMap<GameId, Arc<Game>>, id: &GameId| {
            games.get(id).is_some_and(|game| game.waits(entry.now) && !game.full)
        };
        match &entry.door {
            Door::Alone => None,
            Door::Invited(token) => {
                self.invited.get(token).copied().filter(|id| waits(&self.games, id))
            }
            Door::Open => {
                let asked_for = entry.previous.filter(|id| self.open.contains(id));
                if let Some(id) = asked_for.filter(|id| waits(&self.games, id)) {
                    return Some(id);
                }
                while let Some(id) = self.open.first().copied() {
                    if waits(&self.games, &id) {
                        return Some(id);
                    }
                    // Its time is over, although nobody has closed it yet.
                    self.open.remove(&id);
                }
                None
            }
        }
    }

    /// A lobby is found by those whom its door lets in.
    pub(super) fn find_by(&mut self, door: &Door, id: GameId) {
        match door {
            Door::Open => drop(self.open.insert(id)),
            Door::Alone => {}
            Door::Invited(token) => drop(self.invited.insert(token.clone(), id)),
        }
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
}

/// Bots make room for people.
fn send_a_bot_away(game: &mut Game) {
    if let Some(last) = game.players.iter().rposition(|player| player.user.is_bot()) {
        let bot = game.players.remove(last).user.id;
        game.wishes.ready.remove(&bot);
        game.log.push(Passage::Left(bot));
    }
}

/// A seat that is just taken.
pub(super) fn seat(user: User, socket: Option<SocketId>) -> Player {
    let sockets = socket.into_iter().collect();
    Player {
        user,
        sockets,
        absent_since: None,
        started: None,
        first_started: None,
        progress: Progress::default(),
        result: None,
    }
}

/// A lobby without anybody in it yet.
fn opened(id: GameId, entry: &Entry) -> Game {
    let (now, rules) = (entry.now, &entry.rules);
    Game {
        id,
        version: 0,
        stage: Stage::Lobby,
        door: entry.door.clone(),
        opened_at: now,
        closes_at: now + rules.countdown,
        full: false,
        starts_at: None,
        ends_at: now + rules.kept,
        words: "".into(),
        players: Vec::new(),
        log: Log::default(),
        wishes: Wishes { text: rules.text, ..Wishes::default() },
    }
}
