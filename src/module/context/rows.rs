//! The entries of a row of the wiring table. Each is shown in one line, by its `Display`.

use std::fmt;

use salvo::http::Method;
use serde::{Serialize, Serializer};

use crate::auth::Role;
use crate::http::edge::Rate;
use crate::socket::rooms::Channel;
use crate::timers::Schedule;

/// A REST route: `METHOD /path`, with the role that it requires and its rate, if it has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteEntry {
    /// Its method.
    pub method: Method,
    /// Its path, in which `{name}` stands for any one part.
    pub path: &'static str,
    /// The role that callers must have.
    pub role: Option<Role>,
    /// The rate of each caller, if the module limits it.
    pub rate: Option<Rate>,
}

impl fmt::Display for RouteEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        let limits: Vec<String> = (self.role.iter().map(ToString::to_string))
            .chain(self.rate.iter().map(ToString::to_string))
            .collect();
        if limits.is_empty() { Ok(()) } else { write!(f, " ({})", limits.join(", ")) }
    }
}

/// A WebSocket: `/path (channel)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketEntry {
    /// Its path.
    pub path: &'static str,
    /// Its channel.
    pub channel: Channel,
}

impl fmt::Display for SocketEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.path, self.channel)
    }
}

/// Frames of clients: `EVENT (channel)`, with their rate if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameEntry {
    /// Their events: one that is handled, or all that are ignored together.
    pub events: &'static [&'static str],
    /// The channel that they are sent on.
    pub channel: Channel,
    /// The rate of each player, if the module limits it.
    pub rate: Option<Rate>,
}

impl fmt::Display for FrameEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.events.join(", "), self.channel)?;
        self.rate.map_or(Ok(()), |rate| write!(f, ", {rate}"))?;
        f.write_str(")")
    }
}

/// What an event does to sockets: `event → channel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewEntry {
    /// The name of the event.
    pub event: &'static str,
    /// What it does.
    pub effect: Effect,
}

/// An effect of an event on sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is shown on this channel.
    Shown(Channel),
    /// It is noted on this channel, and shown with the next tick.
    Gathered(Channel),
    /// The sockets of this channel catch up.
    Wakes(Channel),
    /// Some sockets are closed.
    Closes,
}

impl fmt::Display for ViewEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.effect {
            Effect::Gathered(channel) => write!(f, "{} gathered → {channel}", self.event),
            Effect::Shown(channel) => write!(f, "{} → {channel}", self.event),
            Effect::Wakes(channel) => write!(f, "{} wakes {channel}", self.event),
            Effect::Closes => write!(f, "{} closes sockets", self.event),
        }
    }
}

/// A place of the built-in client that modules can fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The home page.
    Home,
    /// The lobby.
    Lobby,
    /// The race.
    Race,
    /// The result of a race.
    Result,
    /// The player's profile.
    Profile,
    /// A page of its own, at `#/path`, with a link in the header.
    Page {
        /// Its path: one word, like that of a built-in page.
        path: &'static str,
        /// Its title, and the text of the link.
        title: &'static str,
    },
    /// A place on a page of another module, which fills it by this name.
    Named(&'static str),
    /// The same as `Page`, without a link in the header: a page that other pages lead to.
    Unlisted {
        /// Its path.
        path: &'static str,
        /// Its title.
        title: &'static str,
    },
}

impl Slot {
    /// Its name, as the client knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Lobby => "lobby",
            Self::Race => "race",
            Self::Result => "result",
            Self::Profile => "profile",
            Self::Page { .. } => "page",
            Self::Unlisted { .. } => "unlisted",
            Self::Named(name) => name,
        }
    }
}

/// A file that fills a slot of the client: `slot file`, with the role that sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientEntry {
    /// The slot.
    pub slot: Slot,
    /// A JavaScript module in the folder `web` of the handler module.
    pub file: &'static str,
    /// The role that players must have to see it.
    pub role: Option<Role>,
}

impl ClientEntry {
    /// Shows it only to players of this role, or of a higher one. What it may read, its routes decide.
    pub fn requires(&mut self, role: Role) {
        self.role = Some(role);
    }
}

impl fmt::Display for ClientEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slot {
            Slot::Page { path, .. } | Slot::Unlisted { path, .. } => {
                write!(f, "page #/{path} {}", self.file)?;
            }
            slot => write!(f, "{} {}", slot.name(), self.file)?,
        }
        self.role.map_or(Ok(()), |role| write!(f, " ({role})"))
    }
}

/// What only modules reach that declare it, so that the wiring table shows which do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The keys that tokens are signed with.
    Keys,
    /// The records of accounts, logins and results.
    Records,
    /// The identity providers.
    Providers,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys => "keys",
            Self::Records => "records",
            Self::Providers => "providers",
        })
    }
}

/// An instrument of a module: `name (kind)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentEntry {
    /// Its name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
}

impl fmt::Display for InstrumentEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.kind)
    }
}

/// A collection of items: `name`, `name by index, index`, `name with results`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectionEntry {
    /// Its name.
    pub name: &'static str,
    /// Its indexes.
    pub indexes: &'static [&'static str],
    /// Whether its items are written together with results.
    pub with_results: bool,
}

impl CollectionEntry {
    pub(in crate::module) fn of(name: &'static str, indexes: &'static [&'static str]) -> Self {
        Self { name, indexes, with_results: false }
    }
}

impl fmt::Display for CollectionEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if !self.indexes.is_empty() {
            write!(f, " by {}", self.indexes.join(", "))?;
        }
        f.write_str(if self.with_results { " with results" } else { "" })
    }
}

/// A clock: `name (every 10 min)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockEntry {
    /// Its name.
    pub name: &'static str,
    /// When its turns begin.
    pub schedule: Schedule,
}

impl fmt::Display for ClockEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.schedule)
    }
}

/// A command of the program: `name ARGUMENT [--option VALUE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandEntry {
    /// Its name.
    pub name: &'static str,
    /// What it takes: values, those of options with the option's name.
    pub takes: Vec<(Option<&'static str>, &'static str)>,
}

impl fmt::Display for CommandEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.takes.iter().try_for_each(|(option, value)| match option {
            Some(option) => write!(f, " [--{option} {value}]"),
            None => write!(f, " {value}"),
        })
    }
}

/// In JSON, an entry is the same text.
macro_rules! as_text {
    ($($entry:ty),*) => {$(
        impl Serialize for $entry {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
    )*};
}

as_text!(
    RouteEntry,
    SocketEntry,
    FrameEntry,
    ViewEntry,
    ClientEntry,
    Need,
    InstrumentEntry,
    CollectionEntry,
    ClockEntry,
    CommandEntry
);
