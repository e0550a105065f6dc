//! The wiring table: which module hears, emits and shows what, and its consistency check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::rows::{
    ClientEntry, ClockEntry, CollectionEntry, CommandEntry, Effect, FrameEntry, InstrumentEntry,
    Need, RouteEntry, Slot, SocketEntry, ViewEntry,
};
use crate::bus::{EventInfo, Promise};
use crate::records::INDEXES;
use crate::socket::rooms::MessageInfo;

/// A row of the wiring table.
#[derive(Clone, Debug, Serialize)]
pub struct ModuleTable {
    /// The module.
    pub name: &'static str,
    /// Events it handles.
    pub hears: Vec<EventInfo>,
    /// Events it may publish.
    pub emits: Vec<EventInfo>,
    /// Events it shows to sockets, and those that wake or close them.
    pub shows: Vec<ViewEntry>,
    /// REST routes.
    pub routes: Vec<RouteEntry>,
    /// WebSockets.
    pub sockets: Vec<SocketEntry>,
    /// Frames of clients it handles.
    pub frames: Vec<FrameEntry>,
    /// Frames of clients that are ignored.
    pub ignores: Vec<FrameEntry>,
    /// Timers.
    pub timers: Vec<&'static str>,
    /// Clocks.
    pub clocks: Vec<ClockEntry>,
    /// Collections of items that it keeps in the records.
    pub keeps: Vec<CollectionEntry>,
    /// Types of values that it shares between pods.
    pub shares: Vec<&'static str>,
    /// Questions of other modules that it decides.
    pub decides: Vec<&'static str>,
    /// Identity providers.
    pub providers: Vec<&'static str>,
    /// What it reaches of the rest of the server, besides what all modules do.
    pub needs: Vec<Need>,
    /// Files of its own that fill slots of the client.
    pub client: Vec<ClientEntry>,
    /// Instruments of its own.
    pub counts: Vec<InstrumentEntry>,
    /// Commands that it adds to the program.
    pub commands: Vec<CommandEntry>,
    /// The types of the messages that its sockets send and receive.
    #[serde(skip)]
    pub messages: Vec<MessageInfo>,
}

impl ModuleTable {
    pub(in crate::module) fn new(name: &'static str) -> Self {
        Self {
            name,
            hears: vec![],
            emits: vec![],
            shows: vec![],
            routes: vec![],
            sockets: vec![],
            frames: vec![],
            ignores: vec![],
            timers: vec![],
            clocks: vec![],
            keeps: vec![],
            shares: vec![],
            decides: vec![],
            providers: vec![],
            needs: vec![],
            client: vec![],
            counts: vec![],
            commands: vec![],
            messages: vec![],
        }
    }

    pub(in crate::module) fn hears(&mut self, event: EventInfo) {
        self.hears.push(event);
    }

    pub(in crate::module) fn emits(&mut self, events: Vec<EventInfo>) {
        for event in events {
            if !self.emits.contains(&event) {
                self.emits.push(event);
            }
        }
    }

    pub(in crate::module) fn views(&mut self, event: &'static str, effect: Effect) {
        self.shows.push(ViewEntry { event, effect });
    }

