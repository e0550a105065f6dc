//! What servers of a test's own have in common, such as PostgreSQL, Redis and RabbitMQ that may be killed.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Mutex;

/// Ports below the ephemeral ones, so that no other program takes one while the server is away.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// Ports that are taken, although their services may not listen yet.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A free port that no other test gets.
pub fn free_port() -> u16 {
    let free = |port: &u16| {
        TcpListener::bind(("127.0.0.1", *port)).is_ok()
            && TAKEN.lock().expect("no panic while it is locked").insert(*port)
    };
    let some = std::iter::repeat_with(|| rand::random_range(PORTS));
    some.take(100).find(free).expect("a free port")
}

/// What is lacking is not installed: the test is skipped, unless `REQUIRE_SERVICES` is set.
pub fn skip(lacking: &str) {
    assert!(std::env::var_os("REQUIRE_SERVICES").is_none(), "required: {lacking}");
    eprintln!("skipped: {lacking}");
}

/// A program in the path.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it| it.is_file())
}
