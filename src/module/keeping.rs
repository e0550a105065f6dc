//! Declarations of what a module keeps and shares beyond games, and of what it does by the clock.
//!
//! The example of `docs/handlers.md`, as a test:
//!
//! ```
//! use std::time::Duration;
//!
//! use serde::{Deserialize, Serialize};
//! use time::macros::time;
//! use typephoon_api::Error;
//! use typephoon_api::bus::Heard;
//! use typephoon_api::game::{GameId, PlayerFinished, Timestamp, UserId};
//! use typephoon_api::module::{
//!     Batch, Cx, Item, Module, Page, Share, Turn, Wiring, render_table, wire,
//! };
//! use typephoon_api::records::{Cursor, Expected, Range, SortKey};
//!
//! /// How many races a player has finished.
//! #[derive(Serialize, Deserialize)]
//! struct Races { user: UserId, count: i64 }
//!
//! impl Item for Races {
//!     const COLLECTION: &'static str = "laps.races";
//!     const INDEXES: &'static [&'static str] = &["count"];
//!     fn key(&self) -> String { self.user.to_string() }
//!     fn owner(&self) -> Option<&UserId> { Some(&self.user) }
//!     fn sort_keys(&self) -> Vec<SortKey> { vec![SortKey::default().falling(self.count as f64)] }
//! }
//!
//! /// A race that is counted. A repeat finds it.
//! #[derive(Serialize, Deserialize)]
//! struct Counted { game: GameId, user: UserId, until: Timestamp }
//!
//! impl Item for Counted {
//!     const COLLECTION: &'static str = "laps.counted";
//!     fn key(&self) -> String { format!("{}:{}", self.game, self.user) }
//!     fn owner(&self) -> Option<&UserId> { Some(&self.user) }
//!     fn expires_at(&self) -> Option<Timestamp> { Some(self.until) }
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Mood { cheers: u32 }
//!
//! impl Share for Mood {
//!     const NAME: &'static str = "mood";
//!     const LASTS: Duration = Duration::from_secs(60);
//! }
//!
//! fn declare(module: &mut Wiring) {
//!     module.keeps::<Races>();
//!     module.keeps::<Counted>();
//!     module.shares::<Mood>();
//!     module.hears(count);
//!     module.every("laps.sum", Duration::from_secs(600), sum);
//!     module.daily("laps.prize", time!(03:30), sum);
//! }
//!
//! async fn count(cx: Cx, finished: Heard<PlayerFinished>) -> Result<(), Error> {
//!     let (game, user) = (finished.game, finished.user.clone());
//!     loop {
//!         let known = cx.items::<Races>().get(user.as_str()).await?;
//!         let until = cx.now() + Duration::from_secs(86_400);
//!         let counted = Counted { game, user: user.clone(), until };
//!         if cx.items::<Counted>().get(&counted.key()).await?.is_some() {
//!             return Ok(());
//!         }
//!         let expected =
//!             known.as_ref().map_or(Expected::Absent, |it| Expected::Version(it.version));
//!         let count = known.map_or(0, |it| it.item.count) + 1;
//!         let mut batch = Batch::default();
//!         batch.put(&Races { user: user.clone(), count }, expected)?;
//!         batch.put(&counted, Expected::Absent)?;
//!         if cx.write(batch).await? {
//!             return Ok(());
//!         }
//!     }
//! }
//!
//! async fn best(cx: &Cx, after: Option<&Cursor>) -> Result<Page<Races>, Error> {
//!     cx.items::<Races>().page(&Range::all("count"), after, 50).await
//! }
//!
//! async fn sum(cx: Cx, _: Turn) -> Result<(), Error> {
//!     let cheer = |mood: Option<&Mood>| Some(Mood { cheers: mood.map_or(0, |it| it.cheers) + 1 });
//!     cx.shares::<Mood>().change("all", cheer).await.map(drop)
//! }
//!
//! let laps = Module { name: "laps", path: module_path!(), wire: declare };
//! let table = render_table(&wire(&[laps]).unwrap().table);
//! for line in [
//!     "keeps    laps.races by count",
//!     "         laps.counted",
//!     "shares   mood",
//!     "clocks   laps.sum (every 10 min)",
//!     "         laps.prize (daily at 03:30 UTC)",
//! ] {
//!     assert!(table.contains(line), "{table}");
//! }
//! ```

