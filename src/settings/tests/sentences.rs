//! The sentences that an operator gets when something is wrong.

use insta::assert_snapshot;

use super::{Sources, Written, load, refused, refused_environment};

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_one_that_was_meant() {
    assert_snapshot!(refused("game: {loby_countdown: 3}"), @"unknown setting game.loby_countdown in setting.yaml: did you mean game.lobby_countdown?");
    assert_snapshot!(refused("gmae: {lobby_countdown: 3}"), @"unknown setting gmae in setting.yaml: did you mean game?");
    assert_snapshot!(refused("port: 80"), @"unknown setting port in setting.yaml: did you mean amqp.port or db.port or operations.port or redis.port or server.port?");
    assert_snapshot!(refused("redis: {password: x}"), @"unknown setting redis.password in setting.yaml: the settings of redis are cluster, db, expire_time, host, in_game_cache_expire_time, port, prefix, result_cache_expire_time, url");
    assert_snapshot!(refused("database: 5"), @"unknown setting database in setting.yaml: docs/settings.md lists all settings");
    assert_snapshot!(refused("Game: {lobby_countdown: 3}"), @"unknown setting Game in setting.yaml: did you mean game?");
    let secret = Written { secret: Some("db: {pasword: x}"), ..Written::default() };
    assert_snapshot!(secret.load().unwrap_err(), @"unknown setting db.pasword in secret.yaml: did you mean db.password?");
}

