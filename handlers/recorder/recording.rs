//! A recording: what one player typed in one race, the text, and the result with its grade.

use serde::{Deserialize, Serialize};

use super::rules::{self, Reason, Task};
use super::settings::RecorderSettings;
use super::signals::{Signal, signals};
use super::twins::{likeness, mark};
use crate::game::{Game, GameId, Player, Result as GameResult, Timestamp, User, UserId};
use crate::handlers::shared::{
    Caret, Edit, EditTape, Grade, Spot, SpotTape, Tape, Text, TextAbout, TimeLimit, Verdict,
};
use crate::module::Item;
use crate::records::{Range, SortKey};

/// The index of the recordings of a race.
const RACE: &str = "race";
/// The index of the recordings of a player, oldest first.
const PLAYER: &str = "player";
/// The index of recordings with the same intervals, oldest first.
const MARK: &str = "mark";
/// The index of those that organisers look at, newest first: under suspicion, and judged.
const REVIEW: &str = "review";
const SUSPECT: &str = "suspect";
const JUDGED: &str = "judged";

/// Most logs of positions: one per pod that the player was on, and per room there.
const SPOTS: usize = 6;
/// Most bytes of all logs together, so that the item, in base64 and with the longest text, stays below 64 KiB.
pub(super) const BYTES: usize = 20 * 1024;

/// What is kept of a player's race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Recording {
    pub(super) game: GameId,
    pub(super) user: UserId,
    /// As in the race.
    pub(super) name: String,
    pub(super) words: String,
    #[serde(default)]
    pub(super) about: TextAbout,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seconds: Option<u16>,
    /// When START was given.
    pub(super) started: Timestamp,
    /// The longest log of edits that a pod has had: each has all of them from the first on.
    pub(super) edits: EditTape,
    /// The logs of positions.
    pub(super) spots: Vec<SpotTape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<GameResult>,
    /// The place among all in the race, bots included, and how many these were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<(u32, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) grade: Option<Grade>,
    /// Why the result is not verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    /// Signals that a program has typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) signals: Vec<Signal>,
    /// Whether an earlier recording has the same intervals, or nearly.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_repeated: bool,
    /// What organisers have decided about the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<Verdict>,
    /// When it may be deleted: that of an account, and that of a guest.
    until: (Timestamp, Timestamp),
}

impl Recording {
    /// An empty recording of a player in a race.
    pub(super) fn of(game: &Game, player: &Player, settings: &RecorderSettings) -> Self {
        let started = game.starts_at.unwrap_or(game.opened_at);
        Self {
            game: game.id,
            user: player.user.id.clone(),
            name: player.user.name.clone(),
            words: game.words().to_string(),
            about: TextAbout::clone(&game.part()),
            seconds: game.part::<TimeLimit>().0,
            started,
            edits: EditTape::default(),
            spots: Vec::new(),
            result: None,
            place: rules::place(game, player),
            grade: None,
            reason: None,
            signals: Vec::new(),
            is_repeated: false,
            verdict: None,
            until: (started + settings.kept_for(), started + settings.guests_kept_for()),
        }
    }

    /// The same with what a pod has received, and with the result, if there is one.
    pub(super) fn with(
        mut self,
        tape: Option<&Tape>,
        result: Option<GameResult>,
        settings: &RecorderSettings,
    ) -> Self {
        if let Some(tape) = tape {
            self.absorb(tape);
        }
        self.result = result.or(self.result);
        let Some(result) = self.result else { return self };
        let checked = rules::checked(self.task(), &self.edits, settings.tolerance());
        self.signals = signals(&self.edits.edits(), &result.figures, &settings.signals);
        self.signals.extend(self.is_repeated.then_some(Signal::Repeated));
        let (has_signals, keys) = (!self.signals.is_empty(), self.keys());
        let (grade, reason) = rules::grade(self.task(), &result, checked, has_signals, keys);
        (self.grade, self.reason) = (Some(grade), reason);
        self
    }

    fn absorb(&mut self, tape: &Tape) {
        // As long, but heard at another time: the first one counts.
        if tape.edits.count > self.edits.count {
            self.edits = tape.edits.clone();
        }
        self.absorb_spots(&tape.spots);
    }

    /// Adds a log of positions, or what is new of it.
    pub(super) fn absorb_spots(&mut self, tape: &SpotTape) {
        let room = BYTES.saturating_sub(self.edits.size());
        absorb_spots(&mut self.spots, tape, room);
    }