use std::time::Duration;

use time::Time;

use super::context::{
    Brief, Clock, ClockEntry, CollectionEntry, Cx, Item, Share, Turn, item_write,
};
use super::wiring::{Wiring, publishing};
use crate::Error;
use crate::bus::{Emits, Owner, count_deliveries_from_zero, count_from_zero, report_panic};
use crate::game::{Game, Player, Result as GameResult};
use crate::records::Expected;
use crate::telemetry::panics;
use crate::timers::Schedule;

/// The name of derivations from results, in metrics and in the log.
const DERIVE: &str = "derive";

impl Wiring<'_> {
    /// A collection of items, in the records: SQLite or PostgreSQL. [`Cx::items`] finds it.
    ///
    /// A person's items are in the export of the person's data, and are deleted with the account, also while the module is
    /// switched off or left out.
    pub fn keeps<T: Item>(&mut self) {
        count_from_zero(self.row.name, "hand over");
        self.row.keeps.push(CollectionEntry::of(T::COLLECTION, T::INDEXES));
        self.to.keeping.declare_items::<T>(self.row.name);
    }

    /// The same for items that follow from results: they are written in the transaction that writes the results, so neither is
    /// there without the other. `derive` is a pure function of the facts of a game, for each person with a result. It is called again with
    /// each later change of the game, and changes nothing then: under a key, the item stays that is first in its first index
    /// ([`Expected::After`](crate::records::Expected::After)). While the module is switched off, nothing is derived.
    pub fn keeps_with_results<T: Item>(
        &mut self,
        derive: fn(Brief<'_>, &Game, &Player, GameResult) -> Option<T>,
    ) {
        self.keeps::<T>();
        count_from_zero(self.row.name, DERIVE);
        if let Some(entry) = self.row.keeps.last_mut() {
            entry.with_results = true;
        }
        let (module, switch, ground) = (self.row.name, self.switch.clone(), self.to.ground.clone());
        self.to.derivations.push(Box::new(move |game| {
            let Some(ground) = ground.get().filter(|_| switch.is_on()) else { return Vec::new() };
            let of = |player: &Player| {
                let item = derive(Brief::of(module, ground), game, player, player.result?)?;
                item_write(&item, Expected::After).ok()
            };
            let people = game.people().filter(|it| !it.user.is_anonymous());
            panics::catch(|| people.filter_map(of).collect()).unwrap_or_else(|caught| {
                report_panic(&*switch, DERIVE, &caught);
                Vec::new()
            })
        }));
    }

    /// Values that the pods share, in the live state: this process or Redis. [`Cx::shares`] finds them.
    pub fn shares<T: Share>(&mut self) {
        self.row.shares.push(T::NAME);
        self.to.keeping.share(self.row.name, T::NAME);
    }

    /// Calls `run` once per period, on one of the pods, from the next whole multiple of the period since 1970 on. It must be
    /// idempotent, since a turn may be repeated; one that was missed is made up for: see `src/module/context/clockwork.rs`.
    /// What it returns is published. Each turn costs a few statements on the records, so the period should be a second or
    /// more.
    pub fn every<T, F>(&mut self, name: &'static str, period: Duration, run: fn(Cx, Turn) -> F)
    where
        T: Emits,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.clock(name, Schedule::Every(period), run);
    }

    /// The same, once a day, at this time of the day in UTC.
    pub fn daily<T, F>(&mut self, name: &'static str, at: Time, run: fn(Cx, Turn) -> F)
    where
        T: Emits,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.clock(name, Schedule::Daily(at), run);
    }

    fn clock<T, F>(&mut self, name: &'static str, schedule: Schedule, run: fn(Cx, Turn) -> F)
    where
        T: Emits,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        count_deliveries_from_zero(self.row.name, name);
        self.row.clocks.push(ClockEntry { name, schedule });
        self.row.emits(T::kinds());
        let run = move |cx: Cx, turn| publishing(cx.clone(), run(cx, turn));
        self.to.keeping.wind(Clock::new((self.row.name, name), schedule, run));
    }
}
