//! Limits per client address: requests, new guests, logins, seats, open sockets. Seats are also limited per player.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use parking_lot::Mutex;
use salvo::conn::SocketAddr;
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};
use tokio::time::Instant;

use super::answer::tell;
use super::rate::{Gcra, Rate};
use super::slots::{ConnectionSlot, ConnectionSlots};
use crate::game::UserId;
use crate::settings::LimitSettings;
use crate::{Error, Kind};

/// Addresses tracked at once. Beyond that, those with a full budget are dropped, or else all; a dropped budget starts
/// full.
const ADDRESSES: usize = 100_000;

/// Budgets by key, such as the address.
pub struct Budgets<K> {
    begun: Instant,
    interval: Duration,
    burst: u32,
    spent: Mutex<HashMap<K, Gcra>>,
}

impl<K: Eq + Hash> Budgets<K> {
    fn new(interval: Duration, burst: u32) -> Self {
        Self { begun: Instant::now(), interval, burst, spent: Mutex::default() }
    }

    /// `number` units per minute, with a burst of the same size.
    pub fn per_minute(number: u32) -> Self {
        Self::new(Duration::from_secs(60) / number.max(1), number)
    }

    /// Units at this rate.
    pub(crate) fn at(rate: Rate) -> Self {
        Self::new(rate.interval(), rate.size())
    }

    /// Spends one unit, if one is left.
    ///
    /// # Errors
    /// The time until the next unit.
    pub fn spend(&self, whose: K) -> Result<(), Duration> {
        let now = self.begun.elapsed();
        let mut spent = self.spent.lock();
        if spent.len() >= ADDRESSES && !spent.contains_key(&whose) {
            spent.retain(|_, budget| !budget.is_full(now));
            if spent.len() >= ADDRESSES {
                spent.clear();
            }
        }
        spent.entry(whose).or_default().try_spend(now, self.interval, self.burst)
    }
}

/// The budgets of all client addresses.
pub(crate) struct Limits {
    requests: Budgets<IpAddr>,
    guests: Budgets<IpAddr>,
    logins: Budgets<IpAddr>,
    login_returns: Budgets<IpAddr>,
    seats: Budgets<IpAddr>,
    own_games: Budgets<IpAddr>,
    seats_of_player: Budgets<UserId>,
    sockets: Arc<ConnectionSlots>,
    /// The most open sockets, in total and of one address.
    most_sockets: (usize, usize),
    trusted_proxies: Vec<IpNet>,
}

impl Limits {
    pub(crate) fn of(settings: &LimitSettings) -> Self {
        let per_second = Duration::from_secs(1) / settings.requests_per_second.max(1);
        Self {
            requests: Budgets::new(per_second, settings.requests_per_second.saturating_mul(2)),
            guests: Budgets::per_minute(settings.guests_per_minute),
            logins: Budgets::per_minute(settings.logins_per_minute),
            login_returns: Budgets::per_minute(settings.logins_per_minute),
            seats: Budgets::per_minute(settings.seats_per_minute),
            own_games: Budgets::per_minute(settings.games_per_minute),
            seats_of_player: Budgets::per_minute(settings.seats_per_player),
            sockets: Arc::default(),
            most_sockets: (settings.sockets, settings.sockets_per_address),
            trusted_proxies: settings.trusted_proxies.clone(),
        }
    }

    /// Spends one new guest, or one lobby that is not open, of the request's address.
    pub(crate) fn spend_guest(&self, req: &Request) -> Result<(), Error> {
        let spent = self.guests.spend(self.address(req));
        spent.map_err(|wait| {
            Error::too_many("too many new players or lobbies from this address", wait)
        })
    }

    /// Spends one login attempt of the request's address.
    pub(crate) fn spend_login(&self, req: &Request) -> Result<(), Error> {
        let spent = self.logins.spend(self.address(req));
        spent.map_err(|wait| Error::too_many("too many logins from this address", wait))
    }

    /// Spends one return from an identity provider of the request's address. Counted separately from started logins, so
    /// a complete login costs one of each.
    pub(crate) fn spend_login_return(&self, req: &Request) -> Result<(), Error> {
        let spent = self.login_returns.spend(self.address(req));
        spent.map_err(|wait| Error::too_many("too many logins from this address", wait))
    }

    /// Spends one seat of the player, if known, and one of the address; and one game of the address, if the lobby is
    /// not open. The player's first, so that a player over the limit spends nothing of the shared address.
    pub(crate) fn spend_seat(
        &self,
        req: &Request,
        player: Option<&UserId>,
        is_own_game: bool,
    ) -> Result<(), Error> {
        let address = self.address(req);
        if let Some(player) = player {
            let spent = self.seats_of_player.spend(player.clone());
            spent.map_err(|wait| Error::too_many("too many games for this player", wait))?;
        }
        let from_here = |wait| Error::too_many("too many games from this address", wait);
        if is_own_game {
            self.own_games.spend(address).map_err(from_here)?;
        }
        self.seats.spend(address).map_err(from_here)
    }

