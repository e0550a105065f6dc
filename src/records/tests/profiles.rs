//! Results, from the finish line to the profile.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::records::{Average, Journal, Summary};

#[tokio::test]
async fn a_result_is_kept_once_and_counted_with_the_guests() {
    on_both(async |records| {
        records.register(&"google-1".into(), Some("Anna"), at(0)).await.unwrap();
        let anna = player("google-1", UserType::Registered, 1, 71.234_567, 96.0, at(40));
        let guest = player("guest-1", UserType::Guest, 2, 60.0, 90.0, at(41));
        for _ in 0..2 {
            records.save(&[game(7, vec![anna.clone(), guest.clone()])]).await.unwrap();
        }
        let history = records.history(&"google-1".into(), 10, 0, LATER).await.unwrap();
        assert_eq!(history.len(), 1);
        let kept = history[0];
        assert_eq!((kept.game_type, kept.game, kept.rank), (1, GameId(7), 1));
        assert_eq!((kept.wpm, kept.wpm_raw, kept.accuracy), (71.234_567, 76.234_567, 96.0));
        assert_eq!(kept.finished_at, at(40));
        assert_eq!(records.races(&"guest-1".into(), LATER).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_result_is_kept_although_its_game_ends_in_the_same_breath() {
    on_both(async |records| {
        records.register(&"google-1".into(), Some("Anna"), at(0)).await.unwrap();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let journal = Journal::start(records.clone(), &tasks, stop.clone());
        let anna = player("google-1", UserType::Registered, 1, 71.0, 96.0, at(40));
        let result = journal.reserve().await.unwrap().write(game(7, vec![anna]));
        let end = Change::Ended { game: GameId(7), at: at(41) };
        let end = journal.reserve().await.unwrap().write(end);
        result.done().await.unwrap();
        end.done().await.unwrap();
        assert_eq!(records.races(&"google-1".into(), LATER).await.unwrap(), 1);
        assert!(records.live_games().await.unwrap().is_empty());
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    })
    .await;
}

#[tokio::test]
async fn a_player_without_a_row_finishes_as_a_guest_would() {
    on_both(async |records| {
        let gone = player("google-9", UserType::Registered, 1, 50.0, 90.0, at(40));
        records.save(&[game(1, vec![gone])]).await.unwrap();
        assert_eq!(records.races(&"google-9".into(), LATER).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_summary_has_the_best_race_and_the_means_of_ten_and_of_all() {
    on_both(async |records| {
        let anna = "google-1".into();
        assert_eq!(records.summary(&anna).await.unwrap(), Summary::default());
        records.register(&anna, Some("Anna"), at(0)).await.unwrap();
        for number in 1..=12_u32 {
            let wpm = if number == 2 { 200.0 } else { f64::from(number) };
            let acc = if number == 2 { 80.0 } else { 90.0 };
            let anna = player("google-1", UserType::Registered, 1, wpm, acc, at(i64::from(number)));
            records.save(&[game(i64::from(number), vec![anna])]).await.unwrap();
        }
        let summary = records.summary(&anna).await.unwrap();
        assert_eq!(summary.races, 12);
        assert_eq!(
            summary.best,
            Average { wpm: 200.0, accuracy: 80.0 },
            "the accuracy of that game"
        );
        assert_eq!(summary.last_ten, Average { wpm: 7.5, accuracy: 90.0 });
        assert_eq!(summary.all.wpm, (78.0 - 2.0 + 200.0) / 12.0);
    })
    .await;
}

#[tokio::test]
async fn pages_are_newest_first_and_do_not_overlap() {
    on_both(async |records| {
        let anna = "google-1".into();
        records.register(&anna, Some("Anna"), at(0)).await.unwrap();
        for number in 1..=5 {
            // Two of them at the same instant: then the later game is the newer one.
            let finished = at(if number == 4 { 3 } else { number });
            let anna = player("google-1", UserType::Registered, 1, 50.0, 90.0, finished);
            records.save(&[game(number, vec![anna])]).await.unwrap();
        }
        let mut games = Vec::new();
        for page in 0..3 {
            let kept = records.history(&anna, 2, page * 2, LATER).await.unwrap();
            games.extend(kept.iter().map(|it| it.game.0));
        }
        assert_eq!(games, [5, 4, 3, 2, 1]);
    })
    .await;
}

#[tokio::test]
async fn live_games_are_found_again_until_they_end() {
    on_both(async |records| {
        let guest = player("guest-1", UserType::Guest, 1, 60.0, 90.0, at(41));
        records.save(&[game(3, vec![guest])]).await.unwrap();
        let live = records.live_games().await.unwrap();
        assert_eq!((live.len(), live[0].id, &live[0].parts), (1, GameId(3), &parts()));
        assert_eq!(records.last_game().await.unwrap(), GameId(3));
        records.save(&[Change::Ended { game: GameId(3), at: at(900) }]).await.unwrap();
        assert!(records.live_games().await.unwrap().is_empty());
        assert_eq!(records.last_game().await.unwrap(), GameId(3), "its row stays");
    })
    .await;
}

#[tokio::test]
async fn a_database_that_others_write_too_hands_out_the_ids() {
    on_both(async |records| {
        let Some(first) = records.reserve_games().await.unwrap() else { return };
        let second = records.reserve_games().await.unwrap().unwrap();
        assert!(first.iter().all(|id| !second.contains(id)));
    })
    .await;
}
