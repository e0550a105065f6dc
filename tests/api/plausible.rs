//! `game.check_results`: a result is judged by the keystrokes that the server has seen and by its own clock. A claim is
//! never refused: figures are corrected down, and a text that was not typed is not ranked.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::persona::Player;
use crate::proxy::{Proxy, Way};
use crate::server::{Server, Settings, time_passes};
use crate::site::Site;

/// So many players, and a text that takes seconds.
fn checking(players: usize) -> Settings {
    Server::with()
        .set("game.check_results", true)
        .set("game.player_limit", players)
        .set("game.word_count", 6)
}

fn claim(player: &Player, wpm: f64) -> Value {
    json!({"game_id": player.game, "wpm": wpm, "wpm_raw": 1000, "acc": 100})
}

/// The speed that the server has taken.
async fn speed_of(player: &Player) -> f64 {
    player.standing().await["wpm"].as_f64().expect("a speed")
}

#[tokio::test]
async fn honest_typists_are_believed_to_the_last_digit() {
    let server = checking(3).start().await;
    let mut players: [_; 3] = server.race_of().await;
    let typing = players.iter_mut().zip([90.0, 160.0, 250.0]).map(async |(player, wpm)| {
        let statistics = player.types_all(wpm).await;
        player.posts(statistics.clone()).await.ok();
        player.is_believed(&statistics).await;
    });
    join_all(typing).await;
    assert_eq!(players[2].standing().await["rank"], 1, "by their arrival");
}

#[tokio::test]
async fn a_key_after_the_end_changes_nothing_however_late_the_claim() {
    let server = checking(1).start().await;
    let [mut anna] = server.race_of().await;
    let statistics = anna.types_all(200.0).await;
    time_passes(Duration::from_secs(3)).await;
    anna.types(0, 0).await;
    anna.types(5, 0).await;
    anna.track().is_alive().await;
    anna.posts(statistics.clone()).await.ok();
    anna.is_believed(&statistics).await;
}

#[tokio::test]
async fn the_reload_at_start_and_a_reconnect_in_mid_race_cost_nothing() {
    let server = checking(1).start().await;
    let [mut anna] = server.race_of().await;
    let (strokes, begun) = (anna.strokes().await, tokio::time::Instant::now());
    // As every page does; the first keys find no socket.
    let old = anna.leaves_track();
    let (_, ()) = tokio::join!(old.close(), anna.race());
    let (first, rest) = strokes.split_at(strokes.len() / 2);
    anna.types_at(250.0, &first[2..]).await;
    drop(anna.leaves_track());
    time_passes(Duration::from_millis(300)).await;
    anna.race().await;
    anna.types_at(250.0, &rest[6..]).await;
    let statistics = anna.statistics(strokes.len(), begun.elapsed());
    anna.posts(statistics.clone()).await.ok();
    anna.is_believed(&statistics).await;
}

#[tokio::test]
async fn a_slow_way_costs_nothing() {
    let server = checking(1).set("game.start_countdown", 1).start().await;
    let way = Proxy::to(server.site().port()).await;
    let mut anna = Player::guest(&Site::new(way.port())).await;
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    let strokes = anna.strokes().await;
    way.is(Way::Late(Duration::from_millis(300)));
    anna.hears("START").await;
    let begun = tokio::time::Instant::now();
    anna.types_at(250.0, &strokes).await;
    let statistics = anna.statistics(strokes.len(), begun.elapsed());
    anna.posts(statistics.clone()).await.ok();
    anna.is_believed(&statistics).await;
}

#[tokio::test]
async fn keys_and_claim_that_a_stalled_network_delivers_together_are_a_result() {
    let server = checking(1).start().await;
    let stalls = [2, 4, 8].map(async |seconds| {
        let way = Proxy::to(server.site().port()).await;
        let mut site = Site::new(way.port());
        site.patience = Duration::from_secs(30);
        let mut anna = Player::guest(&site).await;
        anna.lobby.until("GAME_START").await;
        anna.race().await;
        anna.hears("START").await;
        let (strokes, begun) = (anna.strokes().await, tokio::time::Instant::now());
        let (first, last) = strokes.split_at(strokes.len() / 3);
        anna.types_at(120.0, first).await;
        way.is(Way::Stalled);
        anna.types_at(120.0, last).await;
        let statistics = anna.statistics(strokes.len(), begun.elapsed());
        let later = async {
            time_passes(Duration::from_secs(seconds)).await;
            way.is(Way::Open);
        };
        let (answer, ()) = tokio::join!(anna.posts(statistics.clone()), later);
        answer.ok();
        anna.is_ranked().await;
        let claimed = statistics["wpm"].as_f64().expect("a speed");
        assert!(speed_of(&anna).await <= claimed, "{seconds} s");
    });
    join_all(stalls).await;
}

