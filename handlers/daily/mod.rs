//! The daily challenge: one text a day for all players, and a board of the best race of each on that day.
//!
//! A lobby of friends, or a race alone, is opened for it by `daily=true` in the query of its socket. The text is drawn when
//! the first race of the day needs it, and kept; so all pods have the same one, also after a restart. A ranked result
//! and its entry on the board are written together; the grade is added when the event of the result arrives.

mod day;
mod entry;
mod query;
mod rules;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use salvo::oapi::endpoint;
use salvo::{Request, Writer};

use self::day::{Day, DayText};
use self::entry::{DailyEntry, board, key};
use self::query::{DailyCursor, DailyQuery};
use self::rules::{Daily, day_of};
use self::settings::DailyTexts;
use self::wire::{DailyBoard, DailyOwn, DailyStanding};
use crate::auth::Cookies;
use crate::bus::Heard;
use crate::game::{Game, Parts, Player, PlayerFinished, Result as GameResult, UserId};
use crate::handlers::shared::{
    self, DrawnText, LobbyWanted, Struck, TextAbout, TextWanted, judge_entries,
};
use crate::http::{Answer, Caller, GameQuery};
use crate::module::{Brief, Cx, Module, Slot, Wiring};
use crate::{Error, Kind};

inventory::submit! { Module { name: "daily", path: module_path!(), wire } }

const BOARD: &str = "/api/v1/daily";

/// Before modules that draw texts by another choice, which a query may have as well.
const FIRST: i32 = -2;

/// Ranks are counted up to this one.
const LAST_RANK: u32 = 10_000;

fn wire(module: &mut Wiring) {
    module.state(DailyTexts::load);
    module.keeps::<DayText>();
    module.keeps_with_results(entry);
    module.keeps::<Struck<DailyEntry>>();
    module.decides(FIRST, opening);
    module.decides(FIRST, draw);
    module.hears(grade);
    module.hears(judge_entries::<DailyEntry>);
    module.get(BOARD, show);
    module.get("/api/v1/daily/standing", standing).fails(&[Kind::GAME_NOT_FOUND]);
    module.client(Slot::Page { path: "daily", title: "Daily" }, "daily.js");
    module.client(Slot::Lobby, "lobby.js");
    module.client(Slot::Result, "result.js");
}

/// Stores the day with a lobby that is opened for its text.
async fn opening(cx: Cx, wanted: Arc<LobbyWanted>) -> Result<Option<Parts>, Error> {
    match wanted.query.get("daily").map(String::as_str) {
        None | Some("" | "false") => Ok(None),
        Some("true") => Ok(Some(Parts::default().with(Daily::on(Day::of(cx.now()))))),
        Some(_) => Err(Error::validation("query parameter daily: must be true or false")),
    }
}

/// The text of the day.
async fn draw(cx: Cx, wanted: Arc<TextWanted>) -> Result<Option<DrawnText>, Error> {
    let Some(day) = day_of(&wanted.game) else { return Ok(None) };
    let source = Some(format!("the daily challenge of {}", day.name()));
    let about = TextAbout { kind: rules::KIND.into(), source, ..TextAbout::default() };
    Ok(Some(DrawnText { words: text_of(&cx, day).await?, about }))
}

/// The words of a day: those that are kept, or else new ones.
async fn text_of(cx: &Cx, day: Day) -> Result<String, Error> {
    let texts = cx.items::<DayText>();
    if let Some(kept) = texts.get(&day.name()).await? {
        return Ok(kept.item.words);
    }
    let drawn = cx.state::<DailyTexts>().draw(day);
    if texts.insert(&drawn).await? {
        return Ok(drawn.words);
    }
    // Another race was first.
    let kept = texts.get(&day.name()).await?;
    kept.map(|it| it.item.words).ok_or_else(|| Kind::UNAVAILABLE.into())
}

/// The entry of a ranked result for the board of its day.
fn entry(brief: Brief<'_>, game: &Game, player: &Player, result: GameResult) -> Option<DailyEntry> {
    rules::entry(game, player, result, brief.state::<DailyTexts>().keep_days())
}

/// Adds the grade to the entry of a result.
async fn grade(cx: Cx, finished: Heard<PlayerFinished>) -> Result<(), Error> {
    let (user, days) = (&finished.user, cx.state::<DailyTexts>().keep_days());
    let graded = |game: &Game, grade| {
        let player = game.player(user);
        let entry = player.and_then(|it| rules::entry(game, it, it.result?, days));
        entry.map(|entry| DailyEntry { grade, ..entry }).into_iter().collect()
    };
    shared::enter(&cx, (finished.game, user), graded).await
}

/// Returns the board of a day in pages: the best race of each player in the text of that day, the fastest first. Of equally
/// fast races the more accurate one comes first, then the earlier one. The header `link` (RFC 8288) and `next` name the next
/// page: it goes on after the last row of this one, on the same day, whatever was entered meanwhile.
#[endpoint(tags("daily"))]
async fn show(cx: Cx, query: DailyQuery, req: &mut Request) -> Result<Answer<DailyBoard>, Error> {
    let DailyQuery { day, size, after } = query;
    let now = cx.now();
    let (day, before, cursor) = match &after {
        Some(DailyCursor { day, rank, cursor }) => (*day, *rank, Some(cursor)),
        None => (day.unwrap_or_else(|| Day::of(now)), 0, None),
    };
    let caller = cx.former_bearer(Cookies::of(req).access_token()).map(|it| it.user.id);
    let found = cx.items::<DailyEntry>().page(&board(day), cursor, size).await?;
    let entries = found.items.into_iter().map(|kept| kept.item);
    let row = |(rank, it): (u64, DailyEntry)| it.row(rank, caller.as_ref());
    let mut page = DailyBoard::of(day, now, (before + 1..).zip(entries).map(row).collect());
    if let Some(caller) = &caller {
        page.own = own(&cx, day, caller).await?;
    }
    let rank = page.rows.last().map_or(before, |row| row.rank);
    page.next = found.next.map(|cursor| DailyCursor { day, rank, cursor }.to_text());
    let path = page.next.as_ref().map(|next| format!("{BOARD}?size={size}&cursor={next}"));
    let answer = Answer::new(page);
    Ok(path.iter().fold(answer, |answer, path| answer.with_next_page(path)))
}

/// Returns whether a race has the text of a day, and the caller's place on the board of that day.
#[endpoint(tags("daily"))]
async fn standing(cx: Cx, game: GameQuery, caller: Caller) -> Result<Answer<DailyStanding>, Error> {
    let user = caller.0.id;
    let game = cx.live().find(game.0).await?.ok_or(Kind::GAME_NOT_FOUND)?;
    let Some(day) = day_of(&game) else {
        return Ok(Answer::new(DailyStanding { day: None, own: None }));
    };
    let own = own(&cx, day, &user).await?;
    Ok(Answer::new(DailyStanding { day: Some(day.name()), own }))
}

/// The place of a player on the board of a day.
async fn own(cx: &Cx, day: Day, user: &UserId) -> Result<Option<DailyOwn>, Error> {
    let entries = cx.items::<DailyEntry>();
    let Some(kept) = entries.get(&key(day, user)).await? else { return Ok(None) };
    let before = entries.count_before(&board(day), &kept.item, LAST_RANK).await?;
    let rank = Some(before + 1).filter(|rank| *rank <= u64::from(LAST_RANK));
    Ok(Some(DailyOwn::of(rank, &kept.item)))
}
