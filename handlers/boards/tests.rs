//! Which races are on which boards, in which order, and when they are entered.

use std::time::Duration;

use proptest::prelude::*;

use super::entry::{Board, BoardEntry, BoardRace, Period};
use super::query::BoardCursor;
use super::rules::{BoardResult, Entered, due, kind_of, put_count, results};
use crate::game::{
    Figures, Game, GameId, Parts, Player, Result as GameResult, Timestamp, User, UserType,
};
use crate::handlers::shared::{Contest, Grade, TextAbout, TimeLimit, Words};
use crate::module::Item;
use crate::records::{Cursor, SortKey};

/// Noon of a Thursday, 2026-11-26.
const NOON: Timestamp = Timestamp(1_795_694_400_000_000);

fn figures(wpm: f64, acc: f64) -> Figures {
    Figures { wpm, wpm_raw: wpm + 5.0, acc }
}

fn player(name: &str, user_type: UserType, rank: Option<u32>) -> Player {
    let user = User { id: name.into(), name: name.to_uppercase(), user_type };
    let (finished, unranked) = (NOON + Duration::from_secs(rank.unwrap_or(0).into()), None);
    let result =
        rank.map(|rank| GameResult { rank, finished, figures: figures(70.0, 98.0), unranked });
    Player { result, ..Player::new(user, None) }
}

fn race(players: Vec<Player>, words: usize) -> Game {
    let parts = Parts::default().with(Words(vec!["word"; words].join(" ").into()));
    Game { players, ..Game::opened(GameId(35), NOON, parts) }
}

#[test]
fn ranked_results_of_registered_players_in_long_texts_are_on_boards() {
    use UserType::{Guest, Registered};
    let players = vec![
        player("google-1", Registered, Some(1)),
        player("google-2", Registered, Some(0)),
        player("google-3", Registered, None),
        player("guest-4", Guest, Some(2)),
        player("bot-5", Guest, Some(0)),
    ];
    for (words, expected) in [(20, vec!["google-1"]), (19, vec![])] {
        let game = race(players.clone(), words);
        let runs = game.players.iter().filter_map(|player| BoardResult::of(&game, player, 20));
        let users: Vec<_> = runs.map(|result| result.user.to_string()).collect();
        assert_eq!(users, expected, "{words} words");
    }
}

#[test]
fn the_kind_of_a_race_is_that_of_its_text_and_of_its_time() {
    let mut game = race(vec![], 20);
    let kind = |game: &Game| kind_of(game).unwrap_or_default();
    assert_eq!(kind(&game), "words");
    game.put(TimeLimit(Some(60)));
    assert_eq!(kind(&game), "words-60s");
    let code =
        TextAbout { kind: "code".into(), language: Some("rust".into()), ..TextAbout::default() };
    game.put(code.clone());
    assert_eq!(kind(&game), "code-rust-60s");
    game.put(TextAbout { kind: TextAbout::OWN.into(), ..code });
    assert_eq!(kind_of(&game), None, "the player knew it before");
}

#[test]
fn days_and_weeks_are_those_of_utc() {
    let name = |period, at| Board::at(period, "words", at).key_of(&"u".into());
    assert_eq!(name(Period::Day, NOON), "day-2026-11-26:words:u");
    assert_eq!(name(Period::Week, NOON), "week-2026-11-23:words:u");
    assert_eq!(name(Period::All, NOON), "all:words:u");
    let board = Board::at(Period::Week, "words", NOON);
    let (begin, end) = board.span().unwrap();
    assert_eq!(end.after(begin), Duration::from_secs(7 * 24 * 3600));
    for at in [begin, Timestamp(end.0 - 1)] {
        assert_eq!(Board::at(Period::Week, "words", at), board);
    }
    assert_ne!(Board::at(Period::Week, "words", end), board);
    assert_eq!(Board::at(Period::All, "words", NOON).span(), None);
    // A page of a board names it by its begin.
    for period in Period::ALL {
        let board = Board::at(period, "words", NOON);
        assert_eq!(Board::at(period, "words", board.begins_at()), board);
    }
}

const GRADES: [Option<Grade>; 4] =
    [Some(Grade::Verified), Some(Grade::Positions), Some(Grade::Claimed), None];

