//! nginx in front of the pods, with the configuration of compose's profile `scale`.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::Outcome;

const CONFIGURATION: &str = include_str!("../../deploy/nginx.conf");
/// Where Debian has it.
const PROGRAM: &str = "/usr/sbin/nginx";

/// Killed when dropped.
pub struct Nginx {
    process: Child,
    address: SocketAddr,
    _home: TempDir,
}

impl Nginx {
    pub async fn before(pods: &[u16]) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let mut text = CONFIGURATION.replace("listen 8080", &format!("listen {address}"));
        for (number, pod) in (1..).zip(pods) {
            text = text
                .replace(&format!("server pod-{number}:8080"), &format!("server 127.0.0.1:{pod}"));
        }
        text = text.replace(" /tmp/", &format!(" {}/", home.path().display()));
        let file = home.path().join("nginx.conf");
        std::fs::write(&file, text.replace("access_log /dev/stdout pods", "access_log off"))?;
        let mut command = Command::new(PROGRAM);
        command.arg("-c").arg(file).args(["-g", "daemon off; master_process off;"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn()?;
        while TcpStream::connect(address).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { process, address, _home: home })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
