//! The address by which others of a local network find this computer.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// Some address beyond the own network, kept for documentation (RFC 5737): only the way to it counts.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// The private address that this computer uses towards other machines, if it is one. Nothing is sent: the system
/// chooses the address when a UDP socket is connected.
pub fn local_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(own) if own.is_private() => Some(own),
        _ => None,
    }
}
