//! The daily challenge: one text a day for all players, and a board of it.

use serde_json::{Value, json};

use crate::database::on_both;
use crate::device::Device;
use crate::persona::Player;
use crate::server::{Server, eventually};
use crate::setup::Settings;
use crate::site::{ANONYMOUS, Site};

const ALONE: &str = "?game_type=single&daily=true";
const FRIENDS: &str = "?invite_token=abcdefghij&daily=true";

const DAY: i64 = 24 * 3600 * 1_000_000;

/// Races alone that begin soon.
fn quick(settings: Settings) -> Settings {
    settings
        .set("auth.local", true)
        .set("game.lobby_countdown", 0.2)
        .set("game.single_countdown", 0.2)
}

/// A player on this pod, after START in a race of this query.
async fn racer(site: &Site, query: &str) -> Player {
    let mut player = Player::guest(site).await;
    starts(&mut player, query).await;
    player
}

async fn starts(player: &mut Player, query: &str) {
    player.queues_in(query).await;
    player.lobby.until("GAME_START").await;
    player.race().await;
    player.track().until("START").await;
}

/// Races alone, and reports this speed.
async fn race(player: &mut Player, wpm: f64) {
    starts(player, ALONE).await;
    player.finishes(wpm).await;
}

async fn rows(site: &Site, query: &str) -> Vec<Value> {
    let board = site.get(&format!("/api/v1/daily{query}"), ANONYMOUS).await;
    let rows = board.ok()["rows"].as_array().expect("rows").clone();
    rows.into_iter().map(|row| json!([row["rank"], row["wpm"]])).collect()
}

/// Waits until the board of today has these rows.
async fn becomes(site: &Site, expected: &[Value]) {
    eventually("the board has these rows", async || {
        (rows(site, "").await == expected).then_some(())
    })
    .await;
}

async fn standing(player: &Player) -> Value {
    player.asks("/api/v1/daily/standing").await.ok().clone()
}

#[tokio::test]
async fn a_day_has_one_text_on_all_pods_and_after_a_restart() {
    let mut server = quick(Server::with()).set("handlers.daily.words", 12).start().await;
    let pods = server.site().ports().len();
    let racers = (0..6).map(|number| {
        let site = server.site().at(number % pods);
        async move { racer(&site, ALONE).await.words().await }
    });
    let texts = futures_util::future::join_all(racers).await;
    assert_eq!(texts[0].len(), 12);
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    let plain = racer(&server.site(), "?game_type=single").await;
    assert_ne!(plain.words().await, texts[0]);
    server.kill().await;
    server.restart().await;
    let later = racer(&server.site(), ALONE).await;
    assert_eq!(later.words().await, texts[0]);
    let about = later.asks("/api/v1/game/words").await.ok()["about"].clone();
    assert_eq!(about["kind"], "again", "its results are on no other board");
    assert!(about["source"].as_str().unwrap().starts_with("the daily challenge of 2"), "{about}");
}

#[tokio::test]
async fn each_player_is_on_the_board_with_the_best_race() {
    on_both(async |database| {
        let mut server = quick(database.settings()).start().await;
        let (mut anna, mut ben) = (server.guest().await, server.guest().await);
        race(&mut anna, 70.0).await;
        assert_eq!(standing(&anna).await["own"]["rank"], 1, "at once");
        race(&mut ben, 80.5).await;
        race(&mut anna, 90.25).await;
        let best = anna.game;
        race(&mut anna, 60.0).await;
        let expected = [json!([1, 90.25]), json!([2, 80.5])];
        becomes(&server.site(), &expected).await;

        let board = anna.asks("/api/v1/daily").await.ok().clone();
        let own = (&board["own"]["rank"], &board["own"]["wpm"], &board["own"]["game_id"]);
        assert_eq!(own, (&json!(1), &json!(90.25), &json!(best)));
        let marks = (&board["rows"][0]["own"], &board["rows"][1]["own"]);
        assert_eq!(marks, (&json!(true), &Value::Null));
        assert!(board["ends_at"].as_str().unwrap().ends_with("T00:00:00.000000Z"), "{board}");
        let left = board["seconds_left"].as_f64().unwrap();
        assert!((0.0..=86_400.0).contains(&left), "{left}");
        assert!(!board.to_string().contains(&anna.id), "{board}");
        assert_eq!(standing(&ben).await["own"]["rank"], 2);

        server.kill().await;
        server.restart().await;
        assert_eq!(rows(&server.site(), "").await, expected, "after a restart");
    })
    .await;
}

#[tokio::test]
async fn only_ranked_results_in_the_text_of_the_day_count() {
    let settings = quick(Server::with()).set("game.check_results", true);
    let server = settings.set("handlers.daily.words", 5).start().await;
    let mut anna = racer(&server.site(), ALONE).await;
    anna.finishes(70.0).await;
    anna.is_unranked("KEYSTROKES_NOT_SEEN").await;
    let unranked = standing(&anna).await;
    assert_eq!((unranked["day"].is_string(), &unranked["own"]), (true, &Value::Null));

    let mut plain = racer(&server.site(), "?game_type=single&words=5").await;
    let claim = plain.types_all(300.0).await;
    plain.posts(claim).await.ok();
    assert_eq!(standing(&plain).await, json!({"ok": true, "day": null, "own": null}));

    starts(&mut anna, ALONE).await;
    let claim = anna.types_all(300.0).await;
    anna.posts(claim).await.ok();
    anna.is_ranked().await;
    let own = standing(&anna).await["own"].clone();
    assert_eq!(own["rank"], 1, "{own}");
    assert_eq!(rows(&server.site(), "").await.len(), 1);
}

