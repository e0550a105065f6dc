//! The program as its operator meets it: settings, start-ups that fail, commands that print.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use crate::process::Outcome;
use crate::server::{Server, Settings};
use crate::site::ANONYMOUS;

/// One sentence that names the culprit, on stderr, and a status that tells a script.
#[track_caller]
fn fails_with_one_sentence(outcome: &Outcome, naming: &str) {
    assert!(!outcome.status.success(), "{}", outcome.status);
    assert!(outcome.status.code().is_some(), "no signal: {}", outcome.status);
    let sentence = outcome.stderr.trim();
    assert_eq!(sentence.lines().count(), 1, "one sentence: {sentence:?}");
    assert!(
        sentence.to_lowercase().contains(&naming.to_lowercase()),
        "it names {naming}: {sentence}"
    );
    assert!(!sentence.contains("panicked") && !sentence.contains("src/"), "{sentence}");
}

fn handlers() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/handlers");
    let entries = std::fs::read_dir(folder).expect("the folder of handler modules");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let modules =
        paths.filter(|path| path.is_dir() || path.extension().is_some_and(|ext| ext == "rs"));
    let names =
        modules.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned());
    // What modules share is no module.
    names.filter(|name| name != "shared").collect()
}

#[test]
fn a_setting_of_the_wrong_type_is_named() {
    for (key, value) in [
        ("game.player_limit", "many"),
        ("game.lobby_countdown", "soon"),
        ("game.lobby_countdown", "-1"),
        ("game.check_results", "perhaps"),
        ("server.port", "80800"),
        ("cors.allow_origins", "http://localhost"),
    ] {
        let outcome = Server::with().set(key, value).run();
        fails_with_one_sentence(&outcome, key.rsplit('.').next().expect("a key"));
    }
}

#[test]
fn an_unknown_setting_is_named() {
    let outcome = Server::with().set("game.player_limits", 5).run();
    fails_with_one_sentence(&outcome, "player_limits");
    let outcome = Server::with().set("gaem.player_limit", 5).run();
    fails_with_one_sentence(&outcome, "gaem");
}

#[test]
fn a_wrong_setting_in_a_file_is_named_too() {
    let outcome = Server::with().file("setting.yaml", "game:\n  player_limit: many\n").run();
    fails_with_one_sentence(&outcome, "player_limit");
    let outcome = Server::with().file("setting.yaml", "game: [\n").run();
    fails_with_one_sentence(&outcome, "setting.yaml");
    let outcome = Server::with().argument("-c").argument("nowhere.yaml").run();
    fails_with_one_sentence(&outcome, "nowhere.yaml");
}

#[test]
fn a_key_that_is_none_is_named() {
    let outcome = Server::with().set("token.private_key", "no key").run();
    fails_with_one_sentence(&outcome, "private_key");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port().to_string();
    let outcome = Server::with().set("server.port", &port).run();
    fails_with_one_sentence(&outcome, &port);
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    let settings = Server::with().file("in-the-way", "a file, not a directory");
    let path = settings.data_dir().with_file_name("in-the-way").join("data");
    let path = path.to_str().expect("a path").to_owned();
    let outcome = settings.set("data_dir", &path).run();
    fails_with_one_sentence(&outcome, &path);
}

#[test]
fn a_broker_alone_makes_no_cluster() {
    let outcome = Server::with().set("amqp.host", "localhost").run();
    fails_with_one_sentence(&outcome, "amqp");
}

#[test]
fn the_help_explains_the_program() {
    let outcome = Server::with().argument("--help").run();
    assert!(outcome.status.success(), "{}", outcome.stderr);
    for word in ["handlers", "config", "--init", "--setting", "--secret-setting", "TP_"] {
        assert!(outcome.stdout.contains(word), "{word} is not explained:\n{}", outcome.stdout);
    }
}

#[test]
fn an_unknown_argument_is_refused() {
    let outcome = Server::with().argument("--fast").run();
    assert!(!outcome.status.success());
    assert!(outcome.stderr.contains("--fast"), "{}", outcome.stderr);
}

