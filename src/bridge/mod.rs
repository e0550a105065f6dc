//! The bridge: extends the bus and the timers to all pods, over RabbitMQ.
//!
//! ```text
//!  bus ──▶ roster: which other pods hold sockets of this game? (mostly none: nothing is sent)
//!            │
//!            ├ positions: the newest of each player, to several pods in one message, every few milliseconds
//!            └ lifecycle: lanes by game, confirmed, tried again until the broker has it
//!                  │
//!             link ── exchange `pods` ── one queue per pod, fixed bindings ──▶ the others' bus
//!                  └─ exchange `work` ── queues `once`, `timers` ──▶ exactly one pod
//! ```
//!
//! * `topology`: names and declarations. `link`: one connection, replaced after a loss. `consume`, `inbound`: messages
//!   received over it. `message`: the wire format of events.
//! * `roster`: which other pods hold sockets of this pod's games. `pulse`: which pods are alive, and Redis's time.
//! * `outbound`: queues of what is to be sent. `alarm`: timers, as delayed messages.
//!
//! Messages decide nothing; the facts do. So a message may be lost, late, repeated or out of order: what it shows to players may
//! be missed or come twice, the facts stay right. After a loss of the connection all sockets re-read them, and `lookout`
//! finds changes without a message within a second.

mod alarm;
mod consume;
mod document;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod inbound;
mod link;
mod lookout;
mod message;
mod outbound;
mod pulse;
mod roster;
mod topology;

pub(crate) use document::channels;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::alarm::Alarms;
use self::inbound::Backlog;
use self::link::Link;
use self::outbound::{Batches, BridgeLanes};
use self::roster::Roster;
use self::topology::Topology;
use crate::bus::{Bus, Carrier, Parcel};
use crate::game::GameId;
use crate::health::Services;
use crate::live::{Live, RedisLive};
use crate::module::context::Cx;
use crate::peers::Broker;
use crate::records::Records;
use crate::settings::{AmqpSettings, GameSettings};
use crate::socket::rooms::{Channel, Rooms};
use crate::timers::Timers;

pub(crate) use pulse::pulse;

/// What the bridge acts on in this pod.
pub(crate) struct Pod {
    pub(crate) bus: Arc<Bus<Cx>>,
    pub(crate) rooms: Arc<Rooms>,
    /// The kinds of sockets that modules have declared.
    pub(crate) channels: Vec<Channel>,
    pub(crate) live: Live,
    pub(crate) records: Records,
    pub(crate) timers: Timers,
    /// The settings with delays of timers.
    pub(crate) delays: GameSettings,
    pub(crate) services: Services,
    /// The bridge itself, if there is a broker: without one, there is only the pulse.
    pub(crate) bridge: Option<Arc<Bridge>>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// The connection to the other pods.
pub(crate) struct Bridge {
    topology: Topology,
    live: RedisLive,
    roster: Roster,
    link: watch::Sender<Option<Arc<Link>>>,
    lanes: BridgeLanes,
    batches: Batches,
    alarms: Alarms,
    backlog: Backlog,
}

impl Bridge {
    /// Does not connect before [`run`](Self::run).
    ///
    /// # Errors
    /// One sentence, if the settings have no broker.
    pub(crate) fn new(settings: &AmqpSettings, live: RedisLive) -> Result<Arc<Self>, String> {
        let topology = Topology::of(settings, live.pod())?;
        Ok(Arc::new(Self {
            topology,
            live,
            roster: Roster::default(),
            link: watch::Sender::new(None),
            lanes: BridgeLanes::default(),
            batches: Batches::default(),
            alarms: Alarms::default(),
            backlog: Backlog::default(),
        }))
    }

    /// Whether there is a connection to the broker.
    fn is_there(&self) -> bool {
        self.link.borrow().is_some()
    }

    /// The connection to the broker, if there is one.
    fn link(&self) -> Option<Arc<Link>> {
        self.link.borrow().clone()
    }

    /// Starts the tasks of the bridge in `tasks`. It consumes work until the server stops. It sends and receives events
    /// until `ends`, when the sockets have ended, and then still sends what was announced.
    pub(crate) fn run(
        self: &Arc<Self>,
        pod: &Arc<Pod>,
        tasks: &TaskTracker,
        ends: &CancellationToken,
    ) {
        let stop = &pod.stop;
        let looking = lookout::run(self.clone(), pod.clone());
        tasks.spawn(stop.clone().run_until_cancelled_owned(looking));
        tasks.spawn(ends.clone().run_until_cancelled_owned(outbound::flush(self.clone())));
        tasks.spawn(ends.clone().run_until_cancelled_owned(roster::maintain(self.clone())));
        let sending = TaskTracker::new();
        sending.spawn(alarm::run(self.clone(), pod.clone(), ends.clone()));
        for lane in self.lanes.receivers() {
            sending.spawn(outbound::send(self.clone(), lane, ends.clone()));
        }
        sending.close();
        let (ends, linking) = (ends.clone(), link::stay_connected(self.clone(), pod.clone()));
        tasks.spawn(async move {
            let all_is_said = async {
                ends.cancelled().await;
                sending.wait().await;
            };
            tokio::select! {
                () = linking => {}
                () = all_is_said => {}
            }
        });
    }

    /// Called at the end: puts the remaining deadlines on the agenda, for the other pods.
    pub(crate) async fn leave_alarms(&self) {
        alarm::put(self).await;
    }

    /// A socket of the game has opened here: from now on this pod receives its events. `into_empty`: the room is new,
    /// so the earlier positions are requested again.
    pub(crate) async fn enter(&self, game: GameId, into_empty: bool) {
        let known = self.roster.count_in(game);
        if into_empty {
            self.introduce_again(game).await;
        } else {
            self.introduce_once(game, &known).await;
        }
    }

    /// A socket of the game has closed here.
    pub(crate) fn leave(&self, game: GameId) {
        self.roster.leave(game);
    }
}

impl Broker for Bridge {
    /// The broker confirmed a message within the last seconds.
    fn check(&self) -> Result<(), String> {
        self.is_there().then_some(()).ok_or_else(|| "no connection that takes messages".into())
    }
}

#[async_trait]
impl Carrier for Bridge {
    fn has_others(&self, game: GameId) -> bool {
        self.roster.has_others(game)
    }

    fn relay(&self, parcel: Parcel) {
        let Some(game) = parcel.game else { return };
        if self.link.borrow().is_some() {
            self.batches.put(self.roster.others(game), parcel);
        }
    }

    async fn carry(&self, parcel: Parcel) {
        self.lanes.put(parcel, self.is_there()).await;
    }

    async fn assign(&self, parcel: Parcel) -> bool {
        let Some(link) = self.link() else { return false };
        let message = message::of_one(self.live.pod(), &parcel);
        link.assign(&self.topology, &message, &parcel.trace).await
    }
}
