//! Signed results: what the server asserts of a result, with the log from which it follows, so that anyone with the public key can
//! check it without the server. The log is covered by its digest.

use std::collections::VecDeque;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use parking_lot::Mutex;
use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};

use super::recording::Recording;
use super::wire::Outcome;
use crate::Error;
use crate::game::GameId;
use crate::handlers::shared::{EditTape, SpotTape};
use crate::module::Cx;

/// The name and version of the document.
pub(super) const FORMAT: &str = "typephoon-result/1";

/// The same in the type of the signature.
pub(super) const ATTESTED: &str = "result.v1";

/// Signatures that are remembered.
const REMEMBERED: usize = 64;

/// A result that can be checked without the server.
#[derive(Serialize, ToSchema)]
#[salvo(schema(name = "SignedResult"))]
pub(super) struct SignedResult {
    /// `typephoon-result/1`.
    format: &'static str,
    /// What the server asserts, as in `signature`.
    result: Claims,
    /// What was typed: the log in base64, without padding.
    log: String,
    /// A compact JWS (RFC 7515, RS256) of the type `typephoon-result.v1+jwt`, with `result` as its claims.
    signature: String,
}

/// What the server asserts of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[salvo(schema(name = "SignedResultClaims"))]
pub(super) struct Claims {
    pub(super) game_id: GameId,
    /// When START was given, ISO 8601.
    pub(super) started_at: String,
    /// The words of the text, joined by single blanks.
    pub(super) words: String,
    /// For how many seconds the text could be typed; null without a limit.
    pub(super) seconds: Option<u16>,
    /// The player's name in the race.
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
    pub(super) log: LogAbout,
}

/// A log, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[salvo(schema(name = "SignedLog"))]
pub(super) struct LogAbout {
    /// What is in it.
    pub(super) of: LogOf,
    /// How many edits or positions were received.
    pub(super) count: u32,
    /// When the last edit was received, in milliseconds since START by the server's clock.
    pub(super) heard: Option<u32>,
    /// Whether the log was full, and does not have the last ones.
    pub(super) is_cut: bool,
    /// The SHA-256 digest of its bytes, in hexadecimal digits.
    pub(super) sha256: String,
}

/// What is in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[salvo(schema(name = "SignedLogOf"))]
pub(super) enum LogOf {
    /// Every edit, with the client's clock.
    Edits,
    /// The positions of the caret, with the server's clock.
    Positions,
}

/// A result before it is signed.
pub(super) struct Unsigned {
    pub(super) claims: Claims,
    log: Vec<u8>,
}

impl Unsigned {
    /// `None` without a result.
    pub(super) fn of(recording: &Recording) -> Option<Self> {
        recording.result?;
        let (about, log) = match recording.is_of_edits() {
            true => edits(&recording.edits),
            false => positions(&recording.positions()),
        };
        let claims = Claims {
            game_id: recording.game,
            started_at: recording.started.with_z(),
            words: recording.words.clone(),
            seconds: recording.seconds,
            name: recording.name.clone(),
            outcome: Outcome::of(recording),
            log: about,
        };
        Some(Self { claims, log })
    }

    pub(super) fn signed(self, signature: String) -> SignedResult {
        let log = STANDARD_NO_PAD.encode(&self.log);
        SignedResult { format: FORMAT, result: self.claims, log, signature }
    }
}

fn edits(tape: &EditTape) -> (LogAbout, Vec<u8>) {
    let (count, heard, is_cut) = (tape.count, Some(tape.heard), tape.is_cut);
    let sha256 = sha256(tape.bytes());
    (LogAbout { of: LogOf::Edits, count, heard, is_cut, sha256 }, tape.bytes().to_vec())
}

fn positions(tape: &SpotTape) -> (LogAbout, Vec<u8>) {
    let sha256 = sha256(tape.bytes());
    let (count, is_cut) = (tape.count, tape.is_cut);
    let about = LogAbout { of: LogOf::Positions, count, heard: None, is_cut, sha256 };
    (about, tape.bytes().to_vec())
}

/// The digest of a log, in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signatures of late, by the digest of what they sign: a page that is reloaded costs no signature.
#[derive(Default)]
pub(super) struct Signatures(Mutex<VecDeque<(String, String)>>);

impl Signatures {
    /// Signs what is asserted, unless that was done lately.
    pub(super) async fn of(&self, cx: &Cx, claims: &Claims) -> Result<String, Error> {
        let digest = sha256(&serde_json::to_vec(claims).map_err(Error::internal)?);
        let known = |(of, _): &&(String, String)| *of == digest;
        if let Some((_, signature)) = self.0.lock().iter().find(known) {
            return Ok(signature.clone());
        }
        let signature = cx.attest(ATTESTED, claims).await?;
        let mut kept = self.0.lock();
        kept.truncate(REMEMBERED - 1);
        kept.push_front((digest, signature.clone()));
        Ok(signature)
    }
}
