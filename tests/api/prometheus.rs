//! A Prometheus of a test's own, with the configuration and the rules of `otel/`, that scrapes every pod of a server.
//!
//! ```ignore
//! let Some(prometheus) = Prometheus::watching(&server, 2).await else { return };
//! prometheus.asks("query", &[("query", "sum(typephoon_players_online)")]).await;
//! ```

use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};

use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::server::{Server, eventually};
use crate::service::{free_port, program, skip};
use crate::site::{ANONYMOUS, Site};

const CONFIGURATION: &str = include_str!("../../otel/prometheus.yaml");
const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/otel/rules");

/// A running Prometheus; killed when dropped.
pub struct Prometheus {
    home: TempDir,
    site: Site,
    process: Child,
}

impl Prometheus {
    /// Starts one. `None` if Prometheus is not installed, unless `REQUIRE_SERVICES` is set.
    pub async fn watching(server: &Server, pods: usize) -> Option<Self> {
        if program("prometheus").is_none() {
            skip("no prometheus that a test could start");
            return None;
        }
        let home = tempfile::tempdir().expect("a temporary directory");
        let (port, file) = (free_port(), home.path().join("prometheus.yaml"));
        std::fs::write(&file, configuration(server, pods)).expect("a file");
        let log = std::fs::File::create(home.path().join("log")).expect("a log");
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", home.path().join("data").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        command.args(["--enable-feature=exemplar-storage", "--log.level=warn"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().expect("prometheus");
        let prometheus = Self { home, site: Site::new(port), process };
        eventually("Prometheus is ready", async || {
            let answer = prometheus.site.try_get("/-/ready", ANONYMOUS).await?;
            (answer.status == 200).then_some(())
        })
        .await;
        Some(prometheus)
    }

    /// The `data` of an answer of its interface, or what it finds wrong with the question.
    pub async fn asks(&self, what: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let path = format!("/api/v1/{what}");
        let method = if parameters.is_empty() { Method::GET } else { Method::POST };
        let request = self.site.request(method, &path, ANONYMOUS);
        let request = if parameters.is_empty() { request } else { request.form(parameters) };
        let mut answer = self.site.send(request).await;
        match answer.body["status"].as_str() {
            Some("success") => Ok(answer.body["data"].take()),
            _ => Err(answer.text),
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
            eprintln!("--- what Prometheus printed ---\n{log}--- end ---");
        }
    }
}

/// The shipped configuration, for pods that listen on ports of this machine, in the time of a test.
fn configuration(server: &Server, pods: usize) -> String {
    let mut text = CONFIGURATION.to_owned();
    let mut replace = |shipped: &str, own: &str| {
        assert!(text.contains(shipped), "otel/prometheus.yaml has no {shipped:?}");
        text = text.replace(shipped, own);
    };
    let (from, to) = ("    dns_sd_configs:\n", "    relabel_configs:\n");
    let found = CONFIGURATION.split_once(from).and_then(|(_, rest)| rest.split_once(to));
    let (by_name, _) = found.expect("otel/prometheus.yaml finds servers by their names");
    let mut targets = String::from("    static_configs:\n");
    for pod in 0..pods {
        let port = server.operations(pod).port();
        let labels = format!("labels: {{__meta_dns_name: pod-{pod}}}");
        writeln!(targets, "      - targets: [\"127.0.0.1:{port}\"]\n        {labels}")
            .expect("text");
    }
    replace(&format!("{from}{by_name}"), &targets);
    replace("scrape_interval: 15s", "scrape_interval: 250ms");
    replace("evaluation_interval: 15s", "evaluation_interval: 500ms");
    replace("rules/*.yaml", &format!("{RULES}/*.yaml"));
    text
}
