//! A pod of these tests: what modules do with games, as operations on its live state.

use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::TaskTracker;

use super::story::Facts;
use super::*;
use crate::Error;
use crate::handlers::lobby::matchmaker::{Matchmaker, abandon};
use crate::handlers::lobby::seats;
use crate::handlers::shared::track;
use crate::handlers::{bots, cleanup, invite, race, results};
use crate::live::shared::SharedValues;
use crate::live::shelf::Shelf;
use crate::live::{Applied, Index, Live, RedisLive, Shared, Store, Transition, Visitor};
use crate::records::Change;

/// The dismissed players, and the lobby without them; `None` if it was removed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Departed {
    pub(super) users: Vec<UserId>,
    pub(super) game: Option<Arc<Game>>,
}

type Game0 = Result<Option<Arc<Game>>, Error>;

/// One pod. Cheap to clone.
#[derive(Clone)]
pub(super) struct TestPod {
    pub(super) live: Live,
    matchmaker: Arc<Matchmaker>,
    tasks: TaskTracker,
    shared: Option<RedisLive>,
}

/// The operations between pods.
impl Deref for TestPod {
    type Target = RedisLive;

    fn deref(&self) -> &RedisLive {
        self.shared.as_ref().expect("a server on Redis")
    }
}

impl TestPod {
    pub(super) fn of(live: Live) -> Self {
        Self { live, matchmaker: Arc::default(), tasks: TaskTracker::new(), shared: None }
    }

    pub(super) fn on_redis(shared: RedisLive) -> Self {
        Self { shared: Some(shared.clone()), ..Self::of(Live::on_redis(shared)) }
    }

    pub(super) async fn enter(&self, request: SeatRequest) -> Result<Arc<Game>, Error> {
        let socket = (request.socket.0, self.live.pod().clone());
        self.matchmaker.seat(&self.live, &self.tasks, SeatRequest { socket, ..request }).await
    }

    pub(super) async fn go_absent(
        &self,
        id: GameId,
        user: &UserId,
        socket: SocketId,
        now: Timestamp,
    ) -> Game0 {
        let leave = |game: &mut Game| seats::go_absent(game, user, socket, now);
        self.live.advance("go_absent", id, leave).await
    }

    pub(super) async fn abandon(
        &self,
        user: &UserId,
        door: &Door,
        socket: SocketId,
        now: Timestamp,
    ) -> Game0 {
        abandon(&self.live, user, door, socket, now).await
    }

    pub(super) async fn dismiss_absent(
        &self,
        id: GameId,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Departed, Error> {
        let dismiss = |game: &mut Game| seats::dismiss_absent(game, now.after(before), now);
        let dismissed = self.live.change("dismiss_absent", id, dismiss).await?;
        let (users, game) = dismissed.map_or((Vec::new(), None), |(left, game)| (left, Some(game)));
        let game = game.filter(|game| !users.is_empty() && game.people().next().is_some());
        Ok(Departed { users, game })
    }

    pub(super) async fn seat_bots(
        &self,
        id: GameId,
        guests: Vec<User>,
        limit: usize,
        now: Timestamp,
    ) -> Game0 {
        let sit = |game: &mut Game| bots::sit_down(game, &guests, limit, now);
        self.live.advance("seat_bots", id, sit).await
    }

    pub(super) async fn hasten(
        &self,
        id: GameId,
        host: &UserId,
        closes_at: Timestamp,
    ) -> Result<Arc<Game>, Error> {
        let hasten = |game: &mut Game| invite::hasten(game, host, closes_at);
        let (hastened, game) =
            self.live.change("hasten", id, hasten).await?.ok_or(Kind::GAME_NOT_FOUND)?;
        hastened.map(|()| game)
    }

    pub(super) async fn be_ready(
        &self,
        id: GameId,
        user: &UserId,
        closes_at: Timestamp,
    ) -> Result<Arc<Game>, Error> {
        let ready = |game: &mut Game| seats::be_ready(game, user, closes_at);
        let (ready, game) =
            self.live.change("be_ready", id, ready).await?.ok_or(Kind::GAME_NOT_FOUND)?;
        ready.map(|()| game)
    }

    pub(super) async fn close_lobby(&self, id: GameId, now: Timestamp) -> Game0 {
        let closed = self.live.advance("close", id, |game| seats::close(game, now)).await?;
        Ok(closed.filter(|game| game.stage == Stage::Closed))
    }

    pub(super) async fn prepare(&self, id: GameId, words: Arc<str>, starts_at: Timestamp) -> Game0 {
        let prepare = |game: &mut Game| race::rules::prepare(game, &words, starts_at);
        self.live.advance("prepare", id, prepare).await
    }

    pub(super) async fn start(&self, id: GameId, now: Timestamp) -> Game0 {
        self.live.advance("start", id, |game| race::rules::start(game, now)).await
    }

    pub(super) async fn claim_start(
        &self,
        id: GameId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let claim = |game: &mut Game| race::rules::claim_start(game, user, now);
        Ok(self.live.advance("claim_start", id, claim).await?.is_some())
    }

    pub(super) async fn release_start(
        &self,
        id: GameId,
        user: &UserId,
        claimed: Timestamp,
    ) -> Result<(), Error> {
        let release = |game: &mut Game| race::rules::release_start(game, user, claimed);
        self.live.advance("release_start", id, release).await.map(drop)
    }

    pub(super) async fn track(&self, id: GameId, user: &UserId, seen: &Progress) -> Game0 {
        self.live.advance("track", id, |game| track(game, user, seen)).await
    }

    pub(super) async fn finish(
        &self,
        id: GameId,
        user: &UserId,
        claim: Claim,
    ) -> Result<Finish, Error> {
        let hand_in = |game: &mut Game| results::rules::hand_in(game, user, claim);
        self.live.change("finish", id, hand_in).await?.ok_or(Kind::GAME_NOT_FOUND)?.0
    }

    pub(super) async fn end(&self, id: GameId, now: Timestamp) -> Game0 {
        self.live.advance("end", id, |game| cleanup::over(game, now)).await
    }

    pub(super) async fn find(&self, id: GameId) -> Game0 {
        self.live.find(id).await
    }

    pub(super) async fn all(&self) -> Result<Vec<Arc<Game>>, Error> {
        self.live.all().await
    }

    pub(super) async fn hand_over(
        &self,
        guest: &UserId,
        account: &User,
    ) -> Result<Vec<GameId>, Error> {
        self.live.hand_over(guest, account).await
    }
}

/// A store in memory, and what its journal would have written.
pub(super) struct MemoryStore {
    pub(super) shelf: Mutex<Shelf>,
    pub(super) written: Mutex<Facts>,
    shared: Mutex<SharedValues>,
}

impl MemoryStore {
    fn write_down(&self, change: Option<Change>) {
        let mut written = self.written.lock();
        match change {
            Some(Change::Saved(game)) => drop(written.insert(game.id, game)),
            Some(Change::Ended { game, .. }) => drop(written.remove(&game)),
            None => {}
        }
    }
}

#[async_trait]
impl Store for Arc<MemoryStore> {
    async fn find(&self, ids: &[GameId]) -> Result<Vec<Arc<Game>>, Error> {
        let shelf = self.shelf.lock();
        Ok(ids.iter().filter_map(|id| shelf.find(*id)).collect())
    }

