//! `typephoon-api health`: checks the readiness of a running server, for images without a shell or an HTTP client.
//!
//! Plain HTTP over a socket of the standard library: starting a runtime and an HTTP client would take longer than the
//! check.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::settings::ServerSettings;

/// The route of readiness.
const READY: &str = "/healthcheck/ready";
/// Timeout of the check: below that of usual health checks (3 s and more).
const PATIENCE: Duration = Duration::from_millis(2_500);
/// Longest answer that is read; the server's is below 1 KiB.
const ANSWER_BYTES: usize = 16 * 1024;

/// The address at which a server with these settings answers on this machine.
pub(super) fn local(server: &ServerSettings) -> Result<String, String> {
    if server.port == 0 {
        return Err("server.port is 0, so the port is not known: name it with --at".into());
    }
    let host = match server.host.parse::<IpAddr>() {
        Ok(every) if every.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST).to_string(),
        Ok(IpAddr::V6(one)) => format!("[{one}]"),
        _ => server.host.clone(),
    };
    Ok(format!("{host}:{}", server.port))
}

/// Checks whether the server at `address` (`host:port`) is ready.
///
/// # Errors
/// One sentence: that it does not answer, or why it is not ready.
pub(super) fn ask(address: &str) -> Result<(), String> {
    let answer =
        exchange(address).map_err(|error| format!("{address} does not answer: {error}"))?;
    let status = answer.split_ascii_whitespace().nth(1).unwrap_or_default();
    if answer.starts_with("HTTP/1.") && status == "200" {
        return Ok(());
    }
    if !answer.starts_with("HTTP/1.") {
        return Err(format!("{address} does not speak HTTP"));
    }
    let why = message(&answer).map(|why| format!(": {why}")).unwrap_or_default();
    Err(format!("{address} is not ready (status {status}){why}"))
}

fn exchange(address: &str) -> std::io::Result<String> {
    let deadline = Instant::now() + PATIENCE;
    // 0 would mean no timeout.
    let left = || deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let mut stream = connect(address, left)?;
    stream.set_write_timeout(Some(left()))?;
    // In one write: a server that answers early may not read a second one.
    let question = format!("GET {READY} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while answer.len() < ANSWER_BYTES && Instant::now() < deadline {
        stream.set_read_timeout(Some(left()))?;
        match stream.read(&mut piece)? {
            0 => return Ok(String::from_utf8_lossy(&answer).into_owned()),
            read => answer.extend_from_slice(&piece[..read]),
        }
    }
    Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "its answer does not end"))
}

/// Connects to the first of the name's addresses that accepts.
fn connect(address: &str, left: impl Fn() -> Duration) -> std::io::Result<TcpStream> {
    let mut failure = std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
    for candidate in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&candidate, left()) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The message of the error envelope, if the body is one.
fn message(answer: &str) -> Option<String> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let body: serde_json::Value = serde_json::from_str(body.trim()).ok()?;
    let message = body["error"]["message"].as_str()?;
    (!message.is_empty()).then(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(host: &str, port: u16) -> ServerSettings {
        ServerSettings { host: host.into(), port }
    }

    #[test]
    fn the_server_of_the_settings_is_asked_where_it_listens() {
        for (host, address) in [
            ("0.0.0.0", "127.0.0.1:8080"),
            ("::", "127.0.0.1:8080"),
            ("::1", "[::1]:8080"),
            ("192.0.2.7", "192.0.2.7:8080"),
            ("localhost", "localhost:8080"),
        ] {
            assert_eq!(local(&server(host, 8080)).as_deref(), Ok(address), "{host}");
        }
        assert!(local(&server("0.0.0.0", 0)).unwrap_err().contains("--at"));
    }

    #[test]
    fn the_reason_comes_from_the_error_envelope() {
        let answer = |body: &str| format!("HTTP/1.1 500 x\r\nA: b\r\n\r\n{body}");
        let envelope = r#"{"ok":false,"error":{"code":"UNKNOWN_ERROR","message":"Redis is away"}}"#;
        assert_eq!(message(&answer(envelope)).as_deref(), Some("Redis is away"));
        assert_eq!(message(&answer("<html>")), None);
        assert_eq!(message(""), None);
    }
}
