//! What the recorder answers other modules about recorded races.

use std::sync::Arc;

use super::recording::Recording;
use crate::Error;
use crate::game::GameId;
use crate::handlers::shared::{
    BestWanted, DrawnText, PublicLink, Recorded, RecordingWanted, ReplayWanted,
};
use crate::module::Cx;

/// Most players of a replay.
const PLAYERS: u32 = 100;

/// Among how many of the latest recordings the best is looked for.
const LATEST: u32 = 100;

/// The recordings of a race, in the order of the replay.
pub(super) async fn of_race(cx: &Cx, game: GameId) -> Result<Vec<Recording>, Error> {
    let page = cx.items::<Recording>().page(&Recording::in_race(game), None, PLAYERS).await?;
    Ok(Recording::in_order(page.items.into_iter().map(|kept| kept.item).collect()))
}

/// The link to a replay, once something is recorded.
pub(super) async fn link(cx: Cx, wanted: Arc<ReplayWanted>) -> Result<Option<String>, Error> {
    let first = cx.items::<Recording>().page(&Recording::in_race(wanted.game), None, 1).await?;
    let is_there = !first.items.is_empty();
    Ok(is_there.then(|| PublicLink::Replay.to(&cx, wanted.game)))
}

/// What a player has typed in a race.
pub(super) async fn recording(
    cx: Cx,
    wanted: Arc<RecordingWanted>,
) -> Result<Option<Recorded>, Error> {
    let all = of_race(&cx, wanted.game).await?;
    let Some(recording) = wanted.player.checked_sub(1).and_then(|it| all.get(it)) else {
        return Ok(None);
    };
    Ok(recording.result.map(|result| Recorded {
        name: recording.name.clone(),
        text: DrawnText { words: recording.words.clone(), about: recording.about.clone() },
        is_timed: recording.seconds.is_some(),
        spots: recording.way(),
        figures: result.figures,
    }))
}

/// The fastest of a player's latest races.
pub(super) async fn best(
    cx: Cx,
    wanted: Arc<BestWanted>,
) -> Result<Option<(GameId, usize)>, Error> {
    let page = cx.items::<Recording>().page(&Recording::by(&wanted.user), None, LATEST).await?;
    let ranked = page.items.into_iter().map(|kept| kept.item).filter_map(|it| {
        let is_struck = it.verdict.as_ref().is_some_and(|verdict| verdict.is_struck);
        let counts = !is_struck && it.seconds.is_none();
        let result = it.result.filter(|result| result.rank > 0 && counts)?;
        Some((it.game, result.figures.wpm))
    });
    let Some((game, _)) = ranked.max_by(|(_, one), (_, other)| one.total_cmp(other)) else {
        return Ok(None);
    };
    let place = of_race(&cx, game).await?.iter().position(|it| it.user == wanted.user);
    Ok(place.map(|place| (game, place + 1)))
}
