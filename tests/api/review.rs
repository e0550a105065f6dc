//! Fair-play review: results under suspicion, verdicts, and what follows from them.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::database::{Database, on_both};
use crate::device::Device;
use crate::persona::Player;
use crate::recorder::{claim, keys, recording, send, socket_of_edits, wait};
use crate::server::{Server, eventually};
use crate::setup::Settings;
use crate::signing;
use crate::site::{ANONYMOUS, Answer, Caller};

const ORGANISER: &str = "google-77";

fn organiser() -> String {
    signing::sign(&signing::claims(ORGANISER, "Olga", "REGISTERED"))
}

fn reviewed(database: &Database, players: usize) -> Settings {
    let organisers = json!([ORGANISER]);
    let settings = database.settings().set("auth.organisers", organisers).set("auth.local", true);
    settings.set("game.player_limit", players).set("handlers.boards.least_words", 5)
}

async fn judge(server: &Server, by: &impl Caller, id: &Value, struck: bool, why: &str) -> Answer {
    let body = json!({"result_id": id, "struck": struck, "reason": why});
    server.post("/api/v1/review/verdicts", by, &body).await
}

async fn listed(server: &Server, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/review/results{query}");
    server.get(&path, &organiser()).await.ok()["results"].as_array().expect("rows").clone()
}

/// Waits until the board of all time has these names.
async fn board_is(server: &Server, query: &str, expected: &[&str]) {
    eventually("the board has these players", async || {
        let path = format!("/api/v1/boards?period=all&{query}");
        let board = server.get(&path, ANONYMOUS).await;
        let rows = board.ok()["rows"].as_array().expect("rows").clone();
        let names: Vec<_> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
        (names == expected).then_some(())
    })
    .await;
}

async fn rating(server: &Server, caller: &impl Caller) -> (f64, u64) {
    let answer = server.get("/api/v1/rating", caller).await;
    let own = answer.ok();
    (own["rating"].as_f64().expect("a number"), own["races"].as_u64().expect("a number"))
}

async fn rated(server: &Server, caller: &impl Caller, races: u64) -> f64 {
    eventually("so many races are rated", async || {
        let (rating, rated) = rating(server, caller).await;
        (rated == races).then_some(rating)
    })
    .await
}

/// Players with accounts in one race, after START.
async fn race_of<const N: usize>(server: &Server, devices: [&Device; N]) -> [Player; N] {
    let mut players = Vec::new();
    for device in devices {
        players.push(Player::known(&server.site(), device.access.clone()).await);
    }
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in &mut players {
        player.hears("START").await;
    }
    players.try_into().ok().expect("as many as asked for")
}

#[tokio::test]
async fn a_struck_result_leaves_boards_and_ratings_until_it_is_cleared() {
    on_both(async |database| {
        let server = reviewed(&database, 2).start().await;
        let devices = [
            Device::of_new_account(&server, "Anna").await,
            Device::of_new_account(&server, "Ben").await,
        ];
        let [anna, ben] = &devices;
        let [player, other] = race_of(&server, [anna, ben]).await;
        player.finishes(80.0).await;
        other.finishes(60.0).await;
        let (before, others) = (rated(&server, anna, 1).await, rated(&server, ben, 1).await);
        assert!(before > 1000.0 && others < 1000.0);
        board_is(&server, "", &["Anna", "Ben"]).await;
        let own = recording(&server, anna, player.game).await;
        assert_eq!(own["struck"], Value::Null);

        let id = &own["result_id"];
        let first = judge(&server, &organiser(), id, true, " typed by\na program").await;
        let verdict = first.ok();
        assert_eq!(
            (&verdict["struck"], &verdict["reason"]),
            (&json!(true), &json!("typed by a program"))
        );
        board_is(&server, "", &["Ben"]).await;
        assert_eq!(rated(&server, anna, 0).await.round(), 1000.0);
        assert_eq!(rating(&server, ben).await, (others, 1), "others keep theirs");
        let shown = eventually("the recording says so", async || {
            let own = recording(&server, anna, player.game).await;
            own["struck"].is_string().then_some(own)
        })
        .await;
        assert_eq!(shown["struck"], "typed by a program");
        let signed = format!("/api/v1/results/{}", id.as_str().expect("an id"));
        let signed = server.get(&signed, ANONYMOUS).await;
        assert_eq!(signed.ok()["result"]["struck"], "typed by a program");
        assert_eq!(listed(&server, "?judged=true").await[0]["verdict"], shown_verdict(verdict));
        // Again, it is the same one; and the race does not come back by being asked for.
        let again = judge(&server, &organiser(), id, true, "typed by a program").await;
        assert_eq!(again.ok(), verdict);
        let standing = format!("/api/v1/boards/standing?game_id={}", player.game);
        assert_eq!(server.get(&standing, anna).await.ok()["standings"], json!([]));
        board_is(&server, "", &["Ben"]).await;
        assert!(server.log().contains("strike result"), "it is in the audit log");

        // What is typed later counts.
        let [next, slow] = race_of(&server, [anna, ben]).await;
        next.finishes(50.0).await;
        slow.finishes(40.0).await;
        board_is(&server, "", &["Ben", "Anna"]).await;
        let later = rated(&server, anna, 1).await;

        judge(&server, &organiser(), id, false, "it was a misunderstanding").await.ok();
        board_is(&server, "", &["Anna", "Ben"]).await;
        let restored = rated(&server, anna, 2).await;
        assert!((restored - later - (before - 1000.0)).abs() < 1e-6, "{restored} {later} {before}");
        let own = recording(&server, anna, player.game).await;
        assert_eq!(own["struck"], Value::Null);
        let export = eventually("nothing is set aside any more", async || {
            let export = server.get("/api/v1/profile/export", anna).await;
            export.ok()["items"].get("boards.struck").is_none().then_some(export)
        })
        .await;
        let verdicts = &export.ok()["items"]["review.verdicts"];
        assert_eq!(verdicts.as_array().map(Vec::len), Some(1));
        assert!(!export.text.contains(ORGANISER), "by whom, the audit log says");
    })
    .await;
}

