//! What an event is: a plain struct with a name and two promises.

use std::sync::Arc;

use salvo::oapi::ToSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::carrier::Arrival;
use super::publish::Pending;
use super::topic::Bus;
use crate::game::{GameId, Timestamp, UserId};
use crate::socket::SchemaOf;
use crate::telemetry::TraceContext;

/// Who has to hear an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// This server alone.
    Pod,
    /// Every server that holds a socket of the game.
    Game,
    /// All servers.
    Everywhere,
    /// Exactly one server handles it, at least once: its handlers are idempotent.
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
/// /// Somebody waved.
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
    /// Noun and past participle (`race.started`); stable, since it crosses servers.
    const NAME: &'static str;
    /// Who has to hear it.
    const REACH: Reach;
    /// [`Never`] or [`Latest`].
    type Loss: Loss;
    /// The game it belongs to; events of one game keep their order.
    fn game(&self) -> Option<GameId> {
        None
    }
    /// Whose it is, for [`Latest`] events: of each player only the newest counts, and it is not shown
    /// to the player's own sockets. `Never` events are shown to everybody, whoever's they are.
    fn player(&self) -> Option<&UserId> {
        None
    }
}

/// May an event be lost? Stated at its type, as [`Event::Loss`].
pub trait Loss: Sized + 'static {
    /// The promise in one word, for the wiring table.
    const WORD: &'static str;
    /// Whether a newer event of a player takes the place of one that still waits.
    const CONFLATES: bool;
    /// Publishes in the way the promise asks for.
    fn publish<E: Event<Loss = Self>>(bus: &Arc<Bus>, event: E) -> Pending;
    /// Takes an event that another server has published. `None` if it cannot be read.
    fn receive<E: Event<Loss = Self>>(bus: &Arc<Bus>, arrival: &Arrival<'_>) -> Option<Pending>;
}

/// Never lost: a lifecycle event (joined, started, finished). A publisher waits while a hearing
/// module's lane is full.
#[derive(Debug)]
pub enum Never {}

/// Only the newest of a player matters (a cursor position): it never makes anybody wait, and may be
/// conflated or overtaken where somebody is slow.
#[derive(Debug)]
pub enum Latest {}

impl Loss for Never {
    const WORD: &'static str = "never";
    const CONFLATES: bool = false;
    fn publish<E: Event<Loss = Self>>(bus: &Arc<Bus>, event: E) -> Pending {
        let bus = bus.clone();
        Pending::waits(async move { bus.announce(event).await })
    }
    fn receive<E: Event<Loss = Self>>(bus: &Arc<Bus>, arrival: &Arrival<'_>) -> Option<Pending> {
        Bus::receive_never::<E>(bus, arrival)
    }
}

impl Loss for Latest {
    const WORD: &'static str = "latest";
    const CONFLATES: bool = true;
    fn publish<E: Event<Loss = Self>>(bus: &Arc<Bus>, event: E) -> Pending {
        bus.relay(event);
        Pending::DONE
    }
    fn receive<E: Event<Loss = Self>>(bus: &Arc<Bus>, arrival: &Arrival<'_>) -> Option<Pending> {
        Bus::receive_latest::<E>(bus, arrival)
    }
}

/// An event on its way, with what travels beside it.
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
    /// One that another server has sent. `None` if it cannot be read.
    pub(super) fn arrived(arrival: &Arrival<'_>) -> Option<Self> {
        let event = serde_json::from_str(arrival.body).ok()?;
        Some(Self { event, at: arrival.at, trace: arrival.trace.clone() })
    }

    pub(super) fn new(event: E) -> Self {
        Self { event, at: Timestamp::now(), trace: TraceContext::current() }
    }
}

/// What a handler function takes: an event that it heard. Reads like the event itself.
#[derive(Debug)]
pub struct Heard<E>(pub(crate) Arc<Envelope<E>>);

impl<E> Heard<E> {
    /// The envelope: when it was published, and by which span.
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

/// An event type as the wiring table shows it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct EventInfo {
    /// Its stable name.
    pub name: &'static str,
    /// Who has to hear it.
    pub reach: Reach,
    /// `never` or `latest`.
    pub loss: &'static str,
    /// How it is written in JSON.
    #[serde(skip)]
    pub(crate) schema: SchemaOf,
}

impl PartialEq for EventInfo {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl EventInfo {
    /// What the type says of itself.
    pub const fn of<E: Event>() -> Self {
        let (name, reach, loss) = (E::NAME, E::REACH, <E::Loss as Loss>::WORD);
        Self { name, reach, loss, schema: E::to_schema }
    }
}
