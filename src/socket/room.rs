//! Rooms: who sits with whom, per game and channel, on this server.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::frame::Frame;
use super::outbox::{Outbox, Whose};
use super::{Channel, Typing};
use crate::Kind;
use crate::bus::{Event, Latest};
use crate::game::{GameId, LoginId, Text, Timestamp, UserId};
use crate::telemetry::Born;

/// A socket as the others of its room know it.
pub struct Member {
    /// Tells the sockets of this server apart; later ones have higher numbers.
    pub socket: u64,
    /// Which module has declared it.
    pub module: &'static str,
    /// Whose it is.
    pub user: UserId,
    /// By which login, if there is one.
    pub login: Option<LoginId>,
    /// The way to its client.
    pub outbox: Arc<Outbox>,
}

/// Where a socket sits.
#[derive(Clone)]
pub struct Seat {
    /// In which game.
    pub game: GameId,
    /// Who.
    pub user: UserId,
    /// Which socket of this server.
    pub socket: u64,
    /// What is typed there; empty in a lobby.
    pub text: Text,
    /// What was seen of that.
    pub typing: Arc<Typing>,
    /// With whom.
    pub room: Arc<Room>,
}

impl Seat {
    /// Whether this is the player's newest socket in the room.
    pub fn is_newest(&self) -> bool {
        self.room.newest(&self.user).is_none_or(|newest| newest <= self.socket)
    }
}

/// The sockets of one game on one channel.
#[derive(Default)]
pub struct Room(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    members: Vec<Arc<Member>>,
    /// The newest position of each player.
    positions: HashMap<Whose, Known>,
    /// The typing of each player who has, or had, a socket here.
    typing: HashMap<UserId, Arc<Typing>>,
}

/// A position as it is known here.
struct Known {
    frame: Frame,
    at: Timestamp,
    /// Whether another server has told where the player was. The keystroke that led there may be on its way still.
    is_told: bool,
}

impl Room {
    /// Gives everybody a lifecycle frame.
    pub fn show(&self, frame: &Frame) {
        for member in &self.0.lock().members {
            member.outbox.push(frame.clone());
        }
    }

    /// Gives everybody but the player a newest position.
    pub fn show_position(&self, whose: Whose, frame: Frame) {
        self.show_known(whose, Known { frame, at: Timestamp::now(), is_told: false });
    }

    /// Gives everybody but the player a position, unless one of the player is known: it may be older.
    pub(crate) fn show_first_position(&self, whose: Whose, frame: Frame) {
        if !self.0.lock().positions.contains_key(&whose) {
            self.show_known(whose, Known { frame, at: Timestamp::now(), is_told: true });
        }
    }

    fn show_known(&self, whose: Whose, newest: Known) {
        let mut inside = self.0.lock();
        let Inside { members, positions, .. } = &mut *inside;
        let frame = newest.frame.clone();
        let known = match positions.entry(whose) {
            Entry::Vacant(place) => place.insert_entry(newest),
            Entry::Occupied(mut known) => {
                let before = known.insert(newest);
                if before.is_told && before.frame.text() == frame.text() {
                    return;
                }
                known
            }
        };
        let whose = known.key();
        for member in members.iter().filter(|it| Some(&it.user) != whose.player.as_ref()) {
            member.outbox.push_position(whose, frame.clone());
        }
    }

    /// Has everybody look again at what they should have said.
    pub fn wake(&self) {
        let woken = Born::in_span(Duration::ZERO);
        for member in &self.0.lock().members {
            member.outbox.wake_by(&woken);
        }
    }

    /// Has a player's sockets look again at what they should have said.
    pub fn wake_player(&self, player: &UserId) {
        for member in self.0.lock().members.iter().filter(|it| it.user == *player) {
            member.outbox.wake();
        }
    }

    /// Has the other sockets of a seat's player look again.
    pub fn wake_others_of(&self, seat: &Seat) {
        let others = |it: &&Arc<Member>| it.user == seat.user && it.socket != seat.socket;
        for member in self.0.lock().members.iter().filter(others) {
            member.outbox.wake();
        }
    }

    /// When the newest event `E` of a player came, if one did.
    pub fn latest<E: Event<Loss = Latest>>(&self, player: &UserId) -> Option<Timestamp> {
        let whose = Whose { event: E::NAME, player: Some(player.clone()) };
        self.0.lock().positions.get(&whose).map(|known| known.at)
    }

