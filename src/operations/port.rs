//! The listener of the operations port.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpSocket, lookup_host};

use crate::http::{Caps, Listener};
use crate::settings::OperationsSettings;

/// Accept queue.
const BACKLOG: u32 = 64;
/// Limit of connections: Prometheus, probes, and a few operators.
const CONNECTIONS: usize = 256;

/// A bound port.
pub(crate) struct Port {
    pub(super) listener: Listener,
    /// Its address.
    pub(crate) address: SocketAddr,
}

impl Port {
    /// Binds the port. If the default port is in use, for example by another server on this machine, it logs that and
    /// returns `None`.
    ///
    /// # Errors
    /// One sentence with the cause.
    pub(crate) async fn bind(settings: &OperationsSettings) -> Result<Option<Self>, String> {
        let (host, port) = (settings.host.as_str(), settings.port);
        match Self::listen(host, port.number).await {
            Ok(taken) => Ok(Some(taken)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && !port.is_chosen => {
                tracing::warn!(
                    "no operations port: {} on {host} is taken by another program; operations.port \
                     (TP_OPERATIONS__PORT) sets another",
                    port.number
                );
                Ok(None)
            }
            Err(error) => Err(format!(
                "cannot listen on the operations port {host}:{}: {error}; operations.host and \
                 operations.port set another one",
                port.number
            )),
        }
    }

    async fn listen(host: &str, port: u16) -> io::Result<Self> {
        let address = lookup_host((host.trim_matches(['[', ']']), port)).await?.next();
        let address = address.ok_or_else(|| io::Error::other("the host has no address"))?;
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok(Self { listener: Listener::new(listener, Caps::of_all(CONNECTIONS)), address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::OperationsPort;

    #[tokio::test]
    async fn a_second_server_on_one_machine_goes_without_but_a_port_that_was_asked_for_must_be_free()
     {
        let port = OperationsPort { number: 0, is_chosen: true };
        let mut settings = OperationsSettings { port, ..OperationsSettings::default() };
        let first = Port::bind(&settings).await.unwrap().expect("a free port");
        settings.port = OperationsPort { number: first.address.port(), is_chosen: false };
        assert!(Port::bind(&settings).await.unwrap().is_none());
        settings.port.is_chosen = true;
        let refused = Port::bind(&settings).await.map(drop).unwrap_err();
        assert!(refused.contains("operations.port"), "{refused}");
    }
}
