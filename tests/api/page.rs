//! A page that plays one race to its end, whatever happens to the pods: it opens its sockets again, at the next pod, when
//! they close, and sends its result until it is taken.

use std::time::Duration;

use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::fleet::{Fleet, PATIENCE};
use crate::persona::{QUEUE_IN, game_in};
use crate::signing;
use crate::site::Site;
use crate::socket::{Heard, Socket};

/// Between two tries to reach a pod.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two keystrokes.
const KEYSTROKES: Duration = Duration::from_millis(150);
/// How long a race may take, from the lobby to the result.
const RACE: Duration = Duration::from_secs(120);

/// How far a page has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    Loading,
    Lobby,
    Countdown,
    Racing,
    /// The result is acknowledged.
    Finished,
}

/// What a page has seen.
#[derive(Debug, Default)]
pub struct Story {
    pub id: String,
    pub game: i64,
    /// How often it has heard START.
    pub starts: usize,
    /// Whether its game was lost.
    pub ended: bool,
    /// Whether its result was taken.
    pub taken: bool,
    /// How its sockets were closed: the code, or nothing at all.
    pub closed: Vec<Option<u16>>,
    /// Answers that say that the server has failed, by their status.
    pub failures: Vec<u16>,
}

struct Page {
    token: String,
    sites: Vec<Site>,
    /// At which of them it is.
    at: usize,
    moment: watch::Sender<Moment>,
    may_finish: watch::Receiver<bool>,
    story: Story,
}

impl Page {
    async fn plays(mut self) -> Story {
        self.waits().await;
        self.reaches(Moment::Countdown);
        self.races().await;
        if !self.story.ended {
            self.reports().await;
        }
        self.reaches(Moment::Finished);
        self.story
    }

    fn reaches(&self, moment: Moment) {
        self.moment.send_if_modified(|it| std::mem::replace(it, moment.max(*it)) < moment);
    }

    /// To the next pod, after a moment.
    async fn turns(&mut self) {
        sleep(PAUSE).await;
        self.at = (self.at + 1) % self.sites.len();
    }

    /// Opens a socket, wherever there is one. `None` if the game is not there any more.
    async fn opens(&mut self, path: &str) -> Option<Socket> {
        loop {
            match self.sites[self.at].try_connect(&self.story.id, path, &self.token).await {
                Ok(socket) => return Some(socket),
                Err(refusal) if matches!(refusal.status, Some(403 | 404)) => return None,
                Err(refusal) => {
                    self.story.failures.extend(refusal.status.filter(|it| *it >= 500));
                    self.turns().await;
                }
            }
        }
    }

    /// In the lobby, up to GAME_START.
    async fn waits(&mut self) {
        loop {
            let mut socket = self.opens(QUEUE_IN).await.expect("a lobby is always to be had");
            loop {
                match socket.hear("GAME_START").await {
                    Heard::Frame(frame) if frame["event"] == "INIT" => {
                        self.story.game = game_in(&frame);
                        self.reaches(Moment::Lobby);
                    }
                    Heard::Frame(frame) if frame["event"] == "GAME_START" => {
                        return socket.close().await;
                    }
                    Heard::Frame(_) | Heard::Pong => {}
                    end => {
                        self.was_closed(&end);
                        break;
                    }
                }
            }
            self.turns().await;
        }
    }

    fn was_closed(&mut self, end: &Heard) {
        let code = if let Heard::Closed(code, _) = end { Some(*code) } else { None };
        self.story.closed.push(code);
    }

    /// In the race, until it may finish, or the game is lost.
    async fn races(&mut self) {
        let path = format!("/api/v1/game/ws?game_id={}", self.story.game);
        loop {
            let Some(mut socket) = self.opens(&path).await else {
                self.story.ended = true;
                return;
            };
            for what in ["players", "words", "countdown"] {
                self.reads(what).await;
            }
            if self.types(&mut socket).await {
                return socket.close().await;
            }
            self.turns().await;
        }
    }

    /// Asks about its game, as a page does that is loaded.
    async fn reads(&mut self, what: &str) {
        let path = format!("/api/v1/game/{what}?game_id={}", self.story.game);
        let answer = self.sites[self.at].try_get(&path, &self.token).await;
        self.story.failures.extend(answer.map(|it| it.status).filter(|it| *it >= 500));
    }

