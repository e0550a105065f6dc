//! Builds the bus from the declarations of the handler modules, and runs their lanes and rings.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::event::{Envelope, Event, EventInfo, Heard, Latest, Loss, Never};
use super::fence::{count_deliveries_from_zero, count_from_zero, fence, report_panic};
use super::lane::{LaneReceivers, Lanes};
use super::owner::Owner;
use super::topic::{Bus, Handler, Handling, Receive, Topic};
use crate::game::Quick;
use crate::telemetry::{TraceContext, count, panics};

/// `Latest` events of one type that a slow module may be behind before it lags.
pub const RING_CAPACITY: usize = 1024;

/// Called when a module has lagged, to re-read what it needs.
pub type Reread<C> = Arc<dyn Fn(C) -> Handling + Send + Sync>;
type Listening<C> =
    Box<dyn FnOnce(C, TaskTracker) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Collects the subscriptions, before anything is published. `C` is the context that handlers get.
pub struct BusBuilder<C> {
    topics: HashMap<TypeId, Box<dyn Any + Send + Sync>, Quick>,
    receive: HashMap<&'static str, (EventInfo, Receive<C>)>,
    lanes: BTreeMap<&'static str, (Arc<Lanes<C>>, LaneReceivers<C>)>,
    listening: Vec<(&'static str, Listening<C>)>,
}

impl<C> Default for BusBuilder<C> {
    fn default() -> Self {
        Self {
            topics: HashMap::default(),
            receive: HashMap::new(),
            lanes: BTreeMap::new(),
            listening: Vec::new(),
        }
    }
}

impl<C: Owner + Clone> BusBuilder<C> {
    fn topic<E: Event>(&mut self) -> &mut Topic<C, E> {
        let receive =
            || (EventInfo::of::<E>(), Box::new(<E::Loss as Loss>::receive::<C, E>) as Receive<C>);
        self.receive.entry(E::NAME).or_insert_with(receive);
        let topic = self.topics.entry(TypeId::of::<E>());
        let topic = topic.or_insert_with(|| Box::new(Topic::<C, E>::default()));
        topic.downcast_mut().expect("a topic is stored under the id of its own type")
    }

    /// The lanes of a module, for all its `Never` events and timers.
    pub fn lanes(&mut self, module: &'static str) -> Arc<Lanes<C>> {
        self.lanes.entry(module).or_insert_with(Lanes::new).0.clone()
    }

    /// Adds a view of a module: every publisher of `E` calls it, before anything else.
    pub(crate) fn view<E: Event>(
        &mut self,
        owner: &(impl Owner + Clone),
        view: impl Fn(&E) + Send + Sync + 'static,
    ) {
        self.aged_view(owner, move |event: &E, _| view(event));
    }

    /// The same for a view that is told how long the event took from another pod; zero for events of this pod.
    pub(crate) fn aged_view<E: Event>(
        &mut self,
        owner: &(impl Owner + Clone),
        view: impl Fn(&E, Duration) + Send + Sync + 'static,
    ) {
        count_from_zero(owner.module(), E::NAME);
        let owner = owner.clone();
        self.topic::<E>().views.push(Box::new(move |event, age| {
            // It runs in the publisher's task, so its panics are caught.
            if let Err(caught) = panics::catch(|| view(event, age)) {
                report_panic(&owner, E::NAME, &caught);
            }
        }));
    }

    /// Subscribes a module to a lifecycle event.
    pub fn hear<E: Event<Loss = Never>>(&mut self, module: &'static str, handler: Handler<C, E>) {
        count_deliveries_from_zero(module, E::NAME);
        let lanes = self.lanes(module);
        self.topic::<E>().handlers.push((lanes, handler));
    }

    /// Subscribes a module to positions; `reread` is called when it lagged.
    pub fn listen<E: Event<Loss = Latest>>(
        &mut self,
        module: &'static str,
        handler: Handler<C, E>,
        reread: Reread<C>,
    ) {
        count_deliveries_from_zero(module, E::NAME);
        count::LAGGED.add([E::NAME], 0);
        let ring =
            self.topic::<E>().ring.get_or_insert_with(|| broadcast::channel(RING_CAPACITY).0);
        let receiver = ring.subscribe();
        let listening: Listening<C> =
            Box::new(|cx, tasks| Box::pin(listen(cx, receiver, handler, reread, tasks)));
        self.listening.push((module, listening));
    }

    /// The bus, and its receivers.
    pub fn build(self) -> (Arc<Bus<C>>, Listeners<C>) {
        let lanes = self.lanes.into_iter().map(|(module, (_, receivers))| (module, receivers));
        let listeners = Listeners { lanes: lanes.collect(), listening: self.listening };
        let carrier = OnceLock::new();
        let (topics, receive, tap) = (self.topics, self.receive, Arc::default());
        let bus = Bus { topics, receive, tap, carrier };
        (Arc::new(bus), listeners)
    }
}

/// The receiving ends of the bus, until they get their contexts.
pub struct Listeners<C> {
    lanes: Vec<(&'static str, LaneReceivers<C>)>,
    listening: Vec<(&'static str, Listening<C>)>,
}

impl<C: Owner + Clone> Listeners<C> {
    /// Runs every lane and every ring receiver as a task of `tasks`, until `stop`. What is in the lanes by then is
    /// still delivered.
    pub fn run(
        self,
        cx: impl Fn(&'static str) -> C,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) {
        for (module, receivers) in self.lanes {
            receivers.run(&cx(module), tasks, stop);
        }
        for (module, listening) in self.listening {
            let (task, stop) = (listening(cx(module), tasks.clone()), stop.clone());
            tasks.spawn(async move { stop.run_until_cancelled(task).await });
        }
    }
}

async fn listen<C: Owner + Clone, E: Event>(
    cx: C,
    ring: broadcast::Receiver<Arc<Envelope<E>>>,
    handler: Handler<C, E>,
    reread: Reread<C>,
    tasks: TaskTracker,
) {
    let mut ring = BroadcastStream::new(ring);
    while let Some(next) = ring.next().await {
        match next {
            Ok(_) if !cx.takes(E::NAME) => {}
            Ok(envelope) => {
                let trace = envelope.trace.clone();
                let (handler, its) = (handler.clone(), cx.clone());
                let handling = async move { handler(its, Heard(envelope)).await };
                fence(&cx, E::NAME, &trace, handling, &tasks).await;
            }
            Err(BroadcastStreamRecvError::Lagged(missed)) => {
                count::LAGGED.add([E::NAME], missed);
                tracing::warn!(
                    module = cx.module(),
                    event = E::NAME,
                    missed,
                    "a module is too slow for positions; it reads the facts again"
                );
                let (reread, its) = (reread.clone(), cx.clone());
                let rereading = async move { reread(its).await };
                fence(&cx, "re-reading", &TraceContext::none(), rereading, &tasks).await;
            }
        }
    }
}
