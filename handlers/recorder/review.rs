//! What other modules ask about recorded results: their grade, and which of them organisers should look at.

use std::collections::HashMap;
use std::sync::Arc;

use super::recording::Recording;
use super::wire::suspect;
use super::{Links, keep, recording_of, rules, typing};
use crate::Error;
use crate::bus::Heard;
use crate::game::{GameId, UserId};
use crate::handlers::shared::{
    Grade, GradeWanted, OnRecord, OnRecordWanted, ResultJudged, ResultWanted, Suspects,
    SuspectsWanted, VerdictWanted,
};
use crate::module::{Cx, Edit, Kept};
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
    keep(&cx, *game, user, typing(&cx, *game, user).map(|it| it.tape()).as_ref()).await?;
    grade().await
}

/// What is on record about several results. Those of a race may just have been accepted, and their events be under way.
pub(super) async fn on_record(
    cx: Cx,
    wanted: Arc<OnRecordWanted>,
) -> Result<Option<Vec<OnRecord>>, Error> {
    let mut known = known(&cx, &wanted.results).await?;
    if let [(game, _), ..] = wanted.results[..]
        && wanted.results.iter().all(|(of, _)| *of == game)
        && let Some(facts) = cx.live().find(game).await?
    {
        let graded =
            |(user, known): (&UserId, &OnRecord)| known.grade.is_some().then(|| user.clone());
        let users = wanted.results.iter().map(|(_, user)| user);
        let graded: Vec<_> = users.zip(&known).filter_map(graded).collect();
        let missing = rules::results(&facts).filter(|it| !graded.contains(&it.user.id));
        let missing: Vec<_> = missing.map(|player| player.user.id.clone()).collect();
        for user in &missing {
            keep(&cx, game, user, typing(&cx, game, user).map(|it| it.tape()).as_ref()).await?;
        }
        if !missing.is_empty() {
            known = self::known(&cx, &wanted.results).await?;
        }
    }
    Ok(Some(known))
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
        Some(known) if known.verdict != verdict => Edit::Put(known.judged(verdict.clone())),
        _ => Edit::Keep,
    };
    cx.items::<Recording>().change(&Recording::key_of(*game, user), taken).await.map(drop)
}
