//! How much one client address may ask for: requests, new guest identities, open sockets.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use salvo::conn::SocketAddr;
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};
use tokio::time::Instant;

use super::answer::tell;
use crate::module::Cx;
use crate::settings::LimitSettings;
use crate::socket::Gcra;
use crate::{Error, Kind};

/// Addresses that are remembered at once. When there are more, those with a full budget are
/// forgotten; a budget that is forgotten too early only starts afresh.
const ADDRESSES: usize = 100_000;

/// Budgets per address.
struct Budgets {
    interval: Duration,
    burst: u32,
    spent: Mutex<HashMap<IpAddr, Gcra>>,
}

impl Budgets {
    fn new(interval: Duration, burst: u32) -> Self {
        Self { interval, burst, spent: Mutex::default() }
    }

    fn spend(&self, address: IpAddr, now: Duration) -> bool {
        let mut spent = self.spent.lock();
        if spent.len() >= ADDRESSES && !spent.contains_key(&address) {
            spent.retain(|_, budget| !budget.is_full(now));
        }
        spent.entry(address).or_default().spend(now, self.interval, self.burst)
    }
}

/// What every client address has spent.
pub(crate) struct Limits {
    begun: Instant,
    requests: Budgets,
    guests: Budgets,
    sockets: Mutex<HashMap<IpAddr, usize>>,
    open: Mutex<usize>,
    trusted_proxies: Vec<IpAddr>,
}

impl Limits {
    pub(crate) fn of(settings: &LimitSettings) -> Self {
        let per_second = Duration::from_secs(1) / settings.requests_per_second.max(1);
        let per_minute = Duration::from_secs(60) / settings.guests_per_minute.max(1);
        Self {
            begun: Instant::now(),
            requests: Budgets::new(per_second, settings.requests_per_second.saturating_mul(2)),
            guests: Budgets::new(per_minute, settings.guests_per_minute),
            sockets: Mutex::default(),
            open: Mutex::default(),
            trusted_proxies: settings
                .trusted_proxies
                .iter()
                .filter_map(|it| it.parse().ok())
                .collect(),
        }
    }

    /// Spends one new identity of the request's address.
    pub(crate) fn spend_guest(&self, req: &Request) -> Result<(), Error> {
        let fine = self.guests.spend(self.address(req), self.begun.elapsed());
        fine.then_some(()).ok_or_else(|| too_many("new players from this address"))
    }

    fn spend_request(&self, req: &Request) -> Result<(), Error> {
        let fine = self.requests.spend(self.address(req), self.begun.elapsed());
        fine.then_some(()).ok_or_else(|| too_many("requests from this address"))
    }

    /// Where a request comes from: the last address that no trusted proxy has added.
    fn address(&self, req: &Request) -> IpAddr {
        let peer = match req.remote_addr() {
            SocketAddr::IPv4(it) => IpAddr::V4(*it.ip()),
            SocketAddr::IPv6(it) => it.ip().to_canonical(),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        if !self.trusted_proxies.contains(&peer) {
            return peer;
        }
        let forwarded = req.headers().get_all("x-forwarded-for").into_iter();
        let forwarded: Vec<IpAddr> = forwarded
            .filter_map(|it| it.to_str().ok())
            .flat_map(|it| it.split(','))
            .filter_map(|it| it.trim().parse().ok())
            .collect();
        forwarded.into_iter().rev().find(|it| !self.trusted_proxies.contains(it)).unwrap_or(peer)
    }
}

fn too_many(what: &str) -> Error {
    Error::new(Kind::TOO_MANY_REQUESTS, format!("too many {what}"))
}

/// The right to have a socket open; given back when it is dropped.
pub(crate) struct Ticket {
    limits: Arc<Limits>,
    address: IpAddr,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        *self.limits.open.lock() -= 1;
        let mut sockets = self.limits.sockets.lock();
        if let Some(count) = sockets.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                sockets.remove(&self.address);
            }
        }
    }
}

/// Lets a request become a socket, if there is room for one more.
pub(crate) fn socket_ticket(cx: &Cx, req: &Request) -> Result<Ticket, Error> {
    let settings = &cx.settings().limits;
    let limits = cx.parts().limits.clone();
    let address = limits.address(req);
    let mut sockets = limits.sockets.lock();
    let mut open = limits.open.lock();
    let count = sockets.get(&address).copied().unwrap_or(0);
    if count >= settings.sockets_per_address || *open >= settings.sockets {
        drop((sockets, open));
        return Err(too_many("open sockets"));
    }
    sockets.insert(address, count + 1);
    *open += 1;
    drop((sockets, open));
    Ok(Ticket { limits, address })
}

/// Refuses requests above the rate of their address. Probes are never refused.
pub(super) struct RequestLimit(pub(super) Arc<Limits>);

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