    async fn change(&self, id: GameId, transition: &mut Transition<'_>) -> Result<Applied, Error> {
        let (applied, change) = self.shelf.lock().change(id, transition);
        self.write_down(change);
        Ok(applied)
    }

    async fn open(
        &self,
        make: &mut (dyn FnMut(GameId) -> Game + Send),
    ) -> Result<Arc<Game>, Error> {
        let game = self.shelf.lock().open(make).expect("ids are counted");
        self.write_down(Some(Change::Saved(game.clone())));
        Ok(game)
    }

    async fn seek(&self, index: &Index, limit: usize) -> Result<Vec<Arc<Game>>, Error> {
        Ok(self.shelf.lock().seek(index, limit))
    }

    async fn scan(&self, visit: &mut Visitor<'_>) -> Result<(), Error> {
        let games = self.shelf.lock().all();
        games.iter().for_each(visit);
        Ok(())
    }

    async fn read(&self, key: &str) -> Result<Option<Shared>, Error> {
        Ok(self.shared.lock().read(key))
    }

    async fn write(
        &self,
        key: &str,
        expected: Option<&Shared>,
        value: Option<Shared>,
    ) -> Result<bool, Error> {
        Ok(self.shared.lock().write(key, expected, value))
    }

    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A pod on such a store. Its operations are synchronous.
pub(super) struct MemoryGames {
    pod: TestPod,
    pub(super) store: Arc<MemoryStore>,
    runtime: Runtime,
}

impl MemoryGames {
    /// Starts with these games; the id of the next one follows `last`.
    pub(super) fn of(last: GameId, games: Vec<Game>) -> Self {
        let facts = games.iter().map(|game| (game.id, Arc::new(game.clone()))).collect();
        let (shelf, written) = (Mutex::new(Shelf::new(last, games)), Mutex::new(facts));
        let store = Arc::new(MemoryStore { shelf, written, shared: Mutex::default() });
        let runtime = Builder::new_current_thread().build().unwrap();
        Self { pod: TestPod::of(Live::of(store.clone())), store, runtime }
    }

    /// The same after a restart.
    pub(super) fn restore(last: GameId, mut games: Vec<Game>, resume: Timestamp) -> Self {
        games.iter_mut().for_each(|game| game.resume(resume));
        Self::of(last, games)
    }

    /// Runs an operation to its end.
    pub(super) fn now<T>(&self, action: impl AsyncFnOnce(&TestPod) -> T) -> T {
        self.runtime.block_on(action(&self.pod))
    }
}

/// Declares synchronous operations.
macro_rules! at_once {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl MemoryGames {
            $(pub(super) fn $name(&self, $($argument: $type),*) -> $result {
                self.now(async |pod| pod.$name($($argument),*).await).unwrap()
            })*
        }
    };
}

at_once! {
    enter(request: SeatRequest) -> Arc<Game>;
    go_absent(id: GameId, user: &UserId, socket: SocketId, now: Timestamp) -> Option<Arc<Game>>;
    abandon(user: &UserId, door: &Door, socket: SocketId, now: Timestamp) -> Option<Arc<Game>>;
    dismiss_absent(id: GameId, before: Timestamp, now: Timestamp) -> Departed;
    close_lobby(id: GameId, now: Timestamp) -> Option<Arc<Game>>;
    prepare(id: GameId, words: Arc<str>, starts_at: Timestamp) -> Option<Arc<Game>>;
    start(id: GameId, now: Timestamp) -> Option<Arc<Game>>;
    finish(id: GameId, user: &UserId, claim: Claim) -> Finish;
    find(id: GameId) -> Option<Arc<Game>>;
    all() -> Vec<Arc<Game>>;
    hand_over(guest: &UserId, account: &User) -> Vec<GameId>;
}
