//! Positions, countdowns and START, for all texts and times.

use std::time::Duration;

use proptest::prelude::*;

use super::rules::{seconds_left, start_arrived, starts_at, text_wish, to_be_prepared};
use crate::game::{Door, Game, GameId, Parts, Stage, Timestamp};
use crate::handlers::shared::{Text, TextWish, TimeLimit, Wishes, invited};
use crate::socket::{Ending, Said};

/// How far a position may lie beyond the end of its word.
const OVERTYPED: i64 = 32;

const STAGES: [Stage; 4] = [Stage::Lobby, Stage::Closed, Stage::Countdown, Stage::Running];

/// Texts of words in several alphabets.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let letter = prop::sample::select(vec!['a', 'q', 'é', 'ß', '的', '😀', '\'', '-']);
    let word = prop::collection::vec(letter, 1..15).prop_map(String::from_iter);
    prop::collection::vec(word, 1..40)
}

/// Numbers that a client may send, impossible ones included.
fn indices() -> impl Strategy<Value = i64> {
    prop_oneof![-50_i64..100, any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(1_i64 << 32)]
}

fn game(stage: Stage, closes_at: i64, starts_at: Option<i64>) -> Game {
    Game {
        stage,
        closes_at: Timestamp(closes_at),
        starts_at: starts_at.map(Timestamp),
        ends_at: Timestamp(i64::MAX),
        ..Game::opened(GameId(1), Timestamp(0), Parts::default())
    }
}

proptest! {
    #[test]
    fn a_position_within_the_text_is_taken_as_it_is(
        words in texts(),
        word in any::<prop::sample::Index>(),
        behind in 0..=OVERTYPED,
        part in 0.0..=1.0,
    ) {
        let index = word.index(words.len());
        let length = words[index].chars().count() as i64;
        let inside = ((length + 1) as f64 * part) as i64 - 1;
        let text = Text::of(&words.join(" "));
        for char_index in [-1, 0, inside, length - 1, length, length + behind] {
            let taken = text.position(index as i64, char_index);
            prop_assert_eq!(taken, Some((index as u32, char_index as i32)));
        }
    }

    #[test]
    fn a_position_outside_the_text_is_refused_however_far(
        words in texts(),
        word_index in indices(),
        char_index in indices(),
    ) {
        let text = Text::of(&words.join(" "));
        let word = usize::try_from(word_index).ok().and_then(|index| words.get(index));
        let length = word.map(|word| word.chars().count() as i64);
        let within = length.is_some_and(|it| (-1..=it + OVERTYPED).contains(&char_index));
        let taken = text.position(word_index, char_index);
        prop_assert_eq!(taken.is_some(), within);
        if let Some((word, char)) = taken {
            prop_assert_eq!((i64::from(word), i64::from(char)), (word_index, char_index));
        }
    }

    #[test]
    fn a_text_has_every_character_and_the_blanks_between(words in texts()) {
        let joined = words.join(" ");
        prop_assert_eq!(Text::of(&joined).characters() as usize, joined.chars().count());
    }

    #[test]
    fn seconds_left_fall_with_time_and_are_never_negative(
        starts in any::<i32>(),
        now in any::<i64>(),
        later in 0_u32..,
    ) {
        let game = game(Stage::Countdown, 0, Some(starts.into()));
        let before = seconds_left(&game, Timestamp(now));
        let after = seconds_left(&game, Timestamp(now) + Duration::from_micros(later.into()));
        prop_assert!(before.is_finite() && after >= 0.0 && after <= before);
    }

    #[test]
    fn seconds_left_are_those_until_start(starts in any::<i32>(), left in 0_u32..) {
        let starts = Timestamp(starts.into());
        let left = Duration::from_micros(left.into());
        let game = game(Stage::Countdown, 0, Some(starts.0));
        prop_assert_eq!(seconds_left(&game, starts - left), left.as_secs_f64());
        prop_assert_eq!(seconds_left(&game, starts + left), 0.0);
    }

    #[test]
    fn once_the_race_is_on_no_seconds_are_left(starts in any::<i64>(), now in any::<i64>()) {
        prop_assert_eq!(seconds_left(&game(Stage::Running, 0, Some(starts)), Timestamp(now)), 0.0);
    }

    #[test]
    fn each_timer_is_due_in_its_own_stage_alone(closes in any::<i32>(), starts in any::<i64>()) {
        for stage in STAGES {
            let game = game(stage, closes.into(), Some(starts));
            let due = (stage == Stage::Countdown).then_some(Timestamp(starts));
            prop_assert_eq!(starts_at(&game), due);
            prop_assert_eq!(to_be_prepared(&game).is_some(), stage == Stage::Closed);
            // `lobby.closed` is handled first.
            prop_assert!(to_be_prepared(&game).is_none_or(|at| at > game.closes_at));
        }
    }
}

#[test]
fn a_start_is_believed_to_have_arrived_when_it_can_have() {
    let (browser, other) = (true, false);
    let (silent, spoke) = (true, false);
    let table = [
        // What is known of it,    how it ended, who: arrived?
        (Some(Said::Answered), spoke, browser, true),
        (Some(Said::Answered), spoke, other, true),
        (Some(Said::Answered), silent, browser, true),
        (Some(Said::Answered), silent, other, true),
        (Some(Said::Written), spoke, browser, false),
        (Some(Said::Written), spoke, other, true),
        (Some(Said::Written), silent, browser, false),
        (Some(Said::Written), silent, other, false),
        (Some(Said::Unwritten), spoke, browser, false),
        (Some(Said::Unwritten), spoke, other, false),
        (Some(Said::Unwritten), silent, browser, false),
        (Some(Said::Unwritten), silent, other, false),
        (None, spoke, browser, false),
        (None, spoke, other, false),
        (None, silent, browser, false),
        (None, silent, other, false),
    ];
    for (said, silent, is_browser, arrived) in table {
        let ending = Ending { silent, said };
        assert_eq!(start_arrived(&ending, is_browser), arrived, "{ending:?}, {is_browser}");
    }
}

#[test]
fn a_text_without_words_has_no_position() {
    let text = Text::of("");
    assert_eq!(text.position(0, -1), None);
    assert_eq!(text.position(0, 0), None);
}

#[test]
fn strangers_get_the_default_text_and_it_is_long_enough_for_the_time() {
    let text = TextWish { words: Some(10), punctuation: true, numbers: true };
    for (door, is_own) in [
        (Door::OPEN, false),
        (Door::of_kind("Timed60"), false),
        (Door::ALONE, true),
        (invited("abcdefgh"), true),
    ] {
        let parts = Parts::default().with(Wishes { text, ..Wishes::default() });
        let mut game = Game { door, ..Game::opened(GameId(1), Timestamp(0), parts) };
        let words = if is_own { 10 } else { 25 };
        let expected = TextWish { words: Some(words), punctuation: is_own, numbers: is_own };
        assert_eq!(text_wish(&game, 25), expected, "{}", game.door);
        game.put(TimeLimit(Some(60)));
        assert_eq!(text_wish(&game, 25), TextWish { words: Some(360), ..expected });
    }
}
