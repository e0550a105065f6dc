//! The bus itself: one topic per event type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::broadcast;
use tracing::Instrument;

use super::carrier::{Carrier, Parcel, Receipt, ReceivedEvent};
use super::event::{Envelope, Event, EventInfo, Heard, Never, Reach, Unawaited};
use super::lane::{Delivery, Lanes};
use super::owner::Owner;
use super::publish::Pending;
use super::tap::{Focus, Sights, Tap};
use crate::Error;
use crate::game::{Quick, Timestamp};
use crate::telemetry::{CounterHandle, count, publish_span, relay_span};

/// A running handler. It returns its pending publications to the caller, so that waiting for them does not count as a
/// slow handler.
pub(crate) type Handling = Pin<Box<dyn Future<Output = Result<Pending, Error>> + Send>>;
pub(crate) type Handler<C, E> = Arc<dyn Fn(C, Heard<E>) -> Handling + Send + Sync>;
/// Gets the event, and how long it took from another pod.
type View<E> = Box<dyn Fn(&E, Duration) + Send + Sync>;

/// The lanes of a module, and its handler.
type Subscription<C, E> = (Arc<Lanes<C>>, Handler<C, E>);

/// The receivers of one type of event.
pub(super) struct Topic<C, E> {
    /// Shows the event in its room; called in the publisher's task.
    pub(super) views: Vec<View<E>>,
    /// The modules that hear it, if it is a `Never` event.
    pub(super) handlers: Vec<Subscription<C, E>>,
    /// The ring for the modules that listen to it, if it is a `Latest` event and there are any.
    pub(super) ring: Option<broadcast::Sender<Arc<Envelope<E>>>>,
    /// Counts those published on this pod.
    published: CounterHandle,
}

impl<C, E: Event> Default for Topic<C, E> {
    fn default() -> Self {
        let published = count::EVENTS_PUBLISHED.of([E::NAME]);
        Self { views: Vec::new(), handlers: Vec::new(), ring: None, published }
    }
}

/// Receives an event from another pod. `None` if it cannot be parsed.
pub(super) type Receive<C> =
    Box<dyn for<'a> Fn(&Arc<Bus<C>>, &ReceivedEvent<'a>) -> Option<Pending> + Send + Sync>;

/// Routes events by type. Built by a [`BusBuilder`](super::BusBuilder), then never changed. `C` is
/// the context that handlers get.
pub struct Bus<C> {
    pub(super) topics: HashMap<TypeId, Box<dyn Any + Send + Sync>, Quick>,
    /// Receivers of other pods' events, by name.
    pub(super) receive: HashMap<&'static str, (EventInfo, Receive<C>)>,
    /// The live tail.
    pub(super) tap: Arc<Tap>,
    /// The connection to other pods, if any.
    pub(super) carrier: OnceLock<Arc<dyn Carrier>>,
}

impl<C: Owner> Bus<C> {
    fn topic<E: Event>(&self) -> Option<&Topic<C, E>> {
        self.topics.get(&TypeId::of::<E>())?.downcast_ref()
    }

    /// Watches the events of a game or a player; `None` if there are too many watchers.
    pub(crate) fn watch(&self, focus: Focus) -> Option<Sights> {
        self.tap.watch(focus)
    }

    /// Sets the connection to other pods.
    pub(crate) fn travel_by(&self, carrier: Arc<dyn Carrier>) {
        // Set once, at start-up.
        let _ = self.carrier.set(carrier);
    }

    /// Publishes a lifecycle event: shows it in its room at once, then delivers it to every module that hears it. Waits
    /// while a lane is full; nothing is lost. The facts that it announces must be stored before.
    pub async fn announce<E: Event<Loss = Never>>(&self, event: E) {
        let span = publish_span(E::NAME, event.game());
        self.announce_in_span(event).instrument(span).await;
    }

    async fn announce_in_span<E: Event<Loss = Never>>(&self, event: E) {
        if let Some(topic) = self.topic::<E>() {
            topic.published.inc();
        }
        // Even if no module of this pod hears it, one of a newer pod may.
        if let Some(carrier) = self.carrier.get()
            && E::REACH != Reach::Pod
            && let Some(parcel) = Parcel::of(&event, Timestamp::now())
        {
            match E::REACH {
                Reach::Once if carrier.assign(parcel.clone()).await => return,
                Reach::Once => {}
                _ => carrier.carry(parcel).await,
            }
        }
        self.deliver(Envelope::new(event), Duration::ZERO, None).await;
    }

