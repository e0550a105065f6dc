//! The real server inside a test: with its own port and data directory, in the test's process.

#![allow(dead_code, reason = "which parts are used depends on the handler modules that are there")]

use std::time::Duration;

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
        let data = tempfile::tempdir().expect("a directory for the test");
        let mut settings = Settings { data_dir: data.path().into(), ..Settings::default() };
        settings.server.host = "127.0.0.1".into();
        settings.server.port = 0;
        settings.operations.port = OperationsPort { number: 0, is_chosen: true };
        let application = Application::build(settings, true).await.expect("a server for the test");
        let address = format!("http://{}", application.address());
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
        let answer = reqwest::get(format!("{}{path}", self.address)).await.expect("an answer");
        answer.json().await.expect("JSON")
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
