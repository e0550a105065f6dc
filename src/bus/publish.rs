//! The return types of handler functions that publish events.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use tracing::{Instrument, Span};

use super::event::{Event, EventInfo, Loss};
use super::owner::Owner;
use super::topic::Bus;

type DeliveryFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The pending part of a publication: nothing for `Latest`, which then costs no allocation.
#[must_use = "`Never` events are published when this is awaited"]
pub struct Pending(Option<DeliveryFuture>);

impl Pending {
    /// Nothing to wait for.
    pub const DONE: Self = Self(None);

    pub(super) fn waits(publication: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(Box::pin(publication)))
    }

    fn then(self, next: Self) -> Self {
        match (self.0, next.0) {
            (None, only) | (only, None) => Self(only),
            (Some(first), Some(second)) => Self::waits(async {
                first.await;
                second.await;
            }),
        }
    }

    /// Runs the pending part within the span.
    pub(crate) fn within(self, span: Span) -> Self {
        match self.0 {
            Some(waiting) if !span.is_none() => Self::waits(waiting.instrument(span)),
            waiting => Self(waiting),
        }
    }

    /// Whether anything is pending.
    pub fn is_done(&self) -> bool {
        self.0.is_none()
    }
}

impl IntoFuture for Pending {
    type Output = ();
    type IntoFuture = DeliveryFuture;
    fn into_future(self) -> DeliveryFuture {
        self.0.unwrap_or_else(|| Box::pin(std::future::ready(())))
    }
}

/// Events as the return value of a handler function: none, one, an option, several, or a pair. So a module's emitted
/// events follow from the signatures of its functions.
pub trait Emits: Send + Sized + 'static {
    /// The event types that may be published.
    fn kinds() -> Vec<EventInfo>;
    /// Publishes them, in order.
    fn publish<C: Owner>(self, bus: &Arc<Bus<C>>) -> Pending;
}

impl Emits for () {
    fn kinds() -> Vec<EventInfo> {
        Vec::new()
    }
    fn publish<C: Owner>(self, _: &Arc<Bus<C>>) -> Pending {
        Pending::DONE
    }
}

impl<E: Event> Emits for E {
    fn kinds() -> Vec<EventInfo> {
        vec![EventInfo::of::<E>()]
    }
    fn publish<C: Owner>(self, bus: &Arc<Bus<C>>) -> Pending {
        <E::Loss as Loss>::publish(bus, self)
    }
}

impl<T: Emits> Emits for Option<T> {
    fn kinds() -> Vec<EventInfo> {
        T::kinds()
    }
    fn publish<C: Owner>(self, bus: &Arc<Bus<C>>) -> Pending {
        self.map_or(Pending::DONE, |events| events.publish(bus))
    }
}

impl<T: Emits> Emits for Vec<T> {
    fn kinds() -> Vec<EventInfo> {
        T::kinds()
    }
    fn publish<C: Owner>(self, bus: &Arc<Bus<C>>) -> Pending {
        self.into_iter().fold(Pending::DONE, |before, events| before.then(events.publish(bus)))
    }
}

impl<A: Emits, B: Emits> Emits for (A, B) {
    fn kinds() -> Vec<EventInfo> {
        [A::kinds(), B::kinds()].concat()
    }
    fn publish<C: Owner>(self, bus: &Arc<Bus<C>>) -> Pending {
        let first = self.0.publish(bus);
        first.then(self.1.publish(bus))
    }
}
