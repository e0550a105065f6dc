//! The server with the module of this crate: what it declares is shown, and its routes answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const SERVER: &str = env!("CARGO_BIN_EXE_typephoon-with-cheers");

/// A running server, and its data.
struct Server {
    process: Child,
    address: String,
    data: PathBuf,
}

impl Server {
    fn start() -> Self {
        let data = std::env::temp_dir().join(format!("typephoon-cheers-{}", std::process::id()));
        let mut process = Command::new(SERVER)
            .env("TP_DATA_DIR", &data)
            .env("TP_SERVER__HOST", "127.0.0.1")
            .env("TP_SERVER__PORT", "0")
            .env("TP_OPERATIONS__PORT", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let address = lines.map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once("listening on http://")?;
            Some(address.split('"').next().unwrap_or(address).to_owned())
        });
        Self { process, address: address.expect("the server listens"), data }
    }

    /// The body of the answer.
    fn ask(&self, method: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        let host = &self.address;
        write!(
            stream,
            "{method} /api/v1/cheers HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        .expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

#[test]
fn a_module_of_another_crate_is_part_of_the_server() {
    let wiring = Command::new(SERVER).arg("handlers").output().expect("the table of modules");
    let wiring = String::from_utf8_lossy(&wiring.stdout).into_owned();
    assert!(wiring.contains("POST /api/v1/cheers (2/s, burst 10)"), "{wiring}");
    assert!(
        wiring.contains("GET /api/v1/game/words"),
        "the modules of the server itself: {wiring}"
    );

    let server = Server::start();
    assert_eq!(server.ask("POST"), r#"{"ok":true,"cheers":1}"#);
    assert_eq!(server.ask("GET"), r#"{"ok":true,"cheers":1}"#);
}
