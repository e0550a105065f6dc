//! The bus itself: one topic per event type, found by the type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::broadcast;

use super::event::{Envelope, Event, Heard, Latest, Never};
use super::lane::{Delivery, Lanes};
use super::publish::Pending;
use crate::Error;
use crate::module::Cx;
use crate::telemetry::publish_span;

/// A handler at work. It leaves what it publishes to whoever runs it, so that a publication that has to
/// wait is not taken for a handler that hangs.
pub(crate) type Handling = Pin<Box<dyn Future<Output = Result<Pending, Error>> + Send>>;
pub(crate) type Handler<E> = Arc<dyn Fn(Cx, Heard<E>) -> Handling + Send + Sync>;
type View<E> = Box<dyn Fn(&E) + Send + Sync>;

/// All that happens to one type of event.
pub(super) struct Topic<E> {
    /// Shows the event in its room; called by the publisher itself.
    pub(super) views: Vec<View<E>>,
    /// The modules that hear it, if it is a `Never` event.
    pub(super) handlers: Vec<(Arc<Lanes>, Handler<E>)>,
    /// Where the modules that hear it listen, if it is a `Latest` event and there are such modules.
    pub(super) ring: Option<broadcast::Sender<Arc<Envelope<E>>>>,
}

impl<E> Default for Topic<E> {
    fn default() -> Self {
        Self { views: Vec::new(), handlers: Vec::new(), ring: None }
    }
}

/// Routes events by type. Built by a [`BusBuilder`](super::BusBuilder), then never changed.
pub struct Bus {
    pub(super) topics: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl Bus {
    fn topic<E: Event>(&self) -> Option<&Topic<E>> {
        self.topics.get(&TypeId::of::<E>())?.downcast_ref()
    }

    /// Publishes a lifecycle event: shown in its room at once, then given to every module that hears
    /// it. Waits while a lane is full; nothing is lost. What it announces has been written down before.
    pub async fn announce<E: Event<Loss = Never>>(&self, event: E) {
        let Some(topic) = self.topic::<E>() else { return };
        let game = event.game();
        let envelope = publish_span(E::NAME, game).in_scope(|| {
            for view in &topic.views {
                view(&event);
            }
            Arc::new(Envelope::new(event))
        });
        for (lanes, handler) in &topic.handlers {
            let (handler, heard) = (handler.clone(), Heard(envelope.clone()));
            let trace = envelope.trace.clone();
            let run = Box::new(move |cx| handler(cx, heard));
            lanes.send(game, Delivery { what: E::NAME, trace, run }).await;
        }
    }

    /// Publishes a position: shown in its room at once, and put into the ring of its type if a module
    /// hears it. Never waits.
    pub fn relay<E: Event<Loss = Latest>>(&self, event: E) {
        let Some(topic) = self.topic::<E>() else { return };
        for view in &topic.views {
            view(&event);
        }
        if let Some(ring) = &topic.ring {
            // Nobody listening is no fault: the modules have stopped.
            let _ = ring.send(Arc::new(Envelope::new(event)));
        }
    }
}
