//! The check of a signed result, without the server: `typephoon-api verify FILE`. The document may come from anyone.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::rules::{self, Task};
use super::signed::{ATTESTED, Claims, FORMAT, LogOf, sha256};
use super::wire::word;
use crate::auth::PublicKeys;
use crate::game::Figures;
use crate::handlers::shared::{EditTape, Grade, SpotTape};
use crate::module::{Given, Setup};

/// Most bytes of a file: several times those of the longest document.
const MOST: u64 = 512 * 1024;

/// The longest tolerance of clocks that a server can have (`handlers.recorder.clock_tolerance`).
const TOLERANCE: Duration = Duration::from_secs(60);

/// Checks a file, and returns the report.
///
/// # Errors
/// Which check it fails.
pub(super) fn command(setup: &Setup<'_>, given: &Given) -> Result<String, String> {
    let path = given.get("FILE").unwrap_or_default();
    let keys = match given.get("key") {
        Some(path) => key_in(path)?,
        None => PublicKeys::load(setup.settings)
            .map_err(|why| format!("{why}; --key names the file of another public key"))?,
    };
    let report = verify(&read(path)?, &keys).map(|verified| verified.report());
    report.map_err(|why| format!("{}: {why}", path.display()))
}

fn key_in(path: &OsStr) -> Result<PublicKeys, String> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    match PublicKeys::parse(&text) {
        Ok(keys) if keys.is_empty() => Err(format!("{}: there is no key in it", path.display())),
        keys => keys.map_err(|why| format!("{}: {why}", path.display())),
    }
}

/// The bytes of a file, or of standard input.
fn read(path: &OsStr) -> Result<Vec<u8>, String> {
    let from: Result<Box<dyn Read>, _> = match path.as_encoded_bytes() {
        b"-" => Ok(Box::new(stdin())),
        _ => File::open(Path::new(path)).map(|file| Box::new(file) as _),
    };
    let mut bytes = Vec::new();
    let found = from.and_then(|from| from.take(MOST + 1).read_to_end(&mut bytes));
    found.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    if bytes.len() as u64 > MOST {
        return Err(format!("{} has more than {} KiB", path.display(), MOST / 1024));
    }
    Ok(bytes)
}

/// The document as it is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenDocument {
    #[serde(default, rename = "ok")]
    _ok: IgnoredAny,
    format: String,
    result: Value,
    log: String,
    signature: String,
}

/// A document that has passed all checks.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) claims: Claims,
    /// The name of the key that has signed it.
    key: String,
    /// The figures of the edits; `None` if the log has positions.
    pub(super) score: Option<Figures>,
    bytes: usize,
}

/// Checks the signature, the digest, and that the log bears out the grade.
///
/// # Errors
/// Which check fails, in one sentence.
pub(super) fn verify(document: &[u8], keys: &PublicKeys) -> Result<Verified, String> {
    let GivenDocument { format, result, log, signature, .. } = serde_json::from_slice(document)
        .map_err(|error| format!("format: this is no signed result: {error}"))?;
    if format != FORMAT {
        return Err(format!("format: it is {format:?}; this program reads {FORMAT}"));
    }
    let attested = keys.attested::<Value>(ATTESTED, &signature);
    let attested = attested.map_err(|why| format!("signature: {why}"))?;
    if !is_same(&attested.claims, &result) {
        return Err("signature: what is signed is another result than the one that is shown".into());
    }
    let claims: Claims = serde_json::from_value(attested.claims)
        .map_err(|error| format!("signature: what is signed is no result: {error}"))?;
    let log = STANDARD_NO_PAD.decode(log).map_err(|error| format!("log: {error}"))?;
    if sha256(&log) != claims.log.sha256 {
        return Err("log: its SHA-256 digest is another one than the one that is signed".into());
    }
    let bytes = log.len();
    let score = scored(&claims, log)?;
    Ok(Verified { claims, key: attested.key, score, bytes })
}

