//! Guests with names of their own: before the lobby, and in it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::persona::Player;
use crate::server::Server;
use crate::signing;
use crate::site::{ANONYMOUS, Answer, Caller, Site};

const GUEST: &str = "/api/v1/auth/guest";

async fn named(site: &Site, caller: &impl Caller, name: &str) -> Answer {
    site.post(GUEST, caller, &json!({ "name": name })).await
}

/// The names in a lobby, the caller's first.
async fn seen_by(player: &Player) -> Vec<Value> {
    let answer = player.asks("/api/v1/lobby/players").await;
    let others = answer.ok()["others"].as_array().expect("a list").clone();
    let rows = [answer.ok()["me"].clone()].into_iter().chain(others);
    rows.map(|row| row["name"].clone()).collect()
}

#[tokio::test]
async fn a_newcomer_becomes_a_guest_of_the_chosen_name() {
    let server = Server::start().await;
    let answer = named(&server, ANONYMOUS, "  Anna\u{200B} Lena ").await;
    let (body, cookie) = (answer.ok(), answer.cookie("TP_AT"));
    assert_eq!(body["name"], "Anna Lena");
    let month = ["httponly", "max-age=2592000", "path=/", "samesite=lax", "secure"];
    assert_eq!((answer.cookies().len(), &*cookie.attributes), (1, &month.map(str::to_owned)[..]));
    let claims = signing::read(&cookie.value);
    assert_eq!((&claims["sub"], &claims["name"]), (&body["id"], &body["name"]));
    assert_eq!(claims["user_type"], "GUEST");
    let info = server.get("/api/v1/profile/user-info", &cookie.value).await;
    assert_eq!((&info.ok()["id"], &info.ok()["name"]), (&body["id"], &body["name"]));

    let anna = Player::known(&server.site(), cookie.value).await;
    assert_eq!(seen_by(&anna).await, ["Anna Lena"]);
}

#[tokio::test]
async fn a_player_without_a_wish_for_a_name_gets_two_words_and_keeps_them() {
    let server = Server::start().await;
    let answer = server.post(GUEST, ANONYMOUS, &json!({})).await;
    let (id, name) = (&answer.ok()["id"], &answer.ok()["name"]);
    assert!(id.as_str().is_some_and(|id| id.starts_with("guest-")), "{id}");
    assert_eq!(name.as_str().expect("a name").split(' ').count(), 2, "{name}");

    let token = answer.cookie("TP_AT").value;
    for wish in [json!({}), json!({ "name": null })] {
        let again = server.post(GUEST, &token, &wish).await;
        assert_eq!((&again.ok()["id"], &again.ok()["name"]), (id, name));
        assert!(again.cookies().is_empty(), "the token is good as it is");
    }
}

#[tokio::test]
async fn a_guest_takes_another_name_for_the_next_lobby() {
    let server = Server::start().await;
    let mut anna = server.guest().await;
    let before = seen_by(&anna).await;
    let answer = named(&server, &anna, "Änne").await;
    assert_eq!((&answer.ok()["id"], &answer.ok()["name"]), (&json!(anna.id), &json!("Änne")));
    assert_eq!(seen_by(&anna).await, before, "a seat keeps its name");

    anna.token = answer.cookie("TP_AT").value;
    let other = Server::start().await;
    anna = Player::known(&other.site(), anna.token).await;
    assert_eq!(seen_by(&anna).await, ["Änne"]);
}

#[tokio::test]
async fn two_guests_of_one_name_are_told_apart_in_a_lobby() {
    let server = Server::start().await;
    let mut players = Vec::new();
    for _ in 0..2 {
        let token = named(&server, ANONYMOUS, "Anna").await.cookie("TP_AT").value;
        players.push(Player::known(&server.site(), token).await);
    }
    assert_eq!(seen_by(&players[1]).await, ["Anna 2", "Anna"]);
}

#[tokio::test]
async fn a_token_that_is_not_good_makes_a_new_guest() {
    let server = Server::start().await;
    let mut expired = signing::claims("guest-77", "Old", "GUEST");
    expired["exp"] = json!(signing::now() - 1);
    for token in ["garbage".to_owned(), signing::sign(&expired)] {
        let answer = named(&server, &token, "Anna").await;
        assert_ne!(answer.ok()["id"], "guest-77");
        assert_eq!(signing::read(&answer.cookie("TP_AT").value)["sub"], answer.ok()["id"]);
    }
}

#[tokio::test]
async fn an_account_has_a_name_already() {
    let server = Server::start().await;
    let token = signing::sign(&signing::claims("google-77", "Ada", "REGISTERED"));
    let answer = named(&server, &token, "Anna").await;
    answer.refused(400, "NOT_A_GUEST");
    assert!(answer.cookies().is_empty(), "{answer:?}");
}

#[tokio::test]
async fn what_is_no_name_is_refused() {
    let server = Server::start().await;
    let long = "x".repeat(21);
    for name in
        ["", "  ", "\u{200B}", &long, "Swift Otter (bot)", "anna(BOT)", "Swift Otter (bоt)", "Аnna"]
    {
        let answer = named(&server, ANONYMOUS, name).await;
        answer.refused(422, "VALIDATION_ERROR");
        assert!(answer.cookies().is_empty(), "{answer:?}");
    }
    for body in [json!({ "name": 5 }), json!([]), json!("Anna")] {
        server.post(GUEST, ANONYMOUS, &body).await.refused(422, "VALIDATION_ERROR");
    }
    let nothing = server.request(Method::POST, GUEST, ANONYMOUS);
    server.send(nothing).await.refused(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn an_account_cannot_be_called_like_a_bot_or_by_letters_of_two_scripts() {
    let server = Server::start().await;
    // The second has a Greek letter, the third a Cyrillic one.
    for name in ["Swift Otter (Bot)", "Swift Otter (bοt)", "Аnna"] {
        let body = json!({ "name": name, "password": "12345678" });
        let register = server.post("/api/v1/auth/local/register", ANONYMOUS, &body).await;
        register.refused(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn new_names_are_counted_and_known_ones_are_not() {
    let server = Server::with().embedded().set("limits.guests_per_minute", 2).start().await;
    let token = named(&server, ANONYMOUS, "Anna").await.cookie("TP_AT").value;
    named(&server, ANONYMOUS, "Ben").await.ok();
    named(&server, ANONYMOUS, "Cleo").await.refused(429, "TOO_MANY_REQUESTS");
    named(&server, &token, "Anne").await.refused(429, "TOO_MANY_REQUESTS");
    named(&server, &token, "Anna").await.ok();
}
