//! What no server may print: tokens, cookies, keys, passwords, mail addresses, the words that are typed.
//!
//! Each test tells here what it sends and gets ([`note_request`], [`note_answer`]), without doing anything for it; and what a
//! server has printed is searched when it ends ([`leak`]), so that a leak fails the test in which it happens. Of tokens
//! and mail addresses the shape is enough.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

use reqwest::Request;
use serde_json::Value;

use crate::site::Answer;

/// Characters from which on a value of a cookie or a query is taken for a secret: shorter ones are words.
const LONG: usize = 16;
/// So many words in a row are those of a text that is typed; fewer may be a sentence of the log.
const PHRASE: usize = 4;
/// Parameters of queries that are good for something.
const KEYS: [&str; 4] = ["key", "code", "state", "code_verifier"];

#[derive(Default)]
struct Known {
    /// Searched as whole words.
    tokens: HashSet<String>,
    /// Searched wherever they stand.
    passwords: HashSet<String>,
    phrases: HashSet<String>,
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

impl Known {
    fn token(&mut self, value: &str) {
        let parts = words(value).filter(|part| part.len() >= LONG);
        self.tokens.extend(parts.map(str::to_owned));
    }

    fn password(&mut self, value: &str) {
        if value.len() >= 8 {
            self.passwords.insert(value.to_owned());
        }
    }

    fn text(&mut self, text: &str) {
        self.phrases.extend(phrases(text));
    }

    fn found_in(&self, line: &str) -> Option<&'static str> {
        if words(line).any(|word| self.tokens.contains(word)) {
            return Some("a token, a cookie or a key");
        }
        if self.passwords.iter().any(|password| line.contains(password.as_str())) {
            return Some("a password");
        }
        phrases(line).any(|phrase| self.phrases.contains(&phrase)).then_some("the text of a race")
    }
}

/// What a token is made of: parts of one between dots are words of their own.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.split(move |c| !is_part(c)).filter(|word| !word.is_empty())
}

fn phrases(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    let phrases: Vec<_> = words.windows(PHRASE).map(|phrase| phrase.join(" ")).collect();
    phrases.into_iter()
}

/// A request is sent: its cookies, its bearer, keys in its query, passwords in its body.
pub fn note_request(request: &Request) {
    let mut known = KNOWN.lock().expect("what is known");
    for name in ["cookie", "authorization"] {
        let values = request.headers().get_all(name).into_iter();
        values.filter_map(|value| value.to_str().ok()).for_each(|value| known.token(value));
    }
    for (name, value) in request.url().query_pairs() {
        if KEYS.contains(&&*name) {
            known.token(&value);
        }
    }
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return };
    for (_, value) in body.iter().filter(|(name, _)| name.contains("password")) {
        known.password(value.as_str().unwrap_or_default());
    }
}

/// An answer has come: the cookies that it sets, and the words of a race.
pub fn note_answer(answer: &Answer) {
    let mut known = KNOWN.lock().expect("what is known");
    for line in answer.headers.get_all("set-cookie") {
        let pair = line.to_str().ok().and_then(|line| line.split(';').next());
        known.token(pair.and_then(|pair| pair.split_once('=')).map_or("", |(_, value)| value));
    }
    known.text(answer.body["words"].as_str().unwrap_or_default());
}

/// A setting that is to be kept secret.
pub fn note_setting(key: &str, value: &str) {
    if ["password", "secret", "operations.token"].iter().any(|it| key.contains(it)) {
        KNOWN.lock().expect("what is known").password(value);
    }
}

/// What of all this stands in a text, and in which line.
pub fn leak(printed: &str) -> Option<String> {
    let known = KNOWN.lock().expect("what is known");
    printed.lines().find_map(|line| {
        let what = shape(line).or_else(|| known.found_in(line))?;
        Some(format!("{what} was printed: {line}"))
    })
}

/// What has the shape of a secret, of any player.
fn shape(line: &str) -> Option<&'static str> {
    // What a JSON Web Token begins with: `{"` in base64.
    if words(line).any(|word| word.starts_with("eyJ") && word.len() >= LONG) {
        return Some("a JSON Web Token");
    }
    let is_local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+');
    let is_mail = |(at, _): (usize, &str)| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let domain = line[at + 1..].split(|c| !is_part(c)).next();
        let top = domain.and_then(|it| it.trim_end_matches('.').rsplit_once('.'));
        let is_name = |top: &str| top.len() > 1 && top.chars().all(|c| c.is_ascii_alphabetic());
        line[..at].ends_with(is_local) && top.is_some_and(|(_, top)| is_name(top))
    };
    line.match_indices('@').any(is_mail).then_some("a mail address")
}

#[test]
fn a_leak_is_found_and_an_honest_log_is_none() {
    let http = reqwest::Client::new();
    let request = http
        .post("http://127.0.0.1:1/?key=guest-token-5f2a90b1&page=nothing-secret-at-all")
        .header("cookie", "TP_RT=AbCdEfGhIjKlMnOpQr; theme=dark")
        .header("authorization", "Bearer 0123456789abcdef0123")
        .json(&serde_json::json!({"name": "Anna in person", "password": "a secret of the test"}));
    note_request(&request.build().expect("a request"));
    KNOWN.lock().expect("what is known").text("zebra quartz violin umbrella");
    note_setting("operations.token", "sesame of the test");
    for leaking in [
        "it failed token=eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        r#"{"message":"it failed","cookie":"TP_RT=AbCdEfGhIjKlMnOpQr"}"#,
        "GET /guest-token?key=guest-token-5f2a90b1",
        "bearer: \"0123456789abcdef0123\"",
        "the password was a secret of the test",
        "sesame of the test",
        "Text { words: [\"zebra\", \"quartz\", \"violin\", \"umbrella\"] }",
        "Zebra quartz violin umbrella",
        "a login of ada.lovelace+race@example.org failed",
    ] {
        assert!(leak(&format!("one line\n{leaking}\n")).is_some(), "{leaking}");
    }
    for honest in [
        "listening on http://127.0.0.1:8080",
        "records in PostgreSQL at postgres@127.0.0.1:5432/typephoon",
        "a refresh token was reused; its login has been ended user=local-anna",
        "GET /?page=nothing-secret-at-all, by Anna in person",
        "zebra quartz violin",
        "trace_id=0af7651916cd43dd8448eb211c803100",
    ] {
        assert_eq!(leak(honest), None);
    }
}
