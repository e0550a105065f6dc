//! What follows from a recording: the figures of edits, and the grade of a result. Pure.

use std::time::Duration;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use crate::game::{Figures, Game, Part, Player, Result as GameResult, Timestamp, Unranked};
use crate::handlers::shared::{Edit, EditTape, Grade, TimeLimit, again_at, raise};

/// Characters per word, wherever words per minute are computed.
const WORD: f64 = 5.0;

/// Keystrokes that must be recorded, per character of the text.
const SEEN_AT_LEAST: f64 = 0.25;

/// By how much figures may differ that count as the same.
const SAME: f64 = 0.05;

/// How much faster than the server's a client's clock may have run.
const EARLY: i64 = 250;

/// Why a result is not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[salvo(schema(name = "RecordingReason"))]
pub(super) enum Reason {
    /// The client sends positions, not edits.
    NoEdits,
    /// The edits do not lead to the end of the text.
    NotWhole,
    /// The client's clock and the server's went differently, or the last edits came late.
    ClockOff,
    /// The result is another one than that of the edits.
    OtherFigures,
    /// There are signals that a program has typed.
    Signals,
    /// The server has seen too few keystrokes.
    NotSeen,
}

/// A text while it is typed, by the same rules as the client's (`web/typing.js`), in UTF-16 code units as there.
struct Typist {
    words: Vec<Vec<u16>>,
    typed: Vec<Vec<u16>>,
    keys: u32,
    right: u32,
}

impl Typist {
    fn begin(words: &str) -> Self {
        let words = words.split(' ').map(|word| word.encode_utf16().collect()).collect();
        Self { words, typed: vec![Vec::new()], keys: 0, right: 0 }
    }

    fn edit(&mut self, edit: &Edit) {
        for _ in 0..edit.del {
            // Nothing is left: a number of four billion costs no time.
            if !self.delete() {
                break;
            }
        }
        for unit in edit.ins.encode_utf16() {
            if unit == BLANK { self.end_word() } else { self.press(unit, edit.composing) }
        }
    }

    /// Returns whether there was something.
    fn delete(&mut self) -> bool {
        let is_letter = self.typed.last_mut().and_then(Vec::pop).is_some();
        let is_blank = !is_letter && self.typed.len() > 1;
        if is_blank {
            self.typed.pop();
        }
        is_letter || is_blank
    }

    fn press(&mut self, unit: u16, is_composing: bool) {
        let place = self.typed.len() - 1;
        let typed = &mut self.typed[place];
        let is_right = self.words.get(place).and_then(|word| word.get(typed.len())) == Some(&unit);
        typed.push(unit);
        // A dead key shows its accent while it waits for the letter, which is not a keystroke yet.
        let is_accent = || ACCENTS.encode_utf16().any(|it| it == unit);
        if is_right || !(is_composing && is_accent()) {
            self.count(is_right);
        }
    }

    fn end_word(&mut self) {
        let place = self.typed.len() - 1;
        let wanted = self.words.get(place).map(Vec::len);
        self.count(wanted == Some(self.typed[place].len()));
        self.typed.push(Vec::new());
    }

    fn count(&mut self, is_right: bool) {
        self.keys = self.keys.saturating_add(1);
        self.right = self.right.saturating_add(u32::from(is_right));
    }

    /// Letters and blanks: of correct words, and in total.
    fn letters(&self) -> (f64, f64) {
        let blanks = self.typed.len() - 1;
        let (mut right, mut all) = (blanks, blanks);
        for (place, typed) in self.typed.iter().enumerate() {
            let word = self.words.get(place).map(Vec::as_slice).unwrap_or_default();
            let is_right = if place == blanks { word.starts_with(typed) } else { typed == word };
            right += if is_right { typed.len() } else { 0 };
            all += typed.len();
        }
        (number(right), number(all))
    }

    fn is_finished(&self) -> bool {
        self.typed.len() == self.words.len() && self.typed.last() == self.words.last()
    }
}

const BLANK: u16 = b' ' as u16;

/// The accents of dead keys.
const ACCENTS: &str = "'\"´`^~¨";

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

/// What follows from edits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Score {
    pub(super) figures: Figures,
    /// Whether the text was typed to its end.
    pub(super) is_finished: bool,
}

