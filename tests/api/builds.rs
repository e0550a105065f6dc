//! Pods of two builds side by side, the second of which has a handler module more: what a rolling update looks like.
//! `tests/modules.sh` makes the second build, and names it in `TEST_OTHER_BUILD`; without that nothing is tested here.

use serde_json::json;

use crate::server::Server;
use crate::setup::other_build;
use crate::site::ANONYMOUS;

/// What a new handler module of `typephoon-api new probe` serves.
const PROBE: &str = "/api/v1/probe";

#[tokio::test]
async fn players_on_pods_of_two_builds_race_each_other_and_the_newer_module_hears_of_it() {
    if other_build(1).is_none() {
        return eprintln!("skipped: TEST_OTHER_BUILD names no binary");
    }
    let server = Server::with().on_pods(2).set("game.player_limit", 2).start().await;
    let (older, newer) = (server.site().at(0), server.site().at(1));
    older.get(PROBE, ANONYMOUS).await.refused(404, "NOT_FOUND");
    assert_eq!(newer.get(PROBE, ANONYMOUS).await.ok()["races"], 0);

    let [mut anna, mut ben] = server.lobby_of().await;
    anna.turns_to(&older);
    ben.turns_to(&newer);
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in [&mut anna, &mut ben] {
        player.track().until("START").await;
    }
    anna.types(0, 0).await;
    assert_eq!(ben.track().until("KEY_STOKE").await.pop(), Some(anna.stroke(0, 0)));
    ben.types(0, 1).await;
    assert_eq!(anna.track().until("KEY_STOKE").await.pop(), Some(ben.stroke(0, 1)));
    for (player, words) in [(&mut anna, 90.0), (&mut ben, 80.0)] {
        let claim = player.types_all(words).await;
        player.posts(claim).await.ok();
    }
    let ranks: Vec<_> = ben.ranking().await.iter().map(|row| row["rank"].clone()).collect();
    assert_eq!(ranks, [json!(1), json!(2)]);
    // START was given by either pod, and the newer one has heard of it.
    assert_eq!(newer.get(PROBE, ANONYMOUS).await.ok()["races"], 1);
}
