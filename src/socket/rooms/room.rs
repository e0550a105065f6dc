//! Rooms: the sockets of one game and channel on this pod.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::frame::Frame;
use super::gather::Gatherer;
use super::outbox::{AT_ONCE, Outbox};
use super::rates::Rates;
use super::tick::NotedRows;
use super::whose::Whose;
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
    /// Its player; `None` if it has no seat.
    pub user: Option<UserId>,
    /// Its login, if any.
    pub login: Option<LoginId>,
    /// Its outbox.
    pub outbox: Arc<Outbox>,
}

impl Member {
    /// Whether it is a socket of that player.
    fn is_of(&self, player: &UserId) -> bool {
        self.user.as_ref() == Some(player)
    }
}

/// The seat of a socket, and its room.
#[derive(Clone)]
pub struct Seat {
    /// The game.
    pub game: GameId,
    /// The player; [`UserId::none`] for a socket without a seat.
    pub user: UserId,
    /// The number of the socket on this pod.
    pub socket: u64,
    /// The time from a ping to its pong: the shortest so far.
    pub round_trip: Option<Duration>,
    /// What the room keeps for the player.
    pub(in crate::socket) kept: KeptPlayer,
    /// The room.
    pub room: Arc<Room>,
}

/// What a room keeps for a player with a socket in it, now or before.
#[derive(Clone)]
pub(in crate::socket) struct KeptPlayer {
    /// A [`Socket::Own`](crate::socket::Socket::Own).
    pub(in crate::socket) own: OwnState,
    /// The budgets of frames with a rate of their own.
    pub(in crate::socket) rates: Arc<Rates>,
}

impl KeptPlayer {
    pub(in crate::socket) fn of(own: OwnState) -> Self {
        Self { own, rates: Arc::default() }
    }
}

type OwnState = Arc<dyn Any + Send + Sync>;

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
pub struct Room {
    inside: Mutex<Inside>,
    /// What is shown once per tick. Not in `inside`: a position is noted while the members are being written to.
    pub(super) board: Mutex<NotedRows>,
    pub(super) gatherer: Arc<Gatherer>,
}

#[derive(Default)]
pub(super) struct Inside {
    pub(super) members: Vec<Arc<Member>>,
    /// The outboxes of the members, each with the number of its player in `players`, if it has one: all that a keystroke
    /// needs.
    pub(super) outboxes: Vec<(Option<usize>, Arc<Outbox>)>,
    /// The players with a socket here, now or before.
    players: Vec<UserId>,
    /// Positions that are held back, to be written together, with their players' numbers. At most [`AT_ONCE`]; then
    /// they are written.
    gathered: Vec<(Option<usize>, Whose, Frame)>,
    /// Whether the gatherer is going to make the room write them.
    is_scheduled: bool,
    /// The newest position of each player.
    pub(super) positions: Vec<(Whose, Known)>,
    kept: HashMap<UserId, KeptPlayer>,
}

/// A position known to this pod.
pub(super) struct Known {
    pub(super) frame: Frame,
    at: Timestamp,
    /// Whether another pod reported it as the player's latest position. The event of that keystroke may still arrive.
    is_told: bool,
}

impl Room {
    /// A room without members.
    pub(super) fn new(gatherer: Arc<Gatherer>) -> Self {
        Self { inside: Mutex::default(), board: Mutex::default(), gatherer }
    }

