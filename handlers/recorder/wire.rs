//! The answers about recordings.

use salvo::oapi::ToSchema;
use serde::Serialize;

use super::recording::Recording;
use super::rules::{Grade, Reason};
use super::signals::Signal;
use crate::game::{GameId, Result as GameResult, Unranked, UserId};
use crate::handlers::shared::{Edit, Spot, TextAbout};

/// Some recordings of the caller.
#[derive(Serialize, ToSchema)]
pub(super) struct Recordings {
    /// Newest first.
    pub(super) recordings: Vec<Own>,
    /// The cursor of the next page; null on the last one.
    pub(super) next: Option<String>,
}

/// A recorded race of the caller.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "OwnRecording"))]
pub(super) struct Own {
    game_id: GameId,
    /// The last part of the replay's address. Anyone with it can see the replay.
    link: String,
    /// When START was given, ISO 8601.
    started_at: String,
    /// What is known of the text; absent for common words.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<TextAbout>,
    /// For how many seconds the text could be typed; absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u16>,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Own {
    pub(super) fn of(recording: Recording, link: String) -> Self {
        Self {
            game_id: recording.game,
            link,
            started_at: recording.started.with_z(),
            outcome: Outcome::of(&recording),
            about: Some(recording.about).filter(|it| *it != TextAbout::default()),
            seconds: recording.seconds,
        }
    }
}

/// The result of a player, and what it is based on. All fields are null or empty without a result.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "RecordedOutcome"))]
struct Outcome {
    /// When the result arrived, ISO 8601.
    finished_at: Option<String>,
    /// Order of arrival among people, from 1; null for an unranked result.
    rank: Option<u32>,
    /// Why a result is unranked: `KEYSTROKES_NOT_SEEN` or `TEXT_NOT_TYPED`.
    unranked: Option<&'static str>,
    /// Words per minute.
    wpm: Option<f64>,
    /// Words per minute, including wrong letters.
    wpm_raw: Option<f64>,
    /// Accuracy in percent.
    acc: Option<f64>,
    /// What these figures are based on.
    grade: Option<Grade>,
    /// Why they are not verified.
    reason: Option<Reason>,
    /// Signals that a program has typed.
    signals: Vec<Signal>,
}

impl Outcome {
    fn of(recording: &Recording) -> Self {
        let result = recording.result;
        let figure = |of: fn(&GameResult) -> f64| result.as_ref().map(of);
        Self {
            finished_at: result.map(|it| it.finished.with_z()),
            rank: result.map(|it| it.rank).filter(|rank| *rank > 0),
            unranked: result.and_then(|it| it.unranked).map(Unranked::as_str),
            wpm: figure(|it| it.figures.wpm),
            wpm_raw: figure(|it| it.figures.wpm_raw),
            acc: figure(|it| it.figures.acc),
            grade: recording.grade,
            reason: recording.reason,
            signals: recording.signals.clone(),
        }
    }
}

/// A recorded race.
#[derive(Serialize, ToSchema)]
pub(super) struct Replay {
    game_id: GameId,
    /// When START was given, ISO 8601.
    started_at: String,
    /// The words of the text, joined by single blanks.
    words: String,
    /// What is known of the text; absent for common words.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<TextAbout>,
    /// For how many seconds the text could be typed; absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u16>,
    /// By rank, then players without one. Bots are not recorded.
    players: Vec<Recorded>,
}

/// What a player typed. Times are milliseconds since the player's START.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "RecordedPlayer"))]
struct Recorded {
    /// The player's name in the race.
    name: String,
    /// Present and true for the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<bool>,
    #[serde(flatten)]
    outcome: Outcome,
    /// By the client's clock; absent if the client sends positions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edits: Vec<Edit>,
    /// By the server's clock; absent if there are edits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    positions: Vec<Spot>,
}

impl Recorded {
    fn of(recording: Recording, caller: Option<&UserId>) -> Self {
        let (edits, spots) = (recording.edits.edits(), recording.all_spots());
        let ends = (edits.last().map(|it| it.at), spots.last().map(|it| it.at));
        // A client may change from edits to positions in mid-race.
        let (edits, positions) =
            if ends.0 >= ends.1 { (edits, Vec::new()) } else { (Vec::new(), spots) };
        Self {
            own: (caller == Some(&recording.user)).then_some(true),
            outcome: Outcome::of(&recording),
            name: recording.name,
            edits,
            positions,
        }
    }
}

impl Replay {
    /// Of recordings in their order ([`Recording::in_order`]). `None` without any.
    pub(super) fn of(recordings: Vec<Recording>, caller: Option<&UserId>) -> Option<Self> {
        let first = recordings.first()?;
        Some(Self {
            game_id: first.game,
            started_at: first.started.with_z(),
            words: first.words.clone(),
            about: Some(first.about.clone()).filter(|it| *it != TextAbout::default()),
            seconds: first.seconds,
            players: recordings.into_iter().map(|it| Recorded::of(it, caller)).collect(),
        })
    }
}
