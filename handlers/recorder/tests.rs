//! Figures, grades and recordings, for all that can be typed.

mod cheats;
mod signed;

use std::time::Duration;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::recording::Recording;
use super::rules::{
    Reason, RecordedCount, Task, checked, due, grade, place, put_count, results, score,
};
use super::settings::RecorderSettings;
use crate::game::{
    Figures, Game, GameId, Parts, Player, Result as GameResult, Timestamp, Unranked, User, UserType,
};
use crate::handlers::shared::{Edit, EditTape, Grade, Spot, SpotTape, Tape, Words};
use crate::module::Item;
use crate::testing::{Server, eventually};

const NOON: Timestamp = Timestamp(1_795_694_400_000_000);
const TOLERANCE: Duration = Duration::from_secs(2);
const TEXT: &str = "the quick brown fox";
const TASK: Task<'_> = Task { words: TEXT, limit: None };

/// A case that the client's tests have, too (`tests/browser/edits.test.mjs`).
#[derive(Deserialize)]
struct Vector {
    name: String,
    words: String,
    seconds: Option<u16>,
    edits: Vec<Edit>,
    figures: Figures,
    done: bool,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

#[test]
fn figures_are_those_of_the_client_to_the_last_digit() {
    for Vector { name, words, seconds, edits, figures, done } in vectors() {
        let found = score(&words, &edits, seconds);
        assert_eq!((found.figures, found.is_finished), (figures, done), "{name}");
    }
}

/// Types a text key by key.
fn keys(text: &str, pause: u32) -> Vec<Edit> {
    let key = |(at, letter): (u32, char)| Edit { at, ins: letter.into(), ..Edit::default() };
    (1..).map(|number| number * pause).zip(text.chars()).map(key).collect()
}

fn taped(edits: &[Edit], late: u32) -> EditTape {
    let mut tape = EditTape::default();
    edits.iter().for_each(|edit| tape.push(edit, edit.at + late));
    tape
}

fn result(figures: Figures) -> GameResult {
    GameResult { rank: 1, finished: NOON, figures, unranked: None }
}

#[test]
fn a_whole_log_verifies_the_result_that_follows_from_it() {
    let edits = keys(TEXT, 100);
    let figures = score(TEXT, &edits, None).figures;
    assert!((figures.wpm - 120.0).abs() < 1e-9 && figures.acc == 100.0, "{figures:?}");
    let tape = taped(&edits, 80);
    let of = |tape: &EditTape, result: GameResult| {
        grade(TASK, &result, checked(TASK, tape, TOLERANCE), false, tape.count)
    };
    assert_eq!(of(&tape, result(figures)), (Grade::Verified, None));
    let by_program = grade(TASK, &result(figures), Ok(figures), true, tape.count);
    assert_eq!(by_program, (Grade::Positions, Some(Reason::Signals)));
    let other = result(Figures { wpm: 121.0, ..figures });
    assert_eq!(of(&tape, other), (Grade::Positions, Some(Reason::OtherFigures)));
    let late = taped(&edits, 2_500);
    assert_eq!(of(&late, result(figures)), (Grade::Positions, Some(Reason::ClockOff)));
    let part = taped(&edits[..12], 80);
    assert_eq!(of(&part, result(figures)), (Grade::Positions, Some(Reason::NotWhole)));
    let little = taped(&edits[..2], 80);
    assert_eq!(of(&little, result(figures)), (Grade::Claimed, Some(Reason::NotSeen)));
    let unseen = GameResult { unranked: Some(Unranked::KeystrokesNotSeen), ..other };
    assert_eq!(of(&part, unseen), (Grade::Claimed, Some(Reason::NotSeen)));
}

#[test]
fn a_client_whose_clock_runs_fast_or_slow_is_not_verified() {
    // All was typed in the half of the time, or in more than was there.
    for (pause, heard) in [(50, 100), (100, 50)] {
        let mut tape = EditTape::default();
        for (number, edit) in (1..).zip(keys(TEXT, pause)) {
            tape.push(&edit, number * heard);
        }
        // In a text of a second, half the time is within the tolerance.
        let tolerance = Duration::from_millis(500);
        assert_eq!(checked(TASK, &tape, tolerance), Err(Reason::ClockOff));
    }
}

#[test]
fn against_the_clock_a_part_of_the_text_is_enough() {
    let task = Task { words: TEXT, limit: Some(15) };
    let edits = keys("the quick", 1_000);
    let figures = checked(task, &taped(&edits, 50), TOLERANCE).unwrap();
    assert_eq!(figures.wpm, 9.0 / 5.0 / 0.25);
    assert_eq!(grade(task, &result(figures), Ok(figures), false, 9), (Grade::Verified, None));
    assert_eq!(checked(TASK, &taped(&edits, 50), TOLERANCE), Err(Reason::NotWhole));
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let letter = prop::sample::select(vec!['t', 'h', 'e', ' ', 'x', 'é', '😀', '´']);
    let text = prop::collection::vec(letter, 0..6).prop_map(String::from_iter);
    let edit = (0..900_u32, 0..5_u32, text, any::<bool>());
    let edit = edit.prop_map(|(at, del, ins, composing)| Edit { at, del, ins, composing });
    prop::collection::vec(edit, 0..50)
}

proptest! {
    #[test]
    fn no_edits_have_impossible_figures(edits in edits(), limit in prop::option::of(1..60_u16)) {
        let Figures { wpm, wpm_raw, acc } = score("the the hé😀 thé", &edits, limit).figures;
        prop_assert!(wpm.is_finite() && wpm >= 0.0 && wpm <= wpm_raw);
        prop_assert!((0.0..=100.0).contains(&acc));
    }

    #[test]
    fn a_recording_is_the_same_whatever_comes_twice_or_in_another_order(
        order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
        again in 0..6_usize,
    ) {
        let (game, settings) = (race(None), RecorderSettings::default());
        let tapes = tapes();
        let empty = || Recording::of(&game, &game.players[0], &settings);
        let kept = |order: &[usize]| {
            let mut recording = empty();
            for index in order {
                recording = recording.with(tapes.get(*index), None, &settings);
            }
            recording.spots.sort_by_key(|it| it.begun);
            recording
        };
        let twice: Vec<_> = order.iter().copied().chain([again]).collect();
        prop_assert_eq!(kept(&twice), kept(&[0, 1, 2, 3, 4, 5]));
    }
}

/// Logs of three pods: two parts of the edits, and two logs of positions, one of them twice.
fn tapes() -> Vec<Tape> {
    let edits = keys(TEXT, 100);
    let spots = |begun: i64, count: u32| {
        let mut tape = SpotTape::default();
        for index in 0..count {
            let at = u32::try_from(begun).unwrap() + index * 100;
            tape.push(
                Spot { at, word_index: 0, char_index: 1 },
                NOON + Duration::from_millis(at.into()),
            );
        }
        tape
    };
    let of_edits = |count: usize| Tape { edits: taped(&edits[..count], 10), ..Tape::default() };
    let of_spots = |spots| Tape { spots, ..Tape::default() };
    vec![
        of_edits(3),
        of_edits(TEXT.len()),
        of_spots(spots(0, 4)),
        of_spots(spots(0, 9)),
        of_spots(spots(1_000, 5)),
        Tape::default(),
    ]
}

fn player(user: &str, result: Option<GameResult>) -> Player {
    let user_type = if user.starts_with("guest") { UserType::Guest } else { UserType::Registered };
    let user = User { id: user.into(), name: "Anna".into(), user_type };
    Player { result, ..Player::new(user, None) }
}

fn race(result: Option<GameResult>) -> Game {
    let parts = Parts::default().with(Words(TEXT.into()));
    let players = vec![player("google-1", result), player("guest-2", None)];
    let starts_at = Some(NOON);
    Game { players, starts_at, ..Game::opened(GameId(35), NOON, parts) }
}

#[test]
fn the_place_counts_faster_bots_and_neither_ghosts_nor_unranked_finishes() {
    let figures = Figures { wpm: 60.0, wpm_raw: 60.0, acc: 100.0 };
    let finish = |seconds: u64, rank: u32| {
        let finished = NOON + Duration::from_secs(seconds);
        let unranked = (rank == 0).then_some(Unranked::TextNotTyped);
        Some(GameResult { figures, finished, rank, unranked })
    };
    let bot = |id: &str, result| Player { result, ..player(id, None) };
    let mut game = race(finish(20, 1));
    game.players[1].result = finish(19, 2);
    let mut fast = bot("bot-1", finish(10, 0));
    let mut slow = bot("bot-2", finish(30, 0));
    for bot in [&mut fast, &mut slow] {
        bot.user.user_type = UserType::Guest;
    }
    game.players.extend([fast, slow, player("guest-3", finish(5, 0)), player("guest-4", None)]);
    let of = |game: &Game, index: usize| place(game, &game.players[index]);
    assert_eq!(of(&game, 0), Some((2, 6)), "behind the fast bot only");
    // The rank is decided by when a result is accepted; the time of its last key may be earlier.
    assert_eq!(of(&game, 1), Some((3, 6)));
    assert_eq!((of(&game, 4), of(&game, 5)), (None, None), "unranked, and without a result");
    let ghost =
        User { id: "ghost-1".into(), name: "ghost of Ben".into(), user_type: UserType::Guest };
    game.players.push(Player { result: finish(1, 0), ..Player::new(ghost, None) });
    assert_eq!(of(&game, 0), Some((2, 6)));
}

#[test]
fn a_recording_has_the_positions_of_all_pods_by_their_times() {
    let (game, settings) = (race(None), RecorderSettings::default());
    let mut recording = Recording::of(&game, &game.players[0], &settings);
    for tape in tapes().iter().rev() {
        recording = recording.with(Some(tape), None, &settings);
    }
    let times: Vec<_> = recording.all_spots().iter().map(|it| it.at).collect();
    assert_eq!((times.len(), times.is_sorted()), (14, true), "{times:?}");
    assert_eq!(recording.edits.edits(), keys(TEXT, 100));
    let stored = serde_json::to_string(&recording).unwrap();
    assert_eq!(serde_json::from_str::<Recording>(&stored).unwrap().edits.edits(), keys(TEXT, 100));
}

#[test]
fn recordings_are_kept_for_a_while_those_of_guests_for_less() {
    let (game, settings) = (race(None), RecorderSettings::default());
    let day = Duration::from_secs(24 * 3600);
    let recording = |index: usize| Recording::of(&game, &game.players[index], &settings);
    assert_eq!(recording(0).expires_at(), Some(NOON + day * 90));
    assert_eq!(recording(1).expires_at(), Some(NOON + day * 7));
    let account = recording(1).handed_over(&game.players[0].user).unwrap();
    assert_eq!(account.expires_at(), Some(NOON + day * 90), "a guest who has logged in");
    assert_eq!(account.key(), "35:google-1");
}

#[test]
fn an_item_stays_within_its_bounds() {
    let (game, settings) = (race(None), RecorderSettings::default());
    let mut recording = Recording::of(&game, &game.players[0], &settings);
    for begun in 0..20_u32 {
        let mut tape = Tape::default();
        for number in 0..20_000_u32 {
            tape.edits.push(&Edit { at: number * 999, ins: "é".into(), ..Edit::default() }, 1);
            let spot = Spot { at: begun + number * 999, word_index: number % 7, char_index: 3 };
            tape.spots.push(spot, NOON + Duration::from_secs(begun.into()));
        }
        recording = recording.with(Some(&tape), None, &settings);
    }
    let size = serde_json::to_string(&recording).unwrap().len();
    assert!(size < 30 * 1024, "{size} bytes, and the text");
    assert!(recording.edits.is_cut);
}

#[test]
fn a_race_is_completed_until_its_facts_say_that_it_is() {
    let figures = Figures { wpm: 70.0, wpm_raw: 70.0, acc: 100.0 };
    assert_eq!(due(&race(None)), None);
    let mut game = race(Some(result(figures)));
    assert_eq!(due(&game), Some(NOON + Duration::from_secs(10)));
    let recorded = RecordedCount(results(&game).count());
    assert!(put_count(&mut game, recorded));
    assert_eq!(due(&game), None);
    assert!(!put_count(&mut game, RecordedCount(0)));
}

#[tokio::test]
async fn a_race_of_the_first_format_can_be_seen_again() {
    let server = Server::for_players(1).await;
    let mut anna = server.player("").await;
    anna.starts().await;
    anna.finishes().await;
    let path = format!("/api/v1/recordings?game_id={}", anna.game);
    let mut own = json!(null);
    eventually(async || {
        own = anna.get(&path).await["recordings"][0].clone();
        own["grade"] == "positions"
    })
    .await;
    assert_eq!(own["reason"], "no_edits");
    let replay = server.get(&format!("/api/v1/recordings/{}", own["link"].as_str().unwrap())).await;
    let player = &replay["players"][0];
    let positions = player["positions"].as_array().unwrap();
    let words = replay["words"].as_str().unwrap();
    assert_eq!(positions.len(), words.chars().count());
    assert_eq!((&player["rank"], &player["grade"]), (&json!(1), &json!("positions")));
}
