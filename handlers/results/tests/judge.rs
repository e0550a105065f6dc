//! Typists, honest and not, before the judge: nothing is refused, nothing raised, and honest figures stay.

use std::time::Duration;

use proptest::prelude::*;

use crate::game::{
    Figures, Game, GameId, Parts, Player, Stage, Timestamp, Unranked, User, UserType,
};
use crate::handlers::shared::{Claim, Latency, Progress, Text, Tracker, Words, judge};

const SECOND: Duration = Duration::from_secs(1);

/// When START was given.
const START: Timestamp = Timestamp(1_000_000_000);

/// A text of these words, and one player, who was told START then.
fn race(words: &[String], told: Option<Timestamp>, progress: Progress) -> Game {
    let user = User { id: "guest-anna".into(), name: "Anna".into(), user_type: UserType::Guest };
    let mut player = Player::new(user, None);
    player.put(progress);
    told.into_iter().for_each(|at| player.start(at));
    let parts = Parts::default().with(Words(words.join(" ").into()));
    Game {
        stage: Stage::Running,
        closes_at: START - 5 * SECOND,
        starts_at: Some(START),
        ends_at: START + 900 * SECOND,
        players: vec![player],
        ..Game::opened(GameId(1), START - 10 * SECOND, parts)
    }
}

fn judged(game: &Game, figures: Figures) -> Claim {
    judge(game, &"guest-anna".into(), figures, START + 600 * SECOND)
}

