//! What the `config` command prints.

use super::{Settings, settings};

const FULL: &str = "
db: {password: hunter2, url: 'postgres://u:hunter2@records/db'}
redis: {url: 'redis://:hunter2@cache'}
amqp: {password: hunter2}
token: {private_key: hunter2}
google: {client_id: abc, client_secret: hunter2, token_url: 'https://u:hunter2@provider/token'}
telemetry: {otlp_endpoint: 'https://hunter2@collector'}
game: {lobby_countdown: 2.5}
handlers:
  replay: {api_key: hunter2, keep: 3, keystrokes: 4, stores: [{url: 's3://k:hunter2@store'}, {credentials: {a: hunter2}}]}
";

#[test]
fn no_secret_is_shown() {
    let settings = settings(FULL, &[("SERVER_NAME", "pod-1")]);
    let shown = settings.masked_yaml();
    assert!(!shown.contains("hunter2"), "{shown}");
    for line in [
        "url: postgres://u:***@records/db",
        "url: redis://:***@cache",
        "client_id: abc",
        "client_secret: '***'",
        "token_url: https://u:***@provider/token",
        "lobby_countdown: 2.5",
        "start_countdown: 5\n",
        "api_key: '***'",
        "keystrokes: 4",
        "# SERVER_NAME: \"pod-1\"",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
}

#[test]
fn debug_output_shows_no_password() {
    let read = settings(FULL, &[]);
    let services = format!("{:?} {:?} {:?}", read.db, read.redis, read.amqp);
    let rest = format!("{:?} {:?} {:?}", read.token, read.google.client_secret, read.handlers);
    assert!(!services.contains("hunter2"), "{services}");
    assert!(!rest.contains("hunter2"), "{rest}");
}

#[test]
fn what_is_shown_can_be_read_back() {
    let shown = Settings::default().masked_yaml();
    assert_eq!(settings(&shown, &[]).masked_yaml(), shown);
    assert!(shown.contains("# not configured, embedded instead: db, redis, amqp\n"));
}

#[test]
fn a_level_with_line_breaks_stays_in_its_comment() {
    let read = settings("", &[("LOG_LEVEL", "in\u{1}fo\ngame: 1,sqlx=warn")]);
    let shown = read.masked_yaml();
    assert!(shown.contains("\n# LOG_LEVEL: in\\u{1}fo\\ngame: 1,sqlx=warn\n"), "{shown}");
    assert_eq!(settings(&shown, &[]).masked_yaml(), Settings::default().masked_yaml());
}