    pub(super) fn task(&self) -> Task<'_> {
        Task { words: &self.words, limit: self.seconds }
    }

    /// The keystrokes that were recorded.
    fn keys(&self) -> u32 {
        let spots = self.spots.iter().fold(0_u32, |sum, it| sum.saturating_add(it.count));
        spots.max(self.edits.count)
    }

    /// The positions of all pods, in the order of their times.
    pub(super) fn all_spots(&self) -> Vec<Spot> {
        let mut spots: Vec<_> = self.spots.iter().flat_map(SpotTape::spots).collect();
        spots.sort_by_key(|it| it.at);
        spots
    }

    /// The same in one log.
    pub(super) fn positions(&self) -> SpotTape {
        let mut tape = SpotTape::default();
        self.all_spots().into_iter().for_each(|spot| tape.push(spot, self.started));
        tape.is_cut |= self.spots.iter().any(|it| it.is_cut);
        tape
    }

    /// When a pod, or another room of it, went on with the positions, in milliseconds since START.
    pub(super) fn resumed_at(&self) -> Vec<u32> {
        let begins = self.spots.iter().filter_map(|it| it.spots().first().map(|spot| spot.at));
        let mut begins: Vec<_> = begins.collect();
        begins.sort_unstable();
        begins.drain(..begins.len().min(1));
        begins
    }

    /// Whether the edits tell what was typed, and not the positions: a client may change to these in mid-race.
    pub(super) fn is_of_edits(&self) -> bool {
        let edits = self.edits.edits().last().map(|it| it.at);
        let spots = self.all_spots().last().map(|it| it.at);
        self.grade == Some(Grade::Verified) || edits >= spots
    }

    /// The same with a verdict.
    pub(super) fn judged(self, verdict: Option<Verdict>) -> Self {
        Self { verdict, ..self }
    }

    /// Why organisers have struck the result, if they have.
    pub(super) fn struck(&self) -> Option<&str> {
        self.verdict.as_ref().filter(|it| it.is_struck).map(|it| it.reason.as_str())
    }

    /// The recordings of a race.
    pub(super) fn in_race(game: GameId) -> Range {
        Range::within(RACE, &SortKey::default().integer(game.0))
    }

    /// The recordings of a player, newest first.
    pub(super) fn by(user: &UserId) -> Range {
        Range::within(PLAYER, &SortKey::default().text(user.as_str())).reversed()
    }

    /// The first recordings whose intervals are exactly the same; `None` for a short log.
    pub(super) fn twins(&self) -> Option<Range> {
        let mark = mark(&self.edits.edits())?;
        Some(Range::within(MARK, &SortKey::default().text(&mark)))
    }

    /// Whether this recording repeats another one, which came earlier: as a copy, or nearly.
    pub(super) fn repeats(&self, other: &Self, settings: &RecorderSettings) -> bool {
        let most = settings.signals.most_likeness_percent;
        if other.started >= self.started || most <= 0.0 {
            return false;
        }
        let (edits, others) = (self.edits.edits(), other.edits.edits());
        let is_copy = || mark(&edits).is_some_and(|it| Some(it) == mark(&others));
        is_copy() || likeness(&edits, &others).is_some_and(|it| it * 100.0 > most)
    }

    /// The recordings that are judged, or else those under suspicion that are not.
    pub(super) fn in_review(are_judged: bool) -> Range {
        let part = if are_judged { JUDGED } else { SUSPECT };
        Range::within(REVIEW, &SortKey::default().text(part))
    }

    /// Where organisers find it: nowhere, if there is no reason to look at it.
    fn review_key(&self) -> SortKey {
        let Some(result) = self.result else { return SortKey::default() };
        let is_suspect = !self.signals.is_empty() || self.reason == Some(Reason::OtherFigures);
        let part = match &self.verdict {
            Some(_) => JUDGED,
            None if is_suspect => SUSPECT,
            None => return SortKey::default(),
        };
        SortKey::default().text(part).integer(-result.finished.0)
    }

    /// The order of the players in a replay: by rank, then those without one.
    pub(super) fn in_order(mut recordings: Vec<Self>) -> Vec<Self> {
        recordings.sort_by_key(|it| {
            let rank = it.result.map(|result| result.rank).filter(|rank| *rank > 0);
            (rank.unwrap_or(u32::MAX), it.result.is_none(), it.name.clone())
        });
        recordings
    }

    /// The positions that the player has reached: those that the edits have led to, or those that were received.
    pub(super) fn way(&self) -> Vec<Spot> {
        let (text, mut caret) = (Text::of(&self.words), Caret::default());
        if self.edits.count == 0 {
            return self.all_spots();
        }
        let spot = |edit: &Edit| {
            caret.follow(edit, &text);
            let (word, char) = caret.position();
            let (word_index, char_index) = text.position(word, char)?;
            Some(Spot { at: edit.at, word_index, char_index })
        };
        self.edits.edits().iter().filter_map(spot).collect()
    }

    /// The key of a player's recording.
    pub(super) fn key_of(game: GameId, user: &UserId) -> String {
        format!("{game}:{user}")
    }
}

/// Adds a log of positions to others of the player, or what is new of it, if all of them have up to `room` bytes then.
pub(super) fn absorb_spots(logs: &mut Vec<SpotTape>, tape: &SpotTape, room: usize) {
    let known = logs.iter().position(|it| it.begun == tape.begun);
    let others = logs.iter().enumerate().filter(|(index, _)| Some(*index) != known);
    let others: usize = others.map(|(_, it)| it.size()).sum();
    if tape.count == 0 || others + tape.size() > room {
        return;
    }
    match known {
        Some(known) if logs[known].count < tape.count => logs[known] = tape.clone(),
        None if logs.len() < SPOTS => logs.push(tape.clone()),
        _ => {}
    }
}

impl Item for Recording {
    const COLLECTION: &'static str = "recorder.recordings";
    const INDEXES: &'static [&'static str] = &[RACE, PLAYER, REVIEW, MARK];

    fn key(&self) -> String {
        Self::key_of(self.game, &self.user)
    }

    fn owner(&self) -> Option<&UserId> {
        Some(&self.user)
    }

    fn sort_keys(&self) -> Vec<SortKey> {
        let race = SortKey::default().integer(self.game.0);
        let player = SortKey::default().text(self.user.as_str()).at(self.started);
        // Only results are compared.
        let mark = self.result.and_then(|_| mark(&self.edits.edits()));
        let mark = mark.map(|it| SortKey::default().text(&it).at(self.started));
        vec![race, player.integer(self.game.0), self.review_key(), mark.unwrap_or_default()]
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(if self.user.is_guest() { self.until.1 } else { self.until.0 })
    }

    fn handed_over(self, account: &User) -> Option<Self> {
        Some(Self { user: account.id.clone(), ..self })
    }
}
