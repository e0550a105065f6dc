//! Players who type: CPU per keystroke and per delivered frame, and how long a keystroke is on its way.
//!
//! Every player sends a position at a steady rate, his own phase shifted against the others', and receives those of
//! the other players of his game. A send time is kept per player and position, so the frames carry nothing that the
//! contract does not know. With `formats` half of the servers get edits, one per keystroke, as from clients that gather
//! those of 50 ms: 8 keystrokes a second are too far from each other for that. The latency is what a client sees: the generator's own waiting is in it, for both servers.

use crate::meter::{Figures, Meter};
use crate::players::{Seat, Socket, take_seats};
use crate::report::Row;
use crate::server::{Kind, START_COUNTDOWN, Server};
use crate::{Outcome, proc};
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep_until};
use tokio_tungstenite::tungstenite::Message;

/// Words of a race, and letters of each that are sent: the first two positions exist in the shortest word.
const WORDS: usize = 25;
const LETTERS: usize = 2;
const POSITIONS: usize = WORDS * LETTERS;

/// From the last socket open to the first keystroke: START has been heard by all.
const SETTLE: Duration = Duration::from_secs(START_COUNTDOWN + 1);

/// Typing goes on for this long after the measured span, so that the load is even to its end.
const COOL_DOWN: Duration = Duration::from_millis(200);

/// Time for the last frames to arrive.
const DRAIN: Duration = Duration::from_millis(500);

/// How much is typed.
#[derive(Clone, Copy)]
pub struct Load {
    pub players: usize,
    /// Players of a full game.
    pub race: usize,
    /// Keystrokes of each player in a second.
    pub rate: u32,
    /// The measured time.
    pub span: Duration,
}

impl Load {
    /// The players and their races.
    pub fn name(&self) -> String {
        format!("{} players in races of {}", self.players, self.race)
    }

    /// What the table is about.
    pub fn title(&self, rounds: u32) -> String {
        let (name, rate, seconds) = (self.name(), self.rate, self.span.as_secs());
        format!("{name}, {rate} keystrokes/s each, {seconds} s, medians of rounds: {rounds}")
    }
}

/// Puts the load on each server in turns.
pub async fn compare(turns: impl Iterator<Item = Kind>, load: Load) -> Outcome<[Row; 8]> {
    proc::raise_open_files()?;
    let mut rows = Figures::rows();
    for kind in turns {
        let data = tempfile::tempdir()?;
        let server = Server::start_for(kind, data.path(), load.race).await?;
        let figures = drive(&server, load).await?;
        for (row, figure) in rows.iter_mut().zip(figures.list(load.span)) {
            row.add(kind, figure);
        }
        server.stop().await?;
    }
    Ok(rows)
}

async fn drive(server: &Server, load: Load) -> Outcome<Figures> {
    let seats = take_seats(server, load.players).await?;
    let cursors: Vec<Arc<Cursor>> = seats.iter().map(|seat| Arc::new(Cursor::of(seat))).collect();
    let mut sockets = Vec::with_capacity(seats.len());
    for seat in &seats {
        sockets.push(seat.open().await?);
    }
    let meter = Arc::new(Meter::starting(Instant::now() + SETTLE, load.span));
    let mut players = JoinSet::new();
    for (number, socket) in sockets.into_iter().enumerate() {
        let me = Arc::clone(&cursors[number]);
        let mates = cursors.iter().filter(|other| other.game == me.game && other.user != me.user);
        let player = Player {
            kind: server.kind,
            mates: mates.cloned().collect(),
            me,
            pressed: 0,
            latencies: Vec::with_capacity(
                load.race * load.rate as usize * load.span.as_secs() as usize,
            ),
            meter: Arc::clone(&meter),
        };
        let period = Duration::from_secs(1) / load.rate;
        players.spawn(player.race(socket, period, phase(number)));
    }
    let counted = meter.count(server).await?;
    let mut latencies = Vec::new();
    while let Some(player) = players.join_next().await {
        latencies.extend(player??);
    }
    Ok(Figures::new(counted, latencies))
}