    fn spend_request(&self, req: &Request) -> Result<(), Error> {
        let spent = self.requests.spend(self.address(req));
        spent.map_err(|wait| Error::too_many("too many requests from this address", wait))
    }

    /// Reserves a slot for a socket, if there is one left.
    pub(crate) fn socket_slot(&self, req: &Request) -> Result<ConnectionSlot, Error> {
        let (in_all, each) = self.most_sockets;
        let slot = self.sockets.take(self.address(req), in_all, each);
        slot.map_err(|_| Error::new(Kind::TOO_MANY_REQUESTS, "too many open sockets"))
    }

    /// The client address of a request: the last one that is not a trusted proxy.
    pub(crate) fn address(&self, req: &Request) -> IpAddr {
        let peer = match req.remote_addr() {
            SocketAddr::IPv4(it) => IpAddr::V4(*it.ip()),
            SocketAddr::IPv6(it) => it.ip().to_canonical(),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        let forwarded = req.headers().get_all("x-forwarded-for").into_iter();
        let hops: Vec<&str> =
            forwarded.filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(',')).collect();
        site(client(peer, &hops, &self.trusted_proxies))
    }
}

/// Whether an address is in one of the networks.
pub(in crate::http) fn is_among(address: IpAddr, networks: &[IpNet]) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// The client behind `peer`, following the hops that trusted proxies added. An unparsable hop ends the chain.
fn client(peer: IpAddr, hops: &[&str], trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    for hop in hops.iter().rev().map(|hop| hop.trim()) {
        let with_port = || Some(hop.parse::<std::net::SocketAddr>().ok()?.ip());
        let address = hop.parse().ok().or_else(with_port).map(|it: IpAddr| it.to_canonical());
        match address {
            Some(address) if is_among(client, trusted) => client = address,
            _ => break,
        }
    }
    client
}

/// The unit that an address is counted by: for IPv6 the /64 network, since one customer has all of its addresses. This computer's
/// own stays as it is.
pub(in crate::http) fn site(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(it) if !it.is_loopback() => {
            Ipv6Addr::from(u128::from(it) & !u128::from(u64::MAX)).into()
        }
        _ => address,
    }
}

/// Refuses requests above the rate of their address. Probes are never refused.
pub(in crate::http) struct RequestLimit(pub(in crate::http) Arc<Limits>);

#[async_trait]
impl Handler for RequestLimit {
    async fn handle(
        &self,
        req: &mut Request,
        _: &mut Depot,
        res: &mut Response,
        ctrl: &mut FlowCtrl,
    ) {
        if req.uri().path().starts_with("/healthcheck/") {
            return;
        }
        if let Err(error) = self.0.spend_request(req) {
            tell(res, &error);
            ctrl.skip_rest();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let (proxy, player) = (ip("10.0.0.1"), ip("203.0.113.7"));
        let trusted = ["10.0.0.1/32", "10.0.0.2/31"].map(|it| it.parse().unwrap());
        assert_eq!(client(player, &["6.6.6.6"], &trusted), player, "no proxy");
        assert_eq!(client(proxy, &["6.6.6.6", "203.0.113.7"], &trusted), player);
        assert_eq!(client(proxy, &["6.6.6.6", " 203.0.113.7:51234"], &trusted), player);
        assert_eq!(client(proxy, &["203.0.113.7", "10.0.0.3"], &trusted), player, "two proxies");
        assert_eq!(
            client(proxy, &["203.0.113.7", "10.0.0.4"], &trusted),
            ip("10.0.0.4"),
            "no proxy"
        );
        assert_eq!(client(proxy, &["6.6.6.6", "::ffff:203.0.113.7"], &trusted), player, "mapped");
        assert_eq!(client(proxy, &["6.6.6.6", "unknown"], &trusted), proxy, "unreadable");
    }

    #[test]
    fn a_network_of_ipv6_is_one_site() {
        assert_eq!(site(ip("2001:db8:1:2:3:4:5:6")), site(ip("2001:db8:1:2::1")));
        assert_ne!(site(ip("2001:db8:1:2::1")), site(ip("2001:db8:1:3::1")));
        assert!(site(ip("::1")).is_loopback());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_tells_when_the_next_unit_is_there() {
        let budgets = Budgets::per_minute(10);
        assert!((0..10).all(|_| budgets.spend("anna").is_ok()));
        assert_eq!(budgets.spend("anna"), Err(Duration::from_secs(6)));
        tokio::time::advance(Duration::from_millis(2_500)).await;
        assert_eq!(budgets.spend("anna"), Err(Duration::from_millis(3_500)));
        assert_eq!(budgets.spend("ben"), Ok(()));
        tokio::time::advance(Duration::from_millis(3_500)).await;
        assert_eq!(budgets.spend("anna"), Ok(()));
        assert_eq!(budgets.spend("anna"), Err(Duration::from_secs(6)));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let budgets = Budgets::<IpAddr>::per_minute(1);
        for number in 0..ADDRESSES + 10 {
            let address = Ipv4Addr::from(u32::try_from(number).unwrap()).into();
            assert_eq!(budgets.spend(address), Ok(()));
        }
        assert!(budgets.spent.lock().len() <= ADDRESSES);
    }
}
