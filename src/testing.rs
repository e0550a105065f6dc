//! The real server inside a test: with its own port and data directory, in the test's process; and players who race on it
//! over real sockets, so that a module's own tests fit into its file.
//!
//! ```text
//! let server = Server::for_players(2).await;
//! let [mut anna, mut ben] = server.players().await;
//! anna.sends(json!({"event": "EMOTE", "emote": "clap"})).await;
//! assert_eq!(ben.hears("EMOTE").await["user_id"], anna.id);
//! ```

#![allow(dead_code, reason = "which parts are used depends on the handler modules that are there")]

mod player;

use std::time::Duration;

pub(crate) use player::Player;

use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::app::Application;
use crate::bus::{Emits, Event, Never};
use crate::module::Cx;
use crate::settings::{OperationsPort, Settings};

/// A server that runs until it is dropped.
pub(crate) struct Server {
    address: String,
    cx: Cx,
    _stop: DropGuard,
    _data: TempDir,
}

impl Server {
    /// Starts one with the default settings.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same for races of so many people: a lobby closes when it is full, and START follows at once.
    pub(crate) async fn for_players(count: usize) -> Self {
        Self::with(|settings| {
            settings.game.player_limit = count;
            settings.game.lobby_countdown = Duration::from_secs(60);
            settings.game.start_countdown = Duration::from_millis(200);
        })
        .await
    }

    /// The same with the settings that `change` makes.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let data = tempfile::tempdir().expect("a directory for the test");
        let mut settings = Settings { data_dir: data.path().into(), ..Settings::default() };
        settings.server.host = "127.0.0.1".into();
        settings.server.port = 0;
        settings.operations.port = OperationsPort { number: 0, is_chosen: true };
        change(&mut settings);
        let application = Application::build(settings, true).await.expect("a server for the test");
        let address = application.address().to_string();
        let cx = application.cx().of("test");
        let stop = CancellationToken::new();
        tokio::spawn(application.run_until(stop.clone().cancelled_owned()));
        Self { address, cx, _stop: stop.drop_guard(), _data: data }
    }

    /// The context that a module of this name would get.
    pub(crate) fn cx(&self, module: &'static str) -> Cx {
        self.cx.of(module)
    }

    /// Publishes an event.
    pub(crate) async fn announce<E: Event<Loss = Never>>(&self, event: E) {
        event.publish(self.cx.bus()).await;
    }

    /// The JSON answer of a path.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.address);
        let answer = reqwest::get(url).await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// A new guest, who takes a seat in the lobby of this query: empty, or beginning with `?`.
    pub(crate) async fn player(&self, query: &str) -> Player {
        Player::queue_in(&self.address, query).await
    }

    /// Guests in one open lobby. If it is full with them, a race follows.
    pub(crate) async fn players<const N: usize>(&self) -> [Player; N] {
        let mut players = Vec::new();
        for _ in 0..N {
            players.push(self.player("").await);
        }
        players.try_into().ok().expect("as many as were made")
    }
}

/// Waits until `happened` returns true, for at most five seconds.
pub(crate) async fn eventually(mut happened: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), wait)
        .await
        .expect("it happens within five seconds");
}
