//! Boards: the best races of today, of this week and of all time.

use serde_json::{Value, json};

use crate::database::{Database, on_both};
use crate::device::Device;
use crate::persona::Player;
use crate::server::{Server, eventually};
use crate::setup::Settings;
use crate::site::ANONYMOUS;

/// The boards of a race.
const PERIODS: [&str; 3] = ["", "period=week", "period=all&kind=words"];

/// Races alone, of players with accounts.
fn races(database: &Database) -> Settings {
    database.settings().set("auth.local", true).set("game.lobby_countdown", 0.2)
}

/// A player with an account, and without a race.
async fn account(server: &Server, name: &str) -> Device {
    Device::of_new_account(server, name).await
}

/// Races alone, and reports this speed. Returns the race.
async fn race(server: &Server, device: &Device, wpm: f64) -> i64 {
    let mut player = Player::known(&server.site(), device.access.clone()).await;
    player.lobby.until("GAME_START").await;
    player.race().await;
    player.hears("START").await;
    player.finishes(wpm).await;
    player.game
}

/// The rows of a board, as rank, name and speed.
async fn rows(server: &Server, query: &str) -> Vec<Value> {
    let board = server.get(&format!("/api/v1/boards?{query}"), ANONYMOUS).await;
    let rows = board.ok()["rows"].as_array().expect("rows").clone();
    rows.into_iter().map(|row| json!([row["rank"], row["name"], row["wpm"]])).collect()
}

