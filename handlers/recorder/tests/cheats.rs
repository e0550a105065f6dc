//! Programs and people before the signals: how often each is taken for the other. The people are made up: intervals are log-normal,
//! longer between words, with mistakes that are taken back, and with pauses.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::recording::Recording;
use super::super::rules::score;
use super::super::settings::RecorderSettings;
use super::super::signals::Signal;
use crate::game::{
    Figures, Game, GameId, Parts, Player, Result as GameResult, Timestamp, User, UserType,
};
use crate::handlers::shared::{Edit, EditTape, Grade, Tape, Words};

const NOON: Timestamp = Timestamp(1_795_694_400_000_000);

const LIST: [&str; 20] = [
    "the",
    "of",
    "people",
    "keyboard",
    "through",
    "a",
    "letter",
    "environment",
    "which",
    "small",
    "around",
    "philosophy",
    "in",
    "would",
    "number",
    "simple",
    "remain",
    "it",
    "window",
    "between",
];

/// A typist: a person, or a program that imitates one.
#[derive(Clone, Copy, Debug)]
struct Typist {
    /// Words per minute.
    speed: f64,
    /// The standard deviation of the logarithm of intervals.
    unevenness: f64,
    /// Share of keys that are wrong, and taken back.
    mistakes: f64,
    /// Share of words with a pause before them.
    pauses: f64,
}

impl Typist {
    fn person(random: &mut StdRng) -> Self {
        Self {
            speed: random.random_range(25.0..150.0),
            unevenness: random.random_range(0.22..0.5),
            mistakes: random.random_range(0.0..0.08),
            pauses: random.random_range(0.0..0.15),
        }
    }

    fn types(&self, text: &str, random: &mut StdRng) -> Vec<Edit> {
        let mean = 12_000.0 / self.speed;
        let mut at = 0.0;
        let mut edits = Vec::new();
        let mut press = |ins: &str, del: u32, factor: f64, random: &mut StdRng| {
            at += mean * factor * (self.unevenness * normal(random)).exp();
            edits.push(Edit { at: at as u32, del, ins: ins.into(), ..Edit::default() });
        };
        let mut factor = 1.0;
        for letter in text.chars() {
            if random.random_bool(self.mistakes) {
                press("#", 0, factor, random);
                press("", 1, 1.6, random);
            }
            press(&letter.to_string(), 0, factor, random);
            let is_pause = letter == ' ' && random.random_bool(self.pauses);
            factor = if is_pause {
                6.0
            } else if letter == ' ' {
                1.4
            } else {
                0.95
            };
        }
        edits
    }
}

/// A normally distributed number, by Box and Muller.
fn normal(random: &mut StdRng) -> f64 {
    let (one, other): (f64, f64) = (random.random_range(1e-9..1.0), random.random());
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
}

fn text(random: &mut StdRng) -> String {
    let words: Vec<_> = (0..25).map(|_| LIST[random.random_range(0..LIST.len())]).collect();
    words.join(" ")
}

/// Types a text with these intervals, from the first key on.
fn in_intervals(text: &str, mut interval: impl FnMut(usize) -> f64) -> Vec<Edit> {
    let mut at = 0.0;
    let key = |(number, letter): (usize, char)| {
        at += interval(number);
        Edit { at: at as u32, ins: letter.into(), ..Edit::default() }
    };
    text.chars().enumerate().map(key).collect()
}

/// The recording of a race that began so many seconds after noon, with the result that follows from it.
fn recorded(text: &str, edits: &[Edit], second: u64) -> Recording {
    let user = User { id: "guest-1".into(), name: "Anna".into(), user_type: UserType::Guest };
    let parts = Parts::default().with(Words(text.into()));
    let starts_at = Some(NOON + Duration::from_secs(second));
    let players = vec![Player::new(user, None)];
    let game = Game { players, starts_at, ..Game::opened(GameId(1), NOON, parts) };
    let settings = RecorderSettings::default();
    let mut tape = EditTape::default();
    edits.iter().for_each(|edit| tape.push(edit, edit.at + 40));
    let figures: Figures = score(text, edits, None).figures;
    let result = GameResult { rank: 1, finished: NOON, figures, unranked: None };
    let tape = Tape { edits: tape, ..Tape::default() };
    Recording::of(&game, &game.players[0], &settings).with(Some(&tape), Some(result), &settings)
}