/// A verdict as it is in a row.
fn shown_verdict(answer: &Value) -> Value {
    let mut verdict = answer.clone();
    verdict.as_object_mut().expect("an object").remove("ok");
    verdict
}

#[tokio::test]
async fn a_race_is_rated_without_a_result_that_was_struck_before() {
    on_both(async |database| {
        let server = reviewed(&database, 3).start().await;
        let [anna, ben, cleo] = server.race_of().await;
        anna.finishes(200.0).await;
        let own = recording(&server, &anna, anna.game).await;
        judge(&server, &organiser(), &own["result_id"], true, "a program").await.ok();
        ben.finishes(80.0).await;
        cleo.finishes(60.0).await;
        let (winner, loser) = (rated(&server, &ben, 1).await, rated(&server, &cleo, 1).await);
        assert!((winner - 1000.0 - (1000.0 - loser)).abs() < 1e-6, "as of two: {winner} {loser}");
        assert_eq!(rating(&server, &anna).await.1, 0);
    })
    .await;
}

#[tokio::test]
async fn suspicious_results_are_listed_until_they_are_judged() {
    on_both(async |database| {
        let server = reviewed(&database, 1).set("game.word_count", 8).start().await;
        let [mut anna] = server.lobby_of::<1>().await;
        anna.lobby.until("GAME_START").await;
        let (mut socket, _) = socket_of_edits(&server, &anna).await;
        socket.until("START").await;
        let start = Instant::now();
        let text = anna.words().await.join(" ");
        let evenly =
            |(number, key): (u32, char)| json!({"at": number * 60, "ins": key.to_string()});
        let edits: Vec<_> = (1..).zip(text.chars()).map(evenly).collect();
        wait(start, edits.last().expect("edits")).await;
        send(&mut socket, anna.game, 0, &edits).await;
        anna.posts(claim(anna.game, &edits)).await.ok();
        let own = recording(&server, &anna, anna.game).await;
        let rows = listed(&server, "").await;
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(row["why"], json!(["signals", "too_even"]));
        assert_eq!((&row["link"], &row["result_id"]), (&own["link"], &own["result_id"]));
        assert_eq!((&row["grade"], &row["verdict"]), (&json!("positions"), &Value::Null));
        judge(&server, &organiser(), &row["result_id"], false, "a metronome").await.ok();
        eventually("it is judged", async || {
            let open = listed(&server, "").await;
            let judged = listed(&server, "?judged=true").await;
            (open.is_empty() && judged.len() == 1).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_board_can_have_verified_results_only() {
    on_both(async |database| {
        let server = reviewed(&database, 2).set("game.word_count", 6).start().await;
        let devices = [
            Device::of_new_account(&server, "Anna").await,
            Device::of_new_account(&server, "Ben").await,
        ];
        let [anna, ben] = &devices;
        let mut players = Vec::new();
        for device in [anna, ben] {
            players.push(Player::known(&server.site(), device.access.clone()).await);
        }
        for player in &mut players {
            player.lobby.until("GAME_START").await;
        }
        let (mut socket, _) = socket_of_edits(&server, &players[0]).await;
        players[1].race().await;
        socket.until("START").await;
        let start = Instant::now();
        players[1].hears("START").await;
        players[1].finishes(200.0).await;
        let player = &players[0];
        let edits = keys(&player.words().await.join(" "));
        wait(start, edits.last().expect("edits")).await;
        send(&mut socket, player.game, 0, &edits).await;
        player.posts(claim(player.game, &edits)).await.ok();
        board_is(&server, "", &["Ben", "Anna"]).await;
        board_is(&server, "grade=verified", &["Anna"]).await;
        let board = server.get("/api/v1/boards?period=all", ANONYMOUS).await;
        let rows = &board.ok()["rows"];
        assert_eq!((&rows[0]["grade"], &rows[1]["grade"]), (&json!("claimed"), &json!("verified")));
        let verified = server.get("/api/v1/boards?grade=verified", ANONYMOUS).await;
        assert_eq!(
            (&verified.ok()["grade"], &board.ok()["grade"]),
            (&json!("verified"), &Value::Null)
        );
        let own = recording(&server, anna, player.game).await;
        judge(&server, &organiser(), &own["result_id"], true, "another person typed").await.ok();
        board_is(&server, "", &["Ben"]).await;
        board_is(&server, "grade=verified", &[]).await;
        server
            .get("/api/v1/boards?grade=claimed", ANONYMOUS)
            .await
            .refused(422, "VALIDATION_ERROR");
    })
    .await;
}

#[tokio::test]
async fn only_organisers_judge_and_within_bounds() {
    let server = reviewed(&Database::Lite, 1).start().await;
    let [anna] = server.race_of().await;
    anna.finishes(80.0).await;
    let id = recording(&server, &anna, anna.game).await["result_id"].clone();
    judge(&server, &anna, &id, true, "envy").await.refused(403, "NOT_PERMITTED");
    judge(&server, ANONYMOUS, &id, true, "envy").await.refused(401, "TOKEN_NOT_PROVIDED");
    server.get("/api/v1/review/results", &anna).await.refused(403, "NOT_PERMITTED");
    let unknown = json!(format!("{}-{}", anna.game, "0".repeat(20)));
    let organiser = organiser();
    judge(&server, &organiser, &unknown, true, "it").await.refused(404, "GAME_NOT_FOUND");
    for (id, reason) in [(&id, ""), (&id, &"x".repeat(301)[..]), (&json!("x".repeat(61)), "x")] {
        judge(&server, &organiser, id, true, reason).await.refused(422, "VALIDATION_ERROR");
    }
    for query in ["judged=maybe", "size=0", "cursor=!"] {
        let answer = server.get(&format!("/api/v1/review/results?{query}"), &organiser).await;
        answer.refused(422, "VALIDATION_ERROR");
    }
    let pages = async |caller: &str| {
        let answer = server.get("/web/modules.json", &caller.to_owned()).await;
        answer.text.contains("/web/modules/review/review.js")
    };
    assert!(
        pages(&organiser).await && !pages(&anna.token).await,
        "the page is shown to organisers"
    );
}

#[tokio::test]
async fn organisers_do_not_judge_results_of_their_own() {
    let settings = Server::with().embedded().set("auth.local", true).set("game.player_limit", 2);
    let mut server = settings.start().await;
    let devices = [
        Device::of_new_account(&server, "Anna").await,
        Device::of_new_account(&server, "Ben").await,
    ];
    let [anna, ben] = &devices;
    let [player, other] = race_of(&server, [anna, ben]).await;
    player.finishes(80.0).await;
    other.finishes(60.0).await;
    let id =
        async |device: &Device| recording(&server, device, player.game).await["result_id"].clone();
    let (own, others) = (id(anna).await, id(ben).await);
    judge(&server, anna, &others, true, "no role yet").await.refused(403, "NOT_PERMITTED");
    let organisers = format!("TP_AUTH__ORGANISERS='{}'\n", json!([player.id]));
    let home = server.data_dir();
    let home = home.parent().expect("the working directory");
    std::fs::write(home.join(".env"), organisers).expect("a file beside the data");
    server.kill().await;
    server.restart().await;
    judge(&server, anna, &own, false, "it was me").await.refused(403, "NOT_PERMITTED");
    judge(&server, anna, &others, true, "it was another person").await.ok();
}