/// The figures of edits, by the definitions of the API. The time is that of the race, or ends with the last edit.
pub(super) fn score(words: &str, edits: &[Edit], limit: Option<u16>) -> Score {
    let mut typist = Typist::begin(words);
    edits.iter().for_each(|edit| typist.edit(edit));
    let last = edits.last().map_or(0.0, |edit| f64::from(edit.at) / 1000.0);
    let seconds = limit.map_or(last, f64::from);
    // In this order, so that the last digit is that of the client.
    let minutes = seconds / 60.0;
    let speed = |letters: f64| if minutes > 0.0 { letters / WORD / minutes } else { 0.0 };
    let (right, all) = typist.letters();
    let keys = f64::from(typist.keys);
    let acc = if typist.keys == 0 { 100.0 } else { f64::from(typist.right) / keys * 100.0 };
    let figures = Figures { wpm: speed(right), wpm_raw: speed(all), acc };
    Score { figures, is_finished: typist.is_finished() }
}

/// The text of a race, and the time for which it is typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'a> {
    pub(super) words: &'a str,
    pub(super) limit: Option<u16>,
}

/// The figures of edits that are whole, if the client's clock is as the server's.
///
/// # Errors
/// Why they are not.
pub(super) fn checked(
    task: Task<'_>,
    tape: &EditTape,
    tolerance: Duration,
) -> Result<Figures, Reason> {
    if tape.count == 0 {
        return Err(Reason::NoEdits);
    }
    let edits = tape.edits();
    let Score { figures, is_finished } = score(task.words, &edits, task.limit);
    if tape.is_cut || !(is_finished || task.limit.is_some()) {
        return Err(Reason::NotWhole);
    }
    let last = edits.last().map_or(0, |edit| edit.at);
    let delay = i64::from(tape.heard) - i64::from(last);
    let most = i64::try_from(tolerance.as_millis()).unwrap_or(i64::MAX);
    if (-EARLY..=most).contains(&delay) { Ok(figures) } else { Err(Reason::ClockOff) }
}

/// The grade of a result: by its edits, as checked, their signals, and the number of keystrokes recorded.
pub(super) fn grade(
    task: Task<'_>,
    result: &GameResult,
    checked: Result<Figures, Reason>,
    has_signals: bool,
    keys: u32,
) -> (Grade, Option<Reason>) {
    let reason = match checked {
        Ok(figures) if are_same(&figures, &result.figures) && has_signals => Reason::Signals,
        Ok(figures) if are_same(&figures, &result.figures) => return (Grade::Verified, None),
        Ok(_) => Reason::OtherFigures,
        Err(reason) => reason,
    };
    let whole = number(task.words.chars().count());
    // Against the clock, as much of the text counts as the result says.
    let text = task
        .limit
        .map_or(whole, |limit| whole.min(result.figures.wpm * WORD * f64::from(limit) / 60.0));
    let is_unseen = result.unranked == Some(Unranked::KeystrokesNotSeen);
    if is_unseen || f64::from(keys) < text * SEEN_AT_LEAST || keys == 0 {
        return (Grade::Claimed, Some(Reason::NotSeen));
    }
    (Grade::Positions, Some(reason))
}

/// Whether they differ by no more than rounding.
pub(super) fn are_same(one: &Figures, other: &Figures) -> bool {
    let pairs = [(one.wpm, other.wpm), (one.wpm_raw, other.wpm_raw), (one.acc, other.acc)];
    pairs.into_iter().all(|(one, other)| (one - other).abs() < SAME)
}

/// How many results of the race are in recordings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct RecordedCount(pub(super) usize);

impl Part for RecordedCount {
    const NAME: &'static str = "recorder_recorded";
}

/// The people with a result.
pub(super) fn results(game: &Game) -> impl Iterator<Item = &Player> {
    game.people().filter(|player| player.result.is_some())
}

/// When the recordings of a race are completed: some time after the last result, unless that is done.
pub(super) fn due(game: &Game) -> Option<Timestamp> {
    again_at(results(game), game.part::<RecordedCount>().0)
}

/// Notes how many results are in recordings. Returns whether that is news.
pub(super) fn put_count(game: &mut Game, recorded: RecordedCount) -> bool {
    game.edit(|known: &mut RecordedCount| raise(&mut known.0, recorded.0))
}

/// The place of a ranked player among all in the race, bots included, and how many these are. None against the clock, where the place is
/// that of the result.
pub(super) fn place(game: &Game, player: &Player) -> Option<(u32, u32)> {
    let own = player.result.filter(|own| own.rank > 0)?;
    let timed = game.part::<TimeLimit>().0.is_some();
    let racers = || game.players.iter().filter(|it| !it.user.is_ghost());
    let is_ahead = |other: &&Player| {
        other.result.is_some_and(|it| match other.user.is_person() {
            true => (1..own.rank).contains(&it.rank),
            false => it.finished < own.finished,
        })
    };
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let ahead = racers().filter(is_ahead).count();
    (!timed).then(|| (count(ahead + 1), count(racers().count())))
}