#[tokio::test]
async fn friends_race_the_text_of_the_day() {
    let server = quick(Server::with()).start().await;
    let (mut anna, mut ben) = (server.guest().await, server.guest().await);
    anna.queues_in(FRIENDS).await;
    // The link alone has no more than the token.
    ben.queues_in("?invite_token=abcdefghij").await;
    assert_eq!(anna.game, ben.game);
    assert!(standing(&ben).await["day"].is_string());
    let body = json!({"game_id": anna.game});
    anna.tells("/api/v1/lobby/start", body).await.ok();
    for player in [&mut anna, &mut ben] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in [&mut anna, &mut ben] {
        player.track().until("START").await;
    }
    let alone = racer(&server.site(), ALONE).await;
    assert_eq!(anna.words().await, alone.words().await);
    anna.finishes(60.0).await;
    ben.finishes(65.0).await;
    becomes(&server.site(), &[json!([1, 65.0]), json!([2, 60.0])]).await;
}

#[tokio::test]
async fn ties_and_pages_keep_their_order() {
    on_both(async |database| {
        let server = quick(database.settings()).start().await;
        let (mut expected, mut players) = (Vec::new(), Vec::new());
        for number in 0..5 {
            let mut player = server.guest().await;
            let wpm = [80.0, 70.0][number % 2];
            race(&mut player, wpm).await;
            // As fast, as accurate: the earlier one comes first.
            expected.push((wpm, player.game));
            players.push(player);
        }
        expected.sort_by(|a, b| b.0.total_cmp(&a.0));
        let speeds: Vec<_> = (1..).zip(&expected).map(|(rank, it)| json!([rank, it.0])).collect();
        becomes(&server.site(), &speeds).await;
        for player in &players {
            let own = standing(player).await["own"].clone();
            let place = expected.iter().position(|it| it.1 == player.game).unwrap() + 1;
            assert_eq!(own["rank"], place);
        }
        for size in [1, 2, 5] {
            let (mut all, mut path) = (Vec::new(), format!("/api/v1/daily?size={size}"));
            loop {
                let page = server.get(&path, ANONYMOUS).await;
                for row in page.ok()["rows"].as_array().unwrap() {
                    all.push(json!([row["rank"], row["wpm"]]));
                }
                if page.ok()["next"].is_null() {
                    break;
                }
                let link = page.header("link").to_owned();
                path = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
            }
            assert_eq!(all, speeds, "pages of {size}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_board_of_yesterday_can_be_read_and_expires_later() {
    on_both(async |database| {
        let server = quick(database.settings()).set("handlers.daily.keep_days", 2).start().await;
        let mut anna = server.guest().await;
        race(&mut anna, 70.0).await;
        assert_eq!(standing(&anna).await["own"]["rank"], 1);
        let today = server.get("/api/v1/daily", ANONYMOUS).await.ok()["day"].clone();
        let today = today.as_str().unwrap().to_owned();
        let path = format!("?day={today}");
        assert_eq!(rows(&server.site(), &path).await, [json!([1, 70.0])]);
        for other in ["?day=2020-02-29", "?day=2999-01-01"] {
            assert!(rows(&server.site(), other).await.is_empty());
        }
        // Two days after the end of this one.
        let items = anna.asks("/api/v1/profile/export").await;
        let kept = items.ok()["items"]["daily.entries"][0]["item"].clone();
        let (day, until) = (kept["day"].as_i64().unwrap(), kept["until"].as_i64().unwrap());
        assert_eq!((day % DAY, until - day), (0, 3 * DAY), "{kept}");
    })
    .await;
}

#[tokio::test]
async fn the_results_of_a_guest_are_those_of_the_account_and_go_with_it() {
    on_both(async |database| {
        let server = quick(database.settings()).start().await;
        let mut guest = server.guest().await;
        race(&mut guest, 75.0).await;
        assert_eq!(standing(&guest).await["own"]["rank"], 1);
        let body = json!({"name": "Anna", "password": "correct horse"});
        let anna = Device::from(&server.post("/api/v1/auth/local/register", &guest, &body).await);
        eventually("the account has the result", async || {
            let board = server.get("/api/v1/daily", &anna).await;
            (board.ok()["own"]["wpm"] == 75.0 && board.ok()["rows"][0]["name"] == "Anna")
                .then_some(())
        })
        .await;
        assert_eq!(rows(&server.site(), "").await, [json!([1, 75.0])]);
        let gone = server.request(reqwest::Method::DELETE, "/api/v1/profile", &anna);
        server.send(gone).await.ok();
        // The race can still be read, and says nothing of the player.
        assert!(rows(&server.site(), "").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn queries_of_the_challenge_have_their_limits() {
    let server = quick(Server::with()).start().await;
    let anna = server.guest().await;
    for bad in ["day=today", "day=2026-02-30", "size=0", "size=101", "cursor=", "cursor=AAAA"] {
        server.get(&format!("/api/v1/daily?{bad}"), &anna).await.refused(422, "VALIDATION_ERROR");
    }
    let path = "/api/v1/daily/standing";
    server.get(&format!("{path}?game_id=1"), ANONYMOUS).await.refused(401, "TOKEN_NOT_PROVIDED");
    server.get(path, &anna).await.refused(422, "VALIDATION_ERROR");
    server.get(&format!("{path}?game_id=99999"), &anna).await.refused(404, "GAME_NOT_FOUND");
    let path = "/api/v1/lobby/queue-in/ws?game_type=single&daily=perhaps";
    server.handshake(path, ANONYMOUS).await.refused(403, "VALIDATION_ERROR");
}