    /// Locks the room, for something that positions must not be written after.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inside> {
        let mut inside = self.inside.lock();
        inside.write_gathered();
        inside
    }

    /// Writes the positions that were held back: their time has come.
    pub(super) fn write_gathered(&self) {
        self.lock().is_scheduled = false;
    }

    /// Sends a lifecycle frame to all members.
    pub fn show(&self, frame: &Frame) {
        for member in &self.lock().members {
            member.outbox.push(frame.clone());
        }
    }

    /// Sends a lifecycle frame to a player's sockets.
    pub fn show_to(&self, player: &UserId, frame: &Frame) {
        for member in self.lock().members.iter().filter(|it| it.is_of(player)) {
            member.outbox.push(frame.clone());
        }
    }

    /// Sends a frame to the members that have room for it; if `only` is given, to that player's sockets.
    pub fn show_fleeting(&self, whose: &Whose, frame: &Frame, only: Option<&UserId>) {
        let addressed = |it: &&Arc<Member>| only.is_none_or(|player| it.is_of(player));
        for member in self.lock().members.iter().filter(addressed) {
            member.outbox.push_fleeting(whose, frame.clone());
        }
    }

    /// Sends a new position to all members but the player.
    pub fn show_position(self: &Arc<Self>, whose: Whose, frame: Frame) {
        self.show_known(self.inside.lock(), whose, frame, false);
    }

    /// Sends a position to all members but the player, unless a position of the player is already known, which may be
    /// newer.
    pub(crate) fn show_first_position(self: &Arc<Self>, whose: Whose, frame: Frame) {
        let inside = self.inside.lock();
        if inside.position(&whose).is_none() {
            self.show_known(inside, whose, frame, true);
        }
    }

    fn show_known(
        self: &Arc<Self>,
        mut inside: MutexGuard<'_, Inside>,
        whose: Whose,
        frame: Frame,
        is_told: bool,
    ) {
        let now = Timestamp::now();
        let newest = Known { frame: frame.clone(), at: now, is_told };
        if let Some(index) = inside.position(&whose) {
            let (_, before) =
                std::mem::replace(&mut inside.positions[index], (whose.clone(), newest));
            if before.is_told && before.frame.text() == frame.text() {
                return;
            }
        } else {
            inside.positions.push((whose.clone(), newest));
        }
        let hold = self.gatherer.count(inside.members.len().saturating_sub(1), now);
        let player = whose.player.as_ref().and_then(|player| inside.player(player));
        inside.gathered.push((player, whose, frame));
        if hold.is_zero() || inside.gathered.len() == AT_ONCE {
            inside.write_gathered();
        } else if !std::mem::replace(&mut inside.is_scheduled, true) {
            self.gatherer.schedule(self.clone(), hold);
        }
    }

    /// Closes the sockets of all members.
    pub fn close(&self, why: Kind) {
        self.lock().members.iter().for_each(|member| member.outbox.close(why));
    }

    /// Makes all members catch up on the facts.
    pub fn wake(&self) {
        let woken = Born::in_span(Duration::ZERO);
        for member in &self.lock().members {
            member.outbox.wake_by(&woken);
        }
    }

    /// Makes a player's sockets catch up on the facts.
    pub fn wake_player(&self, player: &UserId) {
        for member in self.lock().members.iter().filter(|it| it.is_of(player)) {
            member.outbox.wake();
        }
    }

    /// Makes the other sockets of a seat's player catch up.
    pub fn wake_others_of(&self, seat: &Seat) {
        let others = |it: &&Arc<Member>| it.is_of(&seat.user) && it.socket != seat.socket;
        for member in self.lock().members.iter().filter(others) {
            member.outbox.wake();
        }
    }

    /// When the newest event `E` of a player arrived, if any.
    pub fn latest<E: Event<Loss = Latest>>(&self, player: &UserId) -> Option<Timestamp> {
        let whose = Whose { event: E::NAME, player: Some(player.clone()) };
        let inside = self.inside.lock();
        inside.position(&whose).map(|index| inside.positions[index].1.at)
    }

    /// What the room keeps for a player, if the player has or had a socket here, and it is of this type.
    pub fn own<T: Send + Sync + 'static>(&self, player: &UserId) -> Option<Arc<T>> {
        self.inside.lock().kept.get(player)?.own.clone().downcast().ok()
    }

    /// What the room keeps for each player with a socket here, now or before.
    pub fn own_of_all<T: Send + Sync + 'static>(&self) -> Vec<(UserId, Arc<T>)> {
        let inside = self.inside.lock();
        let of = |(user, kept): (&UserId, &KeptPlayer)| {
            Some((user.clone(), kept.own.clone().downcast().ok()?))
        };
        inside.kept.iter().filter_map(of).collect()
    }

    /// Of a socket without a seat nothing stays in the room.
    pub(in crate::socket) fn player_state<T: Default + Send + Sync + 'static>(
        &self,
        player: Option<&UserId>,
    ) -> KeptPlayer {
        let new = || KeptPlayer::of(Arc::new(T::default()));
        let Some(player) = player else { return new() };
        let mut inside = self.inside.lock();
        let kept = inside.kept.entry(player.clone());
        kept.or_insert_with(new).clone()
    }

    /// Whether there is only one member.
    pub(in crate::socket) fn has_one(&self) -> bool {
        self.inside.lock().members.len() < 2
    }

    /// The number of the player's newest socket, if one is open here.
    pub fn newest(&self, player: &UserId) -> Option<u64> {
        let inside = self.inside.lock();
        inside.members.iter().filter(|it| it.is_of(player)).map(|it| it.socket).max()
    }

    pub(super) fn enter(&self, member: &Arc<Member>, limit: usize) {
        // The known positions contain those that were held back: the new member is not to be sent these again.
        let mut inside = self.lock();
        let is_own = |of: &Whose| of.player.is_some() && of.player == member.user;
        let known = inside.positions.iter().filter(|(of, _)| !is_own(of));
        let known: Vec<_> = known.map(|(of, known)| (of.clone(), known.frame.again())).collect();
        let chunks = known.chunks(AT_ONCE).map(|chunk| chunk.iter().map(|(of, frame)| (of, frame)));
        chunks.for_each(|chunk| member.outbox.push_positions(chunk));
        let player = member.user.as_ref().map(|user| {
            inside.make_room(user, limit);
            inside.player(user).unwrap_or_else(|| {
                inside.players.push(user.clone());
                inside.players.len() - 1
            })
        });
        inside.members.push(member.clone());
        inside.outboxes.push((player, member.outbox.clone()));
    }

    /// Removes a socket. Returns whether the room is empty now.
    pub(super) fn leave(&self, socket: u64) -> bool {
        let mut inside = self.lock();
        if let Some(index) = inside.members.iter().position(|member| member.socket == socket) {
            inside.members.remove(index);
            inside.outboxes.remove(index);
        }
        inside.members.is_empty()
    }
}

