//! Ratings, by the races against others.

use serde_json::{Value, json};

use crate::database::on_both;
use crate::device::Device;
use crate::persona::Player;
use crate::server::{Server, eventually};
use crate::site::{ANONYMOUS, Caller};

/// The caller's rating, uncertainty and number of races.
async fn rating(server: &Server, caller: &impl Caller) -> (f64, f64, u64) {
    let answer = server.get("/api/v1/rating", caller).await;
    let own = answer.ok();
    let number = |name: &str| own[name].as_f64().expect("a number");
    (number("rating"), number("uncertainty"), own["races"].as_u64().expect("a number"))
}

/// Waits until so many races of the caller are rated.
async fn rated(server: &Server, caller: &impl Caller, races: u64) -> (f64, f64) {
    eventually("the race is rated", async || {
        let (rating, uncertainty, rated) = rating(server, caller).await;
        assert!(rated <= races, "a race counts once");
        (rated == races).then_some((rating, uncertainty))
    })
    .await
}

#[tokio::test]
async fn a_race_against_others_is_rated_once() {
    on_both(async |database| {
        let settings = database.settings().set("auth.local", true).set("game.player_limit", 2);
        let mut server = settings.start().await;
        let device = Device::of_new_account(&server, "Anna").await;
        let (begin, uncertain, races) = rating(&server, &device).await;
        assert_eq!((begin.round(), uncertain.round(), races), (1000.0, 333.0, 0));
        let mut anna = Player::known(&server.site(), device.access.clone()).await;
        let mut ben = server.guest().await;
        for player in [&mut anna, &mut ben] {
            player.lobby.until("GAME_START").await;
            player.race().await;
        }
        anna.hears("START").await;
        ben.hears("START").await;
        anna.finishes(80.0).await;
        ben.finishes(60.0).await;
        let (winner, certain) = rated(&server, &device, 1).await;
        let (loser, _) = rated(&server, &ben, 1).await;
        assert!(winner > 1000.0 && loser < 1000.0 && certain < 333.0, "{winner} {loser} {certain}");
        let own = server.get("/api/v1/rating", &device).await;
        let last = &own.ok()["last"];
        assert_eq!(last["game_id"], anna.game);
        assert!((last["change"].as_f64().unwrap() - (winner - 1000.0)).abs() < 1e-6);

        // After a restart, or a repeated claim, it is the same race.
        ben.finishes(60.0).await;
        server.kill().await;
        server.restart().await;
        assert_eq!(rated(&server, &device, 1).await, (winner, certain));

        // The guest's rating becomes that of the account.
        let body = json!({"name": "Ben", "password": "correct horse"});
        let account = Device::from(&server.post("/api/v1/auth/local/register", &ben, &body).await);
        assert_eq!(rated(&server, &account, 1).await.0, loser);
        assert_eq!(rating(&server, &ben).await.2, 0);
    })
    .await;
}

#[tokio::test]
async fn a_race_alone_is_not_rated_and_guests_begin_like_all_players() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    anna.finishes(80.0).await;
    let (rating, _, races) = rating(&server, &anna).await;
    assert_eq!((rating.round(), races), (1000.0, 0));
    let own = server.get("/api/v1/rating", &anna).await;
    assert_eq!(own.ok()["last"], Value::Null);
    server.get("/api/v1/rating", ANONYMOUS).await.refused(401, "TOKEN_NOT_PROVIDED");
}