#[test]
fn an_unknown_variable_is_named_as_it_was_written() {
    let unknown = |name| refused_environment(&[(name, "hidden")]);
    assert_snapshot!(unknown("TP_GAME__LOBY_COUNTDOWN"), @"unknown setting TP_GAME__LOBY_COUNTDOWN in the environment: did you mean TP_GAME__LOBBY_COUNTDOWN?");
    assert_snapshot!(unknown("TP_DB_HOST"), @"unknown setting TP_DB_HOST in the environment: did you mean TP_DB__HOST?");
    assert_snapshot!(unknown("TP_GMAE__LOBBY_COUNTDOWN"), @"unknown setting TP_GMAE__LOBBY_COUNTDOWN in the environment: did you mean TP_GAME__LOBBY_COUNTDOWN?");
    assert_snapshot!(unknown("TP_SERVER__PORT__X"), @"unknown setting TP_SERVER__PORT__X in the environment: the settings of server are host, port");
    assert_snapshot!(unknown("TP_NONSENSE"), @"unknown setting TP_NONSENSE in the environment: docs/settings.md lists all settings");
    assert_snapshot!(refused_environment(&[("TP_DB", r#"{"hots": "x"}"#)]), @"unknown setting hots in TP_DB: did you mean TP_DB__HOST?");
}

#[test]
fn a_setting_of_the_environment_alone_is_refused_elsewhere() {
    assert_snapshot!(refused("log_level: debug"), @"unknown setting log_level in setting.yaml: it is set by the environment variable LOG_LEVEL alone");
    assert_snapshot!(refused_environment(&[("TP_SERVER_NAME", "pod")]), @"unknown setting TP_SERVER_NAME in the environment: it is set by the environment variable SERVER_NAME alone");
}

#[test]
fn a_value_that_does_not_fit_is_repeated_with_what_is_wanted() {
    assert_snapshot!(refused("server: {port: 70000}"), @"server.port in setting.yaml is 70000, but a whole number from 0 to 65535 is wanted");
    assert_snapshot!(refused("server: {port: [1]}"), @"server.port in setting.yaml is a list, but a whole number from 0 to 65535 is wanted");
    assert_snapshot!(refused("game: {player_limit: 0}"), @"game.player_limit in setting.yaml is 0, but a whole number from 1 to 4294967295 is wanted");
    assert_snapshot!(refused("game: {word_count: 2.5}"), @"game.word_count in setting.yaml is 2.5, but a whole number from 1 to 4294967295 is wanted");
    assert_snapshot!(refused("game: {word_count: }"), @"game.word_count in setting.yaml is empty, but a whole number from 1 to 4294967295 is wanted");
    assert_snapshot!(refused("game: {lobby_countdown: -1}"), @"game.lobby_countdown in setting.yaml is -1, but a number of seconds (0 to 3155760000) is wanted");
    assert_snapshot!(refused("game: {lobby_countdown: .inf}"), @r#"game.lobby_countdown in setting.yaml is ".inf", but a number of seconds (0 to 3155760000) is wanted"#);
    assert_snapshot!(refused("limits: {heartbeat: 0}"), @"limits.heartbeat in setting.yaml is 0, but a number of seconds (0.001 to 3155760000) is wanted");
    assert_snapshot!(refused("cookies: {secure: maybe}"), @r#"cookies.secure in setting.yaml is "maybe", but auto, true or false is wanted"#);
    assert_snapshot!(refused("google: {client_id: 5}"), @"google.client_id in setting.yaml is 5, but text (put quotes around it) is wanted");
    assert_snapshot!(refused("data_dir: ''"), @r#"data_dir in setting.yaml is "", but a path is wanted"#);
}

#[test]
fn a_variable_that_does_not_fit_is_named_as_it_was_written() {
    assert_snapshot!(refused_environment(&[("TP_SERVER__PORT", "abc")]), @r#"TP_SERVER__PORT is "abc", but a whole number from 0 to 65535 is wanted"#);
    assert_snapshot!(refused_environment(&[("TP_GAME__CLEANUP_COUNTDOWN", "NaN")]), @r#"TP_GAME__CLEANUP_COUNTDOWN is "NaN", but a number of seconds (0 to 3155760000) is wanted"#);
    assert_snapshot!(refused_environment(&[("TP_GAME", r#"{"word_count": 0}"#)]), @"word_count in TP_GAME is 0, but a whole number from 1 to 4294967295 is wanted");
    assert_snapshot!(refused_environment(&[("TP_DB", "yes")]), @"TP_DB is a text, but a section with settings of its own (a JSON object) is wanted");
    assert_snapshot!(refused_environment(&[("LOG_LEVEL", "inof")]), @r#"LOG_LEVEL is "inof", but trace, debug, info, warn, error or off is wanted, or a filter such as info,sqlx=warn"#);
}

#[test]
fn the_layer_that_won_is_the_one_that_is_blamed() {
    let written = Written {
        setting: Some("server: {port: 1}"),
        secret: Some("server: {port: x}"),
        environment: &[],
    };
    assert_snapshot!(written.load().unwrap_err(), @r#"server.port in secret.yaml is "x", but a whole number from 0 to 65535 is wanted"#);
}

#[test]
fn a_list_says_which_entry_is_wrong() {
    assert_snapshot!(refused("cors: {allow_origins: ['http://a', 'localhost:9090']}"), @r#"cors.allow_origins in setting.yaml contains "localhost:9090", which is not an origin (scheme://host or scheme://host:port)"#);
    assert_snapshot!(refused("cors: {allow_origins: ['*']}"), @r#"cors.allow_origins in setting.yaml contains "*", which is not an origin (scheme://host or scheme://host:port)"#);
    assert_snapshot!(refused("limits: {trusted_proxies: [10.0.0.0/33]}"), @r#"limits.trusted_proxies in setting.yaml contains "10.0.0.0/33", which is not an IP address or network (10.0.0.1, 192.168.0.0/16)"#);
    assert_snapshot!(refused("handlers: {disabled: [5]}"), @"handlers.disabled in setting.yaml contains 5, which is not text");
    assert_snapshot!(refused_environment(&[("TP_HANDLERS__DISABLED", "chat")]), @r#"TP_HANDLERS__DISABLED is "chat", but a list of names such as ["chat"] is wanted"#);
}

#[test]
fn a_secret_is_never_repeated() {
    assert_snapshot!(refused("db: {password: 12345}"), @"db.password in setting.yaml is not text: put quotes around the value");
    assert_snapshot!(refused("redis: {url: [hunter2]}"), @"redis.url in setting.yaml is not text: put quotes around the value");
    let origin = "cors: {allow_origins: ['https://u:hunter2@host']}";
    assert_snapshot!(refused(origin), @r#"cors.allow_origins in setting.yaml contains "https://u:***@host", which is not an origin (scheme://host or scheme://host:port)"#);
    assert_snapshot!(refused("token: hunter2"), @"token in setting.yaml is a text, but a section with settings of its own is wanted");
    assert_snapshot!(refused("token: {private_key: 12345}"), @"token.private_key in setting.yaml is not text: put quotes around the value");
}

#[test]
fn amqp_alone_is_refused_with_the_reason() {
    assert_snapshot!(refused("amqp: {}"), @"amqp is configured but db and redis are not: amqp is for several pods, and these need shared records (db) and shared live state (redis)");
    assert_snapshot!(refused("amqp: {}\ndb: {}"), @"amqp is configured but redis is not: amqp is for several pods, and these need shared records (db) and shared live state (redis)");
    assert_snapshot!(refused_environment(&[("TP_AMQP__HOST", "x"), ("TP_REDIS__HOST", "x")]), @"amqp is configured but db is not: amqp is for several pods, and these need shared records (db) and shared live state (redis)");
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    assert_snapshot!(refused("server:\n  port: 1\n bad: [\n"), @"setting.yaml is not valid YAML: did not find expected key at line 3 column 2, while parsing a block mapping");
    assert_snapshot!(refused("db: {host: a, host: b}"), @r#"setting.yaml is not valid YAML: db: duplicate entry with key "host" at line 1 column 5"#);
    assert_snapshot!(refused("- a\n- b\n"), @"setting.yaml does not hold a mapping of settings");
    let missing = |setting: Option<&str>, secret: Option<&str>| {
        let sources = Sources {
            setting: setting.map(Into::into),
            secret: secret.map(Into::into),
            ..Sources::default()
        };
        load(&sources).unwrap_err().to_string()
    };
    assert_snapshot!(missing(Some("no/such.yaml"), None), @"the setting file no/such.yaml does not exist");
    assert_snapshot!(missing(None, Some("no/such.yaml")), @"the secret setting file no/such.yaml does not exist");
}
