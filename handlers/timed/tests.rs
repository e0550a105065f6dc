//! How claims against the clock are held and ranked.

use std::time::Duration;

use super::rules::{Held, end, ends_at, finish_late, hold, holds, rank, ranked_at};
use crate::game::{Figures, Game, GameId, Parts, Player, Stage, Timestamp, User, UserId, UserType};
use crate::handlers::shared::{CorrectWords, Progress, TimeLimit, Words};
use crate::live::Fate;

const START: Timestamp = Timestamp(1_000_000_000);
const LIMIT: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

fn user(n: usize) -> UserId {
    format!("guest-{n}").as_str().into()
}

/// A race of 30 seconds with ten words of five letters, of which each player has typed so many to their end.
fn race(typed: &[usize]) -> Game {
    let parts = Parts::default()
        .with(TimeLimit(Some(30)))
        .with(Words(["words"; 10].join(" ").as_str().into()));
    let player = |(n, typed): (usize, &usize)| {
        let user = User { id: user(n), name: format!("Player {n}"), user_type: UserType::Guest };
        let mut player = Player::new(user, None);
        player.start(START);
        let keys = u32::try_from(typed * 6).unwrap();
        let at = Some(START + LIMIT - SECOND);
        player.put(Progress { reached: vec![5; *typed], keys, at, ..Progress::default() });
        player
    };
    Game {
        stage: Stage::Running,
        starts_at: Some(START),
        ends_at: START + 900 * SECOND,
        players: typed.iter().enumerate().map(player).collect(),
        ..Game::opened(GameId(1), START - 10 * SECOND, parts)
    }
}

/// The claim of so many words, all of them right.
fn claim(words: u32, at: Timestamp) -> Held {
    let wpm = f64::from(words * 6) / 5.0 * 2.0;
    let figures = Figures { wpm, wpm_raw: wpm, acc: 100.0 };
    Held { figures, correct_words: Some(words), at }
}

/// The rank and the correct words of each player.
fn ranking(game: &Game) -> Vec<(u32, Option<u32>)> {
    let row = |player: &Player| {
        let rank = player.result.map_or(99, |result| result.rank);
        (rank, player.part::<CorrectWords>().0)
    };
    game.players.iter().map(row).collect()
}

#[test]
fn claims_wait_until_the_time_is_up_and_are_ranked_by_correct_words() {
    let mut game = race(&[4, 8, 6]);
    let up = START + LIMIT;
    for (n, words) in [(0, 4), (1, 8), (2, 6)] {
        assert_eq!(hold(&mut game, &user(n), claim(words, up)).fate(), Fate::Changed);
    }
    assert_eq!(hold(&mut game, &user(0), claim(9, up)).fate(), Fate::Recorded, "the first counts");
    assert_eq!((ends_at(&game), ranked_at(&game)), (Some(up), None));
    assert_eq!(end(&mut game, up - SECOND).fate(), Fate::Unchanged);
    assert_eq!(end(&mut game, up).due(), Some(up));
    let due = up + Duration::from_millis(500);
    assert_eq!((ends_at(&game), ranked_at(&game)), (None, Some(due)));
    assert_eq!(rank(&mut game, true, up).fate(), Fate::Unchanged);
    assert_eq!(rank(&mut game, true, due).fate(), Fate::Changed);
    assert_eq!(ranking(&game), [(3, Some(4)), (1, Some(8)), (2, Some(6))]);
    assert_eq!((ranked_at(&game), holds(&game, &user(0))), (None, false));
}

#[test]
fn a_player_without_a_claim_holds_up_the_others_for_three_seconds() {
    let mut game = race(&[4, 8]);
    let up = START + LIMIT;
    assert!(holds(&game, &user(0)) && !holds(&game, &user(7)));
    let _ = hold(&mut game, &user(0), claim(4, up));
    let _ = end(&mut game, up);
    assert_eq!(ranked_at(&game), Some(up + 3 * SECOND));
    let _ = rank(&mut game, true, up + 3 * SECOND);
    assert_eq!(ranking(&game), [(1, Some(4)), (99, None)]);
}

#[test]
fn no_more_words_count_than_were_seen() {
    let mut game = race(&[4, 5, 0]);
    let up = START + LIMIT;
    let _ = hold(&mut game, &user(0), claim(9, up));
    // This client does not count its words.
    let _ = hold(&mut game, &user(1), Held { correct_words: None, ..claim(5, up) });
    let _ = hold(&mut game, &user(2), claim(10, up));
    let _ = end(&mut game, up);
    let _ = rank(&mut game, true, up + SECOND);
    assert_eq!(ranking(&game), [(2, Some(4)), (1, Some(5)), (0, Some(0))]);
}

#[test]
fn a_claim_that_comes_after_the_ranking_is_the_last() {
    let mut game = race(&[4, 8]);
    let up = START + LIMIT;
    let _ = hold(&mut game, &user(0), claim(4, up));
    let late = claim(8, up + 4 * SECOND);
    assert_eq!(finish_late(&mut game, &user(1), late, true).fate(), Fate::Unchanged, "not yet");
    let _ = end(&mut game, up);
    let _ = rank(&mut game, true, up + 3 * SECOND);
    assert_eq!(finish_late(&mut game, &user(1), late, true).fate(), Fate::Changed);
    assert_eq!(finish_late(&mut game, &user(1), late, true).fate(), Fate::Unchanged, "once");
    assert_eq!(ranking(&game), [(1, Some(4)), (2, Some(8))]);
}

#[test]
fn without_checks_claims_are_believed() {
    let mut game = race(&[0]);
    let up = START + LIMIT;
    let _ = hold(&mut game, &user(0), claim(9, up));
    let _ = end(&mut game, up);
    let _ = rank(&mut game, false, up + SECOND);
    assert_eq!(ranking(&game), [(1, Some(9))]);
}

#[test]
fn equal_claims_are_ranked_by_arrival() {
    let mut game = race(&[4, 4]);
    let up = START + LIMIT;
    let _ = hold(&mut game, &user(0), claim(4, up + SECOND));
    let _ = hold(&mut game, &user(1), claim(4, up));
    let _ = end(&mut game, up);
    let _ = rank(&mut game, true, up + SECOND);
    assert_eq!(ranking(&game), [(2, Some(4)), (1, Some(4))]);
}
