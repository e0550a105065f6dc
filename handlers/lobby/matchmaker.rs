//! Finds a seat for every player who comes; one matchmaker per pod.
//!
//! Players who come to a door while others are being seated there are seated together afterwards: a crowd costs as many
//! changes of games as it fills lobbies, not as it has players.
//!
//! One pod at a time works at a door, under a lease (`DoorLease`), so that lobbies fill one by one. If two do all the same, because
//! one was silent for too long, there may be a lobby more than necessary, and nothing worse: transitions keep the limit of a
//! lobby, and a value that the arrivals of a player share (`Arrival`) decides between two seats of one player.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use super::nearest::{by_level, nearest};
use super::seats::{self, SeatRequest};
use crate::game::{Door, Game, GameId, SocketId, Timestamp, UserId};
use crate::live::{Index, Live, Shared, Step};
use crate::{Error, Kind};

/// Lobbies that are checked for room first, the oldest ones. Usually there is one.
const LOOKED_AT: usize = 8;

/// Games that are opened concurrently.
const OPENED_AT_ONCE: usize = 32;

/// A pod with players left releases its lease on a door after this.
const LEASE_USED: Duration = Duration::from_millis(20);
/// A lease expires after this, in case its pod has died.
const LEASE: Duration = Duration::from_secs(2);
/// Pause between two attempts to get a lease.
const NEXT_LOOK: Range<Duration> = Duration::from_millis(1)..Duration::from_millis(4);

/// How long an arrival is remembered: longer than concurrent ones take.
const ARRIVAL: Duration = Duration::from_secs(60);

/// Attempts to seat a player who comes to several pods at once.
const TRIES: usize = 8;

/// Seats players.
#[derive(Default)]
pub struct Matchmaker {
    /// Players who wait for a seat, by door: one per handshake that is not finished, so `limits.sockets` bounds them.
    waiting: Mutex<HashMap<Door, Vec<QueuedPlayer>>>,
}

/// A player in the queue of a door.
struct QueuedPlayer {
    request: SeatRequest,
    seated: oneshot::Sender<Result<Arc<Game>, Error>>,
}

impl Matchmaker {
    /// Seats a player in the first of these that is possible: the seat that the player has behind this [`Door`], before
    /// START; the requested lobby; the oldest one with room; a new one. Adds the socket to the seat. What it has begun for
    /// others goes on as one of `tasks`.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, if the live state does not answer or cannot store it; the player may be seated all the
    /// same.
    pub async fn seat(
        self: &Arc<Self>,
        live: &Live,
        tasks: &TaskTracker,
        request: SeatRequest,
    ) -> Result<Arc<Game>, Error> {
        for _ in 0..TRIES {
            let arrival = Arrival::of(live, &request).await?;
            if let Some(game) = return_to_seat(live, &request).await? {
                return Ok(game);
            }
            let game = self.wait_for_seat(live, tasks, request.clone()).await?;
            if arrival.counts(live, &game).await? {
                return Ok(game);
            }
            // Another pod has seated the player meanwhile.
            let withdraw = |game: &mut Game| seats::withdraw(game, &request.user.id);
            live.advance("withdraw", game.id, withdraw).await?;
        }
        Err(Kind::UNAVAILABLE.into())
    }

    /// Waits to be seated, together with the others who come to the door meanwhile.
    async fn wait_for_seat(
        self: &Arc<Self>,
        live: &Live,
        tasks: &TaskTracker,
        request: SeatRequest,
    ) -> Result<Arc<Game>, Error> {
        let (seated, seat) = oneshot::channel();
        let door = request.door.clone();
        let is_first = {
            let mut doors = self.waiting.lock();
            let is_first = !doors.contains_key(&door);
            doors.entry(door.clone()).or_default().push(QueuedPlayer { request, seated });
            is_first
        };
        if is_first {
            let (matchmaker, live) = (self.clone(), live.clone());
            // A task of its own: the others are seated even if this player leaves.
            tasks.spawn(async move { matchmaker.work(&live, door).await });
        }
        seat.await.unwrap_or_else(|_| Err(Kind::UNAVAILABLE.into()))
    }

    /// Seats the players who wait at a door, until none are left.
    async fn work(&self, live: &Live, door: Door) {
        let _open = AtDoor { matchmaker: self, door: &door };
        loop {
            let lease = DoorLease::acquire(live, &door).await;
            let is_done = self.seat_waiting(live, &door).await;
            if let Some(lease) = lease {
                lease.release(live).await;
            }
            if is_done {
                return;
            }
            // Meanwhile another pod may get the lease.
            sleep(NEXT_LOOK.end).await;
        }
    }

    /// Seats the players who wait at a door, until the lease has been used long enough. Returns whether none are left.
    async fn seat_waiting(&self, live: &Live, door: &Door) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < LEASE_USED {
            let waiting = {
                let mut doors = self.waiting.lock();
                let mut waiting = doors.get_mut(door).map(std::mem::take).unwrap_or_default();
                waiting.retain(|it| !it.seated.is_closed());
                if waiting.is_empty() {
                    doors.remove(door);
                    return true;
                }
                waiting
            };
            let (requests, waiting): (Vec<_>, Vec<_>) =
                waiting.into_iter().map(|it| (it.request, it.seated)).unzip();
            let games = seat_all(live, &requests).await;
            for ((seated, game), request) in waiting.into_iter().zip(games).zip(&requests) {
                if let Err(Ok(game)) = seated.send(game) {
                    leave(live, &game, request).await;
                }
            }
        }
        false
    }
}

