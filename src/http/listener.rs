//! Accepts connections within the limits, in total and per address, before any HTTP is read.
//!
//! A connection beyond the limits gets an error and is closed. Refusals are logged once in ten seconds, with a count,
//! so that a flood of connections does not flood the log.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::edge::Connection;
use super::edge::in_full;
use super::edge::{ConnectionSlots, Full};
use super::edge::{is_among, site};
use crate::settings::LimitSettings;
use crate::telemetry::count;
use crate::{Error, Kind};

/// Shortest interval between two log lines of the same kind.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// Pause after a failed accept, for example without free file descriptors, since it would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The limits of open connections.
#[derive(Clone, Debug)]
pub(crate) struct Caps {
    in_all: usize,
    per_address: usize,
    /// Trusted proxies, whose addresses stand for many clients.
    proxies: Vec<IpNet>,
    slots: Arc<ConnectionSlots>,
}

impl Caps {
    /// The limits of the settings, but at most `room`, which the limit of open files allows.
    pub(crate) fn of(settings: &LimitSettings, room: usize) -> Self {
        Self {
            in_all: settings.connections.min(room),
            per_address: settings.connections_per_address,
            proxies: settings.trusted_proxies.clone(),
            slots: Arc::default(),
        }
    }

    /// A limit in total only.
    pub(crate) fn of_all(connections: usize) -> Self {
        let (in_all, per_address) = (connections, connections);
        Self { in_all, per_address, proxies: Vec::new(), slots: Arc::default() }
    }

    /// The limit of one address; trusted proxies have none.
    fn per_address(&self, address: IpAddr) -> usize {
        if is_among(address, &self.proxies) { usize::MAX } else { self.per_address }
    }
}

/// The listening socket of the server.
pub(crate) struct Listener {
    socket: tokio::net::TcpListener,
    caps: Caps,
    refused: Seldom,
    failed: Seldom,
}

impl Listener {
    pub(crate) fn new(socket: tokio::net::TcpListener, caps: Caps) -> Self {
        Self { socket, caps, refused: Seldom::default(), failed: Seldom::default() }
    }

    /// Accepts the next connection within the limits. Cancel-safe.
    pub(super) async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => {
                    let address = peer.ip().to_canonical();
                    let each = self.caps.per_address(address);
                    match self.caps.slots.take(site(address), self.caps.in_all, each) {
                        Ok(slot) => return (Connection::new(stream, slot), peer),
                        Err(full) => self.refuse(stream, full),
                    }
                }
                Err(error) => {
                    if let Some(times) = self.failed.count() {
                        tracing::error!(%error, times, "cannot accept connections");
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn refuse(&mut self, stream: TcpStream, full: Full) {
        count::REFUSED_CONNECTIONS.add(1);
        let (error, limit) = match full {
            Full::InAll => (Kind::UNAVAILABLE, "limits.connections, or that of open files"),
            Full::Address => (Kind::TOO_MANY_REQUESTS, "limits.connections_per_address"),
        };
        if let Some(times) = self.refused.count() {
            tracing::warn!(times, "connections refused: the limit is reached ({limit})");
        }
        let answer = in_full(&Error::new(error, "too many open connections"));
        // The send buffer of a new connection is empty, so the answer fits. Input is read, since closing with unread
        // input would reset the connection and lose the answer.
        if let Ok(mut stream) = stream.into_std() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write(&answer);
        }
    }
}

/// Rate limit for one kind of log line.
#[derive(Debug, Default)]
struct Seldom {
    said: Option<Instant>,
    since: u64,
}

impl Seldom {
    /// Counts an occurrence. Returns the count since the last line, if another line is due.
    fn count(&mut self) -> Option<u64> {
        self.since += 1;
        if self.said.is_some_and(|said| said.elapsed() < LOG_PAUSE) {
            return None;
        }
        self.said = Some(Instant::now());
        Some(std::mem::take(&mut self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_happens_all_the_time_is_logged_once_in_a_while() {
        let mut seldom = Seldom::default();
        let said: Vec<_> = (0..1_000).filter_map(|_| seldom.count()).collect();
        assert_eq!(said, [1]);
        tokio::time::advance(LOG_PAUSE).await;
        assert_eq!(seldom.count(), Some(1_000), "999 that were kept back, and this one");
    }

    #[test]
    fn a_trusted_proxy_has_no_limit_of_its_own() {
        let proxy = "192.0.2.128/25".parse().unwrap();
        let settings = LimitSettings {
            connections_per_address: 7,
            trusted_proxies: vec![proxy],
            ..LimitSettings::default()
        };
        let caps = Caps::of(&settings, 100);
        assert_eq!(caps.in_all, 100, "no more than there is room for");
        assert_eq!(caps.per_address("192.0.2.200".parse().unwrap()), usize::MAX);
        assert_eq!(caps.per_address("192.0.2.2".parse().unwrap()), 7);
    }
}
