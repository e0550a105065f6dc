//! PostgreSQL away for ten seconds.

use std::time::Duration;

use crate::fleet::Fleet;
use crate::page::{Moment, Pages, all_started_once};
use crate::server::time_passes;

/// How long it is away.
const AWAY: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_database_away_for_ten_seconds_in_the_countdown_keeps_no_player_from_racing() {
    let Some(mut fleet) = Fleet::of(3).set("game.player_limit", 3).start().await else { return };
    let mut pages = Pages::open(&fleet, 6).await;
    pages.reach(Moment::Countdown).await;
    fleet.postgres.kill();
    pages.reach(Moment::Racing).await;
    for pod in 0..3 {
        let answer = fleet.readiness(pod, 500).await;
        assert!(answer.text.contains("the records since 20"), "{answer:?}");
    }
    time_passes(AWAY).await;
    fleet.postgres.restart().await;
    fleet.is_ready().await;
    let stories = pages.end().await;
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
}

#[tokio::test]
async fn results_sent_while_the_database_is_away_are_kept_once_it_is_back() {
    let Some(mut fleet) = Fleet::of(3).set("game.player_limit", 3).start().await else { return };
    let mut pages = Pages::open(&fleet, 6).await;
    pages.reach(Moment::Racing).await;
    fleet.postgres.kill();
    // They are told to try again, and do, at one pod after the other.
    pages.may_finish();
    time_passes(AWAY).await;
    fleet.postgres.restart().await;
    let stories = pages.end().await;
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
}