/// The player has given up waiting: the socket of that arrival is closed.
async fn leave(live: &Live, game: &Game, request: &SeatRequest) {
    let (user, socket, now) = (&request.user.id, request.socket.0, Timestamp::now());
    let leave = |game: &mut Game| seats::go_absent(game, user, socket, now);
    if let Err(error) = live.advance("go_absent", game.id, leave).await {
        tracing::debug!(%error, game = game.id.0, "a seat is left over");
    }
}

/// The lease of a pod on a door. It expires if the pod dies.
struct DoorLease {
    key: String,
    own: Shared,
}

impl DoorLease {
    /// Waits for the lease, for a limited time: without it there may be a lobby more than necessary. Players who race alone
    /// need none.
    async fn acquire(live: &Live, door: &Door) -> Option<Self> {
        if *door == Door::ALONE {
            return None;
        }
        let key = format!("turn:{}", Index::Door(door.clone()));
        let begun = Instant::now();
        while begun.elapsed() < LEASE {
            let before = live.read(&key).await.ok()?;
            let now = Timestamp::now();
            if before.as_ref().is_none_or(|other| other.until <= now) {
                let own = Shared::new(String::new(), now + LEASE);
                if live.write(&key, before.as_ref(), own.clone()).await.ok()? {
                    return Some(Self { key, own });
                }
            }
            sleep(rand::random_range(NEXT_LOOK)).await;
        }
        None
    }

    async fn release(self, live: &Live) {
        // If this fails, the lease expires.
        let ended = Shared::new(String::new(), Timestamp(0));
        let _ = live.write(&self.key, Some(&self.own), ended).await;
    }
}

/// After a panic, the next player at the door starts a new task.
struct AtDoor<'a> {
    matchmaker: &'a Matchmaker,
    door: &'a Door,
}

impl Drop for AtDoor<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.matchmaker.waiting.lock().remove(self.door);
        }
    }
}

/// One arrival of a player at a door. Of several concurrent ones, on any pods, one counts.
struct Arrival {
    key: String,
    before: Option<Shared>,
    until: Timestamp,
}

impl Arrival {
    /// Begins before the player's seat is looked up.
    async fn of(live: &Live, request: &SeatRequest) -> Result<Self, Error> {
        let key = format!("seat:{}:{}", Index::Door(request.door.clone()), request.user.id);
        let before = live.read(&key).await?;
        Ok(Self { key, before, until: request.now + ARRIVAL })
    }

    /// Whether this seat counts: it is the first one found, or the same one that another arrival found.
    async fn counts(&self, live: &Live, game: &Game) -> Result<bool, Error> {
        let seated = Shared::new(game.id.to_string(), self.until);
        if live.write(&self.key, self.before.as_ref(), seated.clone()).await? {
            return Ok(true);
        }
        Ok(live.read(&self.key).await?.is_some_and(|known| known.text == seated.text))
    }
}

/// The seat that a player has already.
async fn return_to_seat(live: &Live, request: &SeatRequest) -> Result<Option<Arc<Game>>, Error> {
    let Some(id) = seat_of(live, &request.user.id, &request.door).await? else { return Ok(None) };
    let come_back = |game: &mut Game| Step::changed_if(seats::come_back(game, request));
    live.advance("enter", id, come_back).await
}

/// Where a user sits behind a door, until START.
async fn seat_of(live: &Live, user: &UserId, door: &Door) -> Result<Option<GameId>, Error> {
    let played = live.played(user).await?;
    Ok(played.iter().find(|game| game.holds_seat(user, door)).map(|game| game.id))
}

/// A lobby socket has closed before it learned its game: entering has failed, but may have seated the player behind that
/// door. Returns the facts, if the lobby still waits.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`, if the live state does not answer, or it could not be written down.
pub async fn abandon(
    live: &Live,
    user: &UserId,
    door: &Door,
    socket: SocketId,
    now: Timestamp,
) -> Result<Option<Arc<Game>>, Error> {
    let Some(id) = seat_of(live, user, door).await? else { return Ok(None) };
    live.advance("abandon", id, |game| seats::go_absent(game, user, socket, now)).await
}

/// Seats all players who came to one door: in lobbies that have room, then in new ones.
pub async fn seat_all(live: &Live, requests: &[SeatRequest]) -> Vec<Result<Arc<Game>, Error>> {
    let mut party = Party { seats: requests.iter().map(|_| None).collect(), requests };
    let seated = match party.fill(live).await {
        Ok(()) => party.open(live).await,
        Err(error) => Err(error),
    };
    party.end(&seated.err().unwrap_or_else(|| Kind::UNAVAILABLE.into()))
}

/// Players who are being seated, and their games.
struct Party<'a> {
    requests: &'a [SeatRequest],
    seats: Vec<Option<Arc<Game>>>,
}

