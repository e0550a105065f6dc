//! The profile of a player without a record: zeros and empty lists, never an error.

use serde_json::json;

use crate::server::Server;
use crate::signing;

fn nothing_yet() -> serde_json::Value {
    json!({
        "ok": true, "total_games": 0,
        "wpm_best": 0.0, "acc_best": 0.0, "wpm_avg_10": 0.0, "acc_avg_10": 0.0, "wpm_avg_all": 0.0, "acc_avg_all": 0.0,
    })
}

/// Compares numbers as numbers: 0 and 0.0 are the same to a page.
fn as_numbers(value: &serde_json::Value) -> Vec<(String, f64)> {
    let fields = value.as_object().expect("an object").iter();
    fields.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}

#[tokio::test]
async fn the_identity_of_a_player_comes_straight_from_the_token() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let info = server.get("/api/v1/profile/user-info", &anna).await;
    assert_eq!(*info.ok(), json!({"ok": true, "id": anna.id, "name": anna.public_name()}));

    let token = signing::sign(&signing::claims("google-77", "Zoë \"100%\" / 名", "REGISTERED"));
    let info = server.get("/api/v1/profile/user-info", &token).await;
    assert_eq!(*info.ok(), json!({"ok": true, "id": "google-77", "name": "Zoë \"100%\" / 名"}));
}

#[tokio::test]
async fn a_guest_has_zeros_and_empty_lists() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    anna.finishes(60.0).await;

    let unknown = signing::sign(&signing::claims("google-77", "User 77", "REGISTERED"));
    for token in [&anna.token, &unknown] {
        let statistics = server.get("/api/v1/profile/statistics", token).await;
        assert_eq!(as_numbers(statistics.ok()), as_numbers(&nothing_yet()));
        let graph = server.get("/api/v1/profile/graph?size=10", token).await;
        assert_eq!(*graph.ok(), json!({"ok": true, "data": []}));
        let history = server.get("/api/v1/profile/history?page=1&size=20", token).await;
        let empty = json!({"ok": true, "total": 0, "has_prev_page": false, "has_next_page": false, "data": []});
        assert_eq!(*history.ok(), empty);
    }
}

#[tokio::test]
async fn there_is_a_page_before_a_later_page_though_it_be_empty() {
    let server = Server::start().await;
    let anna = server.guest().await;
    let history = server.get("/api/v1/profile/history?page=3&size=20", &anna).await;
    assert_eq!(history.ok()["has_prev_page"], true);
    assert_eq!(history.ok()["has_next_page"], false);
}

#[tokio::test]
async fn sizes_and_pages_have_their_limits() {
    let server = Server::start().await;
    let anna = server.guest().await;
    for good in
        ["graph?size=0", "graph?size=1000", "history?page=1&size=0", "history?page=99999&size=200"]
    {
        server.get(&format!("/api/v1/profile/{good}"), &anna).await.ok();
    }
    let bad = [
        "graph?size=-1",
        "graph?size=1001",
        "graph?size=ten",
        "graph?size=99999999999999999999",
        "history?page=0&size=20",
        "history?page=-1&size=20",
        "history?page=1&size=-1",
        "history?page=1&size=201",
        "history?page=one&size=20",
    ];
    for bad in bad {
        server.get(&format!("/api/v1/profile/{bad}"), &anna).await.refused(422, "VALIDATION_ERROR");
    }
    // Without limit upwards, but never a failure of the server.
    let far = server
        .get("/api/v1/profile/history?page=1000000000000000000000000000000&size=200", &anna)
        .await;
    assert!(matches!(far.status, 200 | 422), "{far:?}");
}