#[test]
fn the_wiring_is_printed_as_a_table() {
    let outcome = Server::with().argument("handlers").run();
    assert!(outcome.status.success(), "{}", outcome.stderr);
    for handler in handlers() {
        assert!(outcome.stdout.contains(&handler), "{handler} is not in\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.contains("/api/v1/lobby/queue-in/ws"), "{}", outcome.stdout);
}

#[test]
fn the_wiring_is_printed_for_programs() {
    let outcome = Server::with().argument("handlers").argument("--json").run();
    assert!(outcome.status.success(), "{}", outcome.stderr);
    let wiring: Value = serde_json::from_str(&outcome.stdout).expect("JSON and nothing else");
    for handler in handlers() {
        assert!(
            wiring.to_string().contains(&format!("\"{handler}\"")),
            "{handler} is not in {wiring}"
        );
    }
}

#[tokio::test]
async fn the_health_command_says_whether_a_server_takes_players() {
    let health = || Server::with().embedded().argument("health");
    let server = Server::with().embedded().start().await;
    for fine in [
        health().set("server.port", server.port()),
        health().argument("--at").argument(format!("localhost:{}", server.port())),
    ] {
        let outcome = fine.run();
        assert!(outcome.status.success(), "{}", outcome.stderr);
        assert_eq!((outcome.stdout, outcome.stderr), (String::new(), String::new()));
    }
    let place = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = place.local_addr().expect("an address").port();
    let unready = std::thread::spawn(move || {
        let (mut stream, _) = place.accept().expect("a question");
        let _ = stream.read(&mut [0; 1024]).expect("its head");
        let envelope = r#"{"ok":false,"error":{"code":"UNKNOWN_ERROR","message":"no Redis"}}"#;
        write!(stream, "HTTP/1.1 500 x\r\n\r\n{envelope}").expect("an answer");
    });
    let outcome = health().set("server.port", port).run();
    unready.join().expect("one question");
    assert_eq!(outcome.status.code(), Some(1));
    let why = format!("typephoon-api: 127.0.0.1:{port} is not ready (status 500): no Redis\n");
    assert_eq!(outcome.stderr, why);
    let outcome = health().set("server.port", port).run();
    assert_eq!(outcome.status.code(), Some(1));
    assert!(outcome.stderr.contains("does not answer: "), "{}", outcome.stderr);
}

#[test]
fn the_settings_in_force_are_printed_without_secrets() {
    let outcome = Server::with()
        .file(
            "setting.yaml",
            "game:\n  player_limit: 7\n  word_count: 11\ngoogle:\n  client_secret: hush-hush\n",
        )
        .set("game.player_limit", 9)
        .argument("config")
        .run();
    assert!(outcome.status.success(), "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("player_limit: 9"),
        "the environment wins:\n{}",
        outcome.stdout
    );
    assert!(outcome.stdout.contains("word_count: 11"), "over the file:\n{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("cleanup_countdown: 900"),
        "over the default:\n{}",
        outcome.stdout
    );
    for secret in ["hush-hush", "BEGIN PRIVATE KEY"] {
        assert!(!outcome.stdout.contains(secret), "{}", outcome.stdout);
    }
}

#[tokio::test]
async fn init_is_always_accepted() {
    let server = Server::with().embedded().argument("--init").start().await;
    server.guest().await;
}

#[tokio::test]
async fn a_settings_file_of_today_is_understood() {
    let file = "
game:
  lobby_countdown: 60
  player_limit: 1
  start_countdown: 0.3
  word_count: 4
cors:
  allow_origins:
    - http://localhost:9090
front_end_endpoint: http://localhost:9090
error_redirect: http://localhost:9090/error
google:
  client_id: someone
  redirect_url: http://localhost:9090/api/v1/auth/google/login-redirect
logger:
  version: 1
  handlers:
    console:
      class: logging.StreamHandler
";
    let secrets = "google:\n  client_secret: hush-hush\n";
    let server = own_file(file)
        .file("secret.yaml", secrets)
        .argument("--setting")
        .argument("today.yaml")
        .argument("-sc")
        .argument("secret.yaml")
        .start()
        .await;
    let [anna] = server.race_of().await;
    assert_eq!(anna.words().await.len(), 4);
    let request = server.request(reqwest::Method::GET, "/healthcheck/alive", ANONYMOUS);
    let answer = server.send(request.header("origin", "http://localhost:9090")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:9090");
    let mentioned = server.log().lines().filter(|line| line.contains("logger")).count();
    assert_eq!(mentioned, 1, "what is ignored is said in one line");
}

/// Leaves to the file what the tests usually set.
fn own_file(text: &str) -> Settings {
    Server::with()
        .embedded()
        .unset("game.lobby_countdown")
        .unset("game.start_countdown")
        .file("today.yaml", text)
}

#[tokio::test]
async fn a_line_in_dot_env_counts_as_environment() {
    let server = own_file("")
        .file(
            ".env",
            "TP_GAME__PLAYER_LIMIT=1\nTP_GAME__WORD_COUNT=6\nTP_GAME__START_COUNTDOWN=0.3\n",
        )
        .start()
        .await;
    let [anna] = server.race_of().await;
    assert_eq!(anna.words().await.len(), 6);
}

#[tokio::test]
async fn a_key_may_have_its_line_breaks_written_out() {
    let one_line = |pem: &str| pem.replace('\n', "\\n");
    let server = Server::with()
        .set("token.private_key", one_line(crate::signing::PRIVATE_KEY))
        .set("token.public_key", one_line(crate::signing::PUBLIC_KEY))
        .start()
        .await;
    server.guest().await;
}

#[tokio::test]
async fn a_module_can_be_switched_off() {
    let server = Server::with().set("handlers.disabled", r#"["profile"]"#).start().await;
    let anna = server.guest().await;
    server.get("/api/v1/profile/user-info", &anna).await.refused(404, "NOT_FOUND");
}

#[test]
fn a_module_that_does_not_exist_cannot_be_switched_off() {
    let outcome = Server::with().set("handlers.disabled", r#"["teleport"]"#).run();
    fails_with_one_sentence(&outcome, "teleport");
}
