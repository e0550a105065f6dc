//! Counted slots, in total and per client address: open connections, open sockets.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

/// How many slots are taken.
#[derive(Debug, Default)]
pub(crate) struct ConnectionSlots(Mutex<TakenSlots>);

#[derive(Debug, Default)]
struct TakenSlots {
    in_all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Which limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Full {
    /// The limit of all addresses together.
    InAll,
    /// The limit of this address.
    Address,
}

impl ConnectionSlots {
    /// Takes a slot for `address`, unless `in_all` slots are taken, or `each` by this address.
    pub(in crate::http) fn take(
        self: &Arc<Self>,
        address: IpAddr,
        in_all: usize,
        each: usize,
    ) -> Result<ConnectionSlot, Full> {
        let mut taken = self.0.lock();
        if taken.in_all >= in_all {
            return Err(Full::InAll);
        }
        let own = taken.by_address.entry(address).or_default();
        if *own >= each {
            return Err(Full::Address);
        }
        *own += 1;
        taken.in_all += 1;
        Ok(ConnectionSlot { slots: self.clone(), address })
    }
}

/// One slot; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    address: IpAddr,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.lock();
        taken.in_all -= 1;
        if let Some(own) = taken.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn slots_are_limited_in_all_and_per_address_and_come_back() {
        let slots = Arc::new(ConnectionSlots::default());
        let first = slots.take(address(1), 3, 2).expect("room");
        let _second = slots.take(address(1), 3, 2).expect("room");
        assert_eq!(slots.take(address(1), 3, 2).unwrap_err(), Full::Address);
        let _third = slots.take(address(2), 3, 2).expect("another address has room");
        assert_eq!(slots.take(address(3), 3, 2).unwrap_err(), Full::InAll);
        drop(first);
        slots.take(address(3), 3, 2).expect("a slot that was given back");
        assert_eq!(slots.0.lock().by_address.len(), 2, "addresses without a slot are forgotten");
    }
}
