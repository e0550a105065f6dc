//! Accounts of the server's own: made, logged in to, taken away and taken along.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::database::on_both;
use crate::device::{Device, login, register};
use crate::persona::{Player, without_record};
use crate::server::{Server, time_passes};
use crate::signing;
use crate::site::ANONYMOUS;

#[tokio::test]
async fn a_player_picks_a_name_and_a_password_and_has_a_profile() {
    let server = Server::for_one().await;
    let answer = register(&server, "  Ännä 100%  ", "correct horse").await;
    let device = Device::from(&answer);
    for (name, path) in [("TP_AT", "/"), ("TP_RT", "/api/v1/auth/token-refresh"), ("USERNAME", "/")]
    {
        let path = format!("path={path}");
        let expected = ["httponly", "max-age=2592000", &path, "samesite=lax", "secure"];
        assert_eq!(answer.cookie(name).attributes, expected, "{name}");
    }
    assert_eq!(answer.cookie("USERNAME").value, "%C3%84nn%C3%A4%20100%2525");
    assert_eq!(answer.header("cache-control"), "no-store");
    let claims = signing::read(&device.access);
    assert_eq!(
        (&claims["name"], &claims["user_type"]),
        (&json!("Ännä 100%"), &json!("REGISTERED"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    let life = |claims: &Value| claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(life(&signing::read(&device.refresh)), 2_592_000);

    let mut anna = Player::known(&server.site(), device.access.clone()).await;
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.hears("START").await;
    anna.finishes(71.5).await;
    // Written differently it is the same name.
    let again = Device::from(&login(&server, "ÄNNÄ 100%", "correct horse").await);
    let statistics = server.get("/api/v1/profile/statistics", &again).await;
    assert_eq!(statistics.ok()["wpm_best"], 71.5);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_told_in_the_same_words() {
    let server = Server::start().await;
    Device::of_new_account(&server, "Anna").await;
    let wrong = login(&server, "Anna", "battery staple").await;
    wrong.refused(401, "WRONG_CREDENTIALS");
    let unknown = login(&server, "Ben", "correct horse").await;
    assert_eq!((unknown.status, &unknown.text), (wrong.status, &wrong.text));
    assert!(wrong.cookies().is_empty());
    register(&server, "anna", "purple staple").await.refused(409, "NAME_TAKEN");
}

#[tokio::test]
async fn names_and_passwords_that_do_not_fit_are_refused() {
    let server = Server::start().await;
    for (name, password) in
        [("A", "correct horse"), ("Anna", "short"), ("A\u{200B}\u{3164}", "correct horse")]
    {
        register(&server, name, password).await.refused(422, "VALIDATION_ERROR");
    }
    for body in
        [json!({}), json!({"name": "Anna"}), json!({"name": 1, "password": []}), json!(null)]
    {
        for path in ["/api/v1/auth/local/register", "/api/v1/auth/local/login"] {
            server.post(path, ANONYMOUS, &body).await.refused(422, "VALIDATION_ERROR");
        }
    }
}

#[tokio::test]
async fn passwords_cannot_be_tried_without_end() {
    let server = Server::with().embedded().start().await;
    Device::of_new_account(&server, "Anna").await;
    let mut codes = Vec::new();
    for _ in 0..12 {
        let answer = login(&server, "Anna", "battery staple").await;
        codes.push(answer.code().to_owned());
    }
    assert!(codes.contains(&"WRONG_CREDENTIALS".to_owned()), "{codes:?}");
    let refused = login(&server, "Anna", "correct horse").await;
    refused.refused(429, "TOO_MANY_REQUESTS");
    let seconds = refused.header("retry-after").parse().expect("seconds");
    assert!((2..=6).contains(&seconds), "one try in six seconds: {seconds}");
    Device::of_new_account(&server, "Ben").await;
    time_passes(Duration::from_secs(seconds)).await;
    login(&server, "Anna", "correct horse").await.ok();
}

#[tokio::test]
async fn a_server_that_has_another_way_to_log_in_has_no_accounts_of_its_own() {
    let google = Server::with().set("google.client_id", "typephoon").start().await;
    register(&google, "Anna", "correct horse").await.refused(404, "NOT_FOUND");
    let ways = google.get("/api/v1/auth/providers", ANONYMOUS).await;
    let providers = json!([{"name": "google", "title": "Google"}]);
    assert_eq!(*ways.ok(), json!({"ok": true, "providers": providers, "local": false}));

    let both = Server::with().set("google.client_id", "typephoon").set("auth.local", true);
    let both = both.start().await;
    Device::of_new_account(&both, "Anna").await;
    let off = Server::with().set("auth.local", false).start().await;
    login(&off, "Anna", "correct horse").await.refused(404, "NOT_FOUND");
    let ways = off.get("/api/v1/auth/providers", ANONYMOUS).await;
    assert_eq!(*ways.ok(), json!({"ok": true, "providers": [], "local": false}));
}

#[tokio::test]
async fn a_password_is_changed_and_other_devices_log_in_anew() {
    on_both(async |database| {
        let server = database.settings().set("auth.local", true).start().await;
        let mut phone = Device::of_new_account(&server, "Anna").await;
        let laptop = Device::logged_in(&server, "Anna").await;
        let path = "/api/v1/auth/local/password";
        let change = |old: &str| json!({"password": old, "new_password": "battery staple"});
        let wrong = server.post(path, &phone, &change("not it at all")).await;
        wrong.refused(401, "WRONG_CREDENTIALS");
        let short = json!({"password": "correct horse", "new_password": "short"});
        server.post(path, &phone, &short).await.refused(422, "VALIDATION_ERROR");
        server.post(path, ANONYMOUS, &change("x")).await.refused(401, "TOKEN_NOT_PROVIDED");

        server.post(path, &phone, &change("correct horse")).await.ok();
        laptop.asks_for_more(&server).await.refused(400, "REFRESH_TOKEN_MISSMATCH");
        phone.refreshes(&server).await;
        login(&server, "Anna", "correct horse").await.refused(401, "WRONG_CREDENTIALS");
        login(&server, "Anna", "battery staple").await.ok();
    })
    .await;
}

#[tokio::test]
async fn a_guest_who_makes_an_account_keeps_the_race() {
    on_both(async |database| {
        let mut server =
            database.settings().set("auth.local", true).set("game.player_limit", 2).start().await;
        let [anna, ben] = server.race_of().await;
        ben.finishes(50.0).await;
        anna.finishes(71.5).await;
        let body = json!({"name": "Anna", "password": "correct horse"});
        let answer = server.post("/api/v1/auth/local/register", &anna, &body).await;
        let device = Device::from(&answer);
        let id = signing::read(&device.access)["sub"].clone();

        let check = async |server: &Server| {
            let ranking = ben.ranking().await;
            let ids: Vec<_> = ranking.iter().map(|it| it["id"].clone()).collect();
            assert_eq!(ids, [json!(ben.id), id.clone()]);
            let history = server.get("/api/v1/profile/history?page=1&size=20", &device).await;
            let history = history.ok();
            let (total, row) = (&history["total"], &history["data"][0]);
            assert_eq!((total, &row["wpm"], &row["rank"]), (&json!(1), &json!(71.5), &json!(2)));
        };
        check(&server).await;
        server.kill().await;
        server.restart().await;
        check(&server).await;
        let login = server.post("/api/v1/auth/local/login", &anna, &body).await;
        login.ok();
        check(&server).await;
    })
    .await;
}

#[tokio::test]
async fn a_guest_who_makes_an_account_in_mid_race_goes_on_with_it() {
    let server = Server::for_players(2).await;
    let [mut anna, mut ben] = server.race_of().await;
    let body = json!({"name": "Anna", "password": "correct horse"});
    let answer = server.post("/api/v1/auth/local/register", &anna, &body).await;
    // The guest's socket comes back, as that of the account.
    assert_eq!(anna.track().closed().await, 4010);
    anna.token = Device::from(&answer).access;
    anna.id = signing::read(&anna.token)["sub"].as_str().unwrap().to_owned();
    anna.race().await;
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
    ben.types(2, 0).await;
    // START was told before, and is not told again.
    anna.sees(&ben, 2, 0).await;
    anna.finishes(60.0).await;
    let statistics = server.get("/api/v1/profile/statistics", &anna).await;
    assert_eq!(statistics.ok()["total_games"], 1);
}

#[tokio::test]
async fn a_player_takes_all_that_is_kept_along() {
    on_both(async |database| {
        let settings = database.settings().set("auth.local", true).set("game.lobby_countdown", 0.2);
        let server = settings.start().await;
        let device = Device::of_new_account(&server, "Anna").await;
        let mut anna = Player::known(&server.site(), device.access.clone()).await;
        anna.lobby.until("GAME_START").await;
        anna.race().await;
        anna.hears("START").await;
        anna.finishes(71.234567).await;

        let export = server.get("/api/v1/profile/export", &device).await;
        let everything = export.ok();
        let disposition = export.header("content-disposition");
        assert_eq!(disposition, "attachment; filename=\"typephoon.json\"");
        assert_eq!(everything["user"]["name"], "Anna");
        assert!(everything["user"]["registered_at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(everything["logins"].as_array().unwrap().len(), 1);
        let history = server.get("/api/v1/profile/history?page=1&size=20", &device).await;
        let mut races = history.ok()["data"].as_array().expect("a list").clone();
        races.iter_mut().for_each(without_record);
        assert_eq!(everything["results"], json!(races));
        for secret in [&device.access, &device.refresh] {
            assert!(!export.text.contains(secret.as_str()));
        }

        let csv = server.get("/api/v1/profile/export?format=csv", &device).await;
        assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
        let lines: Vec<_> = csv.text.lines().collect();
        assert_eq!(lines[0], "game_id,game_type,finished_at,rank,wpm,wpm_raw,accuracy");
        assert!(lines.len() == 2 && lines[1].ends_with(",1,71.234567,76.234567,97.5"), "{lines:?}");

        let refused = server.get("/api/v1/profile/export?format=xml", ANONYMOUS).await;
        refused.refused(422, "VALIDATION_ERROR");
        let guest = server.guest().await;
        let export = server.get("/api/v1/profile/export", &guest).await;
        let export = export.ok();
        assert_eq!((&export["user"]["id"], &export["results"]), (&json!(guest.id), &json!([])));
    })
    .await;
}

#[tokio::test]
async fn a_player_goes_away_and_the_races_of_others_stay_as_they_were() {
    on_both(async |database| {
        let settings = database.settings().set("auth.local", true).set("game.player_limit", 2);
        let server = settings.start().await;
        let mut players = Vec::new();
        for name in ["Anna", "Ben"] {
            let device = Device::of_new_account(&server, name).await;
            players.push((Player::known(&server.site(), device.access.clone()).await, device));
        }
        let [(mut anna, annas), (mut ben, bens)] = players.try_into().ok().unwrap();
        for player in [&mut anna, &mut ben] {
            player.lobby.until("GAME_START").await;
            player.race().await;
            player.hears("START").await;
        }
        anna.finishes(71.5).await;
        ben.finishes(60.0).await;

        let foreign = server.request(Method::DELETE, "/api/v1/profile", &annas);
        let foreign = server.send(foreign.header("origin", "https://evil.example")).await;
        foreign.refused(403, "ORIGIN_NOT_ALLOWED");
        let gone = server.send(server.request(Method::DELETE, "/api/v1/profile", &annas)).await;
        gone.ok();
        gone.cookie("USERNAME").deletes("/");
        assert_eq!(anna.track().closed().await, 4502);
        annas.asks_for_more(&server).await.refused(400, "REFRESH_TOKEN_MISSMATCH");
        login(&server, "Anna", "correct horse").await.refused(401, "WRONG_CREDENTIALS");
        let statistics = server.get("/api/v1/profile/statistics", &annas).await;
        assert_eq!(statistics.ok()["total_games"], 0, "what the token still opens is empty");

        let ranking = ben.ranking().await;
        assert_eq!((&ranking[0]["name"], &ranking[0]["rank"]), (&json!("-"), &json!(1)));
        assert!(ranking[0]["id"].as_str().unwrap().starts_with("guest-"), "{ranking:?}");
        let history = server.get("/api/v1/profile/history?page=1&size=20", &bens).await;
        assert_eq!(history.ok()["data"][0]["rank"], 2);
        // Another account of the same name has none of it, and a late result does not bring it back.
        let other = Device::of_new_account(&server, "Anna").await;
        ben.finishes(60.0).await;
        let statistics = server.get("/api/v1/profile/statistics", &other).await;
        assert_eq!(statistics.ok()["total_games"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_guest_who_goes_away_leaves_nothing() {
    let server = Server::start().await;
    let mut anna = server.guest().await;
    let gone = server.send(server.request(Method::DELETE, "/api/v1/profile", &anna)).await;
    gone.ok();
    gone.cookie("TP_AT").deletes("/");
    assert_eq!(anna.lobby.closed().await, 4502);
    let refused = server.send(server.request(Method::DELETE, "/api/v1/profile", ANONYMOUS)).await;
    refused.refused(401, "TOKEN_NOT_PROVIDED");
}