impl Inside {
    /// Writes the positions that were held back, each to all members but its player.
    fn write_gathered(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        for (player, outbox) in &self.outboxes {
            let others = self.gathered.iter().filter(|(of, ..)| of.is_none() || of != player);
            outbox.push_positions(others.map(|(_, whose, frame)| (whose, frame)));
        }
        self.gathered.clear();
    }

    /// Closes the oldest sockets of a player, so that a new one stays within `limit`.
    fn make_room(&self, player: &UserId, limit: usize) {
        // Members are roughly in the order of their numbers: the first are the oldest.
        let own = self.members.iter().filter(|it| it.is_of(player));
        let surplus = (own.clone().count() + 1).saturating_sub(limit);
        own.take(surplus).for_each(|oldest| oldest.outbox.close(Kind::REPLACED));
    }

    /// The index of a known position.
    fn position(&self, whose: &Whose) -> Option<usize> {
        let is_same = |(it, _): &(Whose, Known)| it.is_clone_of(whose);
        let is_equal = |(it, _): &(Whose, Known)| it == whose;
        let mut positions = self.positions.iter();
        positions.position(is_same).or_else(|| self.positions.iter().position(is_equal))
    }

    /// The number of a player.
    fn player(&self, player: &UserId) -> Option<usize> {
        let mut players = self.players.iter();
        let same = players.position(|it| it.is_clone_of(player));
        same.or_else(|| self.players.iter().position(|it| it == player))
    }
}

#[cfg(test)]
mod tests;
