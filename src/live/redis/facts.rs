//! The facts of a game as a hash of Redis, and back.
//!
//! One field per fact, so that a script changes what it means to change and nothing else:
//!
//! | field | holds |
//! |---|---|
//! | `stage` | 0 lobby, 1 closed, 2 countdown, 3 running |
//! | `version` `finishers` | counters |
//! | `opened_at` `closes_at` `starts_at` `ends_at` | instants, in microseconds |
//! | `door` | `open`, `alone`, or `invited:` and the token; not there means open |
//! | `full` | 1, once the limit was reached |
//! | `words` | the text, from the preparation on |
//! | `text` | the text that is wished for: words (0 for the usual number), punctuation, numbers, with blanks between |
//! | `arrivals` | how many have ever taken a seat; seats are numbered by it |
//! | `seat:<user id>` | the number *n* of the user's seat |
//! | `user:`*n* `name:`*n* | the user as JSON, which scripts do not look into; the name, unique in the game |
//! | `bot:`*n* | 1, if it is the seat of a bot |
//! | `ready:`*n* | 1, if its player is ready |
//! | `socket:`*n*`:<socket>` | the pod of an open lobby socket |
//! | `absent:`*n* `started:`*n* `first:`*n* | instants; the last is when START was first claimed |
//! | `typed:`*n* | keys, extra letters, gaps, instant of the last key, instant of the end (or -1), then the characters reached of each word, with blanks between |
//! | `result:`*n* | rank, instant, WPM, raw WPM, accuracy, perhaps why it is unranked, with blanks between |
//! | `log` `log:`*k* | the number of the latest entry; entry *k*: `C`, or `L` and a user id |
//! | `moved` | the version at which the game left the slot of the lobbies |

use std::collections::HashMap;
use std::str::FromStr;

use crate::Error;
use crate::game::{
    Door, Figures, Game, GameId, LOG_KEPT, Log, Passage, Player, Progress, Result as GameResult,
    SocketId, Stage, TextWish, Timestamp, Unranked, User, Wishes,
};
use crate::live::Claim;

/// A hash as Redis tells it.
pub(super) type Fields = HashMap<String, String>;

/// The facts of a game; `None` if the hash is not there.
///
/// # Errors
/// `UNKNOWN_ERROR`, if the hash holds something else.
pub(super) fn read(id: GameId, fields: &Fields) -> Result<Option<Game>, Error> {
    if fields.is_empty() {
        return Ok(None);
    }
    game(id, fields)
        .map(Some)
        .map_err(|field| Error::internal(format!("game {id} in Redis: {field} cannot be read")))
}

/// Which field it is that cannot be read.
type Unreadable = String;

fn game(id: GameId, fields: &Fields) -> Result<Game, Unreadable> {
    let seats = fields.keys().filter_map(|field| field.strip_prefix("user:")?.parse().ok());
    let mut seats: Vec<u64> = seats.collect();
    seats.sort_unstable();
    let players =
        seats.iter().map(|order| player(fields, *order)).collect::<Result<Vec<_>, _>>()?;
    let is_ready = |order: &u64| fields.contains_key(&format!("ready:{order}"));
    let ready = seats.iter().zip(&players).filter(|(order, _)| is_ready(order));
    let ready = ready.map(|(_, player)| player.user.id.clone()).collect();
    Ok(Game {
        id,
        version: number(fields, "version")?,
        stage: stage(fields)?,
        door: door(fields)?,
        opened_at: Timestamp(number(fields, "opened_at")?),
        closes_at: Timestamp(number(fields, "closes_at")?),
        full: fields.contains_key("full"),
        starts_at: instant(fields, "starts_at")?,
        ends_at: Timestamp(number(fields, "ends_at")?),
        words: fields.get("words").map_or("", String::as_str).into(),
        players,
        log: log(fields)?,
        wishes: Wishes { text: text(fields)?, ready },
    })
}

fn stage(fields: &Fields) -> Result<Stage, Unreadable> {
    match fields.get("stage").map(String::as_str) {
        Some("0") => Ok(Stage::Lobby),
        Some("1") => Ok(Stage::Closed),
        Some("2") => Ok(Stage::Countdown),
        Some("3") => Ok(Stage::Running),
        _ => Err("stage".into()),
    }
}

fn door(fields: &Fields) -> Result<Door, Unreadable> {
    match fields.get("door").map(String::as_str) {
        None | Some("open") => Ok(Door::Open),
        Some("alone") => Ok(Door::Alone),
        Some(door) => {
            let token = door.strip_prefix("invited:").ok_or("door")?;
            Ok(Door::Invited(token.into()))
        }
    }
}

/// A door as the scripts keep it.
pub(super) fn write_door(door: &Door) -> String {
    match door {
        Door::Open => "open".into(),
        Door::Alone => "alone".into(),
        Door::Invited(token) => format!("invited:{token}"),
    }
}

/// A wish for a text as the scripts keep it; empty if there is none.
pub(super) fn write_text(wish: TextWish) -> String {
    if wish == TextWish::default() {
        return String::new();
    }
    let TextWish { words, punctuation, numbers } = wish;
    let words = words.unwrap_or_default();
    format!("{words} {} {}", u8::from(punctuation), u8::from(numbers))
}

fn text(fields: &Fields) -> Result<TextWish, Unreadable> {
    let Some(text) = fields.get("text") else { return Ok(TextWish::default()) };
    let mut parts = text.split(' ').map(|part| part.parse::<u16>().ok());
    let mut part = || parts.next().flatten().ok_or("text");
    let (words, punctuation, numbers) = (part()?, part()? == 1, part()? == 1);
    Ok(TextWish { words: (words > 0).then_some(words), punctuation, numbers })
}