fn signals_of(text: &str, edits: &[Edit]) -> Vec<Signal> {
    recorded(text, edits, 0).signals
}

/// How many of so many are found.
fn found(count: u64, one: impl Fn(&mut StdRng) -> bool) -> u64 {
    let is_found = |seed: &u64| one(&mut StdRng::seed_from_u64(*seed));
    u64::try_from((0..count).filter(is_found).count()).unwrap()
}

#[test]
fn of_two_thousand_people_none_is_taken_for_a_program() {
    let taken = found(2_000, |random| {
        let (text, typist) = (text(random), Typist::person(random));
        let recording = recorded(&text, &typist.types(&text, random), 0);
        recording.grade != Some(Grade::Verified)
    });
    assert_eq!(taken, 0);
}

#[test]
fn people_who_type_the_same_text_again_do_not_repeat_themselves() {
    let settings = RecorderSettings::default();
    let taken = found(500, |random| {
        let (text, typist) = (text(random), Typist::person(random));
        let first = recorded(&text, &typist.types(&text, random), 0);
        let second = recorded(&text, &typist.types(&text, random), 60);
        second.repeats(&first, &settings)
    });
    assert_eq!(taken, 0);
}

#[test]
fn naive_programs_are_found_each_time() {
    let even = found(200, |random| {
        let (text, pause) = (text(random), random.random_range(40.0..250.0));
        signals_of(&text, &in_intervals(&text, |_| pause)).contains(&Signal::TooEven)
    });
    let pasted = found(200, |random| {
        let text = text(random);
        let at = random.random_range(500..9_000);
        let edits = [Edit { at, ins: text.clone(), ..Edit::default() }];
        signals_of(&text, &edits).contains(&Signal::Pasted)
    });
    assert_eq!((even, pasted), (200, 200));
}

#[test]
fn programs_with_a_little_jitter_are_nearly_always_found() {
    let jittered = found(400, |random| {
        let (text, pause) = (text(random), random.random_range(60.0..250.0));
        let most = random.random_range(0.05..0.18);
        let edits = in_intervals(&text, |_| pause * (1.0 + random.random_range(-most..most)));
        signals_of(&text, &edits).contains(&Signal::TooEven)
    });
    assert!(jittered >= 392, "{jittered} of 400");
}

#[test]
fn replayed_races_are_found_exact_ones_each_time_and_jittered_ones_nearly_always() {
    let settings = RecorderSettings::default();
    let replayed = |jitter: u32| {
        found(300, |random| {
            let (before, now, typist) = (text(random), text(random), Typist::person(random));
            let log = typist.types(&before, random);
            let times: Vec<_> = log.iter().map(|edit| edit.at).collect();
            let mut at = 0;
            // Another text, at the moments of the recorded one.
            let key = |(time, letter): (&u32, char)| {
                at = (time + random.random_range(0..=jitter)).max(at);
                Edit { at, ins: letter.into(), ..Edit::default() }
            };
            let copy: Vec<_> = times.iter().zip(now.chars()).map(key).collect();
            recorded(&now, &copy, 60).repeats(&recorded(&before, &log, 0), &settings)
        })
    };
    let (exact, jittered) = (replayed(0), replayed(6));
    assert_eq!(exact, 300);
    assert!(jittered >= 240, "{jittered} of 300");
}

/// The limit of such signals: an honest page says the same.
#[test]
fn a_program_that_types_as_a_person_does_is_not_found() {
    let taken = found(200, |random| {
        let (text, typist) = (text(random), Typist::person(random));
        !signals_of(&text, &typist.types(&text, random)).is_empty()
    });
    assert_eq!(taken, 0);
}
