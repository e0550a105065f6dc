//! Ratings: how strong a player is against others, by the ranks in races of two people or more (Weng-Lin).
//!
//! A race is rated once it is decided (`rules::due`), by a timer: all ratings of its people and a receipt of the race are
//! written together, so a repeat changes nothing. Guests are rated too; at a login the account takes the guest's rating over,
//! unless it has one.

mod kept;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::Serialize;

use self::kept::{Rated, Rating, Strength};
use self::rules::Entrant;
use crate::bus::Heard;
use crate::game::{Game, GameId, PlayerFinished, UserId, UserType};
use crate::handlers::shared::{Level, LevelWanted, ResultJudged, is_struck};
use crate::http::{Answer, Caller};
use crate::live::Step;
use crate::module::{Batch, Cx, Item, ItemEdit, Kept, Module, Need, Slot, Wiring};
use crate::records::Expected;
use crate::{Error, Kind};

inventory::submit! { Module { name: "rating", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.keeps::<Rating>();
    module.keeps::<Rated>();
    module.hears(look);
    module.hears(judge);
    module.decides(0, level);
    module.timer("rating.race", rules::due, rate);
    module.get("/api/v1/rating", own);
    module.needs(Need::Records);
    module.client(Slot::Profile, "rating.js");
    module.client(Slot::Result, "rating.js");
}

/// Attempts to rate a race while ratings of its people change in other races.
const TRIES: u32 = 8;

/// Sets the timer of a race in which a result has arrived.
async fn look(cx: Cx, finished: Heard<PlayerFinished>) -> Result<(), Error> {
    if let Some(game) = cx.live().find(finished.game).await? {
        cx.arm(&game);
    }
    Ok(())
}

/// The rating of a player arriving in a lobby. Unknown before the first rated race.
async fn level(cx: Cx, wanted: Arc<LevelWanted>) -> Result<Option<Level>, Error> {
    let kept = cx.items::<Rating>().get(wanted.user.as_str()).await?;
    Ok(kept.map(|kept| Level(Some(kept.item.strength.rating))))
}

/// Rates a race, once, and notes that in its facts.
async fn rate(cx: Cx, id: GameId) -> Result<(), Error> {
    let Some(game) = cx.live().find(id).await?.filter(|game| rules::due(game).is_some()) else {
        return Ok(());
    };
    for _ in 0..TRIES {
        if try_to_rate(&cx, &game).await? {
            // One of them may have been struck meanwhile.
            for (player, _) in rules::entrants(&game) {
                apply_verdict(&cx, id, &player.user.id).await?;
            }
            let note = |game: &mut Game| Step::changed_if(rules::mark_rated(game));
            return cx.live().advance("note_rated", id, note).await.map(drop);
        }
    }
    // The sweep finds it again.
    Ok(())
}

/// Writes the new ratings of a race. Returns false if one of them has changed since it was read.
async fn try_to_rate(cx: &Cx, game: &Game) -> Result<bool, Error> {
    let receipt = Rated::of(game.id, cx.now());
    if cx.items::<Rated>().get(&receipt.key()).await?.is_some() {
        return Ok(true);
    }
    let mut entrants = Vec::new();
    for (player, rank) in rules::entrants(game) {
        if is_struck(cx, game.id, &player.user.id).await? {
            continue;
        }
        let known = cx.items::<Rating>().get(player.user.id.as_str()).await?;
        let is_kept = known.is_some() || player.user.user_type == UserType::Guest;
        // A player whose account was deleted meanwhile still counts as an opponent.
        let is_kept = is_kept || cx.records().account(&player.user.id).await?.is_some();
        entrants.push((Entrant { user: player.user.id.clone(), rank, known }, is_kept));
    }
    // Without one that is struck, no other player may be left to compare with.
    if entrants.len() < 2 {
        entrants.clear();
    }
    let strengths = rules::rated(entrants.iter().map(|(entrant, _)| entrant));
    let mut batch = Batch::default();
    batch.put(&receipt, Expected::Absent)?;
    for ((entrant, _), after) in entrants.iter().zip(strengths).filter(|((_, kept), _)| *kept) {
        let expected =
            entrant.known.as_ref().map_or(Expected::Absent, |it| Expected::Version(it.version));
        batch.put(&entrant.after(game.id, after, cx.now()), expected)?;
    }
    match cx.write(batch).await {
        // An account was deleted since.
        Err(error) if error.kind() == Kind::USER_NOT_FOUND => Ok(false),
        written => written,
    }
}

/// Takes back what a struck race has changed for its player, or restores it. The ratings of others stay.
async fn judge(cx: Cx, judged: Heard<ResultJudged>) -> Result<(), Error> {
    apply_verdict(&cx, judged.game, &judged.user).await
}

async fn apply_verdict(cx: &Cx, game: GameId, user: &UserId) -> Result<(), Error> {
    let is_struck = is_struck(cx, game, user).await?;
    let corrected = |known: Option<Rating>| {
        let Some(mut rating) = known else { return ItemEdit::Keep };
        if rating.judge(game, is_struck) { ItemEdit::Put(rating) } else { ItemEdit::Keep }
    };
    cx.items::<Rating>().change(user.as_str(), corrected).await.map(drop)
}

/// A player's rating.
#[derive(Serialize, ToSchema)]
struct OwnRating {
    /// Strength; players begin with 1000.
    rating: f64,
    /// How uncertain that is: the strength lies within twice this of the rating in 95 of 100 cases. Begins with 333, and
    /// falls with each race.
    uncertainty: f64,
    /// Races that were rated.
    races: u32,
    /// The last one, if there is one.
    last: Option<LastRace>,
}

/// The last race that was rated.
#[derive(Serialize, ToSchema)]
struct LastRace {
    game_id: GameId,
    /// By how much it has changed the rating.
    change: f64,
}

impl OwnRating {
    fn of(kept: Option<Kept<Rating>>) -> Self {
        let known = kept.map(|kept| kept.item);
        let Strength { rating, uncertainty } =
            known.as_ref().map(|it| it.strength).unwrap_or_default();
        let last =
            known.as_ref().map(|it| LastRace { game_id: it.game, change: rating - it.before });
        Self { rating, uncertainty, races: known.map_or(0, |it| it.races), last }
    }
}

/// Returns the caller's rating. A race of two people or more is rated once all of them have a result, or when its time is over.
#[endpoint(tags("rating"))]
async fn own(cx: Cx, caller: Caller) -> Result<Answer<OwnRating>, Error> {
    let kept = cx.items::<Rating>().get(caller.0.id.as_str()).await?;
    Ok(Answer::new(OwnRating::of(kept)))
}
