//! A player: queues in, races, reads the result, and starts again.

use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::game::Game;
use crate::http::{Client, Failure, Http};
use crate::race::Race;
use crate::run::Run;
use crate::socket::{Received, Socket};

/// Timeout of a lobby.
const LOBBY: Duration = Duration::from_mins(3);

/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Names the step that failed.
pub trait Context<T> {
    /// Prefixes the kind of the failure with the step.
    ///
    /// # Errors
    /// The same one, with its step.
    fn context(self, step: &str) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn context(self, step: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("{step}: {}", error.into().0)))
    }
}

/// An event of the lobby socket.
#[derive(Deserialize)]
struct Event {
    event: String,
    game_id: Option<u64>,
    guest_token_key: Option<String>,
}

/// One of the players.
#[derive(Debug)]
pub struct Player {
    /// The run.
    pub run: Rc<Run>,
    /// The number of the player.
    pub number: u32,
    /// The token and the client address.
    pub client: Client,
    /// Its own seeded random numbers, so that runs are repeatable.
    pub random: StdRng,
    /// Number of connections so far, to take turns among the pods.
    turns: usize,
}

impl Player {
    /// A player that has not arrived yet.
    pub fn new(run: Rc<Run>, number: u32) -> Self {
        let client = Client { cookie: None, address: run.options.address_of(number) };
        let random = StdRng::seed_from_u64(u64::from(number));
        Self { turns: number as usize, run, number, client, random }
    }

    /// Arrives, and plays all rounds.
    pub async fn play(mut self) {
        sleep(Duration::from_secs_f64(f64::from(self.number) / self.run.options.arrival)).await;
        for _ in 0..self.run.options.rounds() {
            if self.run.is_over() {
                return;
            }
            if let Err(failure) = self.round().await {
                self.run.note(failure);
                sleep(PAUSE).await;
            }
            self.turns += 1;
        }
    }

    /// The pod whose turn it is.
    pub fn pod(&self) -> &Http {
        &self.run.pods[self.pod_index()]
    }

    /// Its index.
    pub fn pod_index(&self) -> usize {
        self.turns % self.run.pods.len()
    }

    /// Connects to the next pod from now on.
    pub fn turn(&mut self) {
        self.turns += 1;
    }

    async fn round(&mut self) -> Result<(), Failure> {
        let waited = timeout(LOBBY, self.queue_in()).await;
        let id = waited.unwrap_or_else(|_| Err(Failure("lobby socket: no GAME_START".into())))?;
        let (game, user) = self.enter(id).await?;
        let me = game.add(&user);
        let raced = Race::new(self, game.clone(), me).run().await;
        game.racer(me).finish();
        self.run.leave(game);
        // A race cut short by the end of the run has no result.
        if raced? { self.see_result(id, &user).await } else { Ok(()) }
    }

    /// Plays the lobby, up to GAME_START. Returns the game.
    async fn queue_in(&mut self) -> Result<u64, Failure> {
        let connecting = Instant::now();
        let path = "/api/v1/lobby/queue-in/ws";
        let mut socket = self.pod().open(path, None, &self.client).await.context("lobby socket")?;
        let _open = OpenSocket::count(&self.run);
        let mut game = None;
        loop {
            for event in next(&mut socket, &self.run).await.context("lobby socket")? {
                match event.event.as_str() {
                    "INIT" => {
                        self.run.stats.borrow_mut().to_init.add(connecting.elapsed());
                        game = event.game_id;
                        if self.client.cookie.is_some() {
                            self.run.stats.borrow_mut().counts.joins += 1;
                        }
                    }
                    "GET_TOKEN" => {
                        self.fetch_token(event.guest_token_key.unwrap_or_default()).await?;
                        let mut stats = self.run.stats.borrow_mut();
                        stats.to_token.add(connecting.elapsed());
                        stats.counts.joins += 1;
                    }
                    "GAME_START" => {
                        socket.close();
                        return game
                            .or(event.game_id)
                            .ok_or_else(|| Failure("lobby socket: no game_id".into()));
                    }
                    _ => {}
                }
            }
        }
    }

    async fn fetch_token(&mut self, key: String) -> Result<(), Failure> {
        let path = format!("/api/v1/auth/guest-token?key={key}");
        let (_, cookie) = self.pod().get(&path, &self.client).await.context("guest token")?;
        self.client.cookie = cookie;
        Ok(())
    }

    /// The requests that the page makes before a race: for the text, and for the player's own id.
    async fn enter(&self, id: u64) -> Result<(Rc<Game>, String), Failure> {
        let (pod, client) = (self.pod(), &self.client);
        let path = format!("/api/v1/game/players?game_id={id}");
        let (players, _) = pod.get(&path, client).await.context("players")?;
        let path = format!("/api/v1/game/words?game_id={id}");
        let (words, _) = pod.get(&path, client).await.context("words")?;
        let text = |value: &Value, what: &str| match value.as_str() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(Failure(format!("{what}: not in the answer"))),
        };
        let words = text(&words["words"], "words")?;
        Ok((self.run.game(id, &words), text(&players["me"]["id"], "players")?))
    }

    async fn see_result(&self, id: u64, user: &str) -> Result<(), Failure> {
        let path = format!("/api/v1/game/result?game_id={id}");
        let (result, _) = self.pod().get(&path, &self.client).await.context("result")?;
        let own = result["ranking"].as_array().into_iter().flatten().find(|it| it["id"] == *user);
        match own {
            Some(place) if place["finished"].is_string() => {
                self.run.stats.borrow_mut().counts.results += 1;
                Ok(())
            }
            _ => Err(Failure("result: the player is not among the finished".into())),
        }
    }
}

/// Reads the next events of a lobby socket.
async fn next(socket: &mut Socket, run: &Run) -> Result<Vec<Event>, Failure> {
    let mut events = Vec::new();
    let mut malformed = 0;
    let hear = |text: &[u8]| match serde_json::from_slice(text) {
        Ok(event) => events.push(event),
        Err(_) => malformed += 1,
    };
    let received = socket.read(&run.buffer, hear).await?;
    (0..malformed).for_each(|_| run.note(Failure("lobby socket: malformed frame".into())));
    match received {
        Received::Closed(code) if events.is_empty() => Err(Failure(format!("closed {code}"))),
        _ => Ok(events),
    }
}

/// Counts a socket as open for as long as it lives.
#[derive(Debug)]
pub struct OpenSocket(Rc<Run>);

impl OpenSocket {
    /// Counts one more.
    pub fn count(run: &Rc<Run>) -> Self {
        run.stats.borrow_mut().open_sockets += 1;
        Self(run.clone())
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.stats.borrow_mut().open_sockets -= 1;
    }
}
