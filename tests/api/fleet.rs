//! Several pods that are one service, on a PostgreSQL, a Redis and a RabbitMQ of the test's own: any of them may be killed.
//!
//! ```ignore
//! let Some(mut fleet) = Fleet::of(3).set("game.player_limit", 2).start().await else { return };
//! let pages = Pages::open(&fleet, 4).await;
//! fleet.pods[0].kill().await;
//! fleet.is_whole(&pages.end().await).await;
//! ```
//!
//! A fleet has the machine for itself: what it promises has to do with time. Only the services of the next one start meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{RwLockWriteGuard, Semaphore, SemaphorePermit};

use crate::page::Story;
use crate::postgres::Postgres;
use crate::proxy::Proxy;
use crate::rabbitmq::Rabbitmq;
use crate::redis::{Redis, RedisCluster};
use crate::server::{Server, machine_for_itself, within};
use crate::signing;
use crate::site::{ANONYMOUS, Answer, Site};

/// Timeout of everything that a fleet waits for: it has to go on after a fault, not at once.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One fleet that runs, and one whose services start: that takes as long as many a test.
static PLACES: Semaphore = Semaphore::const_new(2);

/// A fleet that has not been started.
pub struct Plan {
    pods: usize,
    values: BTreeMap<&'static str, String>,
    proxied: Option<Proxied>,
    is_clustered: bool,
}

/// To which service the first pod goes by a [`Proxy`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proxied {
    Broker,
    Redis,
}

impl Plan {
    /// A setting of all pods.
    pub fn set(mut self, key: &'static str, value: impl ToString) -> Self {
        self.values.insert(key, value.to_string());
        self
    }

    /// The first pod's way to RabbitMQ can be cut.
    pub fn with_a_way_to_the_broker(mut self) -> Self {
        self.proxied = Some(Proxied::Broker);
        self
    }

    /// The first pod's way to Redis can be cut.
    pub fn with_a_way_to_redis(mut self) -> Self {
        self.proxied = Some(Proxied::Redis);
        self
    }

    /// The pods share a Redis Cluster instead of one Redis.
    pub fn on_a_redis_cluster(mut self) -> Self {
        self.is_clustered = true;
        self
    }

    /// Starts the services, and then the pods. `None` if a service is not installed.
    pub async fn start(self) -> Option<Fleet> {
        let place = PLACES.acquire().await.expect("never closed");
        let (postgres, redis, rabbitmq) =
            tokio::join!(Postgres::start(), Redis::start(), Rabbitmq::start());
        let (postgres, redis, rabbitmq) = (postgres?, redis?, rabbitmq?);
        let clustered = if self.is_clustered { Some(RedisCluster::start().await?) } else { None };
        let machine = machine_for_itself().await;
        let redis_port = clustered.as_ref().map_or(redis.port(), |it| it.nodes[0].port());
        let way = match self.proxied {
            Some(Proxied::Broker) => Some(Proxy::to(rabbitmq.port()).await),
            Some(Proxied::Redis) => Some(Proxy::to(redis.port()).await),
            None => None,
        };
        let mut pods = Vec::new();
        for number in 0..self.pods {
            let first = way.as_ref().filter(|_| number == 0).map(Proxy::port).zip(self.proxied);
            let port =
                |of, else_| first.filter(|(_, it)| *it == of).map_or(else_, |(port, _)| port);
            let mut settings = postgres
                .settings()
                .embedded()
                .variable_on(0, "SERVER_NAME", format!("pod-{number}"))
                .set("redis.host", "127.0.0.1")
                .set("redis.port", port(Proxied::Redis, redis_port))
                .set("redis.cluster", self.is_clustered)
                .set("amqp.host", "127.0.0.1")
                .set("amqp.port", port(Proxied::Broker, rabbitmq.port()))
                .set("amqp.vhost", "/")
                .set("limits.request_timeout", 3)
                .set("game.start_countdown", 2);
            for (key, value) in &self.values {
                settings = settings.set(key, value);
            }
            pods.push(settings.alone(&machine).start().await);
        }
        let place = (machine, place);
        Some(Fleet { pods, way, rabbitmq, redis, clustered, postgres, _place: place })
    }
}

