//! Guests who log in, and what becomes of their races.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::database::on_both;
use crate::openid::Provider;
use crate::persona::Player;
use crate::server::Server;

/// A browser in which this guest has played.
fn browser_of(player: &Player, server: &Server, provider: &Provider, account: &str) -> Browser {
    let mut browser = Browser::of(server, provider, account);
    browser.has("TP_AT", &player.token);
    browser
}

/// What a ranking says of each player: id, name, rank and speed.
async fn ranking(player: &Player) -> Vec<Value> {
    let entries = player.ranking().await.into_iter();
    entries.map(|it| json!([it["id"], it["name"], it["rank"], it["wpm"]])).collect()
}

#[tokio::test]
async fn a_guest_who_logs_in_after_a_race_keeps_its_result() {
    let Some(provider) = Provider::start().await else { return };
    on_both(async |database| {
        let settings = provider.behind(database.settings()).set("game.player_limit", 2);
        let mut server = settings.start().await;
        let [anna, ben] = server.race_of().await;
        ben.finishes(80.0).await;
        anna.posts(json!({"game_id": anna.game, "wpm": 71.25, "wpm_raw": 80.5, "acc": 96.0}))
            .await
            .ok();
        let before = anna.ranking().await;

        let mut ada = browser_of(&anna, &server, &provider, "77:Ada%20L");
        ada.logs_in("google").await;

        let mut after = before.clone();
        after[1]["id"] = json!("google-77");
        after[1]["name"] = json!("Ada L");
        assert_eq!(ben.ranking().await, after, "the account in place of the guest");
        let finished = before[1]["finished"].as_str().expect("a time").replace("+00:00", "Z");
        let rows = [json!({
            "game_type": 1, "game_id": anna.game, "wpm": 71.25, "wpm_raw": 80.5, "accuracy": 96.0,
            "finished_at": finished, "rank": 2,
        })];
        assert_eq!(ada.history().await, rows);

        server.kill().await;
        server.restart().await;
        assert_eq!(ben.ranking().await, after, "after a restart");
        assert_eq!(ada.history().await, rows);
    })
    .await;
}

#[tokio::test]
async fn a_guest_who_logs_in_during_a_race_goes_on_with_it() {
    let Some(provider) = Provider::start().await else { return };
    on_both(async |database| {
        let settings = provider.behind(database.settings()).set("game.player_limit", 2);
        let server = settings.start().await;
        let [mut anna, mut ben] = server.race_of().await;
        anna.types(0, 1).await;
        ben.sees(&anna, 0, 1).await;
        anna.leaves_track().close().await;

        let mut ada = browser_of(&anna, &server, &provider, "77:Ada%20L");
        ada.logs_in("google").await;
        (anna.token, anna.id) = (ada.access_token(), "google-77".into());
        anna.race().await;
        anna.types(1, 0).await;
        ben.sees(&anna, 1, 0).await;
        ben.types(0, 2).await;
        // Had there been a second START, it would have come before.
        while anna.hears("KEY_STOKE").await != ben.stroke(0, 2) {}
        anna.finishes(70.0).await;
        ben.finishes(60.0).await;

        let ranking = ranking(&ben).await;
        assert_eq!(ranking[0], json!(["google-77", "Ada L", 1, 70.0]));
        assert_eq!(ranking[1], json!([ben.id, ben.public_name(), 2, 60.0]));
        let history = ada.history().await;
        assert_eq!(history.len(), 1);
        assert_eq!((&history[0]["rank"], &history[0]["wpm"]), (&json!(1), &json!(70.0)));
    })
    .await;
}

#[tokio::test]
async fn a_guest_who_logs_in_during_the_countdown_is_told_the_start() {
    let Some(provider) = Provider::start().await else { return };
    let settings = provider.behind(Server::with()).set("game.player_limit", 2);
    let server = settings.set("game.start_countdown", 2).start().await;
    let [mut anna, mut ben] = server.grid_of().await;
    let mut ada = browser_of(&anna, &server, &provider, "77:Ada");
    ada.logs_in("google").await;
    (anna.token, anna.id) = (ada.access_token(), "google-77".into());
    anna.race().await;
    anna.hears("START").await;
    ben.hears("START").await;
    anna.finishes(70.0).await;
    assert_eq!(ranking(&ben).await[0], json!(["google-77", "Ada", 1, 70.0]));
}

