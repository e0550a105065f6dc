//! A player's race: waits for START, types to the end of the text, and receives frames until all players have finished.

use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, sleep, sleep_until};

use crate::format::{EDITS, Format, Incoming, write_edits, write_position};
use crate::game::{Frame, Game, Racer, Tracks};
use crate::http::Failure;
use crate::player::{Context, OpenSocket, Player};
use crate::rhythm::{Typist, WORD};
use crate::run::Run;
use crate::socket::{Received, Socket};

/// Timeout of START, from the opening of the socket.
const START: Duration = Duration::from_mins(2);

/// Interval at which a finished player checks whether the others have finished.
const GLANCE: Duration = Duration::from_millis(50);

/// How long the last frames may take after the last player has finished: later ones count as lost.
const LAST_FRAMES: Duration = Duration::from_secs(3);

/// A generator further behind than this skips time instead of catching up.
const TOO_LATE: Duration = Duration::from_secs(1);

/// Back-off before a socket that the server has closed is reopened: first and longest pause. Each is twice as long as
/// the one before.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// Number of attempts: for about a quarter of a minute.
const TRIES: u32 = 10;

/// The state of a player.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Waits for START until then.
    BeforeStart(Instant),
    /// Types, since START.
    Typing(Instant),
    /// Has finished, or was cut short by the end of the run.
    Listening,
}

/// One player's race.
pub struct Race<'a> {
    player: &'a mut Player,
    run: Rc<Run>,
    game: Rc<Game>,
    racer: Rc<Racer>,
    receiver: Receiver,
    typist: Typist,
    phase: Phase,
    /// When the next key is due.
    due: Instant,
    /// A slow reader reads again from then on.
    paused_until: Option<Instant>,
    /// When the last player finished.
    all_done: Option<Instant>,
    /// The request with the result, once the text is typed.
    posting: Option<JoinHandle<Result<(), Failure>>>,
}

/// The receiving half of a race: matches frames with keystrokes, and counts them.
struct Receiver {
    run: Rc<Run>,
    game: Rc<Game>,
    me: usize,
    tracks: Tracks,
    is_slow: bool,
    /// Whether START has arrived.
    is_started: bool,
    /// When, in nanoseconds of the run.
    start: u64,
    /// The first edit that the server lacks, once it has said so.
    lacking: Option<u64>,
}

impl<'a> Race<'a> {
    /// A race that the player has not entered yet.
    pub fn new(player: &'a mut Player, game: Rc<Game>, me: usize) -> Self {
        let run = player.run.clone();
        let typist = run.options.typing().typist(run.options.rhythms(), &mut player.random);
        let is_slow = run.options.is_slow(player.number);
        let tracks = Tracks::default();
        let (racer, now) = (game.racer(me), Instant::now());
        Self {
            receiver: Receiver {
                run: run.clone(),
                game: game.clone(),
                me,
                tracks,
                is_slow,
                is_started: false,
                start: 0,
                lacking: None,
            },
            typist,
            phase: Phase::BeforeStart(now + START),
            due: now + START,
            paused_until: None,
            all_done: None,
            posting: None,
            player,
            run,
            game,
            racer,
        }
    }

    /// Plays the race. Returns whether the text was typed to its end.
    ///
    /// # Errors
    /// The failure that ended it.
    pub async fn run(mut self) -> Result<bool, Failure> {
        let _open = OpenSocket::count(&self.run);
        let mut socket = self.open().await.context("game socket")?;
        let mut timer = std::pin::pin!(sleep_until(self.due));
        while !self.is_over() {
            if timer.deadline() != self.due {
                timer.as_mut().reset(self.due);
            }
            let is_paused = self.paused_until.is_some_and(|until| Instant::now() < until);
            tokio::select! {
                received = socket.read(&self.run.buffer, |text| self.receiver.hear(text)), if !is_paused => {
                    socket = match received {
                        Ok(Received::Frames) => socket,
                        Ok(Received::Closed(code)) => self.come_back(Failure(format!("closed {code}"))).await?,
                        Err(error) => self.come_back(error.into()).await?,
                    };
                    self.start_typing();
                }
                () = &mut timer => socket = self.tick(socket).await?,
            }
        }
        self.account();
        socket.close();
        let Some(posting) = self.posting else { return Ok(false) };
        let posted = posting.await.map_err(|error| Failure(error.to_string()))?;
        posted.context("statistics").map(|()| true)
    }