/// A text of words with these lengths, as the built-in list has them.
fn texts(words: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<String>> {
    let word = (2_usize..11).prop_map(|length| "x".repeat(length));
    prop::collection::vec(word, words)
}

/// A typist, with a speed in characters per minute of words of five, with a wrong letter and more here and there.
#[derive(Clone, Debug)]
struct Typist {
    speed: f64,
    /// Per word: how many wrong letters are put behind it, taken away again, and whether one is left.
    slips: Vec<(u16, bool)>,
}

fn typists(words: usize) -> impl Strategy<Value = Typist> {
    let slip = prop_oneof![4 => Just((0, false)), 1 => (1_u16..4, any::<bool>())];
    let slips = prop::collection::vec(slip, words);
    (10.0..=250.0, slips).prop_map(|(speed, slips)| Typist { speed, slips })
}

/// What a typist did, as client and server know it.
struct Typed {
    figures: Figures,
    progress: Progress,
}

impl Typist {
    /// Types the words. Each position comes late by what `late` says of it.
    fn types(&self, words: &[String], told: Timestamp, late: impl Fn(u32) -> Duration) -> Typed {
        let text = Text::of(&words.join(" "));
        let stroke = Duration::from_secs_f64(12.0 / self.speed);
        let mut tracker = Tracker::default();
        tracker.resume(&text, &Progress::default(), Some(told));
        let (mut strokes, mut latest) = (0_u32, told);
        let mut press = |word: usize, char: usize| {
            strokes += 1;
            latest = latest.max(told + stroke * strokes + late(strokes));
            let position = (word as u32, char as i32 - 1);
            tracker.record_position(&text, position, latest, Latency::default());
        };
        let (mut right, mut wrong, mut correct, mut standing) =
            (0, 0, words.len() - 1, words.len() - 1);
        for (index, word) in words.iter().enumerate() {
            let is_last = index + 1 == words.len();
            let (slips, is_left) = self.slips[index];
            let slips = if is_last { 0 } else { usize::from(slips) };
            let left = usize::from(is_left && slips > 0);
            if index > 0 {
                press(index, 0);
                right += 1;
            }
            (1..=word.len()).for_each(|char| press(index, char));
            (1..=slips).for_each(|more| press(index, word.len() + more));
            (left..slips).rev().for_each(|more| press(index, word.len() + more));
            right += word.len();
            wrong += slips;
            correct += if left == 0 { word.len() } else { 0 };
            standing += word.len() + left;
        }
        let minutes = (stroke * strokes).as_secs_f64() / 60.0;
        let speed = |letters: usize| letters as f64 / 5.0 / minutes;
        let acc = right as f64 / (right + wrong) as f64 * 100.0;
        let figures = Figures { wpm: speed(correct), wpm_raw: speed(standing), acc };
        Typed { figures, progress: tracker.take_unsaved().unwrap_or_default() }
    }
}

/// A text and a typist.
fn races(words: std::ops::Range<usize>) -> impl Strategy<Value = (Vec<String>, Typist)> {
    texts(words).prop_flat_map(|words| {
        let typist = typists(words.len());
        (Just(words), typist)
    })
}

/// Anything that passes the check of its values.
fn claims() -> impl Strategy<Value = Figures> {
    let raw = prop_oneof![0.0..=2000.0, 0.0..=f64::MAX];
    (0.0..=1000.0, raw, 0.0..=100.0).prop_map(|(wpm, wpm_raw, acc)| Figures { wpm, wpm_raw, acc })
}

/// Any progress that pods may know of a player.
fn anything() -> impl Strategy<Value = Progress> {
    let instant = || {
        prop::option::of((-100_i64..1_000).prop_map(|s| START + SECOND * s.unsigned_abs() as u32))
    };
    let counts = (any::<u32>(), any::<u32>(), any::<u32>());
    (prop::collection::vec(any::<u16>(), 0..60), counts, instant(), instant()).prop_map(
        |(reached, (keys, extra, gaps), at, completed)| Progress {
            reached,
            keys,
            extra,
            gaps,
            at,
            completed,
            ..Progress::default()
        },
    )
}

proptest! {
    #[test]
    fn an_honest_claim_stays_to_the_last_digit(
        (words, typist) in races(1..60),
        late in prop::collection::vec(0_u64..600, 1..20),
        told_late in 0_u64..4_000,
    ) {
        let told = START + Duration::from_millis(told_late);
        let jitter = |stroke: u32| Duration::from_millis(late[stroke as usize % late.len()]);
        let Typed { figures, progress } = typist.types(&words, told, jitter);
        let claim = judged(&race(&words, Some(told), progress), figures);
        prop_assert_eq!((claim.figures, claim.unranked), (figures, None));
    }

    #[test]
    fn nothing_is_raised_and_all_that_comes_out_is_a_number(
        words in texts(1..60),
        progress in anything(),
        told in prop::option::of(0_u32..700),
        figures in claims(),
    ) {
        let told = told.map(|seconds| START + SECOND * seconds);
        let taken = judged(&race(&words, told, progress), figures).figures;
        for (taken, claimed) in [
            (taken.wpm, figures.wpm),
            (taken.wpm_raw, figures.wpm_raw),
            (taken.acc, figures.acc),
        ] {
            prop_assert!(taken.is_finite() && (0.0..=claimed).contains(&taken), "{taken} of {claimed}");
        }
    }

    #[test]
    fn a_larger_claim_is_corrected_down_to_what_the_clock_bears_out(
        (words, typist) in races(10..60),
        factor in 1.3_f64..4.0,
    ) {
        let Typed { figures, progress } = typist.types(&words, START, |_| Duration::ZERO);
        let used = progress.completed.unwrap().after(START);
        prop_assume!(used > 4 * SECOND);
        let larger = Figures { wpm: (figures.wpm * factor).min(1000.0), wpm_raw: f64::MAX, acc: 100.0 };
        let most = f64::from(progress.characters()) * 12.0 / (used - SECOND).as_secs_f64() * 1.05;
        let claim = judged(&race(&words, Some(START), progress.clone()), larger);
        prop_assert!(claim.figures.wpm <= most * 1.000_001);
        let letters = f64::from(progress.keys.max(progress.characters() + progress.extra));
        let most = letters * 12.0 / (used - SECOND).as_secs_f64() * 1.05;
        prop_assert!(claim.figures.wpm_raw <= most * 1.000_001);
        prop_assert_eq!(claim.figures.acc < 100.0, progress.extra > 0);
        prop_assert_eq!(claim.unranked, None);
    }

    #[test]
    fn a_start_that_was_told_late_moves_the_clock_by_a_grace_at_most(
        (words, typist) in races(10..60),
        told in 6_u32..300,
    ) {
        let told = START + SECOND * told;
        let Typed { progress, .. } = typist.types(&words, told, |_| Duration::ZERO);
        let figures = Figures { wpm: 1000.0, wpm_raw: 1000.0, acc: 100.0 };
        let at_grace = judged(&race(&words, Some(START + 5 * SECOND), progress.clone()), figures);
        prop_assert_eq!(judged(&race(&words, Some(told), progress), figures), at_grace);
    }
}

#[test]
fn a_player_who_types_nothing_is_not_ranked_and_has_no_speed() {
    let words = vec!["some".to_owned(), "words".to_owned()];
    let figures = Figures { wpm: 1000.0, wpm_raw: 1000.0, acc: 100.0 };
    for told in [None, Some(START)] {
        let claim = judged(&race(&words, told, Progress::default()), figures);
        assert_eq!(claim.unranked, Some(Unranked::KeystrokesNotSeen));
        assert_eq!((claim.figures.wpm, claim.figures.wpm_raw), (0.0, 0.0));
    }
}

#[test]
fn a_player_told_start_by_the_version_before_is_believed_as_far_as_the_clock_allows() {
    let words = vec!["x".repeat(9); 10];
    // It stored no first START.
    let mut player =
        serde_json::to_value(&race(&words, Some(START), Progress::default()).players[0]).unwrap();
    player["first_started"] = serde_json::Value::Null;
    let mut game = race(&words, Some(START), Progress::default());
    game.players[0] = serde_json::from_value(player).unwrap();
    let claimed = |wpm| {
        let figures = Figures { wpm, wpm_raw: wpm, acc: 97.0 };
        judge(&game, &"guest-anna".into(), figures, START + 20 * SECOND)
    };
    assert_eq!((claimed(60.0).figures.wpm, claimed(60.0).unranked), (60.0, None));
    assert!(claimed(1000.0).figures.wpm < 66.0);
}

#[test]
fn a_player_who_leaves_out_more_than_a_tenth_of_the_text_is_not_ranked() {
    let words = vec!["x".repeat(9); 10];
    let figures = Figures { wpm: 60.0, wpm_raw: 60.0, acc: 100.0 };
    let seen = |per_word: u16| Progress {
        reached: vec![per_word; 10],
        keys: 90,
        at: Some(START + 30 * SECOND),
        completed: Some(START + 30 * SECOND),
        ..Progress::default()
    };
    let unranked = |per_word| judged(&race(&words, Some(START), seen(per_word)), figures).unranked;
    // 99 characters with the blanks: 90 of them are enough, 89 are not.
    assert_eq!((unranked(9), unranked(8)), (None, Some(Unranked::TextNotTyped)));
    let few = Progress { keys: 24, ..seen(9) };
    let unranked = judged(&race(&words, Some(START), few), figures).unranked;
    assert_eq!(unranked, Some(Unranked::KeystrokesNotSeen));
}

#[test]
fn a_text_that_appears_at_once_was_not_typed() {
    let words = vec!["x".repeat(9); 10];
    let figures = Figures { wpm: 1000.0, wpm_raw: 1000.0, acc: 100.0 };
    let end = Some(START + SECOND);
    let pasted =
        Progress { reached: vec![9; 10], keys: 99, at: end, completed: end, ..Progress::default() };
    let claim = judged(&race(&words, Some(START), pasted), figures);
    assert_eq!(
        claim.unranked,
        Some(Unranked::TextNotTyped),
        "60 characters in two seconds at most"
    );
    assert!(claim.figures.wpm <= 360.0 * 1.05, "{claim:?}");
}