fn player(fields: &Fields, order: u64) -> Result<Player, Unreadable> {
    let (user, name) = (format!("user:{order}"), format!("name:{order}"));
    let read: Option<User> = fields.get(&user).and_then(|json| serde_json::from_str(json).ok());
    let mut user = read.ok_or(user)?;
    user.name.clone_from(fields.get(&name).ok_or(name)?);
    let of_seat = format!("socket:{order}:");
    let sockets = fields.keys().filter_map(|field| field.strip_prefix(&of_seat)?.parse().ok());
    let sockets = sockets.map(SocketId).collect();
    let result = format!("result:{order}");
    let read = fields.get(&result).map(|text| read_result(text).ok_or(result)).transpose();
    let typed = format!("typed:{order}");
    let progress = fields.get(&typed).map(|text| read_progress(text).ok_or(typed)).transpose();
    Ok(Player {
        user,
        sockets,
        absent_since: instant(fields, &format!("absent:{order}"))?,
        started: instant(fields, &format!("started:{order}"))?,
        first_started: instant(fields, &format!("first:{order}"))?,
        progress: progress?.unwrap_or_default(),
        result: read?,
    })
}

fn log(fields: &Fields) -> Result<Log, Unreadable> {
    let end: u64 = number(fields, "log")?;
    let mut kept = Vec::new();
    // The beginning of a long log is forgotten.
    for number in end.saturating_sub(LOG_KEPT as u64)..=end {
        let Some(entry) = fields.get(&format!("log:{number}")) else { continue };
        kept.push(match entry.strip_prefix('L') {
            Some(user) => Passage::Left(user.into()),
            None => Passage::Came,
        });
    }
    Ok(Log::of_latest(kept, end))
}

fn number<T: FromStr>(fields: &Fields, field: &str) -> Result<T, Unreadable> {
    fields.get(field).and_then(|text| text.parse().ok()).ok_or_else(|| field.into())
}

fn instant(fields: &Fields, field: &str) -> Result<Option<Timestamp>, Unreadable> {
    match fields.get(field) {
        Some(text) => text.parse().map(|at| Some(Timestamp(at))).map_err(|_| field.into()),
        None => Ok(None),
    }
}

/// A claim as the scripts keep it, behind the rank. Numbers are written so that they are read back
/// exactly.
pub(super) fn write_claim(claim: &Claim) -> String {
    let Figures { wpm, wpm_raw, acc } = claim.figures;
    let why = claim.unranked.map_or(String::new(), |why| format!(" {}", why.as_str()));
    format!("{} {wpm:?} {wpm_raw:?} {acc:?}{why}", claim.at.0)
}

fn read_result(text: &str) -> Option<GameResult> {
    let mut parts = text.split(' ');
    let (rank, finished) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let mut figure = || parts.next()?.parse().ok();
    let figures = Figures { wpm: figure()?, wpm_raw: figure()?, acc: figure()? };
    let unranked = parts.next().and_then(Unranked::of);
    Some(GameResult { rank, finished: Timestamp(finished), figures, unranked })
}

/// What was seen of a player's typing, as the scripts keep it.
pub(super) fn write_progress(seen: &Progress) -> String {
    let instant = |at: Option<Timestamp>| at.map_or(-1, |at| at.0);
    let (at, completed) = (instant(seen.at), instant(seen.completed));
    let mut text = format!("{} {} {} {at} {completed}", seen.keys, seen.extra, seen.gaps);
    for typed in &seen.reached {
        text.push_str(&format!(" {typed}"));
    }
    text
}

fn read_progress(text: &str) -> Option<Progress> {
    let mut parts = text.split(' ');
    let mut count = || parts.next()?.parse().ok();
    let (keys, extra, gaps) = (count()?, count()?, count()?);
    let mut instant = || {
        let at: i64 = parts.next()?.parse().ok()?;
        Some((at >= 0).then_some(Timestamp(at)))
    };
    let (at, completed) = (instant()?, instant()?);
    let reached = parts.map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Progress { reached, keys, extra, gaps, at, completed })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_result_is_read_back_exactly(wpm: f64, wpm_raw: f64, acc in 0.0..100.0_f64, at: i64) {
            prop_assume!(wpm.is_finite() && wpm_raw.is_finite());
            let figures = Figures { wpm, wpm_raw, acc };
            for unranked in [None, Some(Unranked::KeystrokesNotSeen), Some(Unranked::TextNotTyped)] {
                let at = Timestamp(at);
                let kept = format!("3 {}", write_claim(&Claim { figures, at, unranked }));
                let read = GameResult { rank: 3, finished: at, figures, unranked };
                prop_assert_eq!(read_result(&kept), Some(read));
            }
        }

        #[test]
        fn what_was_typed_is_read_back_exactly(
            reached: Vec<u16>,
            counts: (u32, u32, u32),
            at in prop::option::of(0..i64::MAX),
            completed in prop::option::of(0..i64::MAX),
        ) {
            let (keys, extra, gaps) = counts;
            let (at, completed) = (at.map(Timestamp), completed.map(Timestamp));
            let seen = Progress { reached, keys, extra, gaps, at, completed };
            prop_assert_eq!(read_progress(&write_progress(&seen)), Some(seen));
        }
    }

    #[test]
    fn what_is_not_there_is_no_game_and_what_is_broken_is_named() {
        assert_eq!(read(GameId(1), &Fields::new()).unwrap(), None);
        let broken = Fields::from([("arrivals".into(), "1".into()), ("user:1".into(), "?".into())]);
        assert_eq!(game(GameId(1), &broken), Err("user:1".into()));
    }
}
