//! Boards: the best races of today, of this week and of all time, one per registered player, for each kind of text.
//!
//! A ranked result enters three boards, each by one idempotent write (`enter_result`). The event of the result does that at once; a
//! timer does it again for what was missed (`rules::due`), until the facts say that all results of the race are entered.

mod entry;
mod query;
mod rules;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

use salvo::oapi::endpoint;
use salvo::{Request, Writer};

use self::entry::{Board, BoardEntry, Period};
use self::query::{BoardCursor, BoardQuery, StandingQuery};
use self::rules::{BoardResult, Entered};
use self::settings::BoardSettings;
use self::wire::{BoardPage, BoardStanding, Standings};
use crate::Error;
use crate::auth::Cookies;
use crate::bus::Heard;
use crate::game::{Game, GameId, GuestLoggedIn, PlayerFinished, User, UserId};
use crate::handlers::shared::{
    self, Contest as _, Grade, GradeWanted, Struck, WORDS, judge_entries,
};
use crate::http::{Answer, Caller};
use crate::live::Step;
use crate::module::{Cx, Module, Slot, Wiring};
use crate::records::Expected;

inventory::submit! { Module { name: "boards", path: module_path!(), wire } }

const BOARDS: &str = "/api/v1/boards";

fn wire(module: &mut Wiring) {
    module.state(BoardSettings::load);
    module.keeps::<BoardEntry>();
    module.keeps::<Struck<BoardEntry>>();
    module.hears(count);
    module.hears(count_for_account);
    module.hears(judge_entries::<BoardEntry>);
    module.timer("boards.entries", rules::due, settle);
    module.get(BOARDS, page);
    module.get("/api/v1/boards/standing", standing);
    module.client(Slot::Page { path: "boards", title: "Boards" }, "boards.js");
    module.client(Slot::Result, "standing.js");
}

/// Ranks are counted up to this one.
const LAST_RANK: u32 = 10_000;

/// Enters a result.
async fn count(cx: Cx, finished: Heard<PlayerFinished>) -> Result<(), Error> {
    if finished.rank == 0 {
        return Ok(());
    }
    let Some(game) = cx.live().find(finished.game).await? else { return Ok(()) };
    cx.arm(&game);
    let shortest = cx.state::<BoardSettings>().least_words;
    match game.player(&finished.user).and_then(|player| BoardResult::of(&game, player, shortest)) {
        Some(_) => enter_result(&cx, finished.game, &finished.user).await,
        None => Ok(()),
    }
}

/// Enters the results of a guest, which have become those of an account.
async fn count_for_account(cx: Cx, logged_in: Heard<GuestLoggedIn>) -> Result<(), Error> {
    for game in cx.live().played(&logged_in.account).await? {
        cx.arm(&game);
        enter_all(&cx, &game).await?;
    }
    Ok(())
}

/// Enters all results of a race, and notes that in its facts.
async fn settle(cx: Cx, id: GameId) -> Result<(), Error> {
    let Some(game) = cx.live().find(id).await? else { return Ok(()) };
    enter_all(&cx, &game).await?;
    let entered = Entered(rules::results(&game).count());
    let note = |game: &mut Game| Step::changed_if(rules::put_count(game, entered));
    cx.live().advance("enter_boards", id, note).await.map(drop)
}

async fn enter_all(cx: &Cx, game: &Game) -> Result<(), Error> {
    let shortest = cx.state::<BoardSettings>().least_words;
    for result in rules::results(game).filter_map(|player| BoardResult::of(game, player, shortest))
    {
        enter_result(cx, game.id, &result.user).await?;
    }
    Ok(())
}

/// Enters a result into the boards of its time, where it is better than the player's best so far.
async fn enter_result(cx: &Cx, game: GameId, user: &UserId) -> Result<(), Error> {
    let shortest = cx.state::<BoardSettings>().least_words;
    let entries = |game: &Game, grade| {
        let result = game.player(user).and_then(|player| BoardResult::of(game, player, shortest));
        result.map(|result| result.entries(grade)).unwrap_or_default()
    };
    shared::enter(cx, (game, user), entries).await?;
    leave_verified(cx, game, user).await
}

