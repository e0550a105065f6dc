//! Signed results: any log scores alike on the server and in the check, and no document that was changed passes it.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::recording::Recording;
use super::super::rules::{Task, checked, score};
use super::super::settings::RecorderSettings;
use super::super::signed::{ATTESTED, Unsigned};
use super::super::verify::{Verified, verify};
use super::{NOON, TEXT, Vector, edits, keys, player, race, result, taped, tapes, vectors};
use crate::auth::{PublicKeys, TokenKeys};
use crate::game::{Figures, Game, GameId, Parts};
use crate::handlers::shared::{Edit, EditTape, Grade, Tape, TimeLimit, Verdict, Words};
use crate::settings::Settings;

/// A server's keys, in its data directory.
static SERVER: LazyLock<(TokenKeys, PublicKeys, TempDir)> = LazyLock::new(|| {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings { data_dir: data.path().into(), ..Settings::default() };
    (TokenKeys::load(&settings).unwrap(), PublicKeys::load(&settings).unwrap(), data)
});

fn public() -> &'static PublicKeys {
    &SERVER.1
}

/// The document of a recording, as the route returns it.
fn document(recording: &Recording) -> Value {
    let unsigned = Unsigned::of(recording).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let signature = runtime.block_on(SERVER.0.attest(ATTESTED, &unsigned.claims)).unwrap();
    let mut document = serde_json::to_value(unsigned.signed(signature)).unwrap();
    document["ok"] = json!(true);
    document
}

fn check(document: &Value) -> Result<Verified, String> {
    verify(document.to_string().as_bytes(), public())
}

/// A player has typed these edits, and claims what follows from them.
fn recorded(words: &str, limit: Option<u16>, edits: &[Edit]) -> Recording {
    recorded_as(words, limit, edits, score(words, edits, limit).figures)
}

fn recorded_as(words: &str, limit: Option<u16>, edits: &[Edit], figures: Figures) -> Recording {
    let parts = Parts::default().with(Words(words.into())).with(TimeLimit(limit));
    let players = vec![player("google-1", Some(result(figures)))];
    let game = Game { players, starts_at: Some(NOON), ..Game::opened(GameId(35), NOON, parts) };
    let mut settings = RecorderSettings::default();
    settings.signals.words_at_once = 0;
    settings.signals.least_variation_percent = 0.0;
    settings.signals.fastest_wpm = 0.0;
    let tape = Tape { edits: taped(edits, 80), ..Tape::default() };
    let result = game.players[0].result;
    Recording::of(&game, &game.players[0], &settings).with(Some(&tape), result, &settings)
}

#[test]
fn a_signed_result_is_checked_and_reported() {
    let recording = recorded(TEXT, None, &keys(TEXT, 100));
    let document = document(&recording);
    assert_eq!(document["format"], "typephoon-result/1");
    assert_eq!(document["result"]["log"]["of"], "edits");
    let verified = check(&document).unwrap();
    assert_eq!(verified.score, Some(score(TEXT, &keys(TEXT, 100), None).figures));
    let report = verified.report();
    for line in [
        "signature  good, by the key ",
        "log        as it was signed: 19 edits, ",
        "figures    120.00 WPM, 120.00 raw, 100.00 % accuracy: those of the log\n",
        "grade      verified\n",
        "player     \"Anna\", rank 1\n",
        "race       35 of 2026-11-26T12:00:00.000000Z, 4 words\n",
    ] {
        assert!(report.contains(line), "{line} is not in\n{report}");
    }
    assert_eq!(document, self::document(&recording), "signed again, it is the same");
}

#[test]
fn the_vectors_of_the_client_score_alike_in_the_check() {
    for Vector { name, words, seconds, edits, figures, .. } in vectors() {
        let verified = check(&document(&recorded(&words, seconds, &edits)));
        assert_eq!(verified.map(|it| it.score), Ok(Some(figures)), "{name}");
    }
}

#[test]
fn a_result_of_positions_is_signed_and_not_called_verified() {
    let (game, settings) = (race(None), RecorderSettings::default());
    let mut recording = Recording::of(&game, &game.players[0], &settings);
    for tape in tapes().iter().filter(|tape| tape.edits.count == 0) {
        recording = recording.with(Some(tape), None, &settings);
    }
    assert!(Unsigned::of(&recording).is_none(), "without a result");
    let figures = Figures { wpm: 70.0, wpm_raw: 71.5, acc: 99.0 };
    let recording = recording.with(None, Some(result(figures)), &settings);
    let verified = check(&document(&recording)).unwrap();
    assert_eq!((verified.score, verified.claims.log.count), (None, 14));
    let report = verified.report();
    assert!(report.contains("grade      positions (no_edits)\n"), "{report}");
    assert!(report.contains("as it was signed: 14 positions, "), "{report}");
}

#[test]
fn a_figure_that_was_claimed_and_not_typed_is_shown_beside_that_of_the_log() {
    let claimed = Figures { wpm: 250.0, wpm_raw: 250.0, acc: 100.0 };
    let verified = check(&document(&recorded_as(TEXT, None, &keys(TEXT, 100), claimed))).unwrap();
    assert_eq!(verified.claims.outcome.grade, Some(Grade::Positions));
    let report = verified.report();
    let line = "250.00 WPM, 250.00 raw, 100.00 % accuracy; the log has 120.00 WPM";
    assert!(report.contains(line) && report.contains("positions (other_figures)"), "{report}");
}

