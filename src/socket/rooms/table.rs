//! The rooms of this pod, by game and channel, and its sockets by player.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::Channel;
use super::frame::Frame;
use super::gather::Gatherers;
use super::heartbeats::Heartbeats;
use super::room::{Member, Room, Seat};
use super::whose::Whose;
use crate::Kind;
use crate::game::{GameId, LoginId, Quick, UserId};

/// Shards of the table of rooms, each with its own lock.
const SHARDS: usize = 64;

/// Every room of this pod.
pub struct Rooms {
    by_game: [Shard; SHARDS],
    gatherers: Gatherers,
    heartbeats: Arc<Heartbeats>,
    /// All sockets: used at logout, never by a keystroke.
    all: Mutex<All>,
}

/// All sockets of this pod.
#[derive(Default)]
struct All {
    /// Those of players.
    by_user: HashMap<UserId, Vec<Arc<Member>>>,
    /// Those without a seat, by their numbers.
    unseated: HashMap<u64, Arc<Member>>,
}

impl All {
    fn iter(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.by_user.values().flatten().chain(self.unseated.values())
    }

    fn add(&mut self, member: &Arc<Member>) {
        match &member.user {
            Some(user) => self.by_user.entry(user.clone()).or_default().push(member.clone()),
            None => drop(self.unseated.insert(member.socket, member.clone())),
        }
    }

    fn remove(&mut self, seat: &Seat) {
        self.unseated.remove(&seat.socket);
        if let Some(members) = self.by_user.get_mut(&seat.user) {
            members.retain(|member| member.socket != seat.socket);
            if members.is_empty() {
                self.by_user.remove(&seat.user);
            }
        }
    }
}

/// A game has few rooms: one per channel.
type Shard = Mutex<HashMap<GameId, Vec<(Channel, Arc<Room>)>, Quick>>;