    /// What was seen here of a player's typing, if a socket of the player has been here.
    pub fn typing(&self, player: &UserId) -> Option<Arc<Typing>> {
        self.0.lock().typing.get(player).cloned()
    }

    pub(super) fn typing_of(&self, player: &UserId) -> Arc<Typing> {
        self.0.lock().typing.entry(player.clone()).or_default().clone()
    }

    /// Whether nobody else is here.
    pub(super) fn has_one(&self) -> bool {
        self.0.lock().members.len() < 2
    }

    /// The number of the player's newest socket, if one is open here.
    pub fn newest(&self, player: &UserId) -> Option<u64> {
        let inside = self.0.lock();
        inside.members.iter().filter(|it| it.user == *player).map(|it| it.socket).max()
    }

    fn enter(&self, member: &Arc<Member>, limit: usize) {
        let mut inside = self.0.lock();
        for (whose, known) in &inside.positions {
            if whose.player.as_ref() != Some(&member.user) {
                member.outbox.push_position(whose, known.frame.again());
            }
        }
        // Members come in the order of their numbers, nearly: the first are the oldest.
        let own = inside.members.iter().filter(|it| it.user == member.user);
        let surplus = (own.clone().count() + 1).saturating_sub(limit);
        own.take(surplus).for_each(|oldest| oldest.outbox.close(Kind::REPLACED));
        inside.members.push(member.clone());
    }

    /// Returns whether the room is empty now.
    fn leave(&self, socket: u64) -> bool {
        let mut inside = self.0.lock();
        inside.members.retain(|member| member.socket != socket);
        inside.members.is_empty()
    }
}

/// How many parts the table of rooms has, each with a lock of its own.
const SHARDS: usize = 64;

/// Every room of this server.
pub struct Rooms {
    by_game: [Shard; SHARDS],
    /// Everybody's sockets: looked at when somebody logs out, never by a keystroke.
    by_user: Mutex<HashMap<UserId, Vec<Arc<Member>>>>,
}

type Shard = Mutex<HashMap<(Channel, GameId), Arc<Room>>>;

impl Default for Rooms {
    fn default() -> Self {
        let by_game = std::array::from_fn(|_| Mutex::default());
        Self { by_game, by_user: Mutex::default() }
    }
}

/// Some sockets of a player.
#[derive(Clone, Copy, Debug)]
pub enum SocketsOf<'a> {
    /// All.
    Player(&'a UserId),
    /// Those of one login; of none, those that were opened without one.
    Login(&'a UserId, Option<&'a LoginId>),
}

impl Rooms {
    fn shard(&self, game: GameId) -> &Shard {
        let index = game.0.unsigned_abs() % SHARDS as u64;
        &self.by_game[usize::try_from(index).expect("a remainder of SHARDS")]
    }

    /// The room of a game on a channel, if a socket of it is open here.
    pub fn get(&self, channel: Channel, game: GameId) -> Option<Arc<Room>> {
        self.shard(game).lock().get(&(channel, game)).cloned()
    }

    /// Enters a room; the newcomer gets the newest positions of the others. A player who has `limit`
    /// sockets in it already loses the oldest.
    pub(super) fn enter(
        &self,
        channel: Channel,
        game: GameId,
        member: &Arc<Member>,
        limit: usize,
    ) -> Arc<Room> {
        self.by_user.lock().entry(member.user.clone()).or_default().push(member.clone());
        // Under the lock of the shard, so that nobody takes the room away as empty meanwhile.
        let mut shard = self.shard(game).lock();
        let room = shard.entry((channel, game)).or_default().clone();
        room.enter(member, limit);
        room
    }

    /// Leaves a room; the last one takes it away.
    pub(super) fn leave(&self, channel: Channel, seat: &Seat) {
        self.forget(seat);
        let mut shard = self.shard(seat.game).lock();
        if seat.room.leave(seat.socket) {
            shard.remove(&(channel, seat.game));
        }
    }

    fn forget(&self, seat: &Seat) {
        let mut by_user = self.by_user.lock();
        if let Some(members) = by_user.get_mut(&seat.user) {
            members.retain(|member| member.socket != seat.socket);
            if members.is_empty() {
                by_user.remove(&seat.user);
            }
        }
    }