/// Some pods and their services; all of them end with it.
pub struct Fleet {
    pub pods: Vec<Server>,
    /// Of the first pod, if one was asked for.
    way: Option<Proxy>,
    pub rabbitmq: Rabbitmq,
    pub redis: Redis,
    /// If one was asked for.
    pub clustered: Option<RedisCluster>,
    pub postgres: Postgres,
    _place: (RwLockWriteGuard<'static, ()>, SemaphorePermit<'static>),
}

impl Fleet {
    pub fn of(pods: usize) -> Plan {
        Plan { pods, values: BTreeMap::new(), proxied: None, is_clustered: false }
    }

    /// The way that can be cut.
    pub fn way(&self) -> &Proxy {
        self.way.as_ref().expect("a way was asked for")
    }

    /// The address of a pod, for patient callers.
    pub fn site(&self, pod: usize) -> Site {
        let mut site = self.pods[pod].site();
        site.patience = PATIENCE;
        site
    }

    pub fn sites(&self) -> Vec<Site> {
        (0..self.pods.len()).map(|pod| self.site(pod)).collect()
    }

    /// Asks for the readiness of a pod until it is so.
    pub async fn readiness(&self, pod: usize, status: u16) -> Answer {
        within(PATIENCE, &format!("readiness of pod {pod} is {status}"), async || {
            let answer = self.pods[pod].try_get("/healthcheck/ready", ANONYMOUS).await?;
            (answer.status == status).then_some(answer)
        })
        .await
    }

    /// All pods are ready.
    pub async fn is_ready(&self) {
        for pod in 0..self.pods.len() {
            self.readiness(pod, 200).await;
        }
    }

    /// Every race of these stories is whole: all have a rank, each another, and what PostgreSQL keeps of it is the
    /// same, once per player.
    pub async fn is_whole(&self, stories: &[Story]) {
        let mut races: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
        for story in stories {
            assert!(story.taken && !story.ended, "no result was taken: {story:?}");
            let is_new = races.entry(story.game).or_default().insert(&story.id);
            assert!(is_new, "one result each: {story:?}");
        }
        let mut kept = self.kept().await;
        for (game, players) in races {
            let shown = self.ranks(game, players.first().expect("a player")).await;
            let ids: BTreeSet<&str> = shown.keys().map(String::as_str).collect();
            assert_eq!(ids, players, "who has finished game {game}");
            let ranks: BTreeSet<i64> = shown.values().copied().collect();
            assert_eq!(ranks, (1..).take(players.len()).collect(), "{shown:?}");
            let registered = shown.into_iter().filter(|(id, _)| id.starts_with("google-"));
            let rows: BTreeMap<String, i64> = kept.remove(&game).unwrap_or_default();
            assert_eq!(rows, registered.collect(), "what is kept of game {game}");
        }
        assert!(kept.is_empty(), "results without a player: {kept:?}");
    }

    /// The ranks of a race, as a pod that runs shows them to one of its players.
    async fn ranks(&self, game: i64, player: &str) -> BTreeMap<String, i64> {
        let path = format!("/api/v1/game/result?game_id={game}");
        let token = signing::sign(&signing::claims(player, "Player", "REGISTERED"));
        let answer = within(PATIENCE, "a pod shows the result", async || {
            for site in self.sites() {
                let answer = site.try_get(&path, &token).await;
                if let Some(answer) = answer.filter(|answer| answer.status == 200) {
                    return Some(answer);
                }
            }
            None
        })
        .await;
        let ranking = answer.ok()["ranking"].as_array().expect("a list").clone();
        let finished = ranking.iter().filter(|entry| !entry["finished"].is_null());
        let rank = |entry: &Value| {
            (
                entry["id"].as_str().expect("an id").to_owned(),
                entry["rank"].as_i64().expect("a rank"),
            )
        };
        finished.map(rank).collect()
    }

    /// All results in PostgreSQL: game, user, rank. A row twice would be a fault already.
    pub async fn kept(&self) -> BTreeMap<i64, BTreeMap<String, i64>> {
        let sql = "select game_id::bigint, user_id, rank::bigint from game_results";
        let rows: Vec<(i64, String, i64)> =
            sqlx::query_as(sql).fetch_all(&mut self.postgres.connect().await).await.expect("rows");
        let mut kept: BTreeMap<i64, BTreeMap<String, i64>> = BTreeMap::new();
        for (game, user, rank) in rows {
            let before = kept.entry(game).or_default().insert(user, rank);
            assert_eq!(before, None, "a result twice in game {game}");
        }
        kept
    }
}
