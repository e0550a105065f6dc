//! Typists, honest and not, against the server's clock.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use crate::Kind;
use crate::game::{Door, Figures, Game, GameId, Log, Player, Stage, Timestamp, User, UserType};
use crate::live::Claim;

const SECOND: Duration = Duration::from_secs(1);

/// When START was due.
const START: Timestamp = Timestamp(1_000_000_000);

/// A text of these words, and one player, who was told START then.
fn race(words: &[String], told: Option<Timestamp>) -> Game {
    let user = User { id: "anna".into(), name: "Anna".into(), user_type: UserType::Guest };
    Game {
        id: GameId(1),
        version: 1,
        stage: Stage::Running,
        door: Door::Open,
        opened_at: START - 10 * SECOND,
        closes_at: START - 5 * SECOND,
        full: false,
        starts_at: Some(START),
        ends_at: START + 900 * SECOND,
        words: words.join(" ").into(),
        log: Log::default(),
        players: vec![Player {
            user,
            sockets: BTreeSet::new(),
            absent_since: None,
            started: told,
            result: None,
        }],
    }
}

fn check(
    game: &Game,
    figures: Figures,
    at: Timestamp,
    last_key: Option<Timestamp>,
) -> Option<Kind> {
    let claim = Claim { figures, at };
    let refusal = super::super::rules::check_speed(game, &"anna".into(), &claim, None, last_key);
    refusal.err().map(|error| error.kind())
}