/// Where in the period a player presses his key: golden-ratio steps, so that neighbours are far from each other.
fn phase(number: usize) -> f64 {
    (number as f64 * 0.618_033_988_749_895).fract()
}

/// A player as the others see him: when he was last sent to each position, in nanoseconds of the meter's clock.
struct Cursor {
    game: u64,
    user: String,
    sent_at: [AtomicU64; POSITIONS],
}

impl Cursor {
    fn of(seat: &Seat) -> Self {
        Self {
            game: seat.game,
            user: seat.user.clone(),
            sent_at: [const { AtomicU64::new(0) }; POSITIONS],
        }
    }
}

struct Player {
    kind: Kind,
    me: Arc<Cursor>,
    mates: Vec<Arc<Cursor>>,
    pressed: usize,
    latencies: Vec<u32>,
    meter: Arc<Meter>,
}

impl Player {
    /// Types and listens; gives the latencies of the frames heard.
    async fn race(mut self, mut socket: Socket, period: Duration, phase: f64) -> Outcome<Vec<u32>> {
        let quiet = self.meter.end + COOL_DOWN;
        let mut keys = interval_at(self.meter.start + period.mul_f64(phase), period);
        let mut over = std::pin::pin!(sleep_until(quiet + DRAIN));
        loop {
            tokio::select! {
                now = keys.tick() => if now < quiet {
                    let frame = self.press();
                    socket.send(Message::text(frame)).await?;
                },
                frame = socket.next() => match frame {
                    Some(frame) => if let Message::Text(text) = frame? { self.hear(&text) },
                    None => return Err("the server closed the socket of a player".into()),
                },
                () = &mut over => return Ok(self.latencies),
            }
        }
    }

    fn press(&mut self) -> String {
        let position = self.pressed % POSITIONS;
        self.pressed += 1;
        self.me.sent_at[position].store(self.meter.now(), Relaxed);
        self.meter.note_sent(self.mates.len());
        let (game, user) = (self.me.game, &self.me.user);
        let (word, letter) = (position / LETTERS, position % LETTERS);
        match self.kind {
            Kind::Edits => {
                let (seq, at) = (self.pressed - 1, self.meter.now() / 1_000_000);
                // At the end of the text all of it is deleted.
                let (del, ins) = match (word, letter) {
                    (0, 0) => (2 * POSITIONS, "a"),
                    (_, 0) => (0, " a"),
                    _ => (0, "a"),
                };
                format!(
                    r#"{{"game_id":{game},"event":"EDITS","seq":{seq},"edits":[{{"at":{at},"del":{del},"ins":"{ins}"}}]}}"#
                )
            }
            // The bare relay adds nothing, so what it gets is what the others are to receive.
            Kind::Bare => format!(
                r#"{{"event":"KEY_STOKE","game_id":{game},"user_id":"{user}","word_index":{word},"char_index":{letter}}}"#
            ),
            _ => format!(
                r#"{{"game_id":{game},"event":"KEY_STOKE","word_index":{word},"char_index":{letter}}}"#
            ),
        }
    }

    fn hear(&mut self, frame: &str) {
        let Some((user, position)) = read(frame) else {
            return;
        };
        let Some(mate) = self.mates.iter().find(|mate| mate.user == user) else {
            return;
        };
        let sent_at = mate.sent_at[position].load(Relaxed);
        self.latencies.extend(self.meter.note_delivered(sent_at));
    }
}

/// User and position of a relayed keystroke, found without parsing the rest; `None` for any other event.
fn read(frame: &str) -> Option<(&str, usize)> {
    let user = after(frame, r#""user_id":""#)?.split('"').next()?;
    let word = number(after(frame, r#""word_index":"#)?)?;
    let letter = number(after(frame, r#""char_index":"#)?)?;
    (word < WORDS && letter < LETTERS).then_some((user, word * LETTERS + letter))
}

fn after<'a>(frame: &'a str, name: &str) -> Option<&'a str> {
    frame.split_once(name).map(|(_, rest)| rest)
}

fn number(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}
