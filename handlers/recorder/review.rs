//! What other modules ask about recorded results: their grade, and which of them organisers should look at.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::recording::Recording;
use super::wire::suspect;
use super::{Links, recording_of, typing, update_recording};
use crate::Error;
use crate::bus::Heard;
use crate::game::{GameId, Timestamp, UserId};
use crate::handlers::shared::{
    Grade, GradeWanted, OnRecord, OnRecordWanted, ResultJudged, ResultWanted, Suspects,
    SuspectsWanted, VerdictWanted,
};
use crate::module::{Cx, ItemEdit, Kept};
use crate::records::Cursor;

/// The grade of a result. Its event may still be under way.
pub(super) async fn grade(cx: Cx, wanted: Arc<GradeWanted>) -> Result<Option<Grade>, Error> {
    let GradeWanted { game, user } = &*wanted;
    let key = Recording::key_of(*game, user);
    let grade = async || {
        let known = cx.items::<Recording>().get(&key).await?;
        Ok::<_, Error>(known.and_then(|kept| kept.item.grade))
    };
    if let Some(known) = grade().await? {
        return Ok(Some(known));
    }
    update_recording(&cx, *game, user, typing(&cx, *game, user).map(|it| it.tape()).as_ref())
        .await?;
    grade().await
}

/// How long what is on record about the results of a race is not read again.
const KNOWN_FOR: Duration = Duration::from_secs(10);
/// Races of which that is known; then it is forgotten.
const RACES: usize = 1_000;

/// What is on record about all results of a race so far: its players ask for it at every finish.
#[derive(Default)]
pub(super) struct KnownResults(Mutex<HashMap<GameId, KnownRace>>);

/// The results of a race by player, and when they were read.
type KnownRace = (Timestamp, HashMap<UserId, OnRecord>);

impl KnownResults {
    fn of(
        &self,
        results: &[(GameId, UserId)],
        game: GameId,
        now: Timestamp,
    ) -> Option<Vec<OnRecord>> {
        let races = self.0.lock();
        let (_, known) = races.get(&game).filter(|(read, _)| now.after(*read) < KNOWN_FOR)?;
        results.iter().map(|(_, user)| known.get(user).copied()).collect()
    }

    fn remember(
        &self,
        results: &[(GameId, UserId)],
        game: GameId,
        known: &[OnRecord],
        now: Timestamp,
    ) {
        let users = results.iter().map(|(_, user)| user.clone());
        let graded = users.zip(known.iter().copied()).filter(|(_, known)| known.grade.is_some());
        let mut races = self.0.lock();
        if races.len() >= RACES {
            races.clear();
        }
        races.insert(game, (now, graded.collect()));
    }
}

/// What is on record about several results. Those of a race may just have been accepted, and their events be under way.
pub(super) async fn on_record(
    cx: Cx,
    wanted: Arc<OnRecordWanted>,
) -> Result<Option<Vec<OnRecord>>, Error> {
    let results = &wanted.results;
    let of_one = results.first().map(|(game, _)| *game);
    let of_one = of_one.filter(|game| results.iter().all(|(of, _)| of == game));
    let Some(game) = of_one else { return known(&cx, results).await.map(Some) };
    let (ranked, now) = (cx.state::<KnownResults>(), cx.now());
    if let Some(known) = ranked.of(results, game, now) {
        return Ok(Some(known));
    }
    let mut found = known(&cx, results).await?;
    let missing = results.iter().zip(&found).filter(|(_, known)| known.grade.is_none());
    let missing: Vec<_> = missing.map(|((_, user), _)| user.clone()).collect();
    if !missing.is_empty() && cx.live().find(game).await?.is_some() {
        for user in &missing {
            update_recording(&cx, game, user, typing(&cx, game, user).map(|it| it.tape()).as_ref())
                .await?;
        }
        found = known(&cx, results).await?;
    }
    ranked.remember(results, game, &found, now);
    Ok(Some(found))
}

async fn known(cx: &Cx, results: &[(GameId, UserId)]) -> Result<Vec<OnRecord>, Error> {
    let key = |(game, user): &(GameId, UserId)| Recording::key_of(*game, user);
    let keys: Vec<_> = results.iter().map(key).collect();
    let of = |it: Kept<Recording>| {
        let Recording { game, ref user, grade, place, .. } = it.item;
        (Recording::key_of(game, user), OnRecord { grade, place })
    };
    let found = cx.items::<Recording>().get_all(&keys).await?;
    let found: HashMap<_, _> = found.into_iter().map(of).collect();
    Ok(keys.iter().map(|key| found.get(key).copied().unwrap_or_default()).collect())
}

/// Whose result it is.
pub(super) async fn owner(
    cx: Cx,
    wanted: Arc<ResultWanted>,
) -> Result<Option<(GameId, UserId)>, Error> {
    let found = recording_of(&cx, &wanted.id).await?;
    Ok(found.map(|recording| (recording.game, recording.user)))
}

/// Results that organisers should look at, or have looked at.
pub(super) async fn suspects(
    cx: Cx,
    wanted: Arc<SuspectsWanted>,
) -> Result<Option<Suspects>, Error> {
    let after = wanted.after.as_deref().map(Cursor::parse).transpose()?;
    let range = Recording::in_review(wanted.are_judged);
    let page = cx.items::<Recording>().page(&range, after.as_ref(), wanted.size).await?;
    let rows = page.items.into_iter().filter_map(|kept| suspect(kept.item, &Links(&cx)));
    let (rows, next) = (rows.collect(), page.next.map(|cursor| cursor.to_text()));
    Ok(Some(Suspects { rows, next }))
}

/// Takes the verdict over into the recording, so that it is shown with the result.
pub(super) async fn judge(cx: Cx, judged: Heard<ResultJudged>) -> Result<(), Error> {
    let ResultJudged { game, user } = &*judged;
    let verdict = cx.ask(VerdictWanted { game: *game, user: user.clone() }).await?;
    let taken = |known: Option<Recording>| match known {
        Some(known) if known.verdict != verdict => ItemEdit::Put(known.judged(verdict.clone())),
        _ => ItemEdit::Keep,
    };
    cx.items::<Recording>().change(&Recording::key_of(*game, user), taken).await.map(drop)
}
