//! What is kept of registered players, in SQLite and in PostgreSQL.

use serde_json::json;

use crate::database::{Database, on_both};
use crate::persona::{Player, without_record};
use crate::server::Server;
use crate::signing;

/// A registered player and a guest, in a race that has started.
async fn race_of_both(database: &Database, server: &Server) -> (Player, Player) {
    let user = match database {
        Database::Lite => {
            "insert into users (id, name, registered_at) values ('google-77', 'Anna', 0)"
        }
        Database::Pg(_) => "insert into users (id, name) values ('google-77', 'Anna')",
    };
    database.execute(server, user).await;
    let token = signing::sign(&signing::claims("google-77", "Anna", "REGISTERED"));
    let mut anna = Player::known(&server.site(), token).await;
    let mut guest = server.guest().await;
    for player in [&mut anna, &mut guest] {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    anna.hears("START").await;
    guest.hears("START").await;
    (anna, guest)
}

#[tokio::test]
async fn the_result_of_a_registered_player_is_kept_for_the_profile() {
    on_both(async |database| {
        let server = database.settings().set("game.player_limit", 2).start().await;
        let (anna, guest) = race_of_both(&database, &server).await;
        guest.finishes(80.0).await;
        anna.finishes(70.5).await;
        anna.finishes(99.0).await;

        let statistics = server.get("/api/v1/profile/statistics", &anna).await;
        let statistics = statistics.ok();
        assert_eq!(
            (&statistics["total_games"], &statistics["wpm_best"]),
            (&json!(1), &json!(70.5))
        );
        let history = server.get("/api/v1/profile/history?page=1&size=50", &anna).await;
        let history = history.ok();
        assert_eq!((&history["total"], &history["has_next_page"]), (&json!(1), &json!(false)));
        let row = &history["data"][0];
        assert_eq!((&row["game_id"], &row["rank"]), (&json!(anna.game), &json!(2)));
        assert_eq!((&row["game_type"], &row["wpm"]), (&json!(1), &json!(70.5)));
        let finished = &anna.ranking().await[1]["finished"];
        let (finished, kept) = (finished.as_str().unwrap(), row["finished_at"].as_str().unwrap());
        assert_eq!(finished.replace("+00:00", "Z"), kept, "the same instant, in two forms");
        let graph = server.get("/api/v1/profile/graph?size=10", &anna).await;
        let mut row = row.clone();
        without_record(&mut row);
        assert_eq!(graph.ok()["data"], json!([row]));

        let guests = server.get("/api/v1/profile/statistics", &guest).await;
        assert_eq!(guests.ok()["total_games"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_race_goes_on_after_a_crash_wherever_the_records_are() {
    on_both(async |database| {
        let mut server = database.settings().set("game.player_limit", 2).start().await;
        let (mut anna, mut guest) = race_of_both(&database, &server).await;
        anna.finishes(70.5).await;
        server.kill().await;
        server.restart().await;
        guest.race().await;
        anna.race().await;
        guest.types(1, 0).await;
        anna.sees(&guest, 1, 0).await;
        guest.finishes(60.0).await;
        let ranks: Vec<_> = anna.ranking().await.iter().map(|it| it["rank"].clone()).collect();
        assert_eq!(ranks, [1, 2]);
        let statistics = server.get("/api/v1/profile/statistics", &anna).await;
        assert_eq!(statistics.ok()["total_games"], 1);
    })
    .await;
}

#[tokio::test]
async fn pages_of_a_history_stay_as_they_were_while_results_arrive() {
    on_both(async |database| {
        let server = database.settings().start().await;
        let at = |number: i64| match database {
            Database::Lite => format!("{number}000000"),
            Database::Pg(_) => format!("to_timestamp({number})"),
        };
        let result = async |number: i64| {
            let at = at(1_795_368_000 + number);
            let games = "insert into games (id, created_at, status, game_type) values";
            let sql = format!("{games} ({number}, {at}, 2, 1)");
            database.execute(&server, &sql).await;
            let results = "insert into game_results values";
            let sql = format!("{results} ({number}, 'google-77', 1, 60, 55, 90, {at})");
            database.execute(&server, &sql).await;
        };
        let user = "insert into users (id, name, registered_at) values ('google-77', 'Anna',";
        database.execute(&server, &format!("{user} {})", at(0))).await;
        for number in 1..=5 {
            result(number).await;
        }
        let token = signing::sign(&signing::claims("google-77", "Anna", "REGISTERED"));
        let as_of = 1_795_368_100_000_000_i64;
        let first = format!("/api/v1/profile/history?page=1&size=2&as_of={as_of}");
        let mut page = server.get(&first, &token).await;
        // It arrives at a time that the pages do not know of.
        result(200).await;
        let mut seen = Vec::new();
        loop {
            let rows = page.ok()["data"].as_array().unwrap().clone();
            seen.extend(rows.iter().map(|row| row["game_id"].as_i64().unwrap()));
            let link = page.header("link").to_owned();
            let Some((next, _)) = link.trim_start_matches('<').split_once('>') else { break };
            page = server.get(next, &token).await;
        }
        assert_eq!(seen, [5, 4, 3, 2, 1]);
        let now = server.get("/api/v1/profile/history?page=1&size=2", &token).await;
        assert!(now.header("link").ends_with(">; rel=\"next\""), "{now:?}");
        let bad = server.get("/api/v1/profile/history?as_of=-1", &token).await;
        bad.refused(422, "VALIDATION_ERROR");
    })
    .await;
}
