//! Rooms: the sockets of one game and channel on this pod.

use std::any::Any;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::Channel;
use super::frame::Frame;
use super::outbox::{Outbox, Whose};
use super::rates::Rates;
use crate::Kind;
use crate::bus::{Event, Latest};
use crate::game::{GameId, LoginId, Timestamp, UserId};
use crate::telemetry::Born;

/// A socket in a room.
pub struct Member {
    /// Number of the socket, unique on this pod and increasing.
    pub socket: u64,
    /// The module that declared it.
    pub module: &'static str,
    /// Its player.
    pub user: UserId,
    /// Its login, if any.
    pub login: Option<LoginId>,
    /// Its outbox.
    pub outbox: Arc<Outbox>,
}

/// The seat of a socket, and its room.
#[derive(Clone)]
pub struct Seat {
    /// The game.
    pub game: GameId,
    /// The player.
    pub user: UserId,
    /// The number of the socket on this pod.
    pub socket: u64,
    /// What the room keeps for the player.
    pub(in crate::socket) kept: Kept,
    /// The room.
    pub room: Arc<Room>,
}

/// What a room keeps for a player with a socket in it, now or before.
#[derive(Clone)]
pub(in crate::socket) struct Kept {
    /// A [`Socket::Own`](crate::socket::Socket::Own).
    pub(in crate::socket) own: Own,
    /// The budgets of frames with a rate of their own.
    pub(in crate::socket) rates: Arc<Rates>,
}

impl Kept {
    pub(in crate::socket) fn of(own: Own) -> Self {
        Self { own, rates: Arc::default() }
    }
}

type Own = Arc<dyn Any + Send + Sync>;

impl Seat {
    /// What the room keeps for the player.
    ///
    /// # Panics
    /// If that is of another type: the sockets of a channel declare it.
    pub fn own<T: 'static>(&self) -> &T {
        self.kept.own.downcast_ref().expect("the sockets of the channel keep this")
    }

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
    kept: HashMap<UserId, Kept>,
}

/// A position known to this pod.
struct Known {
    frame: Frame,
    at: Timestamp,
    /// Whether another pod reported it as the player's latest position. The event of that keystroke may still arrive.
    is_told: bool,
}

impl Room {
    /// Sends a lifecycle frame to all members.
    pub fn show(&self, frame: &Frame) {
        for member in &self.0.lock().members {
            member.outbox.push(frame.clone());
        }
    }

    /// Sends a lifecycle frame to a player's sockets.
    pub fn show_to(&self, player: &UserId, frame: &Frame) {
        for member in self.0.lock().members.iter().filter(|it| it.user == *player) {
            member.outbox.push(frame.clone());
        }
    }

    /// Sends a frame to the members that have room for it; if `only` is given, to that player's sockets.
    pub fn show_fleeting(&self, whose: &Whose, frame: &Frame, only: Option<&UserId>) {
        let addressed = |it: &&Arc<Member>| only.is_none_or(|player| it.user == *player);
        for member in self.0.lock().members.iter().filter(addressed) {
            member.outbox.push_fleeting(whose, frame.clone());
        }
    }

    /// Sends a new position to all members but the player.
    pub fn show_position(&self, whose: Whose, frame: Frame) {
        self.show_known(whose, Known { frame, at: Timestamp::now(), is_told: false });
    }

    /// Sends a position to all members but the player, unless a position of the player is already known, which may be
    /// newer.
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

    /// Makes all members catch up on the facts.
    pub fn wake(&self) {
        let woken = Born::in_span(Duration::ZERO);
        for member in &self.0.lock().members {
            member.outbox.wake_by(&woken);
        }
    }

    /// Makes a player's sockets catch up on the facts.
    pub fn wake_player(&self, player: &UserId) {
        for member in self.0.lock().members.iter().filter(|it| it.user == *player) {
            member.outbox.wake();
        }
    }

    /// Makes the other sockets of a seat's player catch up.
    pub fn wake_others_of(&self, seat: &Seat) {
        let others = |it: &&Arc<Member>| it.user == seat.user && it.socket != seat.socket;
        for member in self.0.lock().members.iter().filter(others) {
            member.outbox.wake();
        }
    }

    /// When the newest event `E` of a player arrived, if any.
    pub fn latest<E: Event<Loss = Latest>>(&self, player: &UserId) -> Option<Timestamp> {
        let whose = Whose { event: E::NAME, player: Some(player.clone()) };
        self.0.lock().positions.get(&whose).map(|known| known.at)
    }

