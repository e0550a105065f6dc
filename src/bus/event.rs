//! What an event is: a plain struct with a name and two promises.

use std::fmt;
use std::sync::Arc;

use salvo::oapi::{Components, RefOr, Schema, ToSchema};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::carrier::ReceivedEvent;
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
    /// The same pods; it is shown to the sockets of its player only.
    Player,
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
    /// [`Never`], [`Latest`] or [`Fleeting`].
    type Loss: Loss;
    /// The game it belongs to; events of one game keep their order.
    fn game(&self) -> Option<GameId> {
        None
    }
    /// The player whom it is about, or for whom it is ([`Reach::Player`]). Of a [`Latest`] event only each player's newest
    /// counts, and it is not shown to the player's own sockets; all others are shown to all players.
    fn player(&self) -> Option<&UserId> {
        None
    }
}

/// Whether an event may be lost: part of its type, as [`Event::Loss`].
pub trait Loss: Sized + 'static {
    /// The promise as a value.
    const PROMISE: Promise;
    /// Publishes as the promise requires.
    fn publish<C: Owner, E: Event<Loss = Self>>(bus: &Arc<Bus<C>>, event: E) -> Pending;
    /// Receives an event that another pod published. `None` if it cannot be parsed.
    fn receive<C: Owner, E: Event<Loss = Self>>(
        bus: &Arc<Bus<C>>,
        arrival: &ReceivedEvent<'_>,
    ) -> Option<Pending>;
}

/// The promises about loss, for the wiring table and for views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Promise {
    /// As of [`Never`].
    Never,
    /// As of [`Latest`].
    Latest,
    /// As of [`Fleeting`].
    Fleeting,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "never",
            Self::Latest => "latest",
            Self::Fleeting => "fleeting",
        })
    }
}

/// Never lost: a lifecycle event (joined, started, finished). The publisher waits while a subscribed module's lane is
/// full.
#[derive(Debug)]
pub enum Never {}

/// Only a player's newest event matters (a position): publishing never waits, and the event may be conflated or dropped
/// for a slow receiver.
#[derive(Debug)]
pub enum Latest {}

/// Shown to sockets that have room for it, and forgotten (an emote): publishing never waits, no later socket is shown
/// it, and a slow receiver misses it. It reaches other pods with their next batch of positions, a player's newest only.
/// Modules cannot hear it.
#[derive(Debug)]
pub enum Fleeting {}

/// A promise under which publishing never waits.
pub trait Unawaited: Loss {}
impl Unawaited for Latest {}
impl Unawaited for Fleeting {}

impl Loss for Never {
    const PROMISE: Promise = Promise::Never;
    fn publish<C: Owner, E: Event<Loss = Self>>(bus: &Arc<Bus<C>>, event: E) -> Pending {
        let bus = bus.clone();
        Pending::waits(async move { bus.announce(event).await })
    }
    fn receive<C: Owner, E: Event<Loss = Self>>(
        bus: &Arc<Bus<C>>,
        arrival: &ReceivedEvent<'_>,
    ) -> Option<Pending> {
        Bus::receive_never::<E>(bus, arrival)
    }
}

/// Both promises under which publishing never waits.
macro_rules! unawaited {
    ($($promise:ident)*) => {$(
        impl Loss for $promise {
            const PROMISE: Promise = Promise::$promise;
            fn publish<C: Owner, E: Event<Loss = Self>>(bus: &Arc<Bus<C>>, event: E) -> Pending {
                bus.relay(event);
                Pending::DONE
            }
            fn receive<C: Owner, E: Event<Loss = Self>>(
                bus: &Arc<Bus<C>>,
                arrival: &ReceivedEvent<'_>,
            ) -> Option<Pending> {
                Bus::receive_unawaited::<E>(bus, arrival)
            }
        }
    )*};
}

unawaited!(Latest Fleeting);

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
    pub(super) fn arrived(arrival: &ReceivedEvent<'_>) -> Option<Self> {
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
    /// Whether it may be lost.
    pub loss: Promise,
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
        let (name, reach, loss) = (E::NAME, E::REACH, <E::Loss as Loss>::PROMISE);
        Self { name, reach, loss, schema: E::to_schema }
    }
}