    fn start_typing(&mut self) {
        if self.receiver.is_started && matches!(self.phase, Phase::BeforeStart(_)) {
            let now = Instant::now();
            self.phase = Phase::Typing(now);
            self.due = now + self.typist.delay;
        }
    }

    /// The timer has fired: a key is due, or a check.
    async fn tick(&mut self, socket: Socket) -> Result<Socket, Failure> {
        match self.phase {
            Phase::BeforeStart(_) => Err(Failure("game socket: no START".into())),
            Phase::Typing(_) if self.run.is_over() => {
                self.listen();
                Ok(socket)
            }
            Phase::Typing(started) => self.press(socket, started).await,
            Phase::Listening => {
                self.due = Instant::now() + GLANCE;
                Ok(socket)
            }
        }
    }

    async fn press(&mut self, mut socket: Socket, started: Instant) -> Result<Socket, Failure> {
        let late = self.due.elapsed();
        let position = self.game.press(&self.racer, self.run.now());
        let (id, lacking) = (self.game.id, self.receiver.lacking.take());
        let (game, racer, start) = (&self.game, &self.racer, self.receiver.start);
        let sent = socket.send(|payload| match self.run.options.format {
            Format::V1 => write_position(payload, id, position),
            Format::V2 => {
                let newest = racer.sent() - 1;
                let first = lacking.unwrap_or(newest).min(newest);
                let edits = (first..=newest).take(EDITS).map(|it| game.edit(racer, it, start));
                write_edits(payload, id, first, edits);
            }
        });
        let sent = sent.await;
        {
            let mut stats = self.run.stats.borrow_mut();
            stats.counts.sent += 1;
            stats.lateness.add(late);
        }
        self.due += self.typist.interval();
        if late > TOO_LATE {
            self.due = Instant::now();
        }
        if let Err(error) = sent {
            socket = self.come_back(error.into()).await?;
        }
        let (sent, keystrokes) = (self.racer.sent(), self.game.keystrokes());
        if sent == keystrokes / 2 {
            socket = self.interrupt(socket).await?;
        }
        if sent == keystrokes && !self.run.options.endless {
            self.finish(started);
        }
        Ok(socket)
    }

    /// In the middle of the text, slow readers stop reading, and reconnecting players drop their socket.
    async fn interrupt(&mut self, socket: Socket) -> Result<Socket, Failure> {
        let options = &self.run.options;
        if options.is_slow(self.player.number) {
            self.paused_until =
                Some(Instant::now() + Duration::from_secs_f64(options.slow_seconds));
        }
        if !options.reconnects(self.player.number) {
            return Ok(socket);
        }
        // Without a close frame, as in a network failure.
        drop(socket);
        self.player.turn();
        self.reopen().await.context("game socket")
    }

    /// The text is typed: the result is sent while the player goes on receiving frames.
    fn finish(&mut self, started: Instant) {
        self.run.stats.borrow_mut().counts.finishes += 1;
        self.listen();
        let minutes = started.elapsed().as_secs_f64() / 60.0;
        // Limited to the maximum of the contract.
        let wpm = (self.game.keystrokes() as f64 / WORD / minutes).min(1000.0);
        let result = json!({"game_id": self.game.id, "wpm": wpm, "wpm_raw": wpm, "acc": 100.0});
        let (run, pod, client) =
            (self.run.clone(), self.player.pod_index(), self.player.client.clone());
        self.posting = Some(spawn_local(async move {
            run.pods[pod].post("/api/v1/game/statistics", &client, &result).await.map(drop)
        }));
    }