    /// What the room keeps for a player, if the player has or had a socket here, and it is of this type.
    pub fn own<T: Send + Sync + 'static>(&self, player: &UserId) -> Option<Arc<T>> {
        self.0.lock().kept.get(player)?.own.clone().downcast().ok()
    }

    /// What the room keeps for each player with a socket here, now or before.
    pub fn own_of_all<T: Send + Sync + 'static>(&self) -> Vec<(UserId, Arc<T>)> {
        let inside = self.0.lock();
        let of = |(user, kept): (&UserId, &Kept)| {
            Some((user.clone(), kept.own.clone().downcast().ok()?))
        };
        inside.kept.iter().filter_map(of).collect()
    }

    pub(in crate::socket) fn keep<T: Default + Send + Sync + 'static>(
        &self,
        player: &UserId,
    ) -> Kept {
        let mut inside = self.0.lock();
        let kept = inside.kept.entry(player.clone());
        kept.or_insert_with(|| Kept::of(Arc::new(T::default()))).clone()
    }

    /// Whether there is only one member.
    pub(in crate::socket) fn has_one(&self) -> bool {
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
        // Members are roughly in the order of their numbers: the first are the oldest.
        let own = inside.members.iter().filter(|it| it.user == member.user);
        let surplus = (own.clone().count() + 1).saturating_sub(limit);
        own.take(surplus).for_each(|oldest| oldest.outbox.close(Kind::REPLACED));
        inside.members.push(member.clone());
    }

    /// Removes a socket. Returns whether the room is empty now.
    fn leave(&self, socket: u64) -> bool {
        let mut inside = self.0.lock();
        inside.members.retain(|member| member.socket != socket);
        inside.members.is_empty()
    }
}

/// Shards of the table of rooms, each with its own lock.
const SHARDS: usize = 64;

/// Every room of this pod.
pub struct Rooms {
    by_game: [Shard; SHARDS],
    /// All sockets by player: used at logout, never by a keystroke.
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
    /// All of them.
    Player(&'a UserId),
    /// Those of one login, or those without a login.
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

    /// Enters a room; the new socket gets the newest positions of the other players. If the player already has `limit`
    /// sockets in it, the oldest is closed.
    pub(in crate::socket) fn enter(
        &self,
        channel: Channel,
        game: GameId,
        member: &Arc<Member>,
        limit: usize,
    ) -> Arc<Room> {
        self.by_user.lock().entry(member.user.clone()).or_default().push(member.clone());
        // Under the lock of the shard, so that the room is not removed as empty meanwhile.
        let mut shard = self.shard(game).lock();
        let room = shard.entry((channel, game)).or_default().clone();
        room.enter(member, limit);
        room
    }

    /// Leaves a room, and removes it if it is empty.
    pub(in crate::socket) fn leave(&self, channel: Channel, seat: &Seat) {
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

    /// The number of games with an open socket of that channel on this pod.
    pub(crate) fn games(&self, channel: Channel) -> u64 {
        let on = |shard: &Shard| shard.lock().keys().filter(|(it, _)| *it == channel).count();
        self.by_game.iter().map(on).sum::<usize>() as u64
    }

    /// The number of players with an open socket on this pod.
    pub(crate) fn players(&self) -> u64 {
        self.by_user.lock().len() as u64
    }

    /// Makes the sockets of a game catch up on the facts.
    pub(crate) fn wake_game(&self, game: GameId) {
        let shard = self.shard(game).lock();
        shard.iter().filter(|((_, of), _)| *of == game).for_each(|(_, room)| room.wake());
    }

    /// Closes the sockets of a game.
    pub(crate) fn close_game(&self, game: GameId, why: Kind) {
        let shard = self.shard(game).lock();
        for (_, room) in shard.iter().filter(|((_, of), _)| *of == game) {
            room.0.lock().members.iter().for_each(|member| member.outbox.close(why));
        }
    }

    /// Makes every socket of this pod catch up on the facts.
    pub(crate) fn wake_all(&self) {
        for member in self.by_user.lock().values().flatten() {
            member.outbox.wake();
        }
    }

    /// The newest positions of the players of a game who have a socket here.
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

    /// The logins of the sockets open here, with their players.
    pub(crate) fn logins(&self) -> HashMap<LoginId, UserId> {
        let by_user = self.by_user.lock();
        let members = by_user.values().flatten();
        members.filter_map(|it| Some((it.login.clone()?, it.user.clone()))).collect()
    }

    /// Closes the sockets that a module declared.
    pub(crate) fn close_module(&self, module: &str, why: Kind) {
        let by_user = self.by_user.lock();
        for member in by_user.values().flatten().filter(|it| it.module == module) {
            member.outbox.close(why);
        }
    }

    /// Every socket of this pod that has not been told to close.
    pub(crate) fn open_members(&self) -> Vec<Arc<Member>> {
        let by_user = self.by_user.lock();
        by_user.values().flatten().filter(|it| !it.outbox.is_closing()).cloned().collect()
    }

    /// Closes some sockets of a player.
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
mod tests;
