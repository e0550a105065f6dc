//! What a race survives: the server killed or stopped in the lobby, in the countdown, in the race, and started again on
//! the same data.

use std::time::Duration;

use crate::persona::{Player, fetch_token};
use crate::server::{Server, eventually, time_passes};

/// To the end of their race, from wherever the players are with their game sockets open.
async fn finish(players: &mut [Player]) {
    for player in players.iter() {
        player.finishes(60.0).await;
    }
    for player in players.iter() {
        let ranking = player.ranking().await;
        let ranks: Vec<_> =
            ranking.iter().map(|entry| entry["rank"].as_u64().expect("a rank")).collect();
        assert_eq!(ranks, (1..).take(players.len()).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_lobby_survives_a_crash() {
    let mut server = Server::with().embedded().set("game.lobby_countdown", 2).start().await;
    let mut players: [Player; 2] = server.lobby_of().await;
    let game = players[0].game;
    server.kill().await;
    server.restart().await;

    for player in &mut players {
        player.queues_in("").await;
        assert_eq!(player.game, game, "the lobby of before");
    }
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in &mut players {
        player.hears("START").await;
    }
    finish(&mut players).await;
}

#[tokio::test]
async fn a_player_who_was_down_past_the_end_of_the_lobby_countdown_finds_the_race() {
    let mut server = Server::with()
        .embedded()
        .set("game.lobby_countdown", 1)
        .set("game.start_countdown", 3)
        .start()
        .await;
    let mut players: [Player; 2] = server.lobby_of().await;
    let game = players[0].game;
    server.kill().await;
    time_passes(Duration::from_millis(1200)).await;
    server.restart().await;

    for player in &mut players {
        player.queues_in("").await;
        assert_eq!(player.game, game, "its own race");
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in &mut players {
        player.hears("START").await;
    }
    finish(&mut players).await;
}

#[tokio::test]
async fn a_full_lobby_survives_a_crash() {
    let mut server = Server::with().embedded().set("game.player_limit", 2).start().await;
    let mut players: [Player; 2] = server.lobby_of().await;
    let game = players[0].game;
    server.kill().await;
    server.restart().await;

    for player in &mut players {
        player.queues_in("").await;
        assert_eq!(player.game, game);
    }
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        player.race().await;
        player.hears("START").await;
    }
    finish(&mut players).await;
}

#[tokio::test]
async fn a_start_countdown_survives_a_crash() {
    let mut server = Server::with()
        .embedded()
        .set("game.player_limit", 2)
        .set("game.start_countdown", 2)
        .start()
        .await;
    let mut players: [Player; 2] = server.grid_of().await;
    let words = players[0].words().await;
    server.kill().await;
    server.restart().await;

    for player in &mut players {
        player.race().await;
        player.track().is_silent().await;
    }
    assert_eq!(players[1].words().await, words);
    for player in &mut players {
        player.hears("START").await;
    }
    finish(&mut players).await;
}

#[tokio::test]
async fn a_server_that_was_down_past_the_end_of_the_start_countdown_starts_who_comes_back() {
    let mut server = Server::with()
        .embedded()
        .set("game.player_limit", 2)
        .set("game.start_countdown", 0.6)
        .start()
        .await;
    let mut players: [Player; 2] = server.grid_of().await;
    server.kill().await;
    time_passes(Duration::from_millis(800)).await;
    server.restart().await;

    for player in &mut players {
        player.race().await;
        player.hears("START").await;
    }
    finish(&mut players).await;
}

#[tokio::test]
async fn a_race_survives_a_crash_and_no_player_hears_start_twice() {
    let mut server = Server::with().embedded().set("game.player_limit", 2).start().await;
    let mut players: [Player; 2] = server.race_of().await;
    let [anna, ben] = &mut players;
    anna.finishes(70.0).await;
    server.kill().await;
    server.restart().await;

    anna.race().await;
    ben.race().await;
    ben.types(20, 1).await;
    anna.sees(ben, 20, 1).await;
    anna.types(24, 0).await;
    ben.sees(anna, 24, 0).await;

    let ranking = ben.ranking().await;
    assert_eq!(
        (&ranking[0]["id"], &ranking[0]["rank"]),
        (&anna.id.clone().into(), &1.into()),
        "Anna's result is kept"
    );
    anna.finishes(99.0).await;
    assert_eq!(anna.ranking().await[0]["wpm"], 70.0);
    finish(&mut players).await;
}

#[tokio::test]
async fn start_comes_after_a_crash_to_the_one_who_has_not_had_it() {
    let mut server = Server::with().embedded().set("game.player_limit", 2).start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    ben.lobby.expect("GAME_START").await;
    anna.race().await;
    anna.hears("START").await;
    server.kill().await;
    server.restart().await;

    ben.race().await;
    ben.hears("START").await;
    anna.race().await;
    ben.types(1, 0).await;
    anna.sees(&ben, 1, 0).await;
}

#[tokio::test]
async fn a_proper_restart_interrupts_no_race() {
    let mut server = Server::with()
        .embedded()
        .set("game.player_limit", 2)
        .set("game.start_countdown", 1)
        .start()
        .await;
    let mut players: [Player; 2] = server.grid_of().await;
    let status = server.terminate().await;
    assert!(status.success(), "{status}");
    server.restart().await;

    for player in &mut players {
        player.race().await;
        player.hears("START").await;
    }
    finish(&mut players).await;
}

#[tokio::test]
async fn a_game_that_was_to_be_cleaned_up_meanwhile_is_gone() {
    let mut server = Server::with()
        .embedded()
        .set("game.player_limit", 1)
        .set("game.start_countdown", 0.1)
        .set("game.cleanup_countdown", 2)
        .start()
        .await;
    let [anna] = server.race_of().await;
    server.kill().await;
    time_passes(Duration::from_secs(1)).await;
    server.restart().await;
    eventually("the old game is gone", async || {
        (anna.asks("/api/v1/game/result").await.status == 404).then_some(())
    })
    .await;
    anna.asks("/api/v1/game/words").await.refused(404, "WORDS_NOT_FOUND");
}

#[tokio::test]
async fn a_player_who_does_not_come_back_after_a_crash_has_left() {
    let mut server = Server::with().embedded().start().await;
    let anna = server.guest().await;
    server.kill().await;
    server.restart().await;

    let ben = server.guest().await;
    eventually("Ben sits with the players who are there only", async || {
        let answer = ben.asks("/api/v1/lobby/players").await;
        answer.ok()["others"].as_array()?.is_empty().then_some(())
    })
    .await;
    drop(anna);
}

#[tokio::test]
async fn the_numbers_of_games_go_on_where_they_were() {
    let mut server = Server::with().embedded().set("game.player_limit", 1).start().await;
    let before = server.guest().await.game;
    server.kill().await;
    server.restart().await;
    assert!(server.guest().await.game > before);
}

#[tokio::test]
async fn keys_made_by_the_server_itself_outlive_it() {
    let mut server = Server::with()
        .embedded()
        .unset("token.private_key")
        .unset("token.public_key")
        .start()
        .await;
    let mut lobby = server.guest_in("").await;
    lobby.expect("INIT").await;
    let token = fetch_token(&server, &lobby.expect("GET_TOKEN").await).await;
    server.get("/api/v1/profile/user-info", &token).await.ok();

    server.kill().await;
    server.restart().await;
    server.get("/api/v1/profile/user-info", &token).await.ok();
}