    /// On one socket of the race: whether the race is over.
    async fn types(&mut self, socket: &mut Socket) -> bool {
        let mut keys = interval(KEYSTROKES);
        keys.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                heard = socket.hear("the race") => match heard {
                    Heard::Frame(frame) if frame["event"] == "START" => {
                        self.story.starts += 1;
                        self.reaches(Moment::Racing);
                    }
                    Heard::Frame(frame) if frame["event"] == "GAME_END" => {
                        self.story.ended = true;
                        return true;
                    }
                    Heard::Frame(_) | Heard::Pong => {}
                    end => {
                        self.was_closed(&end);
                        return false;
                    }
                },
                _ = keys.tick(), if self.story.starts > 0 => {
                    if *self.may_finish.borrow() {
                        return true;
                    }
                    let game = self.story.game;
                    socket.send(json!({"event": "KEY_STOKE", "game_id": game, "word_index": 0, "char_index": 0})).await;
                }
            }
        }
    }

    /// Sends the result until it is taken.
    async fn reports(&mut self) {
        let figures =
            json!({"game_id": self.story.game, "wpm": 60.0, "wpm_raw": 65.0, "acc": 97.5});
        loop {
            let site = &self.sites[self.at];
            let path = "/api/v1/game/statistics";
            let request = site.request(reqwest::Method::POST, path, &self.token).json(&figures);
            match site.try_send(request).await {
                Some(answer) if answer.status == 200 => {
                    self.story.taken = true;
                    return;
                }
                Some(answer) if answer.code() == "GAME_NOT_FOUND" => {
                    self.story.ended = true;
                    return;
                }
                Some(answer) => {
                    assert!(answer.status >= 500, "{answer:?}");
                    self.story.failures.push(answer.status);
                }
                None => {}
            }
            self.turns().await;
        }
    }
}

/// Pages that play at once.
pub struct Pages {
    stories: JoinSet<Story>,
    moments: Vec<watch::Receiver<Moment>>,
    finish: watch::Sender<bool>,
}

impl Pages {
    /// So many pages, spread over the pods. Every fourth player is a guest, the others are registered.
    pub async fn open(fleet: &Fleet, count: usize) -> Self {
        Self::open_at(fleet.sites(), fleet, count).await
    }

    /// The same, spread over these addresses of the fleet.
    pub async fn open_at(sites: Vec<Site>, fleet: &Fleet, count: usize) -> Self {
        let (finish, may_finish) = watch::channel(false);
        let mut pages = Self { stories: JoinSet::new(), moments: Vec::new(), finish };
        let sql =
            "insert into users (id, name) select 'google-' || n, 'User ' || n from generate_series";
        let sql = format!("{sql}(0, {count}) n on conflict do nothing");
        fleet.postgres.connect().await.execute(AssertSqlSafe(sql)).await.expect("users");
        for number in 0..count {
            let claims = match number % 4 {
                3 => signing::guest_claims(&format!("guest-{number:032x}")),
                _ => signing::claims(
                    &format!("google-{number}"),
                    &format!("User {number}"),
                    "REGISTERED",
                ),
            };
            let id = claims["sub"].as_str().expect("an id").to_owned();
            let (moment, watched) = watch::channel(Moment::Loading);
            let page = Page {
                token: signing::sign(&claims),
                at: number % sites.len(),
                sites: sites.clone(),
                moment,
                may_finish: may_finish.clone(),
                story: Story { id, ..Story::default() },
            };
            pages.moments.push(watched);
            pages.stories.spawn(page.plays());
        }
        pages
    }

    /// Waits until every page has come so far.
    pub async fn reach(&mut self, moment: Moment) {
        for (number, watched) in self.moments.iter_mut().enumerate() {
            let reached = timeout(PATIENCE, watched.wait_for(|it| *it >= moment)).await;
            let reached = reached.unwrap_or_else(|_| panic!("page {number} waits for {moment:?}"));
            reached.unwrap_or_else(|_| panic!("page {number} has failed before {moment:?}"));
        }
    }

    /// Waits until one of them has.
    pub async fn first_reaches(&mut self, moment: Moment) {
        let reached = self.moments.iter_mut().map(|it| Box::pin(it.wait_for(|it| *it >= moment)));
        let (reached, ..) = timeout(PATIENCE, futures_util::future::select_all(reached))
            .await
            .unwrap_or_else(|_| panic!("no page reaches {moment:?}"));
        reached.expect("a page that lives");
    }

    /// From now on who has heard START finishes.
    pub fn may_finish(&self) {
        self.finish.send_replace(true);
    }

    /// Lets them finish, and waits until all have.
    pub async fn end(mut self) -> Vec<Story> {
        self.may_finish();
        let mut stories = Vec::new();
        let all = async {
            while let Some(story) = self.stories.join_next().await {
                stories.push(story.expect("a page that does not fail"));
            }
        };
        let is_done = timeout(RACE, all).await.is_ok();
        let late = self.moments.iter().map(|it| *it.borrow()).filter(|it| *it < Moment::Finished);
        assert!(is_done, "pages are stuck at {:?}", late.collect::<Vec<_>>());
        stories
    }
}

/// Each of these pages has heard START exactly once.
pub fn all_started_once(stories: &[Story]) {
    for story in stories {
        assert_eq!(story.starts, 1, "START for {story:?}");
    }
}
