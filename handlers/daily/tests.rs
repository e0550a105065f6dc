//! Which races belong to a day, which results count, their order, and whole races of a day.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::day::{Day, DayText};
use super::entry::DailyEntry;
use super::query::DailyCursor;
use super::rules::{Daily, KIND, day_of, entry};
use crate::game::{
    Figures, Game, GameId, Parts, Player, Result as GameResult, Timestamp, Unranked, User, UserType,
};
use crate::handlers::shared::{Contest, TextAbout, TimeLimit, Verdict, Words};
use crate::live::Step;
use crate::module::Item;
use crate::records::{Cursor, SortKey};
use crate::settings::Settings;
use crate::testing::{Player as Racer, Server, eventually};

/// Noon of 2026-11-26.
const NOON: Timestamp = Timestamp(1_795_694_400_000_000);

fn figures(wpm: f64, acc: f64) -> Figures {
    Figures { wpm, wpm_raw: wpm + 5.0, acc }
}

fn player(id: &str, rank: Option<u32>) -> Player {
    let user = User { id: id.into(), name: id.to_uppercase(), user_type: UserType::Guest };
    let finished = NOON + Duration::from_secs(rank.unwrap_or(0).into());
    let unranked = (rank == Some(0)).then_some(Unranked::TextNotTyped);
    let result =
        rank.map(|rank| GameResult { rank, finished, figures: figures(70.0, 98.0), unranked });
    Player { result, ..Player::new(user, None) }
}

fn race(players: Vec<Player>) -> Game {
    let parts = Parts::default().with(Daily::on(Day::of(NOON)));
    Game { players, ..Game::opened(GameId(35), NOON, parts) }
}

#[test]
fn days_are_those_of_utc() {
    let day = Day::of(NOON);
    assert_eq!(day.name(), "2026-11-26");
    assert_eq!(Day::parse("2026-11-26"), Some(day));
    let end = day.ends_at();
    assert_eq!(end.after(NOON), Duration::from_secs(12 * 3600));
    assert_eq!(Day::of(Timestamp(end.0 - 1)), day);
    assert_eq!(Day::of(end).name(), "2026-11-27");
    assert_eq!(day.kept_until(2).after(end), Duration::from_secs(48 * 3600));
    for no_day in ["", "today", "2026-13-01", "2026-1-1", "+2026-11-26", "2026-11-26T00"] {
        assert_eq!(Day::parse(no_day), None, "{no_day}");
    }
}

#[test]
fn ranked_results_of_people_in_races_of_a_day_count() {
    let players = vec![
        player("guest-1", Some(2)),
        player("guest-2", Some(0)),
        player("guest-3", None),
        player("bot-4", Some(0)),
        player("guest-5", Some(1)),
    ];
    let mut game = race(players);
    let users = |game: &Game| -> Vec<String> {
        let of = |player: &Player| entry(game, player, player.result?, 30);
        game.people().filter_map(of).map(|entry| entry.user.to_string()).collect()
    };
    assert_eq!(users(&game), ["guest-1", "guest-5"]);
    let verdict = |is_struck| Verdict { is_struck, reason: "a program".into(), at: NOON };
    assert!(verdict(true).put_into(&mut game, &"guest-1".into()).is_change());
    assert_eq!(users(&game), ["guest-5"], "struck");
    assert!(verdict(false).put_into(&mut game, &"guest-1".into()).is_change());
    game.put(Words("other words".into()));
    assert_eq!(day_of(&game), None, "the records did not answer, so the text is another one");
    game.put(TextAbout { kind: KIND.into(), ..TextAbout::default() });
    assert_eq!(users(&game), ["guest-1", "guest-5"]);
    game.put(TimeLimit(Some(60)));
    assert_eq!(
        (day_of(&game), users(&game)),
        (None, vec![]),
        "the text is too short for the clock"
    );
    let other = Game { parts: Parts::default(), ..race(game.players) };
    assert_eq!((day_of(&other), users(&other)), (None, vec![]));
}

fn any_entry(wpm: f64, acc: f64, finished: i64) -> DailyEntry {
    let game = race(vec![player("guest-1", Some(1))]);
    let player = &game.players[0];
    let only = entry(&game, player, player.result.unwrap(), 30).unwrap();
    DailyEntry { figures: figures(wpm, acc), finished: Timestamp(finished), ..only }
}

