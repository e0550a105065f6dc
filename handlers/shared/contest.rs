//! Boards with the best race of each player, which several modules keep: how a race enters, and how it leaves if it is struck.
//!
//! A struck race is set aside, and comes back if it is cleared, unless the player has a better one by then.

use serde::{Deserialize, Serialize};

use super::{Grade, GradeWanted, ResultJudged, is_struck};
use crate::bus::Heard;
use crate::game::{Game, GameId, Timestamp, User, UserId};
use crate::module::{Batch, Cx, Item, ItemEdit, Kept};
use crate::records::Expected;
use crate::{Error, Kind};

/// Entries of a player that are read at once.
const PAGE: u32 = 200;

/// Attempts to take an entry off a board while it is written.
const TRIES: u32 = 8;

/// An entry of a board: a player's best race on it.
pub trait Contest: Item + Clone + PartialEq {
    /// The collection of those that are set aside.
    const STRUCK: &'static str;

    /// The race.
    fn race(&self) -> GameId;

    /// Whether it comes before another one.
    fn beats(&self, other: &Self) -> bool;
}

/// An entry that is set aside.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Struck<E>(E);

impl<E: Contest> Item for Struck<E> {
    const COLLECTION: &'static str = E::STRUCK;

    fn key(&self) -> String {
        format!("{}:{}", self.0.key(), self.0.race())
    }

    fn owner(&self) -> Option<&UserId> {
        self.0.owner()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at()
    }

    fn handed_over(self, account: &User) -> Option<Self> {
        self.0.handed_over(account).map(Self)
    }
}

/// Enters a player's race where it is better than the player's best so far, unless it is struck. `entries` are those of the player,
/// by the facts of the race and its grade. The module keeps `E` and `Struck<E>`.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn enter<E: Contest>(
    cx: &Cx,
    (game, user): (GameId, &UserId),
    entries: impl Fn(&Game, Option<Grade>) -> Vec<E> + Send,
) -> Result<(), Error> {
    if is_struck(cx, game, user).await? {
        return Ok(());
    }
    let grade = cx.ask(GradeWanted { game, user: user.clone() }).await?;
    // Read as late as possible: an account may take over the results of a guest meanwhile.
    let Some(facts) = cx.live().find(game).await? else { return Ok(()) };
    for entry in entries(&facts, grade) {
        match put(cx, &entry).await {
            // The account is deleted.
            Err(error) if error.kind() == Kind::USER_NOT_FOUND => return Ok(()),
            entered => entered?,
        }
    }
    // It may have been struck meanwhile; then that has not found all of these entries.
    if is_struck(cx, game, user).await? { strike::<E>(cx, game, user).await } else { Ok(()) }
}

async fn put<E: Contest>(cx: &Cx, entry: &E) -> Result<(), Error> {
    let better = |known: Option<E>| match known {
        // The same race, of which more is known.
        Some(known) if known.race() == entry.race() && known != *entry => {
            ItemEdit::Put(entry.clone())
        }
        Some(known) if !entry.beats(&known) => ItemEdit::Keep,
        _ => ItemEdit::Put(entry.clone()),
    };
    cx.items::<E>().change(&entry.key(), better).await.map(drop)
}

/// Strikes or restores the entries of a result, by its verdict. Repeated, it changes nothing.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn judge_entries<E: Contest>(cx: Cx, judged: Heard<ResultJudged>) -> Result<(), Error> {
    let (game, user) = (judged.game, &judged.user);
    match is_struck(&cx, game, user).await? {
        true => strike::<E>(&cx, game, user).await,
        false => restore::<E>(&cx, game, user).await,
    }
}

async fn strike<E: Contest>(cx: &Cx, game: GameId, user: &UserId) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = cx.items::<E>().of_owner(user, after.as_ref(), PAGE).await?;
        for kept in page.items.into_iter().filter(|kept| kept.item.race() == game) {
            set_aside(cx, kept).await?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Takes an entry of a race off its board. If it is written again meanwhile, that is found.
async fn set_aside<E: Contest>(cx: &Cx, mut kept: Kept<E>) -> Result<(), Error> {
    let (key, race) = (kept.item.key(), kept.item.race());
    for _ in 0..TRIES {
        let mut batch = Batch::default();
        batch.delete::<E>(&key, Expected::Version(kept.version));
        batch.put(&Struck(kept.item), Expected::Anything)?;
        if cx.write(batch).await? {
            return Ok(());
        }
        match cx.items::<E>().get(&key).await?.filter(|kept| kept.item.race() == race) {
            Some(newer) => kept = newer,
            None => return Ok(()),
        }
    }
    Err(Kind::UNAVAILABLE.into())
}

async fn restore<E: Contest>(cx: &Cx, game: GameId, user: &UserId) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = cx.items::<Struck<E>>().of_owner(user, after.as_ref(), PAGE).await?;
        for kept in page.items.into_iter().filter(|kept| kept.item.0.race() == game) {
            put(cx, &kept.item.0).await?;
            let expected = Expected::Version(kept.version);
            cx.items::<Struck<E>>().delete(&kept.item.key(), expected).await?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
