//! What the server allocates for a keystroke that it relays to the other players of its race.
//!
//! The players are on another thread than the server, so that only what the server allocates is counted: from the bytes
//! of a frame to those that are written to each receiver.

use std::thread;
use std::time::Duration;

use allocation_counter::measure;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::testing::{Player, Server};

/// Players of the race: a keystroke has one receiver less.
const PLAYERS: usize = 5;

/// Keystrokes of each player.
const ROUNDS: usize = 400;

/// Allocations per keystroke: its frame, whose bytes all receivers share. What is beyond belongs to the rest of the
/// server, which goes on meanwhile.
const MOST: f64 = 1.2;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Each player presses a key, and sees those of the others.
async fn type_together(players: &mut [Player; PLAYERS], rounds: usize) {
    for round in 0..rounds {
        let key = json!({"event": "KEY_STOKE", "word_index": round % 2, "char_index": -1});
        for player in &mut *players {
            player.sends(key.clone()).await;
        }
        for player in &mut *players {
            for _ in 1..PLAYERS {
                assert_eq!(player.hears("KEY_STOKE").await["word_index"], key["word_index"]);
            }
        }
    }
}

#[test]
fn a_relayed_keystroke_costs_one_allocation_for_all_its_receivers() {
    let (started, server) = oneshot::channel();
    let (begin, begun) = oneshot::channel::<()>();
    let (end, ended) = oneshot::channel::<()>();
    let serving = thread::spawn(move || {
        let runtime = runtime();
        let server = Server::with(|settings| {
            settings.game.player_limit = PLAYERS;
            settings.game.start_countdown = Duration::from_millis(200);
            settings.limits.frames_per_second = 1_000_000;
        });
        assert!(started.send(runtime.block_on(server)).is_ok());
        runtime.block_on(begun).expect("players");
        measure(|| runtime.block_on(ended).expect("players")).count_total
    });
    runtime().block_on(async {
        let server = server.await.expect("a server");
        let mut players: [Player; PLAYERS] = server.players().await;
        for player in &mut players {
            player.starts().await;
        }
        // Buffers grow to their size.
        type_together(&mut players, 20).await;
        begin.send(()).expect("a server");
        type_together(&mut players, ROUNDS).await;
        end.send(()).expect("a server");
    });
    let allocations = serving.join().expect("a count") as f64;
    let each = allocations / (PLAYERS * ROUNDS) as f64;
    println!("{each:.3} allocations per keystroke");
    assert!(each <= MOST, "{each} allocations per keystroke");
}
