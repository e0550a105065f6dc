//! An nginx of a test's own, with the configuration of compose's profile `scale` in front of any ports.
//!
//! ```ignore
//! let Some(nginx) = Nginx::before(server.ports()).await else { return };
//! let anna = Player::guest(&nginx.site()).await;
//! ```

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::server::eventually;
use crate::service::{free_port, program, skip};
use crate::site::Site;

const CONFIGURATION: &str = include_str!("../../deploy/nginx.conf");
/// Where Debian has it, which is not in every user's path.
const DEBIAN: &str = "/usr/sbin/nginx";

/// A running nginx; killed when dropped.
pub struct Nginx {
    home: TempDir,
    port: u16,
    process: Child,
}

impl Nginx {
    /// Starts one in front of three pods. `None` if nginx is not installed, unless `REQUIRE_SERVICES` is set.
    pub async fn before(pods: &[u16]) -> Option<Self> {
        let debian = Some(PathBuf::from(DEBIAN)).filter(|it| it.is_file());
        let Some(program) = program("nginx").or(debian) else {
            skip("no nginx that a test could start");
            return None;
        };
        let home = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let file = home.path().join("nginx.conf");
        std::fs::write(&file, configuration(home.path(), port, pods)).expect("a file");
        let mut command = Command::new(program);
        // One process, which is our child.
        command.arg("-c").arg(file).args(["-g", "daemon off; master_process off;"]);
        let log = std::fs::File::create(home.path().join("error.log")).expect("a log");
        command.arg("-e").arg(home.path().join("start.log"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().expect("nginx");
        let nginx = Self { home, port, process };
        eventually("nginx listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Some(nginx)
    }

    /// The address that players know.
    pub fn site(&self) -> Site {
        Site::new(self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The line of every request that has been answered: `… "GET /api/v1/online" game=- 200 127.0.0.1:1234 0.001`.
    pub fn answered(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.home.path().join("access.log"));
        log.unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            for log in ["start.log", "error.log", "access.log"] {
                let text = std::fs::read_to_string(self.home.path().join(log)).unwrap_or_default();
                eprintln!("--- {log} of nginx ---\n{text}--- end ---");
            }
        }
    }
}

/// The shipped configuration, with other ports and paths.
fn configuration(home: &Path, port: u16, pods: &[u16]) -> String {
    let mut text = CONFIGURATION.to_owned();
    let mut replace = |shipped: &str, own: &str| {
        assert!(text.contains(shipped), "deploy/nginx.conf has no {shipped:?}");
        text = text.replace(shipped, own);
    };
    replace("listen 8080", &format!("listen 127.0.0.1:{port}"));
    for (number, pod) in pods.iter().enumerate() {
        replace(&format!("server pod-{}:8080", number + 1), &format!("server 127.0.0.1:{pod}"));
    }
    replace(" /tmp/", &format!(" {}/", home.display()));
    replace("/dev/stdout", &home.join("access.log").display().to_string());
    text
}
