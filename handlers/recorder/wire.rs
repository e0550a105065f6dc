//! The answers about recordings.

use salvo::http::{HeaderValue, header};
use salvo::oapi::schema::BasicType;
use salvo::oapi::{
    Components, Content, EndpointOutRegister, Object, Operation, Response as Documented, ToSchema,
};
use salvo::{Depot, Request, Response, Writer, async_trait};
use serde::{Deserialize, Serialize};

use super::query::Links;
use super::recording::Recording;
use super::rules::Reason;
use super::signals::Signal;
use crate::game::{GameId, Result as GameResult, UserId};
use crate::handlers::shared::{Edit, Grade, Spot, Suspect, TextAbout};

/// Some recordings of the caller.
#[derive(Serialize, ToSchema)]
pub(super) struct Recordings {
    /// Newest first.
    pub(super) recordings: Vec<OwnRecording>,
    /// The cursor of the next page; null on the last one.
    pub(super) next: Option<String>,
}

/// A recorded race of the caller.
#[derive(Serialize, ToSchema)]
pub(super) struct OwnRecording {
    game_id: GameId,
    /// The last part of the replay's address. Anyone with it can see the replay.
    link: String,
    /// The last part of the signed result's address, for anyone; null without a result.
    result_id: Option<String>,
    /// When START was given, ISO 8601.
    started_at: String,
    /// What is known of the text; absent for common words.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<TextAbout>,
    /// For how many seconds the text could be typed; absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u16>,
    /// The place among all in the race, bots included; absent against the clock, and without a result.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<u32>,
    /// How many these were.
    #[serde(skip_serializing_if = "Option::is_none")]
    racers: Option<u32>,
    #[serde(flatten)]
    outcome: Outcome,
}

impl OwnRecording {
    pub(super) fn of(recording: Recording, links: &Links<'_>) -> Self {
        let (place, racers) = recording.place.unzip();
        Self {
            game_id: recording.game,
            place,
            racers,
            link: links.replay(recording.game),
            result_id: links.result(&recording),
            started_at: recording.started.with_z(),
            outcome: Outcome::of(&recording),
            about: Some(recording.about).filter(|it| *it != TextAbout::default()),
            seconds: recording.seconds,
        }
    }
}

/// The result of a player, and what it is based on. All fields are null or empty without a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[salvo(schema(name = "RecordedOutcome"))]
pub(super) struct Outcome {
    /// When the result arrived, ISO 8601.
    finished_at: Option<String>,
    /// Order of finishing among people, from 1; null for an unranked result.
    pub(super) rank: Option<u32>,
    /// Why a result is unranked: `KEYSTROKES_NOT_SEEN` or `TEXT_NOT_TYPED`.
    unranked: Option<String>,
    /// Words per minute.
    pub(super) wpm: Option<f64>,
    /// Words per minute, including wrong letters.
    pub(super) wpm_raw: Option<f64>,
    /// Accuracy in percent.
    pub(super) acc: Option<f64>,
    /// What these figures are based on.
    pub(super) grade: Option<Grade>,
    /// Why they are not verified.
    pub(super) reason: Option<Reason>,
    /// Signals that a program has typed.
    pub(super) signals: Vec<Signal>,
    /// Why an organiser has struck it, so that it does not count; null otherwise.
    #[serde(default)]
    pub(super) struck: Option<String>,
}

impl Outcome {
    pub(super) fn of(recording: &Recording) -> Self {
        let result = recording.result;
        let figure = |of: fn(&GameResult) -> f64| result.as_ref().map(of);
        Self {
            finished_at: result.map(|it| it.finished.with_z()),
            rank: result.map(|it| it.rank).filter(|rank| *rank > 0),
            unranked: result.and_then(|it| it.unranked).map(|it| it.as_str().into()),
            wpm: figure(|it| it.figures.wpm),
            wpm_raw: figure(|it| it.figures.wpm_raw),
            acc: figure(|it| it.figures.acc),
            grade: recording.grade,
            reason: recording.reason,
            signals: recording.signals.clone(),
            struck: recording.struck().map(str::to_owned),
        }
    }
}

/// A recording as organisers see it, if it has a result.
pub(super) fn suspect(recording: Recording, links: &Links<'_>) -> Option<Suspect> {
    let (result, id) = (recording.result?, links.result(&recording)?);
    let signals = recording.signals.iter().map(word);
    Some(Suspect {
        game: recording.game,
        figures: result.figures,
        finished: result.finished,
        grade: recording.grade,
        why: recording.reason.iter().map(word).chain(signals).collect(),
        link: links.replay(recording.game),
        id,
        name: recording.name,
        verdict: recording.verdict,
    })
}

/// A grade, a reason or a signal, as the API names it.
pub(super) fn word(it: impl Serialize) -> String {
    serde_json::to_value(it).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A public key: PEM.
pub(super) struct Pem(pub(super) String);

/// The media type of a key, as servers of certificates use it.
const PEM: &str = "application/x-pem-file";

#[async_trait]
impl Writer for Pem {
    async fn write(self, _: &mut Request, _: &mut Depot, res: &mut Response) {
        res.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PEM));
        res.body(self.0);
    }
}

impl EndpointOutRegister for Pem {
    fn register(_: &mut Components, operation: &mut Operation) {
        let text = Content::new(Object::with_type(BasicType::String));
        let file = Documented::new("The key in PEM.").add_content(PEM, text);
        operation.responses.insert("200", file);
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
    players: Vec<RecordedPlayer>,
}

/// What a player typed. Times are milliseconds since the player's START.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "RecordedPlayer"))]
struct RecordedPlayer {
    /// The player's name in the race.
    name: String,
    /// Present and true for the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<bool>,
    /// The last part of the signed result's address; null without a result.
    result_id: Option<String>,
    #[serde(flatten)]
    outcome: Outcome,
    /// By the client's clock; absent if the client sends positions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edits: Vec<Edit>,
    /// By the server's clock; absent if there are edits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    positions: Vec<Spot>,
    /// When recording went on elsewhere, or after a pause without a socket. Up to a second before may be missing, if a
    /// server was lost. Absent if there are edits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resumed_at: Vec<u32>,
}

impl RecordedPlayer {
    fn of(recording: Recording, caller: Option<&UserId>, links: &Links<'_>) -> Self {
        let (edits, positions, resumed_at) = match recording.is_of_edits() {
            true => (recording.edits.edits(), Vec::new(), Vec::new()),
            false => (Vec::new(), recording.all_spots(), recording.resumed_at()),
        };
        Self {
            result_id: links.result(&recording),
            own: (caller == Some(&recording.user)).then_some(true),
            outcome: Outcome::of(&recording),
            name: recording.name,
            edits,
            positions,
            resumed_at,
        }
    }
}

impl Replay {
    /// Of recordings in their order ([`Recording::in_order`]). `None` without any.
    pub(super) fn of(
        recordings: Vec<Recording>,
        caller: Option<&UserId>,
        links: &Links<'_>,
    ) -> Option<Self> {
        let first = recordings.first()?;
        Some(Self {
            game_id: first.game,
            started_at: first.started.with_z(),
            words: first.words.clone(),
            about: Some(first.about.clone()).filter(|it| *it != TextAbout::default()),
            seconds: first.seconds,
            players: recordings
                .into_iter()
                .map(|it| RecordedPlayer::of(it, caller, links))
                .collect(),
        })
    }
}