#[tokio::test]
async fn a_player_who_never_opened_a_socket_is_not_ranked() {
    let server = checking(2).start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    ben.lobby.expect("GAME_START").await;
    ben.race().await;
    ben.hears("START").await;
    let claimed = anna.posts(claim(&anna, 1000.0));
    let (claimed, statistics) = tokio::join!(claimed, ben.types_all(60.0));
    claimed.ok();
    anna.is_unranked("KEYSTROKES_NOT_SEEN").await;
    assert!(speed_of(&anna).await < 1.0, "no text, no speed");
    ben.posts(statistics.clone()).await.ok();
    ben.is_believed(&statistics).await;
    let ranking = ben.ranking().await;
    assert_eq!((&ranking[0]["rank"], &ranking[0]["id"]), (&json!(1), &json!(ben.id)));
    assert_eq!(ranking[1]["id"], anna.id, "behind who is ranked, although before in time");
    // Sent again it succeeds, and changes nothing.
    anna.posts(claim(&anna, 50.0)).await.ok();
    assert_eq!(ben.ranking().await, ranking);
}

#[tokio::test]
async fn a_raw_speed_lifts_no_rule_and_a_larger_claim_is_corrected_down() {
    let server = checking(1).start().await;
    let [mut anna] = server.race_of().await;
    let honest = anna.types_all(120.0).await;
    anna.posts(claim(&anna, 1000.0)).await.ok();
    anna.is_ranked().await;
    let standing = anna.standing().await;
    let honest = honest["wpm"].as_f64().expect("a speed");
    for figure in ["wpm", "wpm_raw"] {
        let taken = standing[figure].as_f64().expect("a speed");
        assert!(taken >= honest && taken < honest * 2.0, "{taken} of {honest}: {standing}");
    }
}

#[tokio::test]
async fn a_socket_that_is_opened_late_shortens_no_clock() {
    let server = checking(2).start().await;
    let [mut anna, mut ben] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    ben.lobby.expect("GAME_START").await;
    ben.race().await;
    ben.hears("START").await;
    time_passes(Duration::from_secs(9)).await;
    anna.race().await;
    anna.hears("START").await;
    let statistics = anna.types_all(250.0).await;
    anna.posts(statistics).await.ok();
    let taken = speed_of(&anna).await;
    assert!(taken < 150.0, "{taken}: four seconds more than it says");
}

#[tokio::test]
async fn a_start_that_is_never_answered_restarts_no_clock() {
    let origin = "http://localhost:9090";
    let server = checking(1).set("cors.allow_origins", json!([origin])).start().await;
    let [mut anna] = server.lobby_of().await;
    anna.lobby.expect("GAME_START").await;
    let (cookie, path) =
        (format!("TP_AT={}", anna.token), format!("/api/v1/game/ws?game_id={}", anna.game));
    for _ in 0..3 {
        // A browser's socket: no answer to the ping behind START, so START is told again.
        let headers = [("cookie", cookie.as_str()), ("origin", origin)];
        let mut socket = server.connect_with("anna", &path, headers).await;
        socket.expect("START").await;
        socket.vanish().await;
        time_passes(Duration::from_millis(1500)).await;
    }
    anna.race().await;
    anna.hears("START").await;
    let statistics = anna.types_all(250.0).await;
    anna.posts(statistics).await.ok();
    let taken = speed_of(&anna).await;
    assert!(taken < 150.0, "{taken}: four and a half seconds more than it says");
}

#[tokio::test]
async fn one_key_long_after_is_no_text() {
    let server = checking(1).start().await;
    let [mut anna] = server.race_of().await;
    time_passes(Duration::from_secs(2)).await;
    let last = *anna.strokes().await.last().expect("a text");
    anna.types(last.0, last.1).await;
    anna.posts(claim(&anna, 60.0)).await.ok();
    anna.is_unranked("KEYSTROKES_NOT_SEEN").await;
}

#[tokio::test]
async fn a_player_who_types_a_part_of_each_word_does_not_win() {
    let server = checking(2).set("game.word_count", 12).start().await;
    let [mut cutter, mut honest] = server.race_of().await;
    let words = cutter.words().await;
    let is_kept = |(word, char): &(i64, i64)| {
        let word = usize::try_from(*word).expect("a word");
        let kept = words[word].len() * 7 / 10;
        word + 1 == words.len() || *char < i64::try_from(kept).expect("a word")
    };
    let cut: Vec<_> = cutter.strokes().await.into_iter().filter(is_kept).collect();
    let cuts = async {
        cutter.types_at(250.0, &cut).await;
        cutter.posts(claim(&cutter, 16.0)).await.ok();
        cutter.is_unranked("TEXT_NOT_TYPED").await;
    };
    let ((), statistics) = tokio::join!(cuts, honest.types_all(200.0));
    honest.posts(statistics.clone()).await.ok();
    honest.is_believed(&statistics).await;
    assert_eq!(honest.ranking().await[0]["id"], honest.id);
}

