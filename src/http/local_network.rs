//! The address of this computer in its local network.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// An address outside the local network, reserved for documentation (RFC 5737); only the route to it matters.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// This computer's source address towards other machines, if that is private. Nothing is sent: the system selects the
/// address when a UDP socket is connected.
pub fn local_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(own) if own.is_private() => Some(own),
        _ => None,
    }
}
