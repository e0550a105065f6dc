//! Records of games that several servers write.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::records::Journal;
use crate::settings::RedisSettings;

/// Status, players and finishers of a game, whether it has had its START, and whether it has ended.
async fn row(records: &Records, id: i64) -> (i32, i32, i32, bool, bool) {
    let sql = "select status, player_count, finish_count, start_at is not null, end_at is not null
               from games where id = $1";
    with_db!(&records.db, |pool| sqlx::query_as(sql).bind(id).fetch_one(pool).await.unwrap())
}

/// The facts at a stage, with so many of three players finished.
fn facts(stage: Stage, version: u64, finished: u32) -> Change {
    let players = (1..=3).map(|rank| {
        let player =
            player(&format!("google-{rank}"), UserType::Registered, rank, 60.0, 90.0, at(40));
        Player { result: player.result.filter(|_| rank <= finished), ..player }
    });
    let players = players.collect();
    let Change::Saved(facts) = game(7, players) else { unreachable!("that is how it is made") };
    let starts_at = (stage > Stage::Closed).then_some(at(10));
    Change::Saved(Arc::new(Game { stage, version, starts_at, ..Game::clone(&facts) }))
}

#[tokio::test]
async fn facts_that_come_late_take_nothing_back() {
    on_both(async |records| {
        for number in 1..=3 {
            let user = format!("google-{number}").as_str().into();
            records.register(&user, Some("Anna"), at(0)).await.unwrap();
        }
        let ended = Change::Ended { game: GameId(7), at: at(900) };
        let late =
            [facts(Stage::Lobby, 1, 0), facts(Stage::Countdown, 3, 0), facts(Stage::Running, 4, 1)];
        for newest in [facts(Stage::Running, 6, 3), ended] {
            records.save(&[newest]).await.unwrap();
            let known = row(&records, 7).await;
            for late in &late {
                records.save(std::slice::from_ref(late)).await.unwrap();
                assert_eq!(row(&records, 7).await, known);
            }
        }
        assert_eq!(row(&records, 7).await, (2, 3, 3, true, true));
        for number in 1..=3 {
            let user = format!("google-{number}").as_str().into();
            assert_eq!(
                records.history(&user, 9, 0, Timestamp(i64::MAX / 2_000)).await.unwrap().len(),
                1
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_journal_writes_the_newest_facts_in_whatever_order_they_come() {
    on_both(async |records| {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let journal = Journal::start(records.clone(), &tasks, stop.clone());
        // Written without a pause, hence in one transaction.
        let changes = [
            facts(Stage::Running, 6, 3),
            Change::Ended { game: GameId(7), at: at(900) },
            facts(Stage::Running, 5, 2),
        ];
        let written = changes.map(|change| journal.try_reserve().unwrap().write(change));
        for writing in written {
            writing.done().await.unwrap();
        }
        assert_eq!(row(&records, 7).await, (2, 3, 3, true, true));
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    })
    .await;
}

#[tokio::test]
async fn where_live_games_are_shared_no_server_keeps_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let redis = Some(RedisSettings::default());
    let settings = Settings { data_dir: folder.path().into(), redis, ..Settings::default() };
    let records = Records::open(&settings, false).await.unwrap();
    records.save(&[facts(Stage::Running, 1, 0)]).await.unwrap();
    assert_eq!(records.last_game().await.unwrap(), GameId(7));
    assert!(records.live_games().await.unwrap().is_empty());
}