#[tokio::test]
async fn a_race_that_is_open_in_another_tab_counts_for_the_account() {
    let Some(provider) = Provider::start().await else { return };
    let settings = provider.behind(Server::with()).set("game.player_limit", 2);
    let server = settings.start().await;
    let [mut anna, ben] = server.race_of().await;
    let mut ada = browser_of(&anna, &server, &provider, "77:Ada");
    ada.logs_in("google").await;
    // The guest's socket comes back, and what the page sends carries the new cookie.
    assert_eq!(anna.track().closed().await, 4010);
    anna.token = ada.access_token();
    anna.finishes(70.0).await;
    assert_eq!(ranking(&ben).await[0], json!(["google-77", "Ada", 1, 70.0]));
    assert_eq!(ada.history().await.len(), 1);
}

#[tokio::test]
async fn two_guests_who_log_in_keep_their_own_races() {
    let Some(provider) = Provider::start().await else { return };
    let settings = provider.behind(Server::with()).set("game.player_limit", 2);
    let server = settings.start().await;
    let [mut anna, ben] = server.race_of().await;
    let [cleo, dora] = server.race_of().await;
    for (player, wpm) in [(&anna, 81.0), (&ben, 72.0), (&cleo, 63.0), (&dora, 54.0)] {
        player.finishes(wpm).await;
    }
    let mut ada = browser_of(&anna, &server, &provider, "1:Ada");
    let mut bob = browser_of(&ben, &server, &provider, "2:Bob");
    let mut dot = browser_of(&dora, &server, &provider, "3:Dot");
    tokio::join!(ada.logs_in("google"), bob.logs_in("school"), dot.logs_in("google"));

    let first = [json!(["google-1", "Ada", 1, 81.0]), json!(["school-2", "Bob", 2, 72.0])];
    anna.token = ada.access_token();
    assert_eq!(ranking(&anna).await, first);
    let cleo_stays = json!([cleo.id, cleo.public_name(), 1, 63.0]);
    assert_eq!(ranking(&cleo).await, [cleo_stays, json!(["google-3", "Dot", 2, 54.0])]);
    for (browser, game, wpm) in
        [(&ada, anna.game, 81.0), (&bob, ben.game, 72.0), (&dot, dora.game, 54.0)]
    {
        let history = browser.history().await;
        assert_eq!(history.len(), 1);
        assert_eq!((&history[0]["game_id"], &history[0]["wpm"]), (&json!(game), &json!(wpm)));
    }
}

#[tokio::test]
async fn a_race_counts_once_however_often_one_logs_in() {
    let Some(provider) = Provider::start().await else { return };
    on_both(async |database| {
        let settings = provider.behind(database.settings()).set("game.lobby_countdown", 0.2);
        let server = settings.start().await;
        let [mut anna] = server.race_of().await;
        anna.finishes(70.0).await;
        let mut ada = browser_of(&anna, &server, &provider, "77:Ada");
        ada.logs_in("google").await;
        ada.logs_in("google").await;
        // With the guest's cookie once more, as a second browser profile may still have it.
        let mut again = browser_of(&anna, &server, &provider, "77:Ada");
        again.logs_in("google").await;
        let mut other = browser_of(&anna, &server, &provider, "78:Ben");
        other.logs_in("google").await;
        anna.asks("/api/v1/game/players").await.refused(400, "NOT_A_PARTICIPANT");

        assert_eq!(ada.history().await.len(), 1);
        assert_eq!(other.history().await, [] as [Value; 0]);
        anna.token = ada.access_token();
        assert_eq!(ranking(&anna).await, [json!(["google-77", "Ada", 1, 70.0])]);
    })
    .await;
}

#[tokio::test]
async fn a_login_that_fails_takes_nothing_from_the_guest() {
    let Some(provider) = Provider::start().await else { return };
    let settings = provider.behind(Server::with()).set("game.lobby_countdown", 0.2);
    let server = settings.start().await;
    let [anna] = server.race_of().await;
    let mut browser = browser_of(&anna, &server, &provider, "deny");
    browser.tries("google").await;
    assert_eq!(browser.cookie("TP_AT"), Some(anna.token.as_str()));
    anna.finishes(70.0).await;
    assert_eq!(ranking(&anna).await, [json!([anna.id, anna.public_name(), 1, 70.0])]);
}
