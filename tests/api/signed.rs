//! Signed results: fetched by anyone, and checked without the server.

use serde_json::{Value, json};

use crate::database::on_both;
use crate::persona::Player;
use crate::process::Outcome;
use crate::recorder::{claim, keys, recording, send, socket_of_edits, wait};
use crate::server::{Server, Settings, eventually};
use crate::signing;
use crate::site::ANONYMOUS;

/// Plays a race with edits; returns the player, and the document of the result.
async fn verified_race(server: &Server) -> (Player, Value) {
    let [mut anna] = server.lobby_of::<1>().await;
    anna.lobby.until("GAME_START").await;
    let (mut socket, _) = socket_of_edits(server, &anna).await;
    socket.until("START").await;
    let start = tokio::time::Instant::now();
    let edits = keys(&anna.words().await.join(" "));
    wait(start, edits.last().expect("edits")).await;
    send(&mut socket, anna.game, 0, &edits).await;
    anna.posts(claim(anna.game, &edits)).await.ok();
    // On a busy machine the pod of the socket stores its log after another one has taken the claim.
    let own = eventually("the result is verified", async || {
        let own = recording(server, &anna, anna.game).await;
        (own["grade"] == "verified").then_some(own)
    })
    .await;
    let document = document(server, &own).await;
    (anna, document)
}

/// The document of a recording, as anyone gets it.
async fn document(server: &Server, own: &Value) -> Value {
    let id = own["result_id"].as_str().expect("an id");
    server.get(&format!("/api/v1/results/{id}"), ANONYMOUS).await.ok().clone()
}

/// Checks a document by the command, with the key that a route has returned.
fn verify(document: &str, key: &str) -> Outcome {
    let home = Server::with().embedded().file("result.json", document).file("key.pem", key);
    command(home, &["result.json", "--key", "key.pem"])
}

fn command(settings: Settings, arguments: &[&str]) -> Outcome {
    let settings = settings.argument("verify");
    arguments.iter().fold(settings, |settings, it| settings.argument(it)).run()
}