/// Takes a race off the boards of verified ones, if it is not verified any more: more of its log has come since.
async fn leave_verified(cx: &Cx, game: GameId, user: &UserId) -> Result<(), Error> {
    let grade = cx.ask(GradeWanted { game, user: user.clone() }).await?;
    let Some(facts) = cx.live().find(game).await?.filter(|_| grade != Some(Grade::Verified)) else {
        return Ok(());
    };
    let shortest = cx.state::<BoardSettings>().least_words;
    let result = facts.player(user).and_then(|player| BoardResult::of(&facts, player, shortest));
    for key in result.iter().flat_map(BoardResult::verified_keys) {
        let items = cx.items::<BoardEntry>();
        if let Some(kept) = items.get(&key).await?.filter(|kept| kept.item.race() == game) {
            items.delete(&key, Expected::Version(kept.version)).await?;
        }
    }
    Ok(())
}

/// Returns a board in pages: the best race of each registered player, the fastest first. Of equally fast races the one of
/// the better grade comes first, then the more accurate one, then the earlier one. The header `link` (RFC 8288) and `next` name the next page: it goes on after the last
/// row of this one, on the same board, whatever was entered meanwhile.
#[endpoint(tags("boards"))]
async fn page(cx: Cx, query: BoardQuery, req: &mut Request) -> Result<Answer<BoardPage>, Error> {
    let BoardQuery { period, kind, is_of_verified, size, after } = query;
    let (at, before, cursor) = match &after {
        Some(BoardCursor { at, rank, cursor }) => (*at, *rank, Some(cursor)),
        None => (cx.now(), 0, None),
    };
    let board = Board::at(period, &kind, at);
    let board = if is_of_verified { board.of_verified() } else { board };
    let found = cx.items::<BoardEntry>().page(&board.range(), cursor, size).await?;
    let caller = cx.former_bearer(Cookies::of(req).access_token());
    let is_own = |entry: &BoardEntry| caller.as_ref().is_some_and(|it| it.user.id == entry.user);
    let entries = found.items.into_iter().map(|kept| kept.item);
    let rows = (before + 1..).zip(entries).map(|(rank, it)| it.row(rank, is_own(&it)));
    let rows: Vec<_> = rows.collect();
    let rank = rows.last().map_or(before, |row| row.rank);
    let next =
        found.next.map(|cursor| BoardCursor { at: board.begins_at(), rank, cursor }.to_text());
    let path = next.as_ref().map(|next| {
        let grade = if is_of_verified { "&grade=verified" } else { "" };
        format!("{BOARDS}?period={}&kind={kind}{grade}&size={size}&cursor={next}", period.name())
    });
    let answer = Answer::new(BoardPage::of(&board, rows, next));
    Ok(path.iter().fold(answer, |answer, path| answer.with_next_page(path)))
}

/// Returns the caller's places on the boards: today, this week, all time. Boards without a race of the caller are left out, so
/// guests have none.
#[endpoint(tags("boards"))]
async fn standing(
    cx: Cx,
    query: StandingQuery,
    caller: Caller,
) -> Result<Answer<Standings>, Error> {
    let user = caller.0;
    let kind = match query.game {
        Some(game) => kind_of_race(&cx, game, &user).await?,
        None => Some(query.kind),
    };
    let now = cx.now();
    let mut standings = Vec::new();
    for (period, kind) in Period::ALL.into_iter().zip(kind.iter().cycle()) {
        standings.extend(standing_on(&cx, &Board::at(period, kind, now), &user).await?);
    }
    Ok(Answer::new(Standings { kind, standings }))
}

/// The kind of a race, once the player's result is entered: the event of the result may still be under way.
async fn kind_of_race(cx: &Cx, game: GameId, user: &User) -> Result<Option<String>, Error> {
    let Some(game) = cx.live().find(game).await? else { return Ok(Some(WORDS.to_owned())) };
    let shortest = cx.state::<BoardSettings>().least_words;
    if let Some(result) = game.player(&user.id).and_then(|it| BoardResult::of(&game, it, shortest))
    {
        enter_result(cx, game.id, &result.user).await?;
    }
    Ok(rules::kind_of(&game))
}

async fn standing_on(cx: &Cx, board: &Board, user: &User) -> Result<Option<BoardStanding>, Error> {
    let entries = cx.items::<BoardEntry>();
    let Some(kept) = entries.get(&board.key_of(&user.id)).await? else { return Ok(None) };
    let entry = kept.item;
    let before = entries.count_before(&board.range(), &entry, LAST_RANK).await?;
    let rank = u32::try_from(before + 1).ok().filter(|rank| *rank <= LAST_RANK);
    Ok(Some(BoardStanding::of(board, &entry, rank)))
}
