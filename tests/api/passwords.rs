//! What passwords cost: the server, and a player whose name others try.

use std::time::Instant;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::server::Server;
use crate::setup::Settings;
use crate::site::{ANONYMOUS, Answer};

/// Behind a proxy, so that a test can come from many addresses.
fn proxied() -> Settings {
    Server::with().embedded().set("limits.trusted_proxies", r#"["127.0.0.1"]"#)
}

async fn posts(server: &Server, way: &str, from: &str, name: &str, password: &str) -> Answer {
    let path = format!("/api/v1/auth/local/{way}");
    let body = json!({"name": name, "password": password});
    let request = server.request(Method::POST, &path, ANONYMOUS).json(&body);
    server.send(request.header("x-forwarded-for", from)).await
}

#[tokio::test]
async fn three_hundred_wrong_passwords_at_once_take_no_memory_for_good() {
    let server = proxied().start().await;
    posts(&server, "register", "198.51.100.1", "Anna", "correct horse").await.ok();
    let before = server.memory();
    for round in 0..3 {
        let tries = (0..100).map(async |number| {
            let from = format!("203.0.113.{number}");
            posts(&server, "login", &from, &format!("Ben {number}"), "battery staple").await
        });
        for answer in join_all(tries).await {
            let (status, code) = (answer.status, answer.code());
            assert!(
                (status, code) == (401, "WRONG_CREDENTIALS")
                    || (status, code) == (429, "TOO_MANY_REQUESTS"),
                "round {round}: {answer:?}"
            );
        }
    }
    let grown = server.memory().saturating_sub(before) / 1_000_000;
    assert!(grown < 60, "{grown} MB more");
}

#[tokio::test]
async fn wrong_passwords_from_elsewhere_do_not_lock_a_player_out_at_home() {
    let mut server = proxied().start().await;
    let (home, right, wrong) = ("198.51.100.1", "correct horse", "battery staple");
    posts(&server, "register", home, "Anna", right).await.ok();
    // What is remembered of the player outlives the server.
    server.kill().await;
    server.restart().await;
    for name in ["Anna", "Nobody"] {
        let mut refused = 0;
        for round in 0..10 {
            let tries = (0..12).map(async |number| {
                posts(&server, "login", &format!("203.0.113.{number}"), name, wrong).await
            });
            for answer in join_all(tries).await {
                assert!(matches!(answer.status, 401 | 429), "round {round}: {answer:?}");
                refused += usize::from(answer.status == 429);
            }
        }
        assert!(refused > 0, "{name} has been tried too often");
    }
    posts(&server, "login", home, "Anna", right).await.ok();

    // Elsewhere the right password does not help, and neither does home tell a wrong one from an unknown name.
    let cases = [("198.51.100.2", "Anna", right), (home, "Anna", wrong), (home, "Nobody", wrong)];
    let begun = Instant::now();
    for (from, name, password) in cases {
        // More than have become due on a slow machine since the last ones.
        let tries = join_all((0..40).map(|_| posts(&server, "login", from, name, password))).await;
        let refusal = tries.iter().find(|answer| answer.status == 429).expect("a refusal");
        refusal.refused(429, "TOO_MANY_REQUESTS");
        // A try for all addresses in 0.6 seconds, one for each address in 6, of which some may have gone by since the first one.
        let seconds: u64 = refusal.header("retry-after").parse().expect("a number");
        let least = 5_u64.saturating_sub(begun.elapsed().as_secs());
        assert!(seconds == 1 || (least..=6).contains(&seconds), "{refusal:?}");
    }
}

#[tokio::test]
async fn there_is_an_end_to_the_returns_from_a_provider() {
    let settings = proxied().set("google.client_id", "typephoon");
    let server = settings.set("limits.logins_per_minute", 3).start().await;
    let path = "/api/v1/auth/google/login-redirect?state=x&code=y";
    let back = async |from: &str| {
        let request = server.request(Method::GET, path, ANONYMOUS).header("x-forwarded-for", from);
        server.send(request).await.header("location").to_owned()
    };
    for _ in 0..3 {
        assert!(back("203.0.113.7").await.ends_with("reason=unknown_state"));
    }
    assert!(back("203.0.113.7").await.ends_with("reason=too_many_requests"));
    assert!(back("203.0.113.8").await.ends_with("reason=unknown_state"));
}
