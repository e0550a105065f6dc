//! The way of a ghost, and when it comes and is done.

use std::time::Duration;

use super::rules::{Challenge, arrives_at, claim, finishes_at, sit_down, typing};
use crate::Kind;
use crate::game::{Door, Figures, Game, GameId, Parts, Stage, Timestamp, User, UserType};
use crate::handlers::shared::{DrawnText, Recorded, Spot, TextAbout, Words};

const NOON: Timestamp = Timestamp(1_795_694_400_000_000);
const FIGURES: Figures = Figures { wpm: 61.5, wpm_raw: 63.0, acc: 98.0 };

fn spot(at: u32, word_index: u32, char_index: i32) -> Spot {
    Spot { at, word_index, char_index }
}

fn recorded() -> Recorded {
    Recorded {
        name: "Anna".into(),
        text: DrawnText { words: "the fox".into(), about: TextAbout::default() },
        is_timed: false,
        spots: vec![
            spot(150, 0, 0),
            spot(300, 0, 1),
            spot(290, 0, 2),
            spot(500, 1, -1),
            spot(900, 1, 2),
        ],
        figures: FIGURES,
    }
}

fn user(name: &str, id: &str) -> User {
    User { id: id.into(), name: name.into(), user_type: UserType::Guest }
}

/// A lobby of Ben alone, with a challenge of Anna.
fn lobby() -> Game {
    let challenge = Challenge::of(&recorded(), NOON).unwrap();
    let mut game = Game::opened(GameId(35), NOON, Parts::default().with(challenge));
    game.door = Door::ALONE;
    game.seat(user("Ben", "guest-0"), None);
    game
}

#[test]
fn a_ghost_goes_the_way_that_was_recorded() {
    let challenge = Challenge::of(&recorded(), NOON).unwrap();
    let way: Vec<_> = challenge
        .strokes()
        .iter()
        .map(|it| (it.after.as_millis(), it.word_index, it.char_index))
        .collect();
    assert_eq!(way, [(150, 0, 0), (300, 0, 1), (300, 0, 2), (500, 1, -1), (900, 1, 2)]);
    let text = challenge.text().unwrap();
    assert_eq!((text.words.as_str(), text.about.kind.as_str()), ("the fox", TextAbout::AGAIN));
    assert_eq!(Challenge::default().text(), None);
    let stored = serde_json::to_string(&challenge).unwrap();
    assert_eq!(serde_json::from_str::<Challenge>(&stored).unwrap().strokes(), challenge.strokes());
}

#[test]
fn what_cannot_be_raced_is_refused() {
    let refused = |recorded: Recorded| Challenge::of(&recorded, NOON).unwrap_err().kind();
    assert_eq!(refused(Recorded { is_timed: true, ..recorded() }), Kind::VALIDATION);
    assert_eq!(refused(Recorded { spots: Vec::new(), ..recorded() }), Kind::VALIDATION);
    let spots = (0..3_000).map(|at| spot(at * 1_000, 0, 0)).collect();
    assert_eq!(refused(Recorded { spots, ..recorded() }), Kind::VALIDATION);
}

#[test]
fn a_ghost_takes_one_seat_and_no_rank() {
    let mut game = lobby();
    assert_eq!(arrives_at(&game), Some(NOON));
    assert!(sit_down(&mut game, user("ghost of Anna", "ghost-1")));
    assert!(!sit_down(&mut game, user("ghost of Anna", "ghost-2")), "one");
    assert_eq!((arrives_at(&game), typing(&game), finishes_at(&game)), (None, None, None));
    assert_eq!(game.people().count(), 1);
    (game.stage, game.starts_at) = (Stage::Running, Some(NOON));
    let due = NOON + Duration::from_millis(1_000);
    assert_eq!(finishes_at(&game), Some(due));
    assert_eq!(claim(&game, due - Duration::from_millis(1)), None);
    let (ghost, claim_of) = claim(&game, due).unwrap();
    assert_eq!(claim_of.figures, FIGURES);
    game.finish(&ghost, claim_of).unwrap();
    let result = game.player(&ghost).unwrap().result.unwrap();
    assert_eq!((result.rank, game.finishers(), claim(&game, due)), (0, 0, None));
}

#[test]
fn a_ghost_does_not_type_another_text() {
    let mut game = lobby();
    assert!(sit_down(&mut game, user("ghost of Anna", "ghost-1")));
    (game.stage, game.starts_at) = (Stage::Running, Some(NOON));
    game.put(Words("the fox".into()));
    assert!(typing(&game).is_some());
    game.put(Words("the text of the day".into()));
    assert_eq!((typing(&game), finishes_at(&game)), (None, None));
}

#[test]
fn without_a_challenge_there_is_no_ghost() {
    let mut game = Game::opened(GameId(35), NOON, Parts::default());
    assert_eq!(arrives_at(&game), None);
    assert!(!sit_down(&mut game, user("ghost of Anna", "ghost-1")));
}
