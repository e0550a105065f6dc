//! Handler modules that operators switch off and on while the server runs.

use reqwest::Method;
use serde_json::Value;

use crate::cluster;
use crate::persona::QUEUE_IN;
use crate::server::{Server, eventually};
use crate::site::{ANONYMOUS, Answer, Site};

/// Posts a form to the switches.
async fn switch(site: &Site, form: &str) -> Answer {
    let request = site.request(Method::POST, "/ops/switch", ANONYMOUS).body(form.to_owned());
    site.send(request.header("content-type", "application/x-www-form-urlencoded")).await
}

/// Why a module is off on a pod, by its operations page; nothing if it is on.
async fn off(server: &Server, pod: usize, module: &str) -> Value {
    let figures = server.operations(pod).get("/ops/figures.json", ANONYMOUS).await;
    let modules = figures.ok()["modules"].as_array().expect("a list").clone();
    modules.into_iter().find(|it| it["name"] == module).expect("the module")["off"].take()
}

#[tokio::test]
async fn what_a_module_missed_while_it_was_off_is_made_up_for_by_its_timers() {
    let server = Server::with().embedded().set("game.player_limit", 2).start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    let site = server.operations(0);
    switch(&site, "module=race&to=off&where=all").await.ok();
    eventually("the race misses that the lobby has closed", async || {
        (server.counted(0, "typephoon_handler_skipped_total").await > 0).then_some(())
    })
    .await;
    anna.lobby.is_silent().await;
    switch(&site, "module=race&to=on&where=all").await.ok();
    for player in [&mut anna, &mut ben] {
        player.lobby.expect("GAME_START").await;
        player.race().await;
        player.hears("START").await;
    }
    anna.types(1, 0).await;
    ben.sees(&anna, 1, 0).await;
}

#[tokio::test]
async fn a_module_that_is_off_refuses_requests_and_sockets_also_after_a_restart() {
    let mut server = Server::with().embedded().set("game.player_limit", 2).start().await;
    let [mut anna, ben] = server.race_of().await;
    switch(&server.operations(0), "module=race&to=off&where=all").await.ok();
    assert_eq!(anna.leaves_track().closed().await, 4013, "come back later");
    drop(ben);
    for is_restarted in [false, true] {
        let answer = anna.asks("/api/v1/game/words").await;
        answer.refused(503, "SERVICE_UNAVAILABLE");
        assert!(answer.text.contains("the handler module race"), "{answer:?}");
        let socket = format!("/api/v1/game/ws?game_id={}", anna.game);
        server.handshake(&socket, &anna).await.refused(503, "SERVICE_UNAVAILABLE");
        let off = off(&server, 0, "race").await;
        assert_eq!(
            (&off["by"], &off["everywhere"]),
            (&"127.0.0.1 (loopback)".into(), &true.into())
        );
        let metrics = server.operations(0).get("/metrics", ANONYMOUS).await.text;
        assert!(metrics.contains("typephoon_handler_enabled{module=\"race\"} 0"), "{metrics}");
        assert!(metrics.contains("typephoon_handler_enabled{module=\"lobby\"} 1"), "{metrics}");
        if !is_restarted {
            server.kill().await;
            server.restart().await;
        }
    }
    switch(&server.operations(0), "module=race&to=on&where=all").await.ok();
    anna.asks("/api/v1/game/words").await.ok();
    anna.race().await;
    assert_eq!(off(&server, 0, "race").await, Value::Null);

    let figures = server.operations(0).get("/ops/figures.json", ANONYMOUS).await;
    let acts = figures.ok()["acts"].to_string();
    assert!(acts.contains("switch off module") && acts.contains("race (all pods)"), "{acts}");
    assert!(server.log().contains("audit: an operator acts"), "{}", server.log());
}

#[tokio::test]
async fn a_switch_is_not_moved_by_other_sites_nor_to_where_it_cannot_go() {
    let server = Server::with().embedded().start().await;
    let site = server.operations(0);
    let request = site.request(Method::POST, "/ops/switch", ANONYMOUS);
    let request =
        request.header("origin", "https://evil.example").body("module=race&to=off&where=all");
    site.send(request).await.refused(403, "ORIGIN_NOT_ALLOWED");
    for form in
        ["", "module=nothing&to=off&where=all", "module=race&to=of&where=all", "module=race&to=off"]
    {
        switch(&site, form).await.refused(422, "VALIDATION_ERROR");
    }
    switch(&site, "module=online&to=off&where=all").await.ok();
    switch(&site, "module=online&to=on&where=pod").await.refused(422, "VALIDATION_ERROR");
    assert_eq!(off(&server, 0, "race").await, Value::Null);
    server.get("/api/v1/online", ANONYMOUS).await.refused(503, "SERVICE_UNAVAILABLE");
}

#[tokio::test]
async fn a_module_goes_off_on_one_pod_or_on_all() {
    if !cluster::is_possible().await {
        return;
    }
    let server = Server::with().on_pods(2).start().await;
    let [first, second] = [0, 1].map(|pod| server.operations(pod));
    switch(&first, "module=lobby&to=off&where=pod").await.ok();
    server.at(0).handshake(QUEUE_IN, ANONYMOUS).await.refused(503, "SERVICE_UNAVAILABLE");
    assert_eq!(off(&server, 0, "lobby").await["everywhere"], false);
    assert_eq!(off(&server, 1, "lobby").await, Value::Null);

    switch(&second, "module=lobby&to=off&where=all").await.ok();
    assert_eq!(off(&server, 1, "lobby").await["everywhere"], true);
    eventually("the first pod is told", async || {
        (off(&server, 0, "lobby").await["everywhere"] == true).then_some(())
    })
    .await;
    // Also where it is off by itself.
    switch(&second, "module=lobby&to=on&where=all").await.ok();
    eventually("it is on everywhere", async || {
        off(&server, 0, "lobby").await.is_null().then_some(())
    })
    .await;
    server.guest().await;
}
