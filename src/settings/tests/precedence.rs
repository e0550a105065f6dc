//! Which source wins, and how each kind of value is read from it.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::super::SecureCookies;
use super::{Written, loaded, settings};

#[test]
fn environment_wins_over_secret_file_over_setting_file_over_default() {
    let setting = "server: {host: a, port: 1}\ngoogle: {client_id: a}\ndata_dir: a\n";
    let written = Written {
        setting: Some(setting),
        secret: Some("server: {host: b, port: 2}\ngoogle: {client_id: b}\n"),
        environment: &[("TP_SERVER__HOST", "c")],
    };
    let settings = written.load().unwrap().settings;
    assert_eq!(settings.server.host, "c");
    assert_eq!(settings.server.port, 2);
    assert_eq!(settings.google.client_id.as_deref(), Some("b"));
    assert_eq!(settings.data_dir, Path::new("a"));
    assert_eq!(settings.game.word_count, 25);
}

#[test]
fn nothing_said_means_the_embedded_defaults() {
    let settings = Written::default().load().unwrap().settings;
    assert!(settings.db.is_none() && settings.redis.is_none() && settings.amqp.is_none());
    assert_eq!(settings.log_level, "info");
    assert_eq!(settings.server_name, None);
}

#[test]
fn a_service_is_switched_on_by_being_mentioned() {
    assert_eq!(settings("db:\n", &[]).db.unwrap().port, 5432);
    let by_variable = settings("", &[("TP_DB__HOST", "records")]).db.unwrap();
    assert_eq!(by_variable.host, "records");
    assert_eq!(by_variable.password.expose(), "password");
    let by_json = settings("", &[("TP_REDIS", r#"{"port": 7}"#)]);
    assert_eq!(by_json.redis.unwrap().port, 7);
}

#[test]
fn an_empty_variable_switches_a_service_off_again() {
    assert!(settings("db: {host: records}", &[("TP_DB", "")]).db.is_none());
    let again = [("TP_DB", ""), ("TP_DB__PORT", "6")];
    let db = settings("db: {host: records}", &again).db.unwrap();
    assert_eq!((db.host.as_str(), db.port), ("localhost", 6));
}

#[test]
fn a_variable_is_read_as_the_kind_of_its_setting() {
    let environment = [
        ("TP_GOOGLE__CLIENT_ID", "0123"),
        ("TP_SERVER__PORT", "9000"),
        ("TP_GAME__LOBBY_COUNTDOWN", "0.5"),
        ("TP_GAME__START_COUNTDOWN", "0"),
        ("TP_GAME__CHECK_RESULTS", "off"),
        ("TP_COOKIES__SECURE", "No"),
        ("TP_CORS__ALLOW_ORIGINS", r#"["https://Play.example.org/"]"#),
        ("TP_HANDLERS__DISABLED", r#"["chat"]"#),
        ("TP_GAME__WORD_FILE", "/words"),
        ("TP_LIMITS__TRUSTED_PROXIES", ""),
    ];
    let settings = settings("limits: {trusted_proxies: [10.0.0.1]}", &environment);
    assert_eq!(settings.google.client_id.as_deref(), Some("0123"));
    assert_eq!(settings.server.port, 9000);
    assert_eq!(settings.game.lobby_countdown, Duration::from_millis(500));
    assert_eq!(settings.game.start_countdown, Duration::ZERO);
    assert!(!settings.game.check_results);
    assert_eq!(settings.cookies.secure, SecureCookies::Never);
    assert_eq!(settings.cors.allow_origins, ["https://play.example.org"]);
    assert_eq!(settings.handlers.disabled, ["chat"]);
    assert_eq!(settings.game.word_file.as_deref(), Some(Path::new("/words")));
    assert!(settings.limits.trusted_proxies.is_empty());
}

#[test]
fn secure_is_a_switch_that_may_be_left_to_the_server() {
    for (written, meant) in [
        ("auto", SecureCookies::Auto),
        ("Auto", SecureCookies::Auto),
        ("true", SecureCookies::Always),
        ("'on'", SecureCookies::Always),
        ("false", SecureCookies::Never),
    ] {
        let file = format!("cookies: {{secure: {written}}}");
        assert_eq!(settings(&file, &[]).cookies.secure, meant, "{written}");
    }
    assert_eq!(settings("", &[]).cookies.secure, SecureCookies::Auto);
}

#[test]
fn an_empty_optional_value_is_unset() {
    let setting = "google: {client_id: x, client_secret: y}\ngame: {word_file: z}\ntoken: {private_key: ''}\n";
    let environment = [
        ("TP_GOOGLE__CLIENT_ID", ""),
        ("TP_GOOGLE__CLIENT_SECRET", ""),
        ("TP_GAME__WORD_FILE", ""),
        ("SERVER_NAME", ""),
    ];
    let settings = settings(setting, &environment);
    assert_eq!(settings.google.client_id, None);
    assert!(settings.google.client_secret.is_none());
    assert_eq!(settings.game.word_file, None);
    assert!(settings.token.private_key.is_none());
    assert_eq!(settings.server_name, None);
}

#[test]
fn a_pem_text_may_have_its_line_breaks_written_as_two_characters() {
    let environment = [("TP_TOKEN__PRIVATE_KEY", r"-----BEGIN-----\nabc\n-----END-----")];
    let setting = "token:\n  public_key: |\n    -----BEGIN-----\n    abc\n";
    let token = settings(setting, &environment).token;
    assert_eq!(token.private_key.unwrap().expose(), "-----BEGIN-----\nabc\n-----END-----");
    assert_eq!(token.public_key.unwrap().expose(), "-----BEGIN-----\nabc\n");
}

#[test]
fn a_module_section_is_kept_as_it_is_written() {
    let setting =
        "handlers:\n  disabled: [chat]\n  replay: {keep: 3, mode: full, off: null}\n  plain: 5\n";
    let environment = [
        ("TP_HANDLERS__REPLAY__KEEP", "4"),
        ("TP_HANDLERS__REPLAY__NAME", "best of"),
        ("TP_HANDLERS__GHOST__PLAYER__COUNT", "[1]"),
    ];
    let handlers = settings(setting, &environment).handlers;
    assert_eq!(handlers.disabled, ["chat"]);
    let sections = serde_json::to_value(handlers.sections).unwrap();
    assert_eq!(
        sections,
        json!({
            "replay": {"keep": 4, "mode": "full", "off": null, "name": "best of"},
            "plain": 5,
            "ghost": {"player": {"count": [1]}},
        })
    );
}

#[test]
fn three_variables_carry_no_prefix() {
    let environment = [
        ("LOG_LEVEL", "WARNING"),
        ("SERVER_NAME", "pod-1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
    ];
    let read = settings("", &environment);
    assert_eq!(read.log_level, "warn");
    assert_eq!(read.server_name.as_deref(), Some("pod-1"));
    let endpoint = read.telemetry.otlp_endpoint;
    assert_eq!(endpoint.as_deref(), Some("http://collector:4318"));
    let by_file = settings("telemetry: {otlp_endpoint: 'http://file'}", &environment);
    let endpoint = by_file.telemetry.otlp_endpoint;
    assert_eq!(endpoint.as_deref(), Some("http://file"));
}

#[test]
fn what_is_accepted_but_not_used_is_noted_in_one_line_each() {
    let setting =
        "logger: {version: 1}\nredis:\ndb:\namqp:\n  lobby_notify_exchange: a\n  hots: b\n";
    let loaded = loaded(setting, &[("TP_AMQP__GAME_START_QUEUE", "c")]);
    assert_eq!(loaded.notes.len(), 2, "{:?}", loaded.notes);
    let [logger, amqp] = loaded.notes.try_into().unwrap();
    assert!(logger.starts_with("ignored, as the log is set by LOG_LEVEL alone: logger in "));
    assert!(amqp.starts_with("ignored, as this server names its exchanges and queues itself: "));
    assert!(amqp.contains("amqp.lobby_notify_exchange in "));
    assert!(amqp.contains("setting.yaml (did you mean amqp.host?)"));
    assert!(amqp.ends_with(", TP_AMQP__GAME_START_QUEUE"));
    assert_eq!(loaded.settings.amqp.unwrap().host, "localhost");
}

proptest! {
    #[test]
    fn no_environment_makes_the_program_stumble(
        section in "DB|GAME|CORS|HANDLERS|LIMITS|TOKEN|_{0,3}|[ -~é]{0,8}",
        key in "PORT|LOBBY_COUNTDOWN|ALLOW_ORIGINS|__|[ -~é]{0,8}",
        text in "-?[0-9]{1,30}|[ -~é]{0,12}|\\[.{0,5}\\]|\\{.{0,5}\\}|inf|NaN",
    ) {
        let name = format!("TP_{section}__{key}");
        let written = Written { environment: &[(&name, &text)], ..Written::default() };
        if let Err(sentence) = written.load() {
            prop_assert!(sentence.contains(&name), "{}", sentence);
        }
    }
}