proptest! {
    #[test]
    fn a_player_has_the_entry_that_the_board_lists_first(
        (wpm, acc, finished) in (0..3_i32, 0..3_i32, 0..3_i64),
        (other_wpm, other_acc, other_finished) in (0..3_i32, 0..3_i32, 0..3_i64),
    ) {
        let one = any_entry(wpm.into(), acc.into(), finished);
        let other = any_entry(other_wpm.into(), other_acc.into(), other_finished);
        prop_assert_eq!(one.beats(&other), one.sort_keys() < other.sort_keys());
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written(at in 0..1_i64 << 53, rank in 0..1_u64 << 53, key in "[a-z:]{1,9}") {
        let cursor = Cursor::at(&SortKey::default().text("2026-11-26").falling(70.0), &key);
        let after = DailyCursor { day: Day::of(Timestamp(at)), rank, cursor };
        prop_assert_eq!(DailyCursor::parse(&after.to_text()).unwrap(), after);
    }
}

#[test]
fn the_entries_of_a_guest_become_those_of_the_account() {
    let account =
        User { id: "google-7".into(), name: "Anna".into(), user_type: UserType::Registered };
    let entry = any_entry(70.0, 98.0, 1);
    let taken = entry.clone().handed_over(&account).unwrap();
    assert_eq!((taken.key(), &*taken.name), ("2026-11-26:google-7".to_owned(), "Anna"));
    assert_eq!((taken.figures, taken.finished), (entry.figures, entry.finished));
}

/// Races alone that begin at once, in short texts.
fn quick(settings: &mut Settings) {
    settings.game.lobby_countdown = Duration::from_millis(100);
    settings.game.single_countdown = Duration::from_millis(200);
    settings.handlers.sections.insert("daily".into(), json!({"words": 5}));
}

async fn words(player: &Racer) -> Value {
    player.get(&format!("/api/v1/game/words?game_id={}", player.game)).await["words"].clone()
}

#[tokio::test]
async fn all_players_of_a_day_type_the_same_text_and_are_on_its_board() {
    let server = Server::with(quick).await;
    let mut anna = server.player("?game_type=single&daily=true").await;
    anna.starts().await;
    let text = words(&anna).await;
    assert_eq!(text.as_str().unwrap().split(' ').count(), 5);
    anna.finishes().await;
    let mut ben = server.player("?game_type=single&daily=true&text=quotes&words=10").await;
    ben.starts().await;
    assert_eq!(words(&ben).await, text);
    let mut cleo = server.player("?game_type=single").await;
    cleo.starts().await;
    assert_ne!(words(&cleo).await, text);

    eventually(async || server.get("/api/v1/daily").await["rows"][0]["rank"] == 1).await;
    let board = anna.get("/api/v1/daily").await;
    assert_eq!((&board["rows"][0]["own"], &board["own"]["rank"]), (&json!(true), &json!(1)));
    let of_ben = ben.get(&format!("/api/v1/daily/standing?game_id={}", ben.game)).await;
    assert_eq!((&of_ben["day"], &of_ben["own"]), (&board["day"], &Value::Null), "no result yet");
    let of_cleo = cleo.get(&format!("/api/v1/daily/standing?game_id={}", cleo.game)).await;
    assert_eq!(of_cleo["day"], Value::Null);
}

#[tokio::test]
async fn an_entry_is_there_as_soon_as_the_result_and_once() {
    let server = Server::with(quick).await;
    let mut anna = server.player("?game_type=single&daily=true").await;
    anna.starts().await;
    anna.finishes().await;
    let cx = server.cx("daily");
    let day = Day::of(cx.now());
    let key = super::key(day, &anna.id.as_str().into());
    let kept = async || cx.items::<DailyEntry>().get(&key).await.unwrap();
    assert!(kept().await.is_some(), "written with the result");
    eventually(async || kept().await.is_some_and(|it| it.item.grade.is_some())).await;
    // Facts that are written again change nothing, and take no grade away.
    let before = kept().await;
    let note = |game: &mut Game| {
        game.put(TimeLimit(None));
        Step::changed(())
    };
    cx.live().advance("note", GameId(anna.game), note).await.unwrap();
    assert_eq!(kept().await, before);
    assert!(cx.items::<DayText>().get(&day.name()).await.unwrap().is_some());
}
