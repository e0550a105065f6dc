//! What the server allocates for a keystroke that it relays to the other players of its race.
//!
//! The players are on another thread than the server, so that only what the server allocates is counted: from the bytes
//! of a frame to those that are written to each receiver.

use std::thread;
use std::time::Duration;

use allocation_counter::measure;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use crate::testing::{Player, Server};

/// Players of the race: a keystroke has one receiver less.
const PLAYERS: usize = 5;

/// How often it is counted. The fewest count: the rest of the server goes on meanwhile.
const WINDOWS: usize = 16;

/// Keystrokes of each player in a window.
const ROUNDS: usize = 25;

/// Allocations per keystroke: its frame, whose bytes all receivers share, and a little for the rest of the server.
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
    let (next, mut windows) = mpsc::channel::<()>(1);
    let serving = thread::spawn(move || {
        let runtime = runtime();
        let server = Server::with(|settings| {
            settings.game.player_limit = PLAYERS;
            settings.game.lobby_countdown = Duration::from_secs(60);
            settings.game.start_countdown = Duration::from_millis(200);
            settings.limits.frames_per_second = 1_000_000;
        });
        assert!(started.send(runtime.block_on(server)).is_ok());
        let mut count =
            || measure(|| runtime.block_on(windows.recv()).expect("players")).count_total;
        // The joins; and buffers grow to their size.
        count();
        (0..WINDOWS).map(|_| count()).min().expect("a window")
    });
    runtime().block_on(async {
        let server = server.await.expect("a server");
        let mut players: [Player; PLAYERS] = server.players().await;
        for player in &mut players {
            player.starts().await;
        }
        type_together(&mut players, 20).await;
        next.send(()).await.expect("a server");
        for _ in 0..WINDOWS {
            type_together(&mut players, ROUNDS).await;
            next.send(()).await.expect("a server");
        }
    });
    let allocations = serving.join().expect("a count") as f64;
    let each = allocations / (PLAYERS * ROUNDS) as f64;
    println!("{each:.3} allocations per keystroke");
    assert!(each <= MOST, "{each} allocations per keystroke");
}