    /// How many games have a socket open here on that channel.
    pub(crate) fn games(&self, channel: Channel) -> u64 {
        let on = |shard: &Shard| shard.lock().keys().filter(|(it, _)| *it == channel).count();
        self.by_game.iter().map(on).sum::<usize>() as u64
    }

    /// How many players have a socket open here.
    pub(crate) fn players(&self) -> u64 {
        self.by_user.lock().len() as u64
    }

    /// Has the sockets of a game look again at what they should have said.
    pub(crate) fn wake_game(&self, game: GameId) {
        let shard = self.shard(game).lock();
        shard.iter().filter(|((_, of), _)| *of == game).for_each(|(_, room)| room.wake());
    }

    /// Has the sockets of a game closed.
    pub(crate) fn close_game(&self, game: GameId, why: Kind) {
        let shard = self.shard(game).lock();
        for (_, room) in shard.iter().filter(|((_, of), _)| *of == game) {
            room.0.lock().members.iter().for_each(|member| member.outbox.close(why));
        }
    }

    /// Has every socket of this server look again at what it should have said.
    pub(crate) fn wake_all(&self) {
        for member in self.by_user.lock().values().flatten() {
            member.outbox.wake();
        }
    }

    /// The newest positions in a game of the players who have a socket here.
    pub(crate) fn own_positions(&self, game: GameId) -> Vec<(Channel, Whose, Frame)> {
        let shard = self.shard(game).lock();
        let rooms = shard.iter().filter(|((_, of), _)| *of == game);
        let positions = rooms.flat_map(|((channel, _), room)| {
            let inside = room.0.lock();
            let is_here = |whose: &Whose| {
                inside.members.iter().any(|member| Some(&member.user) == whose.player.as_ref())
            };
            let own = inside.positions.iter().filter(|(whose, _)| is_here(whose));
            own.map(|(whose, known)| (*channel, whose.clone(), known.frame.clone()))
                .collect::<Vec<_>>()
        });
        positions.collect()
    }

    /// The logins by which sockets are open here, with their players.
    pub(crate) fn logins(&self) -> HashMap<LoginId, UserId> {
        let by_user = self.by_user.lock();
        let members = by_user.values().flatten();
        members.filter_map(|it| Some((it.login.clone()?, it.user.clone()))).collect()
    }

    /// Has the sockets that a module has declared closed.
    pub(crate) fn close_module(&self, module: &str, why: Kind) {
        let by_user = self.by_user.lock();
        for member in by_user.values().flatten().filter(|it| it.module == module) {
            member.outbox.close(why);
        }
    }

    /// Every socket of this server that has not been told to close.
    pub(crate) fn open_members(&self) -> Vec<Arc<Member>> {
        let by_user = self.by_user.lock();
        by_user.values().flatten().filter(|it| !it.outbox.is_closing()).cloned().collect()
    }

    /// Has some sockets of a player closed.
    pub(crate) fn close(&self, which: SocketsOf<'_>, why: Kind) {
        let (SocketsOf::Player(user) | SocketsOf::Login(user, _)) = which;
        let by_user = self.by_user.lock();
        for member in by_user.get(user).into_iter().flatten() {
            if matches!(which, SocketsOf::Login(_, login) if login != member.login.as_ref()) {
                continue;
            }
            member.outbox.close(why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn what_another_server_has_told_is_not_shown_again_by_the_keystroke_behind_it() {
        let room = Room::default();
        let (user, outbox) = ("anna".into(), Arc::default());
        let anna = Arc::new(Member { socket: 1, module: "race", user, login: None, outbox });
        room.enter(&anna, 8);
        let whose = || Whose { event: "moved", player: Some("ben".into()) };
        let at = |place: u32| Frame::json(&place);
        room.show_first_position(whose(), at(1));
        room.show_position(whose(), at(1));
        room.show_first_position(whose(), at(0));
        assert_eq!(anna.outbox.take_texts(), ["1"]);
        // Who types says so, though it be the same again.
        room.show_position(whose(), at(1));
        room.show_position(whose(), at(2));
        assert_eq!(anna.outbox.take_texts(), ["1", "2"]);
    }
}