impl Party<'_> {
    /// The players without a seat.
    fn standing(&self) -> impl Iterator<Item = (usize, &SeatRequest)> {
        let standing = self.requests.iter().enumerate().zip(&self.seats);
        standing.filter(|(_, seat)| seat.is_none()).map(|(player, _)| player)
    }

    /// Seats players in lobbies that have room; those who request a lobby first.
    async fn fill(&mut self, live: &Live) -> Result<(), Error> {
        let asked_for: Vec<_> = self.standing().filter_map(|(_, it)| it.previous).collect();
        for id in asked_for {
            self.fill_lobby(live, id, |request| request.previous == Some(id)).await?;
        }
        let Some((_, first)) = self.standing().next() else { return Ok(()) };
        if first.door == Door::ALONE {
            return Ok(());
        }
        let (door, now) = (Index::Door(first.door.clone()), first.now);
        let mut lobbies = live.seek(door.clone(), LOOKED_AT).await?;
        if lobbies.len() == LOOKED_AT && !lobbies.iter().any(|lobby| lobby.has_room(now)) {
            // Their time is over, but their timers have not closed them yet.
            lobbies = live.seek(door, usize::MAX).await?;
        }
        lobbies.retain(|lobby| lobby.has_room(now));
        self.fill_by_level(live, &lobbies).await?;
        for lobby in &lobbies {
            if self.standing().next().is_some() {
                self.fill_lobby(live, lobby.id, |_| true).await?;
            }
        }
        Ok(())
    }

    /// Seats players in the lobby of the nearest level, if there are several lobbies and it has room.
    async fn fill_by_level(&mut self, live: &Live, lobbies: &[Arc<Game>]) -> Result<(), Error> {
        if lobbies.len() < 2 {
            return Ok(());
        }
        let near = |it: &SeatRequest| nearest(it.level, lobbies.iter().map(|lobby| &**lobby));
        let near = |(_, it): (usize, &SeatRequest)| Some((it.user.id.clone(), near(it)?));
        let near: HashMap<UserId, GameId> = self.standing().filter_map(near).collect();
        for id in near.values().collect::<BTreeSet<_>>() {
            self.fill_lobby(live, *id, |request| near.get(&request.user.id) == Some(id)).await?;
        }
        Ok(())
    }

    /// Seats as many players in a lobby as it has room for.
    async fn fill_lobby(
        &mut self,
        live: &Live,
        id: GameId,
        wants: impl Fn(&SeatRequest) -> bool + Sync,
    ) -> Result<(), Error> {
        let standing: Vec<_> = self.standing().filter(|(_, request)| wants(request)).collect();
        let enter = |game: &mut Game| {
            let entered = standing.iter().filter(|(_, request)| seats::seat(game, request));
            let entered: Vec<_> = entered.map(|(place, _)| *place).collect();
            if entered.is_empty() { Step::unchanged(entered) } else { Step::changed(entered) }
        };
        let Some((entered, game)) = live.change("enter", id, enter).await? else { return Ok(()) };
        entered.into_iter().for_each(|place| self.seats[place] = Some(game.clone()));
        Ok(())
    }

    /// Opens lobbies for the others: if they are more than one lobby takes, for players of a near level each.
    async fn open(&mut self, live: &Live) -> Result<(), Error> {
        let mut standing: Vec<_> = self.standing().collect();
        standing.sort_by(|(_, one), (_, other)| by_level(one.level, other.level));
        let mut parties = Vec::new();
        while let Some((_, first)) = standing.first() {
            let limit = first.rules.player_limit.clamp(1, standing.len());
            parties.push(standing.drain(..limit).collect::<Vec<_>>());
        }
        let mut opened = Vec::new();
        for parties in parties.chunks(OPENED_AT_ONCE) {
            opened.extend(join_all(parties.iter().map(|party| open_for(live, party))).await);
        }
        let mut failed = None;
        for game in opened {
            match game {
                Ok((places, game)) => {
                    places.into_iter().for_each(|place| self.seats[place] = Some(game.clone()));
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// The seats, or for players without one, the error.
    fn end(self, why: &Error) -> Vec<Result<Arc<Game>, Error>> {
        self.seats.into_iter().map(|seat| seat.ok_or_else(|| why.kind().into())).collect()
    }
}

/// Opens a lobby for some players.
async fn open_for(
    live: &Live,
    party: &[(usize, &SeatRequest)],
) -> Result<(Vec<usize>, Arc<Game>), Error> {
    // It opens for the last arrival too, however long the party has waited for the lease.
    let now = party.iter().map(|(_, request)| request.now).max().unwrap_or(party[0].1.now);
    let first = SeatRequest { now, ..party[0].1.clone() };
    let open = |id| {
        let mut game = seats::open(id, &first);
        for (_, request) in party {
            seats::seat(&mut game, request);
        }
        game
    };
    let game = live.open(open).await?;
    let is_seated = |(_, request): &&(usize, &SeatRequest)| game.player(&request.user.id).is_some();
    Ok((party.iter().filter(is_seated).map(|(place, _)| *place).collect(), game))
}
