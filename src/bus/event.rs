//! What an event is: a plain struct with a name and two promises.

use std::sync::Arc;

use salvo::oapi::{Components, RefOr, Schema, ToSchema};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::carrier::Arrival;
use super::owner::Owner;
use super::publish::Pending;
use super::topic::Bus;
use crate::game::{GameId, Timestamp, UserId};
use crate::telemetry::TraceContext;

/// Which pods receive an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// This pod only.
    Pod,
    /// Every pod that holds a socket of the game.
    Game,
    /// All pods.
    Everywhere,
    /// Exactly one pod handles it, at least once; its handlers must be idempotent.
    Once,
}

/// A plain struct that says what happened.
///
/// ```
/// use salvo::oapi::ToSchema;
/// use serde::{Deserialize, Serialize};
/// use typephoon_api::bus::{Event, Never, Reach};
/// use typephoon_api::game::GameId;
///
/// /// A player waved.
/// #[derive(Serialize, Deserialize, ToSchema)]
/// struct PlayerWaved { game: GameId }
///
/// impl Event for PlayerWaved {
///     const NAME: &'static str = "player.waved";
///     const REACH: Reach = Reach::Game;
///     type Loss = Never;
///     fn game(&self) -> Option<GameId> { Some(self.game) }
/// }
/// ```
pub trait Event: Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// Noun and past participle (`race.started`); stable, since it is sent to other pods.
    const NAME: &'static str;
    /// Its reach.
    const REACH: Reach;
    /// [`Never`] or [`Latest`].
    type Loss: Loss;
    /// The game it belongs to; events of one game keep their order.
    fn game(&self) -> Option<GameId> {
        None
    }
    /// The player of a [`Latest`] event: only each player's newest counts, and it is not shown to the player's own
    /// sockets. `Never` events are shown to all players.
    fn player(&self) -> Option<&UserId> {
        None
    }
}

/// Whether an event may be lost: part of its type, as [`Event::Loss`].
pub trait Loss: Sized + 'static {
    /// The promise as a word, for the wiring table.
    const WORD: &'static str;
    /// Whether a newer event of a player replaces one that still waits.
    const CONFLATES: bool;
    /// Publishes as the promise requires.
    fn publish<C: Owner, E: Event<Loss = Self>>(bus: &Arc<Bus<C>>, event: E) -> Pending;
    /// Receives an event that another pod published. `None` if it cannot be parsed.
    fn receive<C: Owner, E: Event<Loss = Self>>(
        bus: &Arc<Bus<C>>,
        arrival: &Arrival<'_>,
    ) -> Option<Pending>;
}

/// Never lost: a lifecycle event (joined, started, finished). The publisher waits while a subscribed module's lane is
/// full.
#[derive(Debug)]
pub enum Never {}

/// Only a player's newest event matters (a position): publishing never waits, and the event may be conflated or dropped
/// for a slow receiver.
#[derive(Debug)]
pub enum Latest {}

impl Loss for Never {
    const WORD: &'static str = "never";
    const CONFLATES: bool = false;
    fn publish<C: Owner, E: Event<Loss = Self>>(bus: &Arc<Bus<C>>, event: E) -> Pending {
        let bus = bus.clone();
        Pending::waits(async move { bus.announce(event).await })
    }
    fn receive<C: Owner, E: Event<Loss = Self>>(
        bus: &Arc<Bus<C>>,
        arrival: &Arrival<'_>,
    ) -> Option<Pending> {
        Bus::receive_never::<E>(bus, arrival)
    }
}

impl Loss for Latest {
    const WORD: &'static str = "latest";
    const CONFLATES: bool = true;
    fn publish<C: Owner, E: Event<Loss = Self>>(bus: &Arc<Bus<C>>, event: E) -> Pending {
        bus.relay(event);
        Pending::DONE
    }
    fn receive<C: Owner, E: Event<Loss = Self>>(
        bus: &Arc<Bus<C>>,
        arrival: &Arrival<'_>,
    ) -> Option<Pending> {
        Bus::receive_latest::<E>(bus, arrival)
    }
}

/// An event with its metadata.
#[derive(Debug)]
pub struct Envelope<E> {
    /// What happened.
    pub event: E,
    /// When it was published.
    pub at: Timestamp,
    /// The span that published it, so that the spans it causes can be linked to it.
    pub trace: TraceContext,
}

impl<E: Event> Envelope<E> {
    /// An event from another pod. `None` if it cannot be parsed.
    pub(super) fn arrived(arrival: &Arrival<'_>) -> Option<Self> {
        let event = serde_json::from_str(arrival.body).ok()?;
        Some(Self { event, at: arrival.at, trace: arrival.trace.clone() })
    }

    pub(super) fn new(event: E) -> Self {
        Self { event, at: Timestamp::now(), trace: TraceContext::current() }
    }
}

/// The argument of a handler function: an event that it hears. Derefs to the event.
#[derive(Debug)]
pub struct Heard<E>(pub(crate) Arc<Envelope<E>>);

impl<E> Heard<E> {
    /// The envelope: time and span of the publication.
    pub fn envelope(&self) -> &Envelope<E> {
        &self.0
    }
}

impl<E> std::ops::Deref for Heard<E> {
    type Target = E;
    fn deref(&self) -> &E {
        &self.0.event
    }
}

/// Makes the JSON schema of a type, and adds those that it refers to.
pub(crate) type SchemaOf = fn(&mut Components) -> RefOr<Schema>;

/// An event type as the wiring table shows it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct EventInfo {
    /// Its stable name.
    pub name: &'static str,
    /// Its reach.
    pub reach: Reach,
    /// `never` or `latest`.
    pub loss: &'static str,
    /// Its JSON schema.
    #[serde(skip)]
    pub(crate) schema: SchemaOf,
}

impl PartialEq for EventInfo {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl EventInfo {
    /// The description of the type.
    pub const fn of<E: Event>() -> Self {
        let (name, reach, loss) = (E::NAME, E::REACH, <E::Loss as Loss>::WORD);
        Self { name, reach, loss, schema: E::to_schema }
    }
}
