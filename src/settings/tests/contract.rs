//! The keys that operators rely on, with their defaults, and the documents that list them.

use serde_json::{Value, json};

use super::super::environment::variable_of;
use super::super::keys::SettingKeys;
use super::super::layer::branch;
use super::{Settings, Written, settings};

/// Key and default of every setting; `null` is unset.
fn contract() -> Vec<(&'static str, Value)> {
    let google = "https://accounts.google.com";
    vec![
        ("amqp.host", json!("localhost")),
        ("amqp.password", json!("guest")),
        ("amqp.port", json!(5672)),
        ("amqp.prefetch_count", json!(50)),
        ("amqp.prefix", json!("typephoon")),
        ("amqp.url", Value::Null),
        ("amqp.user", json!("guest")),
        ("amqp.vhost", json!("typephoon")),
        ("auth.admins", json!([])),
        ("auth.local", Value::Null),
        ("auth.organisers", json!([])),
        ("cookies.secure", json!("auto")),
        ("cors.allow_origins", json!([])),
        ("data_dir", json!("data")),
        ("db.db", json!("typephoon")),
        ("db.echo", json!(false)),
        ("db.host", json!("localhost")),
        ("db.password", json!("password")),
        ("db.pool_size", json!(5)),
        ("db.port", json!(5432)),
        ("db.url", Value::Null),
        ("db.username", json!("user")),
        ("error_redirect", Value::Null),
        ("front_end_endpoint", Value::Null),
        ("game.check_results", json!(true)),
        ("game.cleanup_countdown", json!(900)),
        ("game.invite_patience", json!(600)),
        ("game.lobby_countdown", json!(5)),
        ("game.player_limit", json!(5)),
        ("game.single_countdown", json!(2)),
        ("game.start_countdown", json!(5)),
        ("game.word_count", json!(25)),
        ("game.word_file", Value::Null),
        ("game.word_list", json!("english")),
        ("google.authorize_url", json!(format!("{google}/o/oauth2/v2/auth"))),
        ("google.client_id", Value::Null),
        ("google.client_secret", Value::Null),
        ("google.issuer", json!(google)),
        ("google.jwks_url", json!("https://www.googleapis.com/oauth2/v3/certs")),
        ("google.redirect_url", json!("http://localhost:8080/api/v1/auth/google/login-redirect")),
        ("google.token_url", json!("https://oauth2.googleapis.com/token")),
        ("handlers.disabled", json!([])),
        ("handlers.panics_per_minute", json!(5)),
        ("handlers.time_budget", json!(1)),
        ("limits.body_bytes", json!(65536)),
        ("limits.connections", json!(40000)),
        ("limits.connections_per_address", json!(10000)),
        ("limits.frame_bytes", json!(4096)),
        ("limits.frames_per_second", json!(60)),
        ("limits.games_per_minute", json!(600)),
        ("limits.guests_per_minute", json!(6000)),
        ("limits.heartbeat", json!(20)),
        ("limits.logins_per_minute", json!(600)),
        ("limits.request_timeout", json!(15)),
        ("limits.requests_per_second", json!(2000)),
        ("limits.seats_per_minute", json!(6000)),
        ("limits.seats_per_player", json!(30)),
        ("limits.sockets", json!(20000)),
        ("limits.sockets_per_address", json!(5000)),
        ("limits.sockets_per_player", json!(8)),
        ("limits.trusted_proxies", json!([])),
        ("log.format", json!("auto")),
        ("log.otlp", json!(false)),
        ("operations.host", json!("127.0.0.1")),
        ("operations.port", json!(9091)),
        ("operations.public_metrics", json!(false)),
        ("operations.token", Value::Null),
        ("redis.cluster", json!(false)),
        ("redis.db", json!(0)),
        ("redis.expire_time", json!(60)),
        ("redis.host", json!("localhost")),
        ("redis.in_game_cache_expire_time", json!(900)),
        ("redis.port", json!(6379)),
        ("redis.prefix", json!("typephoon")),
        ("redis.result_cache_expire_time", json!(900)),
        ("redis.url", Value::Null),
        ("server.host", json!("0.0.0.0")),
        ("server.port", json!(8080)),
        ("shutdown.drain", json!(20)),
        ("telemetry.keystroke_sample", json!(1000)),
        ("telemetry.otlp_endpoint", Value::Null),
        ("token.accepted_public_keys", Value::Null),
        ("token.access_duration", json!(900)),
        ("token.private_key", Value::Null),
        ("token.public_key", Value::Null),
        ("token.refresh_duration", json!(2592000)),
        ("token.refresh_endpoint", json!("/api/v1/auth/token-refresh")),
        ("web.enabled", json!(true)),
    ]
}