/// The figures of the edits. They are those of a result that is called verified.
fn scored(claims: &Claims, log: Vec<u8>) -> Result<Option<Figures>, String> {
    let about = &claims.log;
    let is_whole = |read: usize| about.is_cut || u32::try_from(read) == Ok(about.count);
    let damaged = |read: usize| format!("log: {read} of {} keystrokes can be read", about.count);
    let is_verified = claims.outcome.grade == Some(Grade::Verified);
    if about.of == LogOf::Positions {
        let read = SpotTape::of(log, about.count, about.is_cut).spots().len();
        return match () {
            () if !is_whole(read) => Err(damaged(read)),
            () if is_verified => Err("grade: positions do not verify a result".into()),
            () => Ok(None),
        };
    }
    let tape = EditTape::of(log, about.count, about.heard.unwrap_or_default(), about.is_cut);
    let edits = tape.edits();
    if !is_whole(edits.len()) {
        return Err(damaged(edits.len()));
    }
    let score = rules::score(&claims.words, &edits, claims.seconds).figures;
    let task = Task { words: &claims.words, limit: claims.seconds };
    match rules::checked(task, &tape, TOLERANCE) {
        Err(reason) if is_verified => {
            Err(format!("grade: the log does not verify it: {}", word(reason)))
        }
        _ if is_verified && !rules::are_same(&score, &figures(claims)) => {
            Err(format!("figures: the log has {}, not {}", shown(&score), shown(&figures(claims))))
        }
        _ => Ok(Some(score)),
    }
}

fn figures(claims: &Claims) -> Figures {
    let of = |figure: Option<f64>| figure.unwrap_or_default();
    let outcome = &claims.outcome;
    Figures { wpm: of(outcome.wpm), wpm_raw: of(outcome.wpm_raw), acc: of(outcome.acc) }
}

/// Whether two texts in JSON say the same. A program that has written it again may write 100 instead of 100.0.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(name, value): (&String, &Value)| {
                other.get(name).is_some_and(|other| is_same(value, other))
            };
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}

impl Verified {
    /// What was checked, in lines.
    pub(super) fn report(&self) -> String {
        let Claims { outcome, log, words, .. } = &self.claims;
        let kind = match log.of {
            LogOf::Edits => "edits",
            LogOf::Positions => "positions",
        };
        let own = shown(&figures(&self.claims));
        let figures = match (&self.score, outcome.grade) {
            (Some(_), Some(Grade::Verified)) => format!("{own}: those of the log"),
            (Some(score), _) => format!("{own}; the log has {}", shown(score)),
            (None, _) => format!("{own}; positions have no figures to compare with"),
        };
        let limit = self.claims.seconds.map(|it| format!(", {it} seconds")).unwrap_or_default();
        let rank = outcome.rank.map_or("unranked".into(), |rank| format!("rank {rank}"));
        let signals: Vec<_> = outcome.signals.iter().map(word).collect();
        let why = outcome.reason.iter().map(word).chain(signals).collect::<Vec<_>>().join(", ");
        let grade = outcome.grade.map_or("none".into(), word);
        let grade = if why.is_empty() { grade } else { format!("{grade} ({why})") };
        let struck = outcome.struck.iter().map(|why| format!("; struck by an organiser: {why:?}"));
        let grade = grade + &struck.collect::<String>();
        let words = words.split(' ').count();
        let lines = [
            ("signature", format!("good, by the key {}", self.key)),
            ("log", format!("as it was signed: {} {kind}, {} bytes", log.count, self.bytes)),
            ("figures", figures),
            ("grade", grade),
            ("player", format!("{:?}, {rank}", self.claims.name)),
            (
                "race",
                format!(
                    "{} of {}, {words} words{limit}",
                    self.claims.game_id, self.claims.started_at
                ),
            ),
        ];
        lines.into_iter().map(|(what, text)| format!("{what:10} {text}\n")).collect()
    }
}

fn shown(Figures { wpm, wpm_raw, acc }: &Figures) -> String {
    format!("{wpm:.2} WPM, {wpm_raw:.2} raw, {acc:.2} % accuracy")
}