#[tokio::test]
async fn what_was_typed_before_start_does_not_count() {
    let server = checking(1).set("game.start_countdown", 2).start().await;
    let [mut anna] = server.grid_of().await;
    for (word, char) in anna.strokes().await {
        anna.types(word, char).await;
    }
    anna.hears("START").await;
    anna.posts(claim(&anna, 300.0)).await.ok();
    anna.is_unranked("KEYSTROKES_NOT_SEEN").await;
}

#[tokio::test]
async fn a_race_alone_is_judged_in_the_same_way() {
    let server = checking(5).set("game.single_countdown", 0.3).start().await;
    for types in [true, false] {
        let mut anna = server.guest().await;
        anna.queues_in("?game_type=single").await;
        anna.lobby.until("GAME_START").await;
        anna.race().await;
        anna.hears("START").await;
        if types {
            let statistics = anna.types_all(200.0).await;
            anna.posts(statistics.clone()).await.ok();
            anna.is_believed(&statistics).await;
        } else {
            anna.posts(claim(&anna, 200.0)).await.ok();
            anna.is_unranked("KEYSTROKES_NOT_SEEN").await;
        }
    }
}

#[tokio::test]
async fn letters_beyond_a_word_are_held_against_the_accuracy() {
    let server = checking(1).start().await;
    let [mut anna] = server.race_of().await;
    let length = i64::try_from(anna.words().await[0].len()).expect("a word");
    let strokes = anna.strokes().await;
    let first = usize::try_from(length).expect("a word");
    anna.types_at(200.0, &strokes[..first]).await;
    let slips = [length, length + 1, length + 2, length + 1, length, length - 1];
    anna.types_at(200.0, &slips.map(|char| (0, char))).await;
    anna.types_at(200.0, &strokes[first..]).await;
    anna.posts(json!({"game_id": anna.game, "wpm": 20, "wpm_raw": 20, "acc": 100})).await.ok();
    let standing = anna.standing().await;
    let acc = standing["acc"].as_f64().expect("an accuracy");
    assert!((80.0..98.0).contains(&acc), "{standing}");
    assert_eq!((&standing["wpm"], &standing["rank"]), (&json!(20.0), &json!(1)));
}

#[tokio::test]
async fn the_end_of_the_text_outlives_a_crash() {
    let mut server = checking(2).embedded().start().await;
    let [mut anna, mut ben] = server.race_of().await;
    let statistics = anna.types_all(200.0).await;
    // Ben is in the middle, and types on when the server is back.
    let strokes = ben.strokes().await;
    let (first, rest) = strokes.split_at(strokes.len() * 2 / 3);
    ben.types_at(250.0, first).await;
    time_passes(Duration::from_millis(500)).await;
    server.kill().await;
    time_passes(Duration::from_secs(3)).await;
    server.restart().await;
    anna.posts(statistics.clone()).await.ok();
    anna.is_believed(&statistics).await;

    ben.race().await;
    ben.types_at(250.0, rest).await;
    ben.posts(claim(&ben, 60.0)).await.ok();
    ben.is_ranked().await;
}

#[tokio::test]
async fn a_registered_player_who_is_not_ranked_has_no_record() {
    let server = checking(1).start().await;
    let device = crate::device::Device::of_new_account(&server.site(), "Anna").await;
    let mut anna = Player::known(&server, device.access.clone()).await;
    anna.lobby.until("GAME_START").await;
    anna.race().await;
    anna.hears("START").await;
    anna.posts(claim(&anna, 1000.0)).await.ok();
    anna.is_unranked("KEYSTROKES_NOT_SEEN").await;
    let profile = server.get("/api/v1/profile/statistics", &anna).await;
    assert_eq!((&profile.ok()["total_games"], &profile.ok()["wpm_best"]), (&json!(0), &json!(0.0)));
}

#[tokio::test]
async fn the_check_can_be_switched_off() {
    let server = Server::for_one().await;
    let [anna] = server.race_of().await;
    anna.posts(claim(&anna, 900.0)).await.ok();
    assert_eq!(anna.standing().await["wpm"], 900.0);
    anna.is_ranked().await;
}