impl Default for Rooms {
    fn default() -> Self {
        let by_game = std::array::from_fn(|_| Mutex::default());
        let (gatherers, heartbeats) = (Gatherers::default(), Arc::default());
        Self { by_game, gatherers, heartbeats, all: Mutex::default() }
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

/// The room of a channel among those of a game.
fn of_channel(rooms: &[(Channel, Arc<Room>)], channel: Channel) -> Option<&Arc<Room>> {
    rooms.iter().find(|(of, _)| *of == channel).map(|(_, room)| room)
}

impl Rooms {
    fn shard(&self, game: GameId) -> &Shard {
        let index = game.0.unsigned_abs() % SHARDS as u64;
        &self.by_game[usize::try_from(index).expect("a remainder of SHARDS")]
    }

    /// The room of a game on a channel, if a socket of it is open here.
    pub fn get(&self, channel: Channel, game: GameId) -> Option<Arc<Room>> {
        let shard = self.shard(game).lock();
        of_channel(shard.get(&game)?, channel).cloned()
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
        self.all.lock().add(member);
        self.heartbeats.add(&member.outbox);
        // Under the lock of the shard, so that the room is not removed as empty meanwhile.
        let mut shard = self.shard(game).lock();
        let rooms = shard.entry(game).or_default();
        let room = of_channel(rooms, channel).cloned().unwrap_or_else(|| {
            let room = Arc::new(Room::new(self.gatherers.of(game).clone()));
            rooms.push((channel, room.clone()));
            room
        });
        room.enter(member, limit);
        room
    }

    /// The tasks of all rooms: they write what is held back, and let each socket's heart beat at this interval.
    pub(crate) fn tasks(&self, heartbeat: Duration) -> Vec<BoxFuture<'static, ()>> {
        let heartbeats = self.heartbeats.clone();
        let beating = async move { heartbeats.run(heartbeat).await };
        self.gatherers.runs().map(FutureExt::boxed).chain([beating.boxed()]).collect()
    }

    /// The task that writes what rooms show once per tick. It may wait for everything else.
    pub(crate) fn ticks(&self) -> impl Future<Output = ()> + use<> {
        self.gatherers.ticks()
    }

    /// Leaves a room, and removes it if it is empty.
    pub(in crate::socket) fn leave(&self, channel: Channel, seat: &Seat) {
        self.all.lock().remove(seat);
        let mut shard = self.shard(seat.game).lock();
        if seat.room.leave(seat.socket)
            && let Some(rooms) = shard.get_mut(&seat.game)
        {
            rooms.retain(|(of, _)| *of != channel);
            if rooms.is_empty() {
                shard.remove(&seat.game);
            }
        }
    }

    /// The number of games with an open socket of that channel on this pod.
    pub(crate) fn games(&self, channel: Channel) -> u64 {
        let is_on = |rooms: &&Vec<_>| of_channel(rooms, channel).is_some();
        let on = |shard: &Shard| shard.lock().values().filter(is_on).count();
        self.by_game.iter().map(on).sum::<usize>() as u64
    }

    /// The number of players with an open socket on this pod.
    pub(crate) fn players(&self) -> u64 {
        self.all.lock().by_user.len() as u64
    }

    /// Makes the sockets of a game catch up on the facts.
    pub(crate) fn wake_game(&self, game: GameId) {
        let shard = self.shard(game).lock();
        shard.get(&game).into_iter().flatten().for_each(|(_, room)| room.wake());
    }

    /// Closes the sockets of a game.
    pub(crate) fn close_game(&self, game: GameId, why: Kind) {
        let shard = self.shard(game).lock();
        for (_, room) in shard.get(&game).into_iter().flatten() {
            room.close(why);
        }
    }

    /// Makes every socket of this pod catch up on the facts.
    pub(crate) fn wake_all(&self) {
        for member in self.all.lock().iter() {
            member.outbox.wake();
        }
    }

    /// The newest positions of those players of a game that have a socket here.
    pub(crate) fn own_positions(&self, game: GameId) -> Vec<(Channel, Whose, Frame)> {
        let shard = self.shard(game).lock();
        let rooms = shard.get(&game).into_iter().flatten();
        let positions = rooms.flat_map(|(channel, room)| {
            let inside = room.lock();
            let is_here = |whose: &Whose| {
                let mut users = inside.members.iter().filter_map(|member| member.user.as_ref());
                users.any(|user| Some(user) == whose.player.as_ref())
            };
            let own = inside.positions.iter().filter(|(whose, _)| is_here(whose));
            own.map(|(whose, known)| (*channel, whose.clone(), known.frame.clone()))
                .collect::<Vec<_>>()
        });
        positions.collect()
    }

    /// The logins of the sockets open here, with their players.
    pub(crate) fn logins(&self) -> HashMap<LoginId, UserId> {
        let all = self.all.lock();
        all.iter().filter_map(|it| Some((it.login.clone()?, it.user.clone()?))).collect()
    }

    /// Closes the sockets that a module declared.
    pub(crate) fn close_module(&self, module: &str, why: Kind) {
        for member in self.all.lock().iter().filter(|it| it.module == module) {
            member.outbox.close(why);
        }
    }

    /// Every socket of this pod that has not been told to close.
    pub(crate) fn open_members(&self) -> Vec<Arc<Member>> {
        let all = self.all.lock();
        all.iter().filter(|it| !it.outbox.is_closing()).cloned().collect()
    }

    /// Closes some sockets of a player.
    pub(crate) fn close(&self, which: SocketsOf<'_>, why: Kind) {
        let (SocketsOf::Player(user) | SocketsOf::Login(user, _)) = which;
        let all = self.all.lock();
        for member in all.by_user.get(user).into_iter().flatten() {
            if matches!(which, SocketsOf::Login(_, login) if login != member.login.as_ref()) {
                continue;
            }
            member.outbox.close(why);
        }
    }
}
