//! What spectators see, and which games can be watched.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::audience::Audiences;
use super::rules::{Watchable, allow, asked_for, is_watchable};
use super::scene::Scene;
use super::wire::WatchStage;
use crate::Kind;
use crate::game::{
    Door, Figures, Game, GameId, Parts, Result as GameResult, Stage, Timestamp, User, UserId,
    UserType,
};
use crate::handlers::shared::{Words, invited};
use crate::testing::Server;

const NOON: Timestamp = Timestamp(1_795_694_400_000_000);

fn user(name: &str) -> User {
    User {
        id: format!("google-{name}").as_str().into(),
        name: name.into(),
        user_type: UserType::Registered,
    }
}

/// A lobby of Anna and Ben.
fn lobby(door: Door) -> Game {
    let mut game = Game::opened(GameId(35), NOON, Parts::default());
    game.door = door;
    game.seat(user("anna"), None);
    game.seat(user("ben"), None);
    game
}

#[test]
fn the_host_of_a_friends_lobby_forbids_spectators_and_allows_them() {
    let mut game = lobby(invited("0123456789abcdef0123"));
    let (anna, ben) = (user("anna").id, user("ben").id);
    fn refused(game: &mut Game, by: &UserId) -> Kind {
        allow(game, by, false).unwrap_err()
    }
    assert_eq!(refused(&mut game, &ben), Kind::NOT_THE_HOST);
    assert_eq!(refused(&mut game, &user("zoe").id), Kind::NOT_A_PARTICIPANT);
    assert!(allow(&mut game, &anna, false).unwrap());
    assert!(!is_watchable(&game));
    assert!(!allow(&mut game, &anna, false).unwrap(), "nothing new");
    assert!(allow(&mut game, &anna, true).unwrap());
    assert!(is_watchable(&game));
    game.stage = Stage::Countdown;
    assert_eq!(refused(&mut game, &anna), Kind::GAME_NOT_FOUND);
    assert_eq!(refused(&mut lobby(Door::OPEN), &anna), Kind::GAME_NOT_FOUND);
}

#[test]
fn a_lobby_may_be_opened_without_spectators() {
    let query = |value: &str| HashMap::from([("watch".to_owned(), value.to_owned())]);
    assert_eq!(asked_for(&HashMap::new()).unwrap(), Watchable::default());
    assert_eq!(asked_for(&query("true")).unwrap(), Watchable::default());
    assert!(asked_for(&query("false")).unwrap().is_forbidden);
    assert_eq!(asked_for(&query("0")).unwrap_err().kind(), Kind::VALIDATION);
}

#[test]
fn players_are_shown_by_their_seats_and_a_race_is_over_with_the_last_result() {
    let mut game = lobby(Door::OPEN);
    (game.stage, game.starts_at) = (Stage::Running, Some(NOON));
    game.put(Words("the fox".into()));
    let result = GameResult {
        rank: 1,
        finished: NOON,
        figures: Figures { wpm: 60.0, wpm_raw: 60.0, acc: 99.0 },
        unranked: None,
    };
    game.players[1].result = Some(result);
    let scene = Scene::of(Arc::new(game.clone()), false, None);
    assert_eq!(scene.caret(&user("ben").id, (1, 2)), Some([2, 1, 2]));
    assert_eq!(scene.caret(&user("zoe").id, (1, 2)), None);
    assert!(!scene.lacks_replay(), "Anna still types");
    let gone = Scene::of(Arc::new(game.clone()), true, None);
    assert!(gone != scene && gone.lacks_replay());
    game.players[0].result = Some(result);
    let over = Scene::of(Arc::new(game.clone()), false, Some("35-x".into()));
    assert!(over != scene && !over.lacks_replay());
    game.version += 1;
    game.players[0].absent_since = Some(NOON);
    assert!(
        over == Scene::of(Arc::new(game), false, Some("35-x".into())),
        "spectators see the same"
    );
}

#[test]
fn places_are_limited_and_given_back() {
    let all = Arc::new(Audiences::default());
    let enter = |game: i64| all.enter(GameId(game), 2, 3);
    let places = [enter(1), enter(1), enter(2)];
    assert!(places.iter().all(Option::is_some));
    assert!(enter(1).is_none(), "of the race");
    assert!(enter(3).is_none(), "of the pod");
    assert_eq!(all.counts(), HashMap::from([(GameId(1), 2), (GameId(2), 1)]));
    drop(places);
    assert!(all.counts().is_empty() && all.get(GameId(1)).is_none());
    assert!(enter(3).is_some());
}

#[test]
fn a_stage_is_one_word() {
    assert_eq!(json!(WatchStage::Countdown), "countdown");
}

#[tokio::test]
async fn a_race_is_shown_to_everyone_with_the_link() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.players().await;
    anna.starts().await;
    ben.starts().await;
    let share = anna.get(&format!("/api/v1/watch?game_id={}", anna.game)).await;
    let link = share["link"].as_str().expect("a link").to_owned();
    let path = format!("/api/v1/watch/{link}");
    let seen = ben.get(&path).await;
    assert_eq!(
        (&seen["stage"], seen["players"].as_array().map(Vec::len)),
        (&json!("running"), Some(2))
    );
    assert!(!seen.to_string().contains(&anna.id), "no ids");
    anna.finishes().await;
    ben.finishes().await;
    let seen = ben.get(&path).await;
    assert_eq!((&seen["stage"], &seen["players"][0]["id"]), (&json!("over"), &json!("1")));
}