    /// Shows a lifecycle event on this pod, and delivers it to the modules that hear it.
    async fn deliver<E: Event<Loss = Never>>(
        &self,
        envelope: Envelope<E>,
        age: Duration,
        receipt: Option<Arc<Receipt>>,
    ) {
        let Some(topic) = self.topic::<E>() else { return };
        let game = envelope.event.game();
        self.tap.see(&envelope.event);
        for view in &topic.views {
            view(&envelope.event, age);
        }
        let envelope = Arc::new(envelope);
        for (lanes, handler) in &topic.handlers {
            let (handler, heard) = (handler.clone(), Heard(envelope.clone()));
            let (trace, receipt) = (envelope.trace.clone(), receipt.clone());
            let run = Box::new(move |cx| -> Handling {
                Box::pin(async move {
                    let handled = handler(cx, heard).await;
                    drop(receipt);
                    handled
                })
            });
            lanes.send(game, Delivery { what: E::NAME, trace, run }).await;
        }
    }

    /// Publishes a position or a fleeting event: shows it in its room at once, and puts it into the ring of its type if a
    /// module listens. Never waits.
    pub fn relay<E: Event<Loss: Unawaited>>(&self, event: E) {
        relay_span(E::NAME, event.game()).in_scope(|| self.relay_in_span(event));
    }

    fn relay_in_span<E: Event<Loss: Unawaited>>(&self, event: E) {
        if let Some(topic) = self.topic::<E>() {
            topic.published.inc();
        }
        if let (Some(carrier), Some(game)) = (self.carrier.get(), event.game())
            && matches!(E::REACH, Reach::Game | Reach::Player)
            && carrier.has_others(game)
            && let Some(parcel) = Parcel::of(&event, Timestamp::now())
        {
            carrier.relay(parcel);
        }
        self.show(Envelope::new, event, Duration::ZERO);
    }

    fn show<E: Event<Loss: Unawaited>>(
        &self,
        envelope: impl FnOnce(E) -> Envelope<E>,
        event: E,
        age: Duration,
    ) {
        let Some(topic) = self.topic::<E>() else { return };
        self.tap.see(&event);
        for view in &topic.views {
            view(&event, age);
        }
        if let Some(ring) = &topic.ring {
            // Without receivers, the modules have stopped.
            let _ = ring.send(Arc::new(envelope(event)));
        }
    }

    /// Receives an event from another pod. `None` for an unknown name: that pod has modules that this one lacks.
    pub(crate) fn receive(
        self: &Arc<Self>,
        event: &str,
        arrival: &ReceivedEvent<'_>,
    ) -> Option<Option<Pending>> {
        self.receive.get(event).map(|(_, receive)| receive(self, arrival))
    }

    /// The event types that are heard or shown here, by name.
    pub(crate) fn events(&self) -> Vec<EventInfo> {
        let mut events: Vec<_> = self.receive.values().map(|(info, _)| *info).collect();
        events.sort_by_key(|it| it.name);
        events
    }

    /// The name of an event type, if it is one here.
    pub(crate) fn known(&self, event: &str) -> Option<&'static str> {
        self.receive.get_key_value(event).map(|(name, _)| *name)
    }

    pub(super) fn receive_never<E: Event<Loss = Never>>(
        bus: &Arc<Self>,
        arrival: &ReceivedEvent<'_>,
    ) -> Option<Pending> {
        let envelope = Envelope::arrived(arrival)?;
        let (bus, receipt) = (bus.clone(), arrival.receipt.clone());
        let age = Timestamp::now().after(arrival.at);
        Some(Pending::waits(async move { bus.deliver::<E>(envelope, age, receipt).await }))
    }

    pub(super) fn receive_unawaited<E: Event<Loss: Unawaited>>(
        bus: &Arc<Self>,
        arrival: &ReceivedEvent<'_>,
    ) -> Option<Pending> {
        let Envelope { event, at, trace } = Envelope::<E>::arrived(arrival)?;
        let age = Timestamp::now().after(at);
        bus.show(|event| Envelope { event, at, trace }, event, age);
        Some(Pending::DONE)
    }
}