    fn listen(&mut self) {
        self.racer.finish();
        self.phase = Phase::Listening;
        self.due = Instant::now() + GLANCE;
    }

    /// Whether no more frames are expected.
    fn is_over(&mut self) -> bool {
        if self.phase != Phase::Listening || !self.game.is_done() {
            return false;
        }
        let since = *self.all_done.get_or_insert_with(Instant::now);
        self.receiver.missing() == 0 || since.elapsed() >= LAST_FRAMES
    }

    /// Counts the frames that have not arrived by now as lost.
    fn account(&self) {
        self.receiver.lose(self.receiver.missing());
    }

    async fn open(&mut self) -> Result<Socket, Failure> {
        let path = format!("/api/v1/game/ws?game_id={}", self.game.id);
        let socket = self
            .player
            .pod()
            .open(&path, self.run.options.format.protocol(), &self.player.client)
            .await?;
        self.receiver.tracks.open(&self.game);
        Ok(socket)
    }

    /// Opens a socket in place of a lost one. Frames on their way to the lost one are no longer due.
    async fn reopen(&mut self) -> Result<Socket, Failure> {
        let lost = Instant::now();
        let socket = self.open().await?;
        let mut stats = self.run.stats.borrow_mut();
        stats.counts.reopened += 1;
        stats.reopening.add(lost.elapsed());
        Ok(socket)
    }

    /// Reconnects after a failure, each time to the next pod.
    async fn come_back(&mut self, mut failure: Failure) -> Result<Socket, Failure> {
        let mut pause = PAUSES.0;
        for _ in 0..TRIES {
            self.run.note(Failure(format!("game socket: {}", failure.0)));
            // Codes from 4500 on mean: do not reconnect.
            if failure.0.starts_with("closed 45") {
                break;
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
            self.player.turn();
            match self.reopen().await {
                Ok(socket) => return Ok(socket),
                Err(again) => failure = again,
            }
        }
        Err(Failure("game socket: given up".into()))
    }
}

impl Receiver {
    fn hear(&mut self, payload: &[u8]) {
        self.run.options.format.read(payload, |message| self.understand(message));
    }

    fn understand(&mut self, message: Incoming<'_>) {
        match message {
            Incoming::Position { user, position } => {
                let frame = self.tracks.hear(&self.game, self.me, user, position);
                self.count(frame);
            }
            Incoming::Event(b"START") => {
                if std::mem::replace(&mut self.is_started, true) {
                    self.run.note(Failure("game socket: START came twice".into()));
                }
                self.start = self.run.now();
                self.run.stats.borrow_mut().counts.starts += 1;
            }
            Incoming::Lacks(first) => self.lacking = Some(first),
            Incoming::Event(_) => {}
            Incoming::Malformed => self.run.note(Failure("game socket: malformed frame".into())),
        }
    }

    fn count(&self, frame: Frame) {
        match frame {
            Frame::Delivered { sent_at, skipped } => {
                let after = Duration::from_nanos(self.run.now().saturating_sub(sent_at));
                self.lose(skipped);
                let mut stats = self.run.stats.borrow_mut();
                // The latency to a player that does not read says nothing about the server.
                if self.is_slow { stats.counts.delivered += 1 } else { stats.note_delivered(after) }
            }
            Frame::Doubled => self.run.stats.borrow_mut().counts.doubled += 1,
            Frame::CatchUp => self.run.stats.borrow_mut().counts.caught_up += 1,
            Frame::Stranger => self.run.stats.borrow_mut().counts.of_strangers += 1,
            Frame::Wrong => self.run.note(Failure("game socket: a position never sent".into())),
        }
    }

    fn missing(&self) -> u64 {
        self.tracks.missing(&self.game, self.me)
    }

    fn lose(&self, frames: u64) {
        let counts = &mut self.run.stats.borrow_mut().counts;
        if self.is_slow {
            counts.lost_to_slow_readers += frames;
        } else {
            counts.lost += frames;
        }
    }
}
