//! Queries, bodies and answers of the review.

use salvo::extract::Metadata;
use salvo::oapi::schema::BasicType;
use salvo::oapi::{Components, EndpointArgRegister, Object, Operation, ToSchema};
use salvo::{Depot, Extractible, Request};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::game::GameId;
use crate::handlers::shared::{Grade, Suspect, Suspects, Verdict};
use crate::http::{BoundedInteger, Query, no_metadata, text_parameter};

const SIZE: BoundedInteger =
    BoundedInteger { name: "size", about: "Results per page; default 20.", from: 1, to: 100 };

/// Longest reason, in characters.
const REASON: usize = 300;

/// Longest accepted id of a result, in bytes.
const ID: usize = 60;

/// The query of results for organisers.
pub(super) struct ReviewQuery {
    pub(super) are_judged: bool,
    pub(super) size: u32,
    pub(super) after: Option<String>,
}

impl<'ex> Extractible<'ex> for ReviewQuery {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        let query = Query::of(req);
        let are_judged = match query.text("judged") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                return Err(Error::validation("query parameter judged: must be true or false"));
            }
        };
        let size = SIZE.of(&query)?.and_then(|size| u32::try_from(size).ok()).unwrap_or(20);
        Ok(Self { are_judged, size, after: query.text("cursor").map(str::to_owned) })
    }
}

impl EndpointArgRegister for ReviewQuery {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        let about = "true: results that are judged; false (the default): those that are not, and under suspicion.";
        let truths = Object::with_type(BasicType::Boolean);
        operation.parameters.insert(text_parameter("judged", about).schema(truths));
        SIZE.register(components, operation);
        let about = "Where the page begins: next of the page before.";
        operation.parameters.insert(text_parameter("cursor", about));
    }
}

/// A verdict.
#[derive(Deserialize, ToSchema)]
pub(super) struct VerdictBody {
    /// The id of the result, as in recordings and replays.
    result_id: String,
    /// Whether the result is struck; otherwise it is cleared.
    struck: bool,
    /// Why: 1 to 300 characters, which the player can read.
    reason: String,
}

/// A verdict within the bounds.
pub(super) struct Judgement {
    pub(super) result_id: String,
    pub(super) is_struck: bool,
    pub(super) reason: String,
}

impl VerdictBody {
    /// Checks the bounds.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`.
    pub(super) fn checked(self) -> Result<Judgement, Error> {
        let Self { result_id, struck: is_struck, reason } = self;
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        if reason.chars().any(char::is_control) || !(1..=REASON).contains(&reason.chars().count()) {
            let form = format!("must be 1 to {REASON} characters");
            return Err(Error::validation(format!("body reason: {form}")));
        }
        if result_id.len() > ID {
            return Err(Error::validation(format!("body result_id: has more than {ID} bytes")));
        }
        Ok(Judgement { result_id, is_struck, reason })
    }
}

/// Some results for organisers.
#[derive(Serialize, ToSchema)]
pub(super) struct Reviewed {
    /// Newest first.
    results: Vec<ReviewedResult>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// A result for organisers.
#[derive(Serialize, ToSchema)]
struct ReviewedResult {
    game_id: GameId,
    /// The id of the result.
    result_id: String,
    /// The link of the replay.
    link: String,
    /// The player's name in the race.
    name: String,
    /// When the result arrived, ISO 8601.
    finished_at: String,
    /// Words per minute.
    wpm: f64,
    /// Words per minute, including wrong letters.
    wpm_raw: f64,
    /// Accuracy in percent.
    acc: f64,
    /// What these figures are based on.
    grade: Option<Grade>,
    /// Why they are not verified, and signals that a program has typed: the codes of recordings.
    why: Vec<String>,
    /// What organisers have decided; null if nothing.
    verdict: Option<VerdictAnswer>,
}

/// A verdict on a result.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "Verdict"))]
pub(super) struct VerdictAnswer {
    /// Whether the result is struck; otherwise it is cleared.
    struck: bool,
    /// Why.
    reason: String,
    /// Since when, ISO 8601.
    decided_at: String,
}

impl VerdictAnswer {
    pub(super) fn of(Verdict { is_struck, reason, at }: Verdict) -> Self {
        Self { struck: is_struck, reason, decided_at: at.with_z() }
    }
}

impl Reviewed {
    pub(super) fn of(Suspects { rows, next }: Suspects) -> Self {
        Self { results: rows.into_iter().map(ReviewedResult::of).collect(), next }
    }
}

impl ReviewedResult {
    fn of(it: Suspect) -> Self {
        Self {
            game_id: it.game,
            result_id: it.id,
            link: it.link,
            name: it.name,
            finished_at: it.finished.with_z(),
            wpm: it.figures.wpm,
            wpm_raw: it.figures.wpm_raw,
            acc: it.figures.acc,
            grade: it.grade,
            why: it.why,
            verdict: it.verdict.map(VerdictAnswer::of),
        }
    }
}