#[test]
fn a_struck_result_says_so() {
    let verdict = |is_struck| Verdict { is_struck, reason: "a program".into(), at: NOON };
    let report = |is_struck| {
        let recording = recorded(TEXT, None, &keys(TEXT, 100)).judged(Some(verdict(is_struck)));
        check(&document(&recording)).unwrap().report()
    };
    assert!(report(true).contains("grade      verified; struck by an organiser: \"a program\"\n"));
    assert!(report(false).contains("grade      verified\n"));
}

/// A server that would sign anything does not make a log say another thing.
#[test]
fn the_check_does_not_believe_the_grade_but_the_log() {
    let mut without = recorded(TEXT, None, &keys(TEXT, 100));
    without.edits = EditTape::default();
    let part = recorded(TEXT, None, &keys("the quick", 100));
    let faster = recorded_as(
        TEXT,
        None,
        &keys(TEXT, 100),
        Figures { wpm: 130.0, wpm_raw: 130.0, acc: 100.0 },
    );
    for (mut recording, complaint) in [
        (faster, "figures: the log has 120.00 WPM"),
        (part, "grade: the log does not verify it: not_whole"),
        (without, "grade: the log does not verify it: no_edits"),
    ] {
        (recording.grade, recording.reason) = (Some(Grade::Verified), None);
        let failure = check(&document(&recording)).map(drop).unwrap_err();
        assert!(failure.starts_with(complaint), "{failure}");
    }
}

#[test]
fn every_change_is_found_and_named() {
    let document = document(&recorded(TEXT, None, &keys(TEXT, 100)));
    let other = self::document(&recorded(TEXT, None, &keys(TEXT, 90)));
    let change = |path: &str, value: Value| {
        let mut changed = document.clone();
        *changed.pointer_mut(path).unwrap() = value;
        check(&changed).map(drop).unwrap_err()
    };
    for (path, value, check) in [
        ("/format", json!("typephoon-result/2"), "format"),
        ("/format", json!(1), "format"),
        ("/result/wpm", json!(121), "signature"),
        ("/result/words", json!("the quick brown fax"), "signature"),
        ("/result/name", json!("Ben"), "signature"),
        ("/result/rank", json!(null), "signature"),
        ("/result/log/sha256", json!("00"), "signature"),
        ("/result", json!({}), "signature"),
        ("/result", other["result"].clone(), "signature"),
        ("/log", json!(""), "log"),
        ("/log", json!("*"), "log"),
        ("/log", other["log"].clone(), "log"),
        ("/signature", other["signature"].clone(), "signature"),
        ("/signature", json!(""), "signature"),
        ("/signature", json!("a.b.c"), "signature"),
    ] {
        let failure = change(path, value);
        assert!(failure.starts_with(&format!("{check}: ")), "{path}: {failure}");
    }
    let mut more = document.clone();
    more["result"]["prize"] = json!(1);
    assert!(
        check(&more).unwrap_err().starts_with("signature: "),
        "what is not signed is not shown"
    );
    more = document.clone();
    more["prize"] = json!(1);
    assert!(check(&more).unwrap_err().starts_with("format: "));
    // Another program writes the same numbers in another way.
    let again = document.to_string().replace("100.0", "1e2");
    assert_ne!(again, document.to_string());
    verify(again.as_bytes(), public()).unwrap();
}

#[test]
fn an_edit_that_deletes_four_billion_letters_costs_no_time() {
    let all = Edit { at: 5, del: u32::MAX, ins: "t".into(), ..Edit::default() };
    let edits = vec![all; 1_000];
    assert_eq!(score("the", &edits, None).figures.acc, 100.0);
    check(&document(&recorded("the", None, &edits))).unwrap();
}

/// Texts of which no byte was signed.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let good = document(&recorded(TEXT, None, &keys(TEXT, 100))).to_string().into_bytes();
    let (length, cut) = (good.len(), good.clone());
    let flipped = prop::collection::vec((0..length, any::<u8>()), 1..4).prop_map(move |changes| {
        let mut bytes = good.clone();
        changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
        bytes
    });
    let cut = (0..length, 0..length)
        .prop_map(move |(from, to)| [&cut[..from.min(to)], &cut[from.max(to)..]].concat());
    prop_oneof![4 => flipped, 2 => cut, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Of what passes, nothing but the form may have been changed.
    #[test]
    fn no_document_that_was_changed_passes(bytes in hostile()) {
        let good = document(&recorded(TEXT, None, &keys(TEXT, 100)));
        if let Ok(verified) = verify(&bytes, public()) {
            let passed: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&passed["result"], &good["result"]);
            prop_assert_eq!(&passed["log"], &good["log"]);
            prop_assert!(verified.report().contains("120.00 WPM"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_log_scores_alike_on_the_server_and_in_the_check(
        edits in edits(),
        limit in prop::option::of(1..60_u16),
    ) {
        let words = "the the hé😀 thé";
        // As the clock of a client goes: never back.
        let mut at = 0;
        let edits: Vec<_> = edits.into_iter().map(|edit| {
            at += edit.at;
            Edit { at, ..edit }
        }).collect();
        let recording = recorded(words, limit, &edits);
        let here = checked(Task { words, limit }, &recording.edits, std::time::Duration::from_secs(2));
        let verified = check(&document(&recording)).unwrap();
        prop_assert_eq!(verified.score, Some(score(words, &edits, limit).figures));
        prop_assert_eq!(here.is_ok(), verified.claims.outcome.grade == Some(Grade::Verified));
    }
}