/// Waits until a board has these rows.
async fn becomes(server: &Server, query: &str, expected: &[Value]) {
    eventually("the board has these rows", async || {
        (rows(server, query).await == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_player_is_on_a_board_with_the_best_race() {
    on_both(async |database| {
        let mut server = races(&database).start().await;
        let (anna, ben) = (account(&server, "Anna").await, account(&server, "Ben").await);
        race(&server, &anna, 70.0).await;
        race(&server, &ben, 80.5).await;
        let best = race(&server, &anna, 90.25).await;
        race(&server, &anna, 60.0).await;
        let expected = [json!([1, "Anna", 90.25]), json!([2, "Ben", 80.5])];
        for query in PERIODS {
            becomes(&server, query, &expected).await;
        }
        assert!(rows(&server, "kind=code").await.is_empty());
        let board = server.get("/api/v1/boards", &anna).await;
        let board = board.ok();
        assert_eq!((&board["period"], &board["kind"]), (&json!("day"), &json!("words")));
        assert_eq!(
            (&board["rows"][0]["own"], &board["rows"][1]["own"]),
            (&json!(true), &Value::Null)
        );
        assert!(board["ends_at"].as_str().unwrap().ends_with("T00:00:00.000000Z"), "{board}");
        let ids = [crate::signing::read(&anna.access), crate::signing::read(&ben.access)];
        for id in ids.map(|claims| claims["sub"].as_str().unwrap().to_owned()) {
            assert!(!board.to_string().contains(&id), "the id of an account is not shown");
        }

        let standing = server.get("/api/v1/boards/standing", &anna).await;
        let standings = standing.ok()["standings"].as_array().unwrap().clone();
        let shown = |it: &Value| json!([it["period"], it["rank"], it["game_id"], it["wpm"]]);
        let own = ["day", "week", "all"].map(|period| json!([period, 1, best, 90.25]));
        assert_eq!(standings.iter().map(shown).collect::<Vec<_>>(), own);

        server.kill().await;
        server.restart().await;
        assert_eq!(rows(&server, "period=all").await, expected, "after a restart");
    })
    .await;
}

#[tokio::test]
async fn the_standing_of_a_race_has_that_race_at_once() {
    on_both(async |database| {
        let server = races(&database).start().await;
        let anna = account(&server, "Anna").await;
        for wpm in [50.0, 60.0, 70.0] {
            let game = race(&server, &anna, wpm).await;
            let standing =
                server.get(&format!("/api/v1/boards/standing?game_id={game}"), &anna).await;
            let standing = standing.ok();
            assert_eq!(standing["kind"], "words");
            for place in standing["standings"].as_array().unwrap() {
                assert_eq!((&place["rank"], &place["wpm"]), (&json!(1), &json!(wpm)));
                assert_eq!(place["game_id"], game);
            }
            assert_eq!(standing["standings"].as_array().unwrap().len(), 3);
        }
    })
    .await;
}

#[tokio::test]
async fn ties_and_pages_keep_their_order() {
    on_both(async |database| {
        let server = races(&database).start().await;
        let mut expected = Vec::new();
        for number in 0..7 {
            let device = account(&server, &format!("Player {number}")).await;
            let wpm = [80.0, 70.0][number % 2];
            race(&server, &device, wpm).await;
            expected.push((wpm, format!("Player {number}")));
        }
        // As fast, as accurate: the earlier one comes first.
        expected.sort_by(|a, b| b.0.total_cmp(&a.0));
        let expected: Vec<_> =
            (1..).zip(expected).map(|(rank, (wpm, name))| json!([rank, name, wpm])).collect();
        becomes(&server, "period=all", &expected).await;
        for size in [1, 2, 3, 7] {
            let (mut all, mut path) = (Vec::new(), format!("/api/v1/boards?size={size}"));
            loop {
                let page = server.get(&path, ANONYMOUS).await;
                let body = page.ok();
                for row in body["rows"].as_array().unwrap() {
                    all.push(json!([row["rank"], row["name"], row["wpm"]]));
                }
                let Some(next) = body["next"].as_str() else { break };
                let link = page.header("link").to_owned();
                path = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
                assert!(path.ends_with(&format!("&cursor={next}")), "{link}");
            }
            assert_eq!(all, expected, "pages of {size}");
        }
    })
    .await;
}

#[tokio::test]
async fn guests_are_on_no_board_until_they_have_an_account() {
    let server = races(&Database::Lite).start().await;
    let [guest] = server.race_of().await;
    guest.finishes(75.0).await;
    let path = format!("/api/v1/boards/standing?game_id={}", guest.game);
    assert_eq!(server.get(&path, &guest).await.ok()["standings"], json!([]));
    assert!(rows(&server, "").await.is_empty());
    let body = json!({"name": "Anna", "password": "correct horse"});
    let answer = server.post("/api/v1/auth/local/register", &guest, &body).await;
    let _anna = Device::from(&answer);
    becomes(&server, "period=all", &[json!([1, "Anna", 75.0])]).await;
}

#[tokio::test]
async fn a_player_who_goes_away_leaves_the_boards_and_takes_the_entries_along() {
    on_both(async |database| {
        let server = races(&database).start().await;
        let (anna, ben) = (account(&server, "Anna").await, account(&server, "Ben").await);
        race(&server, &anna, 70.0).await;
        race(&server, &ben, 60.0).await;
        for query in PERIODS {
            becomes(&server, query, &[json!([1, "Anna", 70.0]), json!([2, "Ben", 60.0])]).await;
        }
        let export = server.get("/api/v1/profile/export", &anna).await;
        let entries = export.ok()["items"]["boards.entries"].as_array().unwrap().clone();
        assert_eq!(entries.len(), 3);
        assert!(entries.iter().all(|it| it["item"]["figures"]["wpm"] == 70.0), "{entries:?}");
        let gone = server.request(reqwest::Method::DELETE, "/api/v1/profile", &anna);
        server.send(gone).await.ok();
        for query in PERIODS {
            assert_eq!(rows(&server, query).await, [json!([1, "Ben", 60.0])]);
        }
    })
    .await;
}

#[tokio::test]
async fn queries_of_boards_have_their_limits() {
    let server = Server::start().await;
    let anna = server.guest().await;
    for bad in [
        "period=year",
        "kind=",
        "kind=Words",
        "kind=a%20b",
        "size=0",
        "size=101",
        "size=ten",
        "cursor=",
        "cursor=1.1.x",
        "cursor=AAAA",
    ] {
        server.get(&format!("/api/v1/boards?{bad}"), &anna).await.refused(422, "VALIDATION_ERROR");
    }
    server.get("/api/v1/boards/standing", ANONYMOUS).await.refused(401, "TOKEN_NOT_PROVIDED");
    server.get("/api/v1/boards/standing?game_id=x", &anna).await.refused(422, "VALIDATION_ERROR");
    let unknown = server.get("/api/v1/boards/standing?game_id=99", &anna).await;
    assert_eq!(*unknown.ok(), json!({"ok": true, "kind": "words", "standings": []}));
}
