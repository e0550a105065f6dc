//! Copies of positions, for the case that their pod dies: clients that send positions do not send them again.
//!
//! Once a second each pod copies the logs of positions that have grown into the values that pods share. They are read when a
//! recording is brought up to date. Edits need no copy: a client of `typephoon.v2` sends again what a pod does not have.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::recording::{BYTES, absorb_spots};
use crate::bus::Heard;
use crate::game::{Game, GameId, RaceEntered, UserId};
use crate::handlers::shared::{SpotTape, Typing};
use crate::module::{Cx, Share};
use crate::socket::{RACE, Room};
use crate::{Error, Kind};

/// Interval of the copies of a race.
const INTERVAL: Duration = Duration::from_secs(1);

/// Players times words whose logs are copied into one value, so that it stays below 16 KiB.
const WORDS: usize = 500;

/// The logs of positions of some players of a race, of all pods.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Copies(BTreeMap<UserId, Vec<SpotTape>>);

impl Share for Copies {
    const NAME: &'static str = "positions";
    const LASTS: Duration = Duration::from_secs(10 * 60);
}

impl Copies {
    fn with<'a>(
        known: Option<&Self>,
        tapes: impl Iterator<Item = (&'a UserId, &'a SpotTape)>,
    ) -> Self {
        let mut copies = Self(known.map(|it| it.0.clone()).unwrap_or_default());
        for (user, tape) in tapes {
            absorb_spots(copies.0.entry(user.clone()).or_default(), tape, BYTES);
        }
        copies
    }
}

/// The key of the value with the copies of a player.
fn key(game: &Game, user: &UserId) -> Option<String> {
    let seat = game.players.iter().position(|player| player.user.id == *user)?;
    let values = 1 + game.players.len() * game.words().split(' ').count() / WORDS;
    Some(format!("{}/{}", game.id, seat % values))
}

/// What was copied of a player's positions.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub(super) async fn of(cx: &Cx, game: &Game, user: &UserId) -> Result<Vec<SpotTape>, Error> {
    let Some(key) = key(game, user).filter(|_| !cx.is_alone()) else { return Ok(Vec::new()) };
    let found = cx.shares::<Copies>().get(&key).await?;
    Ok(found.and_then(|mut found| found.value.0.remove(user)).unwrap_or_default())
}

/// The races whose positions this pod copies.
#[derive(Default)]
pub(super) struct Copied(Mutex<HashSet<GameId>>);

impl Copied {
    /// The room of the race, or the end of its copying, once it is empty: a socket enters it before that is told.
    fn room(&self, cx: &Cx, game: GameId) -> Option<Arc<Room>> {
        let mut races = self.0.lock();
        let room = cx.rooms().get(RACE, game);
        if room.is_none() {
            races.remove(&game);
        }
        room
    }
}

/// Begins to copy the positions of a race, unless this pod is the only one.
pub(super) async fn begin(cx: Cx, entered: Heard<RaceEntered>) -> Result<(), Error> {
    let (game, copied) = (entered.game, cx.state::<Copied>());
    if cx.is_alone() || !copied.0.lock().insert(game) {
        return Ok(());
    }
    let its = cx.clone();
    cx.spawn_background(async move {
        let mut known = HashMap::new();
        tokio::time::sleep(INTERVAL).await;
        while let Some(room) = copied.room(&its, game) {
            if copy(&its, game, &room, &mut known).await.is_err() {
                its.counter("failures").add(1);
            }
            tokio::time::sleep(INTERVAL).await;
        }
    });
    Ok(())
}

/// The key of a player's copy, and how many positions are copied.
type CopiedCounts = HashMap<UserId, (String, u32)>;

/// Copies the logs that have grown.
async fn copy(cx: &Cx, game: GameId, room: &Room, known: &mut CopiedCounts) -> Result<(), Error> {
    let fresh = |(user, typing): (UserId, Arc<Typing>)| {
        let count = known.get(&user).map_or(0, |(_, count)| *count);
        typing.spots_beyond(count).map(|tape| (user, tape))
    };
    let fresh: Vec<_> = room.own_of_all::<Typing>().into_iter().filter_map(fresh).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    // The players of a race stay the same.
    if known.is_empty() {
        let Some(game) = cx.live().find(game).await? else { return Ok(()) };
        let users = game.players.iter().map(|player| &player.user.id);
        known.extend(users.filter_map(|user| Some((user.clone(), (key(&game, user)?, 0)))));
    }
    let mut by_key = HashMap::<_, Vec<_>>::new();
    for (user, tape) in &fresh {
        if let Some((key, _)) = known.get(user) {
            by_key.entry(key.clone()).or_default().push((user, tape));
        }
    }
    for (key, tapes) in by_key {
        let tapes = || tapes.iter().copied();
        let copies = cx.shares::<Copies>();
        match copies.change(&key, |there| Some(Copies::with(there, tapes()))).await {
            // A text of an hour. The other values can be copied all the same.
            Err(error) if error.kind() == Kind::PAYLOAD_TOO_LARGE => cx.counter("failures").add(1),
            copied => drop(copied?),
        }
        for (user, tape) in tapes() {
            known.insert(user.clone(), (key.clone(), tape.count));
        }
    }
    Ok(())
}