fn split(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

/// The YAML that is shown for settings in which all services are on.
fn all_services_on(extra: &Value) -> String {
    let mut tree = json!({"db": {}, "redis": {}, "amqp": {}});
    super::super::layer::overlay(&mut tree, extra.clone());
    settings(&tree.to_string(), &[]).masked_yaml()
}

#[test]
fn every_key_has_the_default_that_operators_rely_on() {
    let keys = SettingKeys::known();
    let contract = contract();
    let names: Vec<&str> = contract.iter().map(|(path, _)| *path).collect();
    assert_eq!(keys.settings(), names);
    for (path, default) in &contract {
        // Passwords are masked where defaults are read off; they are looked at below.
        if !path.ends_with("password") {
            assert_eq!(keys.at(&split(path)), Some(default), "{path}");
        }
    }
    let read = settings("db:\nredis:\namqp:\n", &[]);
    assert_eq!(read.db.unwrap().password.expose(), "password");
    assert_eq!(read.amqp.unwrap().password.expose(), "guest");
}

#[test]
fn logins_end_where_the_operator_says_or_else_at_the_client_or_at_the_frontend_of_old() {
    let ends = |file: &str| {
        let read = settings(file, &[]);
        (read.front_end().to_owned(), read.error_page().to_owned())
    };
    let both = |page: &str, error: &str| (page.to_owned(), error.to_owned());
    assert_eq!(ends(""), both("/", "/"));
    let off = "web: {enabled: false}";
    assert_eq!(ends(off), both("http://localhost:3000", "http://localhost:3000/error"));
    let set = "front_end_endpoint: https://a\nerror_redirect: https://a/sorry";
    assert_eq!(ends(set), both("https://a", "https://a/sorry"));
    assert_eq!(ends(&format!("{set}\n{off}")), both("https://a", "https://a/sorry"));
    assert_eq!(ends("front_end_endpoint: https://a"), both("https://a", "/"));
}

#[test]
fn every_key_is_accepted_in_a_file_and_in_the_environment() {
    let untouched = all_services_on(&json!({}));
    for (path, default) in contract() {
        let file = branch(&split(path), default.clone());
        assert_eq!(all_services_on(&file), untouched, "{path}");
        let text = match default {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let variable = variable_of(path);
        let written = Written {
            setting: Some("{db: {}, redis: {}, amqp: {}}"),
            environment: &[(&variable, &text)],
            ..Written::default()
        };
        let read = written.load().unwrap().settings;
        assert_eq!(read.masked_yaml(), untouched, "{variable}");
    }
}

#[test]
fn the_document_lists_every_setting_with_its_variable_and_default() {
    let document = include_str!("../../../docs/settings.md");
    for (path, default) in contract() {
        let default = match default {
            Value::Null => "none".to_owned(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        let row = format!("| `{path}` | `{}` | {default} |", variable_of(path));
        assert!(document.contains(&row), "docs/settings.md lacks: {row}");
    }
    for variable in ["LOG_LEVEL", "SERVER_NAME", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        assert!(document.contains(&format!("| `{variable}` |")), "{variable}");
    }
}

#[test]
fn the_example_file_changes_nothing_as_it_stands() {
    let example = include_str!("../../../setting.yaml.example");
    assert_eq!(settings(example, &[]).masked_yaml(), Settings::default().masked_yaml());
}

#[test]
fn the_example_file_is_in_order_with_its_comments_taken_off() {
    let example = include_str!("../../../setting.yaml.example");
    let uncommented: Vec<&str> = example
        .lines()
        .map(|line| line.strip_prefix('#').unwrap_or(line))
        .filter(|line| !line.starts_with(' ') || line.starts_with("  "))
        .collect();
    let read = settings(&uncommented.join("\n"), &[]);
    assert!(read.amqp.is_some() && read.handlers.disabled == ["emotes"]);
}
