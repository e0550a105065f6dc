//! The state that all players of a run share, and the course of a run from the first arrival to its end.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::game::Game;
use crate::http::{Failure, Http};
use crate::monitor::{Monitor, Series};
use crate::options::Options;
use crate::player::Player;
use crate::socket::READ;
use crate::stats::Stats;

/// How long players may take to finish their races after the end of the run.
const GRACE: Duration = Duration::from_secs(5);

/// A run, on one thread.
#[derive(Debug)]
pub struct Run {
    /// The options.
    pub options: Options,
    /// The servers.
    pub pods: Vec<Http>,
    /// The counters.
    pub stats: RefCell<Stats>,
    /// The read buffer, which all sockets use in turn.
    pub buffer: RefCell<Vec<u8>>,
    games: RefCell<HashMap<u64, Rc<Game>>>,
    start: Instant,
    /// When typing ends.
    ends_at: Cell<Option<Instant>>,
}

impl Run {
    /// A run that begins now.
    pub fn new(options: Options) -> Self {
        let start = Instant::now();
        let ends_at = options.seconds.map(|seconds| start + Duration::from_secs_f64(seconds));
        Self {
            pods: options.urls.iter().cloned().map(Http::new).collect(),
            stats: RefCell::default(),
            buffer: RefCell::new(vec![0; READ]),
            games: RefCell::default(),
            start,
            ends_at: Cell::new(ends_at),
            options,
        }
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Nanoseconds since the beginning.
    pub fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        self.ends_at.get().is_some_and(|at| at <= Instant::now())
    }

    /// Counts a failure.
    pub fn note(&self, failure: Failure) {
        self.stats.borrow_mut().note_error(failure.0);
    }

    /// The race with this id and text.
    pub fn game(&self, id: u64, text: &str) -> Rc<Game> {
        self.games.borrow_mut().entry(id).or_insert_with(|| Rc::new(Game::new(id, text))).clone()
    }

    /// A player has left a race: it is removed with the last one.
    pub fn leave(&self, game: Rc<Game>) {
        let id = game.id;
        drop(game);
        let mut games = self.games.borrow_mut();
        if games.get(&id).is_some_and(|it| Rc::strong_count(it) == 1) {
            games.remove(&id);
        }
    }
}

/// Runs until all players have finished, the time is over, or Ctrl-C. Returns the measurements.
pub async fn play(run: &Rc<Run>) -> Series {
    let mut monitor = Monitor::new(run.clone());
    let mut players = JoinSet::new();
    for number in 0..run.options.players {
        players.spawn_local(Player::new(run.clone(), number).play());
    }
    loop {
        let ends_at = run.ends_at.get();
        tokio::select! {
            () = monitor.sample() => {}
            player = players.join_next() => match player {
                Some(Ok(())) => {}
                Some(Err(error)) => run.note(Failure(format!("generator: {error}"))),
                None => break,
            },
            () = sleep_until(ends_at.unwrap_or_else(Instant::now)), if ends_at.is_some() => break,
            _ = tokio::signal::ctrl_c() => {
                run.ends_at.set(Some(Instant::now()));
                break;
            }
        }
    }
    let series = monitor.finish();
    let gone = async { while players.join_next().await.is_some() {} };
    // Players that still wait in a lobby are aborted then: they have no race to lose.
    let _ = timeout_at(Instant::now() + GRACE, gone).await;
    players.abort_all();
    series
}