fn entry(wpm: f64, acc: f64, finished: i64, grade: Option<Grade>) -> BoardEntry {
    let board = Board::at(Period::All, "words", NOON);
    let (figures, finished) = (figures(wpm, acc), Timestamp(finished));
    let race = BoardRace { game: GameId(1), figures, grade, finished };
    BoardEntry::of(&board, "google-1".into(), "Anna".into(), race)
}

proptest! {
    #[test]
    fn a_player_has_the_entry_that_the_board_lists_first(
        (wpm, acc, finished, grade) in (0..3_i32, 0..3_i32, 0..3_i64, 0..4_usize),
        (other_wpm, other_acc, other_finished, other_grade) in (0..3_i32, 0..3_i32, 0..3_i64, 0..4_usize),
    ) {
        let one = entry(wpm.into(), acc.into(), finished, GRADES[grade]);
        let other = entry(other_wpm.into(), other_acc.into(), other_finished, GRADES[other_grade]);
        prop_assert_eq!(one.beats(&other), one.sort_keys() < other.sort_keys());
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written(at in 0..1_i64 << 53, rank in 0..1_u64 << 53, key in ".{1,9}") {
        prop_assume!(!key.contains('\0'));
        let cursor = Cursor::at(&SortKey::default().text("all:words").falling(70.0), &key);
        let after = BoardCursor { at: Timestamp(at), rank, cursor };
        prop_assert_eq!(BoardCursor::parse(&after.to_text()).unwrap(), after);
    }
}

#[test]
fn a_cursor_that_was_made_up_is_refused() {
    let cursor = Cursor::at(&SortKey::default(), "k").to_text();
    for after in [
        String::new(),
        cursor.clone(),
        format!("1.{cursor}"),
        format!("-1.0.{cursor}"),
        format!("0.-1.{cursor}"),
        format!("9223372036854775807.0.{cursor}"),
        "1.1.!".to_owned(),
    ] {
        assert!(BoardCursor::parse(&after).is_err(), "{after}");
    }
}

#[test]
fn a_race_is_entered_until_its_facts_say_that_it_is() {
    let mut game = race(vec![player("google-1", UserType::Registered, None)], 20);
    assert_eq!(due(&game), None, "no result");
    game.players[0] = player("google-1", UserType::Registered, Some(1));
    assert_eq!(due(&game), Some(NOON + Duration::from_secs(11)));
    let entered = Entered(results(&game).count());
    assert!(put_count(&mut game, entered));
    assert_eq!(due(&game), None);
    assert!(!put_count(&mut game, Entered(0)), "what is entered stays entered");
    game.players.push(player("google-2", UserType::Registered, Some(2)));
    assert_eq!(due(&game), Some(NOON + Duration::from_secs(12)), "one more");
}

#[test]
fn boards_that_are_over_expire() {
    let game = race(vec![player("google-1", UserType::Registered, Some(1))], 20);
    let entries = BoardResult::of(&game, &game.players[0], 0).unwrap().entries(None);
    let day = Duration::from_secs(24 * 3600);
    let midnight = Timestamp(NOON.0 + 12 * 3600 * 1_000_000);
    let ends: Vec<_> = entries.iter().map(Item::expires_at).collect();
    assert_eq!(ends, [Some(midnight + day), Some(midnight + day * 4), None]);
}

#[test]
fn a_verified_race_is_on_the_boards_of_these_too_and_at_equal_speed_before_others() {
    let game = race(vec![player("google-1", UserType::Registered, Some(1))], 20);
    let keys = |grade| {
        let result = BoardResult::of(&game, &game.players[0], 0).unwrap();
        result.entries(grade).iter().map(Item::key).collect::<Vec<_>>()
    };
    let all = keys(Some(Grade::Verified));
    assert_eq!((all.len(), keys(Some(Grade::Positions)).len(), keys(None).len()), (6, 3, 3));
    assert_eq!(
        (all[2].as_str(), all[5].as_str()),
        ("all:words:google-1", "all:words:verified:google-1")
    );
    assert!(entry(70.0, 90.0, 2, GRADES[0]).beats(&entry(70.0, 99.0, 1, GRADES[1])));
    assert!(entry(70.1, 90.0, 2, None).beats(&entry(70.0, 99.0, 1, GRADES[0])));
}
