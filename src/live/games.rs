//! Lobbies and races of one process, as a state machine without clock, chance or waiting.
//!
//! Every operation answers with its outcome and the change to be written down, if it made one.

mod hurry;
mod places;
mod played;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use self::places::{Ids, seat};
use self::played::Played;
use super::{Claim, Departed, Finish, names};
use crate::game::{
    Door, Game, GameId, Passage, Player, Progress, Result as GameResult, SocketId, Stage,
    Timestamp, User, UserId,
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
    /// The latest lobby of every invitation.
    invited: HashMap<Arc<str>, GameId>,
    /// By each door, the game in which a user sits.
    seats: HashMap<(UserId, Door), GameId>,
    played: Played,
    ids: Ids,
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
                    for player in game.players.iter_mut().filter(|it| !it.user.is_bot()) {
                        player.absent_since = Some(resume);
                    }
                }
                Stage::Countdown => game.starts_at = game.starts_at.map(|at| at.max(resume)),
                Stage::Closed | Stage::Running => {}
            }
            // A seat in a race that is on keeps nobody from a seat in a lobby.
            let is_found = game.stage == Stage::Lobby && !game.full || game.door != Door::Open;
            if is_found && game.stage < Stage::Running {
                restored.find_by(&game.door, game.id);
            }
            for player in game.players.iter().filter(|_| game.stage < Stage::Running) {
                let seat = (player.user.id.clone(), game.door.clone());
                restored.seats.insert(seat, game.id);
            }
            game.people().for_each(|player| restored.played.add(&player.user.id, game.id));
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

    /// The games in which a user has a seat.
    pub fn played(&self, user: &UserId) -> Vec<GameId> {
        self.played.of(user)
    }

    /// The same of all users.
    #[cfg(test)]
    pub(super) fn all_played(&self) -> std::collections::BTreeMap<UserId, Vec<GameId>> {
        self.played.all()
    }

    /// See [`LiveState::go_absent`](super::LiveState::go_absent).
    pub fn go_absent(
        &mut self,
        id: GameId,
        user: &UserId,
        socket: SocketId,
        now: Timestamp,
    ) -> Changed<Option<Arc<Game>>> {
        self.change(id, |game| {
            let waits = game.stage == Stage::Lobby;
            let player = game.player_mut(user).filter(|_| waits)?;
            player.sockets.remove(&socket);
            if player.sockets.is_empty() {
                player.absent_since.get_or_insert(now);
            }
            Some(())
        })
    }

    /// See [`LiveState::abandon`](super::LiveState::abandon).
    pub fn abandon(
        &mut self,
        user: &UserId,
        door: &Door,
        socket: SocketId,
        now: Timestamp,
    ) -> Changed<Option<Arc<Game>>> {
        match self.seats.get(&(user.clone(), door.clone())) {
            Some(game) => self.go_absent(*game, user, socket, now),
            None => (None, None),
        }
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
            game.wishes.ready.retain(|user| !users.contains(user));
            users.iter().for_each(|user| game.log.push(Passage::Left(user.clone())));
            Some(())
        });
        let door = game.as_ref().map(|game| game.door.clone()).unwrap_or_default();
        for user in &users {
            self.unseat(user, &door, id);
        }
        match game {
            Some(game) if game.people().next().is_none() => {
                let (_, change) = self.remove(id, now);
                (Departed { users, game: None }, change)
            }
            game => (Departed { users, game }, change),
        }
    }

    /// See [`LiveState::seat_bots`](super::LiveState::seat_bots).
    pub fn seat_bots(
        &mut self,
        id: GameId,
        bots: Vec<User>,
        limit: usize,
        now: Timestamp,
    ) -> Changed<Option<Arc<Game>>> {
        let (game, change) = self.change(id, |game| {
            let has_bots = game.players.iter().any(|player| player.user.is_bot());
            if game.door != Door::Open || !game.waits(now) || game.full || has_bots {
                return None;
            }
            let room = limit.saturating_sub(game.players.len());
            for bot in bots.iter().take(room) {
                let user = User { name: names::unique(bot, game), ..bot.clone() };
                game.players.push(seat(user, None));
                game.log.push(Passage::Came);
            }
            (room > 0 && !bots.is_empty()).then_some(())
        });
        (game, change)
    }

    /// See [`LiveState::close_lobby`](super::LiveState::close_lobby).
    pub fn close_lobby(&mut self, id: GameId, now: Timestamp) -> Changed<Option<Arc<Game>>> {
        let due = self.games.get(&id).filter(|it| it.stage == Stage::Lobby && it.closes_at <= now);
        let Some(game) = due else { return (None, None) };
        if game.people().all(|player| player.absent_since.is_some()) {
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
            due.then(|| (game.stage, game.starts_at) = (Stage::Running, Some(now)))
        })
    }

    /// See [`LiveState::claim_start`](super::LiveState::claim_start).
    pub fn claim_start(&mut self, id: GameId, user: &UserId, now: Timestamp) -> Changed<bool> {
        let (claimed, change) = self.change(id, |game| {
            let running = game.stage == Stage::Running;
            let player = game.player_mut(user).filter(|it| running && it.started.is_none())?;
            player.started = Some(now);
            player.first_started.get_or_insert(now);
            Some(())
        });
        (claimed.is_some(), change)
    }

    /// See [`LiveState::release_start`](super::LiveState::release_start).
    pub fn release_start(&mut self, id: GameId, user: &UserId, claimed: Timestamp) -> Changed<()> {
        let (_, change) = self.change(id, |game| {
            let player = game.player_mut(user).filter(|it| it.started == Some(claimed))?;
            player.started = None;
            Some(())
        });
        ((), change)
    }

    /// See [`LiveState::track`](super::LiveState::track).
    pub fn track(
        &mut self,
        id: GameId,
        user: &UserId,
        seen: &Progress,
    ) -> Changed<Option<Arc<Game>>> {
        self.change(id, |game| {
            let running = game.stage == Stage::Running;
            let player = game.player_mut(user).filter(|it| running && it.result.is_none())?;
            player.progress.absorb(seen).then_some(())
        })
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
        let Claim { figures, at: finished, unranked } = claim;
        let is_ranked = !player.user.is_bot() && unranked.is_none();
        let rank = u32::try_from(game.finishers() + 1).unwrap_or(u32::MAX);
        let rank = if is_ranked { rank } else { 0 };
        let result = GameResult { rank, finished, figures, unranked };
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
            if game.wishes.ready.remove(guest) {
                game.wishes.ready.insert(account.id.clone());
            }
            Some(())
        });
        if let Some(game) = &game {
            self.played.remove(guest, id);
            self.played.add(&account.id, id);
            let seat = |user: &UserId| (user.clone(), game.door.clone());
            if self.seats.get(&seat(guest)) == Some(&id) {
                self.seats.remove(&seat(guest));
                self.seats.entry(seat(&account.id)).or_insert(id);
            }
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
        if let Door::Invited(token) = &game.door
            && self.invited.get(token) == Some(&id)
        {
            self.invited.remove(token);
        }
        for player in &game.players {
            self.unseat(&player.user.id, &game.door, id);
        }
        (Some(game), Some(Change::Ended { game: id, at }))
    }

    /// A user does not sit in this game any more; a seat in another one is left alone.
    fn unseat(&mut self, user: &UserId, door: &Door, id: GameId) {
        self.played.remove(user, id);
        let seat = (user.clone(), door.clone());
        if self.seats.get(&seat) == Some(&id) {
            self.seats.remove(&seat);
        }
    }
}
