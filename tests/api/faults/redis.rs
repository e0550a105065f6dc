//! Redis restarted empty, and a pod that is cut off from it.

use std::time::{Duration, Instant};

use crate::fleet::Fleet;
use crate::page::{Moment, Pages, all_started_once};
use crate::persona::Player;
use crate::proxy::Way;
use crate::server::{time_passes, within};

#[tokio::test]
async fn a_redis_that_comes_back_empty_ends_its_races_clearly_and_new_ones_work_at_once() {
    let plan = Fleet::of(3).set("game.player_limit", 2).set("game.start_countdown", 1);
    let Some(mut fleet) = plan.start().await else { return };
    let mut racing = [Player::guest(&fleet.site(0)).await, Player::guest(&fleet.site(1)).await];
    for player in &mut racing {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in &mut racing {
        player.hears("START").await;
    }
    let mut waiting = Player::guest(&fleet.site(2)).await;

    fleet.redis.kill();
    fleet.redis.restart().await;
    let back = Instant::now();
    for player in &mut racing {
        player.hears("GAME_END").await;
        player.track().is_alive().await;
    }
    assert_eq!(waiting.lobby.closed().await, 4404, "come back");
    let took = back.elapsed();
    assert!(took < Duration::from_secs(8), "all players knew after {took:?}");
    racing[0].posts(serde_json::json!({"game_id": racing[0].game, "wpm": 60.0, "wpm_raw": 65.0, "acc": 97.5}))
        .await
        .refused(400, "GAME_NOT_FOUND");

    let pages = Pages::open(&fleet, 6).await;
    let stories = pages.end().await;
    all_started_once(&stories);
    fleet.is_whole(&stories).await;
}

#[tokio::test]
async fn results_that_were_acknowledged_outlive_redis() {
    let plan = Fleet::of(2).set("game.player_limit", 4).set("game.start_countdown", 1);
    let Some(mut fleet) = plan.start().await else { return };
    let mut pages = Pages::open(&fleet, 4).await;
    pages.reach(Moment::Racing).await;
    let stories = pages.end().await;
    fleet.is_whole(&stories).await;
    let kept = fleet.kept().await;
    fleet.redis.kill();
    fleet.redis.restart().await;
    assert_eq!(fleet.kept().await, kept);
    let token = crate::signing::sign(&crate::signing::claims("google-0", "User 0", "REGISTERED"));
    for pod in 0..2 {
        let path = "/api/v1/profile/history?page=1&size=50";
        let history = fleet.site(pod).get(path, &token).await;
        assert_eq!(history.ok()["total"], 1, "{history:?}");
    }
    // The ids of games go on.
    let anna = Player::guest(&fleet.site(0)).await;
    assert!(stories.iter().all(|story| story.game != anna.game));
}

#[tokio::test]
async fn a_pod_cut_off_from_redis_for_seconds_loses_no_socket_and_no_start() {
    let plan = Fleet::of(2).set("game.player_limit", 2).with_a_way_to_redis();
    let Some(fleet) = plan.start().await else { return };
    let mut anna = Player::guest(&fleet.site(0)).await;
    let mut ben = Player::guest(&fleet.site(1)).await;
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    fleet.way().is(Way::Silent);
    ben.hears("START").await;
    time_passes(Duration::from_secs(2)).await;
    fleet.way().is(Way::Open);
    anna.hears("START").await;
    anna.track().is_alive().await;
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
    for player in [&anna, &ben] {
        within(crate::fleet::PATIENCE, "the result is taken", async || {
            let figures = serde_json::json!({"game_id": player.game, "wpm": 60.0, "wpm_raw": 65.0, "acc": 97.5});
            (player.posts(figures).await.status == 200).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_pod_cut_off_from_redis_for_long_sends_its_lobby_back_when_it_returns() {
    let plan = Fleet::of(2).set("game.player_limit", 3).set("game.lobby_countdown", 60);
    let Some(fleet) = plan.with_a_way_to_redis().start().await else { return };
    let mut anna = Player::guest(&fleet.site(0)).await;
    let mut ben = Player::guest(&fleet.site(1)).await;
    assert_eq!(anna.game, ben.game);
    fleet.way().is(Way::Cut);
    let answer = fleet.readiness(0, 500).await;
    assert!(answer.text.contains("the live state since 20"), "{answer:?}");
    // For the other pod it is dead.
    ben.lobby.until("USER_LEFT").await;
    fleet.way().is(Way::Open);
    assert_eq!(anna.lobby.closed().await, 4404, "come back");
    fleet.readiness(0, 200).await;
    anna.queues_in("").await;
    assert_eq!(anna.game, ben.game);
    ben.lobby.until("USER_JOINED").await;
}

#[tokio::test]
async fn the_first_pod_that_is_back_after_an_outage_of_redis_takes_no_other_for_dead() {
    let plan = Fleet::of(2).set("game.player_limit", 4).set("game.lobby_countdown", 60);
    let Some(fleet) = plan.with_a_way_to_redis().start().await else { return };
    let mut anna = Player::guest(&fleet.site(0)).await;
    let mut ben = Player::guest(&fleet.site(1)).await;
    assert_eq!(anna.game, ben.game);
    anna.lobby.until("USER_JOINED").await;
    fleet.way().is(Way::Cut);
    fleet.redis.takes_scripts(false).await;
    // Longer than a pod without a heartbeat counts as alive.
    time_passes(Duration::from_secs(8)).await;
    fleet.redis.takes_scripts(true).await;
    // Long enough to lose a seat.
    time_passes(Duration::from_secs(4)).await;
    fleet.way().is(Way::Open);
    fleet.is_ready().await;
    let cleo = Player::guest(&fleet.site(1)).await;
    assert_eq!(cleo.game, anna.game);
    for player in [&mut anna, &mut ben] {
        player.lobby.expect("USER_JOINED").await;
    }
}
