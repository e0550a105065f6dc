//! Reactions: shown to sockets that have room for them, and never in the way of anything else.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::persona::Player;
use crate::server::Server;

/// What the module allows at once.
const BURST: usize = 4;

fn emote(game: i64, emote: &str) -> Value {
    json!({"event": "EMOTE", "game_id": game, "emote": emote})
}

#[tokio::test]
async fn all_players_of_the_game_see_a_reaction_in_the_lobby_the_race_and_the_result() {
    let server = Server::with()
        .set("game.player_limit", 3)
        .set("game.lobby_countdown", 60)
        .set("game.start_countdown", 0.5)
        .start()
        .await;
    let mut players = Vec::from(server.lobby_of::<2>().await);
    let (game, shown) = (
        players[0].game,
        |player: &Player, emote: &str| json!({"event": "EMOTE", "game_id": player.game, "user_id": player.id, "emote": emote}),
    );
    players[0].lobby.send(emote(game, "clap")).await;
    for at in 0..2 {
        let seen = players[at].lobby.until("EMOTE").await.pop();
        assert_eq!(seen, Some(shown(&players[0], "clap")));
    }
    players.push(server.guest().await);
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        player.race().await;
        player.knows_new_events();
        player.hears("START").await;
    }
    players[1].finishes(40.0).await;
    let frame = emote(game, "turtle");
    players[1].track().send(frame).await;
    for at in 0..3 {
        let expected = shown(&players[1], "turtle");
        assert_eq!(players[at].track().until("EMOTE").await.pop(), Some(expected));
    }
}

#[tokio::test]
async fn a_socket_that_opens_later_is_shown_no_earlier_reaction() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let frame = emote(anna.game, "fire");
    anna.track().send(frame).await;
    ben.track().until("EMOTE").await;
    ben.race().await;
    ben.knows_new_events();
    ben.track().expect("RESUME").await;
    anna.types(0, 0).await;
    // Nothing comes before it.
    ben.sees(&anna, 0, 0).await;
}

#[tokio::test]
async fn an_unknown_reaction_is_not_shown_and_the_socket_stays_open() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    for nonsense in ["dance", "", "CLAP"] {
        let frame = emote(anna.game, nonsense);
        anna.track().say(Message::text(frame.to_string())).await;
    }
    anna.track().say(Message::text(json!({"event": "EMOTE", "game_id": 1}).to_string())).await;
    anna.types(0, 0).await;
    ben.sees(&anna, 0, 0).await;
}

#[tokio::test]
async fn ten_players_who_send_as_fast_as_they_can_disturb_no_keystroke() {
    const FRAMES: usize = 300;
    let server = Server::with()
        .set("game.player_limit", 10)
        .set("game.lobby_countdown", 60)
        .set("game.start_countdown", 0.5)
        .start()
        .await;
    let mut players: [Player; 10] = server.race_of().await;
    players.iter_mut().for_each(Player::knows_new_events);
    let game = players[0].game;
    let flood = || (0..FRAMES).map(|_| Message::text(emote(game, "wow").to_string()));
    // Two sockets of one player share a rate.
    let mut second = players[9].another_race().await.knows_new_events();
    second.until("RESUME").await;
    assert!(second.say_all(flood()).await);
    for player in &mut players {
        assert!(player.track().say_all(flood()).await, "its socket is open");
    }
    let begun = std::time::Instant::now();
    for place in 0..5 {
        players[0].types(0, place).await;
    }
    let stroke = players[0].stroke(0, 4);
    let mut seen = Vec::new();
    for player in &mut players[1..] {
        let mut frames = Vec::new();
        loop {
            let frame = player.track().until("KEY_STOKE").await;
            let is_last = frame.last() == Some(&stroke);
            frames.extend(frame);
            if is_last {
                break;
            }
        }
        let strokes = frames.iter().filter(|it| it["event"] == "KEY_STOKE").count();
        let own = frames.iter().filter(|it| it["user_id"] == player.id && it["event"] == "EMOTE");
        seen.push((strokes, own.count()));
    }
    let most = BURST + 1 + usize::try_from(begun.elapsed().as_secs()).unwrap();
    for (strokes, own) in seen {
        // Between pods only the newest of a batch is sent.
        assert!((1..=5).contains(&strokes) && own <= most, "{strokes} keystrokes, {own} reactions");
    }
    for player in &mut players {
        player.track().is_alive().await;
    }
}
