//! The declarations of a module about sockets: the sockets themselves, the frames that it takes, and what events do to
//! the sockets of a game.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::{Brief, Effect, FrameEntry, SocketEntry};
use super::wiring::Wiring;
use crate::Kind;
use crate::bus::{Emits, Event, Owner, Pending, count_from_zero};
use crate::http::edge::Rate;
use crate::socket::{
    Channel, DeclaredFrame, Frame, FrameHandler, Malformed, Message, MessageInfo, Messages, Sender,
    Socket, SocketRoute, SocketsOf,
};

/// What a view returns: a message, or an `Option` of one, if it shows only some events.
pub trait Shown {
    /// The type of the message.
    type Message: Message + Serialize + 'static;
    /// The message, if the event is shown.
    fn message(self) -> Option<Self::Message>;
}

impl<M: Message + Serialize + 'static> Shown for M {
    type Message = M;
    fn message(self) -> Option<M> {
        Some(self)
    }
}

impl<M: Message + Serialize + 'static> Shown for Option<M> {
    type Message = M;
    fn message(self) -> Option<M> {
        self
    }
}

impl Wiring<'_> {
    /// Shows every `E` to the sockets of its game on `channel`, as the message that `message` returns: called once, in
    /// the publisher's task. A [`Latest`](crate::bus::Latest) event is not shown to its own player, and one of reach
    /// [`Player`](crate::bus::Reach::Player) to its player only.
    pub fn shows<E: Event, M: Shown + 'static>(&mut self, channel: Channel, message: fn(&E) -> M) {
        self.view(channel, move |_, event: &E| message(event).message());
    }

    /// The same for a function that needs the settings, the module's state, or the clock.
    pub fn shows_with<E: Event, M: Shown + 'static>(
        &mut self,
        channel: Channel,
        message: fn(Brief<'_>, &E) -> M,
    ) {
        self.view(channel, move |brief, event: &E| message(brief, event).message());
    }

    fn view<E: Event, M: Message + Serialize + 'static>(
        &mut self,
        channel: Channel,
        message: impl Fn(Brief<'_>, &E) -> Option<M> + Send + Sync + 'static,
    ) {
        self.row.views(E::NAME, Effect::Shown(channel));
        self.row.messages.push(MessageInfo::said::<M>(channel));
        let (rooms, switch) = (self.to.rooms.clone(), self.switch.clone());
        let (module, ground) = (self.row.name, self.to.ground.clone());
        self.to.bus.aged_view(&self.switch, move |event: &E, age| {
            let Some(room) = event.game().and_then(|game| rooms.get(channel, game)) else { return };
            // Nothing is published before the modules are set up.
            let Some(ground) = ground.get().filter(|_| switch.is_on()) else { return };
            if let Some(message) = message(Brief::of(module, ground), event) {
                room.show_event(event, Frame::of(&message), age);
            }
        });
    }

    /// On every `E`, makes the sockets of its game on `channel` catch up ([`Socket::catch_up`]); also while the module
    /// is switched off, since no function of it runs.
    pub fn wakes<E: Event>(&mut self, channel: Channel) {
        self.row.views(E::NAME, Effect::Wakes(channel));
        let rooms = self.to.rooms.clone();
        self.to.bus.view(&self.switch, move |event: &E| {
            if let Some(room) = event.game().and_then(|game| rooms.get(channel, game)) {
                room.wake();
            }
        });
    }

    /// On every `E`, closes sockets of a player; also while the module is switched off, so that logouts take effect.
    pub fn closes<E: Event>(&mut self, which: fn(&E) -> SocketsOf<'_>, why: Kind) {
        self.row.views(E::NAME, Effect::Closes);
        let rooms = self.to.rooms.clone();
        self.to.bus.view(&self.switch, move |event: &E| rooms.close(which(event), why));
    }

    /// A WebSocket.
    pub fn socket<S: Socket>(&mut self) {
        for what in ["request", "open", "catch up", "close"] {
            count_from_zero(self.row.name, what);
        }
        self.row.sockets.push(SocketEntry { path: S::PATH, channel: S::CHANNEL });
        self.row.emits(<S::Emits as Emits>::kinds());
        self.row.messages.extend(<S::Says as Messages>::said(S::CHANNEL));
        self.to.sockets.push(SocketRoute::new::<S>(self.row.name));
    }

    /// Passes messages `M` of clients on `channel` to `handler`, which returns what to publish, or that the frame is
    /// [`Malformed`].
    pub fn frame<M, T>(
        &mut self,
        channel: Channel,
        handler: fn(&Sender<'_>, M) -> Result<T, Malformed>,
    ) -> Taken<'_>
    where
        M: Message + DeserializeOwned + 'static,
        T: Emits,
    {
        self.row.emits(T::kinds());
        count_from_zero(self.row.name, M::EVENT);
        self.row.messages.push(MessageInfo::taken::<M>(channel));
        let module = self.row.name;
        let handler: FrameHandler = Box::new(move |bus, sent| {
            let message = serde_json::from_str(sent.text).map_err(|_| Malformed)?;
            let sender = Sender::of(sent, Brief::of(module, sent.ground));
            Ok(handler(&sender, message)?.publish(bus))
        });
        let frame = DeclaredFrame { switch: self.switch.clone(), rate: None, handler };
        let frames = self.to.frames.entry(channel).or_default();
        let frame = frames.entry(M::EVENT).insert_entry(frame).into_mut();
        self.row.frames.push(FrameEntry { events: M::EVENTS, channel, rate: None });
        Taken { frame, entry: self.row.frames.last_mut() }
    }

    /// Frames that clients may send on `channel` without effect, unless another module handles them.
    pub fn ignores(&mut self, channel: Channel, events: &'static [&'static str]) {
        self.row.messages.push(MessageInfo::ignored(channel, events));
        self.row.ignores.push(FrameEntry { events, channel, rate: None });
        let frames = self.to.frames.entry(channel).or_default();
        for event in events {
            let handler: FrameHandler = Box::new(|_, _| Ok(Pending::DONE));
            let switch = self.switch.clone();
            frames.entry(event).or_insert_with(|| DeclaredFrame { switch, rate: None, handler });
        }
    }
}

/// A frame that a module takes: its limits can be stated.
pub struct Taken<'a> {
    frame: &'a mut DeclaredFrame,
    entry: Option<&'a mut FrameEntry>,
}

impl Taken<'_> {
    /// Drops and counts the frames of a player beyond this rate, on all sockets of the channel together. The budget of
    /// all frames of a socket (`limits.frames_per_second`) applies before it.
    pub fn at_most(self, rate: Rate) {
        self.frame.rate = Some(rate);
        if let Some(entry) = self.entry {
            entry.rate = Some(rate);
        }
    }
}