fn fails_with(outcome: &Outcome, word: &str) {
    assert_eq!(outcome.status.code(), Some(1), "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stderr.starts_with("typephoon-api: "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains(word), "{word} is not in {}", outcome.stderr);
    assert_eq!((outcome.stderr.lines().count(), outcome.stdout.as_str()), (1, ""));
}

#[tokio::test]
async fn a_result_is_signed_for_anyone_and_checked_without_the_server() {
    on_both(async |database| {
        let settings = database.settings().set("game.player_limit", 1).set("game.word_count", 6);
        let server = settings.start().await;
        let (anna, document) = verified_race(&server).await;
        let own = recording(&server, &anna, anna.game).await;
        assert_eq!(document["result"]["wpm"], own["wpm"]);
        assert!(!document.to_string().contains(&anna.id), "no ids");
        // The same on each pod, and each time.
        for _ in 0..4 {
            assert_eq!(self::document(&server, &own).await, document);
        }
        let key = server.get("/api/v1/results/key", ANONYMOUS).await;
        assert_eq!((key.status, key.header("content-type")), (200, "application/x-pem-file"));
        assert_eq!(key.text.trim(), signing::PUBLIC_KEY.trim());

        let outcome = verify(&document.to_string(), &key.text);
        assert!(outcome.status.success(), "{}", outcome.stderr);
        for line in ["signature  good", "those of the log", "grade      verified", "rank 1"] {
            assert!(outcome.stdout.contains(line), "{line} is not in\n{}", outcome.stdout);
        }
        let replay = format!("/api/v1/recordings/{}", own["link"].as_str().expect("a link"));
        let replay = server.get(&replay, ANONYMOUS).await;
        let player = &replay.ok()["players"][0];
        assert_eq!(player["result_id"], own["result_id"]);
        assert_eq!(player["name"], document["result"]["name"]);
    })
    .await;
}

#[tokio::test]
async fn the_check_finds_what_was_changed_and_names_it() {
    let settings = Server::with().set("game.player_limit", 1).set("game.word_count", 6);
    let server = settings.start().await;
    let (anna, document) = verified_race(&server).await;
    let key = server.get("/api/v1/results/key", ANONYMOUS).await.text;
    let mut faster = document.clone();
    faster["result"]["wpm"] = json!(250);
    fails_with(&verify(&faster.to_string(), &key), "signature: what is signed is another result");
    let mut other_log = document.clone();
    other_log["log"] = json!("AAAA");
    fails_with(&verify(&other_log.to_string(), &key), "log: its SHA-256");
    // A token of the player is signed by the same key.
    let mut token = document.clone();
    token["signature"] = json!(anna.token);
    fails_with(&verify(&token.to_string(), &key), "signature: its type is \"JWT\"");
    fails_with(&verify("{\"ok\":true}", &key), "format: this is no signed result");
    fails_with(&verify("\u{0}\u{1}", &key), "format: this is no signed result");
    fails_with(&verify(&"[".repeat(100_000), &key), "format: this is no signed result");
    fails_with(&verify(&"x".repeat(600 * 1024), &key), "more than 512 KiB");
    fails_with(&verify(&document.to_string(), "nonsense"), "key 1 is not an RSA key in PEM");
    fails_with(&verify(&document.to_string(), ""), "there is no key in it");
}

#[tokio::test]
async fn a_signed_result_is_no_token_of_its_player() {
    let server = Server::with().set("game.player_limit", 1).set("game.word_count", 6).start().await;
    let (_, document) = verified_race(&server).await;
    let signature = document["signature"].as_str().expect("a JWS").to_owned();
    server.get("/api/v1/profile/user-info", &signature).await.refused(400, "INVALID_TOKEN");
    let header = signing::header(&signature);
    assert_eq!(header.typ.as_deref(), Some("typephoon-result.v1+jwt"));
    assert!(header.kid.is_some());
}

#[tokio::test]
async fn only_results_that_exist_are_signed_by_ids_that_cannot_be_guessed() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    anna.finishes(80.0).await;
    let own = recording(&server, &anna, anna.game).await;
    let claimed = document(&server, &own).await;
    assert_eq!(claimed["result"]["grade"], "claimed");
    assert_eq!(claimed["result"]["log"]["count"], 0);
    let link = own["link"].as_str().expect("a link");
    for bad in [link, &format!("{}-1", anna.game), &anna.game.to_string(), "x", "-", "9-9"] {
        let answer = server.get(&format!("/api/v1/results/{bad}"), ANONYMOUS).await;
        answer.refused(404, "GAME_NOT_FOUND");
    }
}

#[test]
fn the_command_is_explained_and_goes_with_its_module() {
    let outcome = Server::with().argument("--help").run();
    assert!(outcome.stdout.contains("verify"), "{}", outcome.stdout);
    let outcome = Server::with().argument("verify").argument("--help").run();
    assert!(outcome.status.success(), "{}", outcome.stderr);
    for word in ["<FILE>", "--key <PUBLIC_KEY.pem>", "standard input", "--setting"] {
        assert!(outcome.stdout.contains(word), "{word} is not in\n{}", outcome.stdout);
    }
    let outcome = Server::with().argument("verify").run();
    assert_eq!(outcome.status.code(), Some(2), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("<FILE>"), "{}", outcome.stderr);
    fails_with(&command(Server::with(), &["no-such-file"]), "no-such-file cannot be read");
    // Nothing is given on standard input.
    fails_with(&command(Server::with(), &["-"]), "-: format: this is no signed result");
    let without = Server::with().set("handlers.disabled", "[\"recorder\"]");
    fails_with(&command(without, &["x"]), "the module recorder, which handlers.disabled");
    let elsewhere = Server::with().embedded().unset("token.public_key").unset("token.private_key");
    fails_with(&command(elsewhere, &["x"]), "there is no public key in ");
}
