//! Fair-play review: organisers see results under suspicion, and strike or clear them, with a reason.
//!
//! The verdict is kept here. Modules that count or show results ask for it (`VerdictWanted`), and hear when there is a new one
//! (`ResultJudged`). A repeated request changes nothing, but announces the verdict again.

mod kept;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use salvo::Writer;
use salvo::oapi::endpoint;

use self::kept::Judged;
use self::wire::{Judgement, ReviewQuery, Reviewed, VerdictAnswer, VerdictBody};
use crate::auth::Role;
use crate::game::User;
use crate::handlers::shared::{ResultJudged, ResultWanted, SuspectsWanted, Verdict, VerdictWanted};
use crate::http::{Answer, Body, Caller};
use crate::module::{Cx, Item, ItemEdit, Module, Slot, Wiring};
use crate::{Error, Kind};

inventory::submit! { Module { name: "review", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.keeps::<Judged>();
    module.decides(0, verdict);
    module.emits::<ResultJudged>();
    module.get("/api/v1/review/results", results).requires(Role::Organiser);
    module
        .post("/api/v1/review/verdicts", judge)
        .requires(Role::Organiser)
        .fails(&[Kind::GAME_NOT_FOUND, Kind::USER_NOT_FOUND]);
    let page = Slot::Page { path: "review", title: "Review" };
    module.client(page, "review.js").requires(Role::Organiser);
}

/// The verdict on a result.
async fn verdict(cx: Cx, wanted: Arc<VerdictWanted>) -> Result<Option<Verdict>, Error> {
    let kept = cx.items::<Judged>().get(&Judged::key_of(wanted.game, &wanted.user)).await?;
    Ok(kept.map(|kept| kept.item.verdict))
}

/// Returns results for organisers, newest first: those under suspicion that are not judged yet, or those that are judged.
#[endpoint(tags("review"))]
async fn results(cx: Cx, query: ReviewQuery) -> Result<Answer<Reviewed>, Error> {
    let ReviewQuery { are_judged, size, after } = query;
    let found = cx.ask(SuspectsWanted { are_judged, size, after }).await?;
    Ok(Answer::new(Reviewed::of(found.unwrap_or_default())))
}

/// Strikes a result, or clears it. A struck result leaves boards and ratings until it is cleared. Each verdict is in the audit log,
/// with its reason, which the player can read.
#[endpoint(tags("review"))]
async fn judge(
    cx: Cx,
    body: Body<VerdictBody>,
    caller: Caller,
) -> Result<Answer<VerdictAnswer>, Error> {
    let Judgement { result_id, is_struck, reason } = body.0.checked()?;
    let (game, user) = cx.ask(ResultWanted { id: result_id }).await?.ok_or(Kind::GAME_NOT_FOUND)?;
    if user == caller.0.id {
        return Err(Error::new(
            Kind::NOT_PERMITTED,
            "organisers do not judge results of their own",
        ));
    }
    let judged = Judged { game, user, verdict: Verdict { is_struck, reason, at: cx.now() } };
    let its = cx.clone();
    let verdict =
        cx.run_to_completion(async move { decide(&its, judged, &caller.0).await }).await?;
    Ok(Answer::new(VerdictAnswer::of(verdict)))
}

/// Keeps a verdict, and announces it. The same one again stays as it was.
async fn decide(cx: &Cx, judged: Judged, by: &User) -> Result<Verdict, Error> {
    let Judged { game, user, verdict } = &judged;
    let items = cx.items::<Judged>();
    let known = items.get(&judged.key()).await?.map(|kept| kept.item.verdict);
    let kept = match known.filter(|known| known.says_the_same(verdict)) {
        Some(known) => known,
        None => {
            let action = if verdict.is_struck { "strike result" } else { "clear result" };
            let operator = format!("{} ({})", by.id, cx.role_of(by));
            let target = format!("{game} of {user}: {}", verdict.reason);
            cx.audit(&operator, action, &target).await;
            items.change(&judged.key(), |_| ItemEdit::Put(judged.clone())).await?;
            verdict.clone()
        }
    };
    // The newest verdict is noted, should another organiser have decided meanwhile.
    let newest = items.get(&judged.key()).await?.map_or_else(|| kept.clone(), |it| it.item.verdict);
    cx.live().advance("judge", *game, |game| newest.put_into(game, user)).await?;
    cx.publish(ResultJudged { game: *game, user: user.clone() }).await;
    Ok(kept)
}