    fn columns(&self) -> [(&'static str, Vec<String>); 17] {
        let event = |event: &EventInfo| {
            let reach = format!("{:?}", event.reach).to_lowercase();
            format!("{} ({reach}, {})", event.name, event.loss)
        };
        [
            ("hears", self.hears.iter().map(event).collect()),
            ("emits", self.emits.iter().map(event).collect()),
            ("shows", texts(&self.shows)),
            ("routes", texts(&self.routes)),
            ("sockets", texts(&self.sockets)),
            ("frames", texts(&self.frames)),
            ("ignores", texts(&self.ignores)),
            ("timers", texts(&self.timers)),
            ("clocks", texts(&self.clocks)),
            ("keeps", texts(&self.keeps)),
            ("shares", texts(&self.shares)),
            ("decides", texts(&self.decides)),
            ("logins", texts(&self.providers)),
            ("needs", texts(&self.needs)),
            ("client", texts(&self.client)),
            ("counts", texts(&self.counts)),
            ("commands", texts(&self.commands)),
        ]
    }
}

fn texts(entries: &[impl ToString]) -> Vec<String> {
    entries.iter().map(ToString::to_string).collect()
}

/// The table as text: one line per declaration of a module.
pub fn render_table(rows: &[ModuleTable]) -> String {
    let mut text = String::new();
    for row in rows {
        let mut name = row.name;
        for (column, entries) in row.columns() {
            let mut column = column;
            for entry in entries {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{name:12} {column:8} {entry}");
                (name, column) = ("", "");
            }
        }
        if name == row.name {
            let _ = writeln!(text, "{name:12} declares nothing");
        }
    }
    text
}

/// Checks that the declarations of the modules do not conflict, nor their commands with the program's own.
pub(in crate::module) fn check(rows: &[ModuleTable], built_in: &[&str]) -> Result<(), String> {
    let mut claimed = BTreeMap::new();
    for row in rows {
        let timers = row.timers.iter().map(|timer| format!("timer {timer}"));
        let frames = row
            .frames
            .iter()
            .map(|frame| format!("frame {} ({})", frame.events.join(", "), frame.channel));
        let routes = row.routes.iter().map(|route| format!("{} {}", route.method, route.path));
        let paths = routes.chain(texts(&row.sockets));
        let pages = row.client.iter().filter_map(|entry| match entry.slot {
            Slot::Page { path, .. } | Slot::Unlisted { path, .. } => Some(format!("page #/{path}")),
            _ => None,
        });
        let clocks = row.clocks.iter().map(|clock| format!("clock {}", clock.name));
        let items = row.keeps.iter().map(|kept| format!("collection {}", kept.name));
        let own = timers.chain(clocks).chain(items);
        let commands = row.commands.iter().map(|it| it.name);
        if let Some(name) = commands.clone().find(|name| built_in.contains(name)) {
            return Err(format!("module {} claims {name}, a command of the program", row.name));
        }
        let own = own.chain(commands.map(|name| format!("command {name}")));
        for claim in paths.chain(frames).chain(own).chain(pages) {
            if let Some(other) = claimed.insert(claim.clone(), row.name) {
                return Err(format!("modules {other} and {} both claim {claim}", row.name));
            }
        }
    }
    for (row, kept) in rows.iter().flat_map(|row| row.keeps.iter().map(move |kept| (row, kept))) {
        if kept.indexes.len() > INDEXES {
            let name = kept.name;
            return Err(format!("{name} of module {} has more than {INDEXES} indexes", row.name));
        }
    }
    for row in rows {
        for event in row.emits.iter().filter(|event| event.loss == Promise::Never) {
            if let Some(circle) = circle(rows, event.name, event.name, &mut BTreeSet::new()) {
                return Err(format!("events form a cycle, which could deadlock: {circle}"));
            }
        }
    }
    Ok(())
}

/// A path from `from` back to `start`, through modules that hear one event and emit the next, if any.
fn circle(
    rows: &[ModuleTable],
    start: &str,
    from: &'static str,
    seen: &mut BTreeSet<&'static str>,
) -> Option<String> {
    for row in rows.iter().filter(|row| row.hears.iter().any(|heard| heard.name == from)) {
        for next in row.emits.iter().filter(|event| event.loss == Promise::Never) {
            if next.name == start {
                return Some(format!("{from} → {} → {start}", row.name));
            }
            if seen.insert(next.name)
                && let Some(rest) = circle(rows, start, next.name, seen)
            {
                return Some(format!("{from} → {} → {rest}", row.name));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use salvo::http::Method;
    use salvo::oapi::ToSchema;

    use super::*;
    use crate::auth::Role;
    use crate::bus::Reach;

    fn event(name: &'static str) -> EventInfo {
        EventInfo {
            name,
            reach: Reach::Pod,
            loss: Promise::Never,
            schema: <() as ToSchema>::to_schema,
        }
    }

    fn row(name: &'static str, hears: &'static str, emits: &'static str) -> ModuleTable {
        let mut row = ModuleTable::new(name);
        row.hears(event(hears));
        row.emits(vec![event(emits)]);
        row
    }

    #[test]
    fn events_that_go_in_a_circle_are_refused() {
        let rows = [row("a", "one", "two"), row("b", "two", "three")];
        assert_eq!(check(&rows, &[]), Ok(()));
        let rows = [row("a", "one", "two"), row("b", "two", "one")];
        let complaint = check(&rows, &[]).unwrap_err();
        assert!(complaint.ends_with("two → b → one → a → two"), "{complaint}");
    }

    #[test]
    fn two_modules_cannot_claim_the_same_route() {
        let mut rows = [row("a", "one", "two"), row("b", "two", "three")];
        for row in &mut rows {
            row.routes.push(RouteEntry { method: Method::GET, path: "/x", role: None, rate: None });
        }
        rows[0].routes[0].role = Some(Role::Admin);
        assert_eq!(check(&rows, &[]), Err("modules a and b both claim GET /x".into()));
    }

    #[test]
    fn commands_have_one_module_and_are_not_those_of_the_program() {
        let mut rows = [row("a", "one", "two"), row("b", "two", "three")];
        for row in &mut rows {
            row.commands.push(CommandEntry { name: "verify", takes: vec![(None, "FILE")] });
        }
        let complaint = "modules a and b both claim command verify";
        assert_eq!(check(&rows, &["new"]), Err(complaint.into()));
        rows[1].commands[0] = CommandEntry { name: "new", takes: vec![] };
        let complaint = "module b claims new, a command of the program";
        assert_eq!(check(&rows, &["new"]), Err(complaint.into()));
    }

    #[test]
    fn collections_have_one_module_and_four_indexes() {
        let mut rows = [row("a", "one", "two"), row("b", "two", "three")];
        rows[0].keeps.push(CollectionEntry::of("laps", &["1", "2", "3", "4"]));
        assert_eq!(check(&rows, &[]), Ok(()));
        rows[1].keeps.push(CollectionEntry::of("laps", &[]));
        assert_eq!(check(&rows, &[]), Err("modules a and b both claim collection laps".into()));
        rows[1].keeps = vec![CollectionEntry::of("x", &["1", "2", "3", "4", "5"])];
        assert_eq!(check(&rows, &[]), Err("x of module b has more than 4 indexes".into()));
    }
}