/// A text of words with these lengths, as the built-in list has them.
fn texts(words: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<String>> {
    let word = (2_usize..11).prop_map(|length| "x".repeat(length));
    prop::collection::vec(word, words)
}

/// How somebody types: raw speed in words per minute, and which words come out wrong.
#[derive(Debug)]
struct Typist {
    speed: f64,
    wrong: Vec<bool>,
}

/// Up to a quarter of the words is wrong, whichever they are; the last is right: that is a finish.
fn typists(words: usize) -> impl Strategy<Value = Typist> {
    let chosen = prop::collection::vec(any::<prop::sample::Index>(), 0..=words / 4);
    (10.0..=250.0, chosen).prop_map(move |(speed, chosen)| {
        let mut wrong = vec![false; words];
        for index in chosen {
            wrong[index.index(words)] = true;
        }
        wrong[words - 1] = false;
        Typist { speed, wrong }
    })
}

impl Typist {
    /// How long the text takes: five characters are a word, a blank is one too.
    fn takes(&self, words: &[String]) -> Duration {
        let characters = words.join(" ").len() as f64;
        Duration::from_secs_f64(characters / 5.0 / self.speed * 60.0)
    }

    /// The figures as the frontend computes them: `wpm` of the letters of right words and the
    /// blanks, `wpm_raw` of all letters.
    fn figures(&self, words: &[String]) -> Figures {
        let letters = |right_only: bool| {
            let counted =
                words.iter().zip(&self.wrong).filter(|(_, wrong)| !right_only || !**wrong);
            counted.map(|(word, _)| word.len()).sum::<usize>() as f64
        };
        let per_minute = |letters: f64| letters / 5.0 / (self.takes(words).as_secs_f64() / 60.0);
        let wpm = per_minute(letters(true) + (words.len() - 1) as f64);
        Figures { wpm, wpm_raw: per_minute(letters(false)), acc: 95.0 }
    }
}

/// A text and somebody who types it.
fn races(words: std::ops::Range<usize>) -> impl Strategy<Value = (Vec<String>, Typist)> {
    texts(words).prop_flat_map(|words| {
        let typist = typists(words.len());
        (Just(words), typist)
    })
}

/// How late a message may come.
fn lateness() -> impl Strategy<Value = Duration> {
    (0_u64..=800).prop_map(Duration::from_millis)
}

proptest! {
    #[test]
    fn an_honest_typist_is_believed(
        (words, typist) in races(1..60),
        late in lateness(),
        key_late in prop::option::of(lateness()),
    ) {
        let (game, done) = (race(&words, Some(START)), START + typist.takes(&words));
        let last_key = key_late.map(|late| done + late);
        let refusal = check(&game, typist.figures(&words), done + late, last_key);
        prop_assert_eq!(refusal, None);
    }

    #[test]
    fn a_result_that_is_sent_again_and_again_is_believed_by_the_last_key(
        (words, typist) in races(1..60),
        retried in 0_u32..600,
    ) {
        let done = START + typist.takes(&words);
        let at = done + SECOND * retried;
        let refusal = check(&race(&words, Some(START)), typist.figures(&words), at, Some(done));
        prop_assert_eq!(refusal, None);
    }

    #[test]
    fn who_connects_late_is_measured_from_when_start_was_told(
        (words, typist) in races(1..60),
        missed in 0_u32..300,
        late in lateness(),
    ) {
        let told = START + SECOND * missed;
        let at = told + typist.takes(&words) + late;
        let refusal = check(&race(&words, Some(told)), typist.figures(&words), at, None);
        prop_assert_eq!(refusal, None);
    }

    #[test]
    fn who_never_opened_a_socket_is_measured_from_the_common_start(
        (words, typist) in races(1..60),
        late in lateness(),
    ) {
        let at = START + typist.takes(&words) + late;
        prop_assert_eq!(check(&race(&words, None), typist.figures(&words), at, None), None);
    }

    #[test]
    fn twice_the_speed_that_the_clock_allows_is_refused_on_a_long_race(
        (words, mut typist) in races(25..60),
        late in lateness(),
        has_socket in any::<bool>(),
    ) {
        typist.wrong.fill(false);
        let takes = typist.takes(&words);
        prop_assume!(takes > 5 * SECOND);
        let Figures { wpm, wpm_raw, acc } = typist.figures(&words);
        let doubled = Figures { wpm: 2.0 * wpm, wpm_raw: 2.0 * wpm_raw, acc };
        let (game, done) = (race(&words, Some(START)), START + takes);
        let refusal = check(&game, doubled, done + late, has_socket.then_some(done));
        prop_assert_eq!(refusal, Some(Kind::IMPLAUSIBLE_RESULT));
    }

    #[test]
    fn a_key_long_before_the_end_excuses_no_speed(
        (words, mut typist) in races(25..60),
        part in 0.0..0.2,
    ) {
        typist.wrong.fill(false);
        let takes = typist.takes(&words);
        prop_assume!(takes > 10 * SECOND);
        let Figures { wpm, wpm_raw, acc } = typist.figures(&words);
        let doubled = Figures { wpm: 2.0 * wpm, wpm_raw: 2.0 * wpm_raw, acc };
        let (game, done) = (race(&words, Some(START)), START + takes);
        let refusal = check(&game, doubled, done, Some(START + takes.mul_f64(part)));
        prop_assert_eq!(refusal, Some(Kind::IMPLAUSIBLE_RESULT));
    }

    #[test]
    fn who_lost_the_socket_in_mid_race_is_measured_by_the_result_itself(
        (words, typist) in races(1..60),
        part in 0.0..1.0,
        late in lateness(),
    ) {
        let (game, takes) = (race(&words, Some(START)), typist.takes(&words));
        let last_key = START + takes.mul_f64(part);
        let at = START + takes + late;
        prop_assert_eq!(check(&game, typist.figures(&words), at, Some(last_key)), None);
    }

    #[test]
    fn nine_hundred_right_after_start_is_refused(
        // As long as a race mostly is: 25 words of six letters.
        words in texts(25).prop_filter("long enough", |words| words.join(" ").len() >= 174),
        passed in 0_u64..400,
    ) {
        let figures = Figures { wpm: 900.0, wpm_raw: 900.0, acc: 100.0 };
        let at = START + Duration::from_millis(passed);
        let refusal = check(&race(&words, Some(START)), figures, at, None);
        prop_assert_eq!(refusal, Some(Kind::IMPLAUSIBLE_RESULT));
    }

    #[test]
    fn a_slow_claim_right_after_start_is_refused_as_well(
        words in texts(25),
        wpm in 0.0..300.0,
        passed in 0_u64..400,
    ) {
        // Nobody is at the end of the text, however slow they say they are.
        let figures = Figures { wpm, wpm_raw: wpm, acc: 100.0 };
        let at = START + Duration::from_millis(passed);
        let refusal = check(&race(&words, Some(START)), figures, at, None);
        prop_assert_eq!(refusal, Some(Kind::IMPLAUSIBLE_RESULT));
    }

    #[test]
    fn no_claim_makes_the_check_stumble(
        words in texts(0..3),
        (wpm, wpm_raw, acc) in (any::<f64>(), any::<f64>(), any::<f64>()),
        (told, at, last_key) in (any::<i64>(), any::<i64>(), any::<i64>()),
    ) {
        let game = race(&words, Some(Timestamp(told)));
        check(&game, Figures { wpm, wpm_raw, acc }, Timestamp(at), Some(Timestamp(last_key)));
    }
}

#[test]
fn the_time_before_start_was_told_is_not_the_players() {
    let words: Vec<_> = std::iter::repeat_n(String::from("typing"), 25).collect();
    // 35 words, half a minute after everybody else was told, and one second after this player was.
    let told = START + 30 * SECOND;
    let figures = Figures { wpm: 70.0, wpm_raw: 70.0, acc: 100.0 };
    let at = told + SECOND;
    assert_eq!(check(&race(&words, Some(told)), figures, at, None), Some(Kind::IMPLAUSIBLE_RESULT));
    assert_eq!(check(&race(&words, Some(START)), figures, at, None), None);
}

#[test]
fn before_there_is_a_start_there_is_no_result() {
    let mut game = race(&["typing".into()], None);
    game.starts_at = None;
    let figures = Figures { wpm: 60.0, wpm_raw: 60.0, acc: 100.0 };
    assert_eq!(check(&game, figures, START, None), Some(Kind::GAME_NOT_STARTED));
}
