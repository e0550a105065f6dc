//! Pods as processes of their own, on one database, one Redis prefix and broker names of this run; and
//! players who find seats there.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::header::COOKIE;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::{Outcome, broker};

/// Players on their way in at once.
const DOOR: usize = 16;
/// What a socket reads at once, in bytes.
const READ_BUFFER: usize = 4096;

pub type Socket = WebSocketStream<TcpStream>;

pub struct Cluster {
    name: String,
    settings: &'static [(&'static str, &'static str)],
    pods: Vec<(Child, SocketAddr)>,
    data: TempDir,
}

/// Somebody who sits in a race, and has heard START.
pub struct Player {
    pub user: String,
    pub race: Socket,
    pub pod: SocketAddr,
    pub game: u64,
    pub cookie: String,
    seated: Instant,
    started: Instant,
}

pub struct Seats {
    pub players: Vec<Player>,
    pub per_second: f64,
    /// From the first START to the last of one race, for each race, sorted.
    pub skews: Vec<Duration>,
    /// Other pods on which a player has opponents, on average.
    pub reach: f64,
}

/// One client for all: making one takes longer than what it asks for.
pub fn http() -> &'static reqwest::Client {
    static HTTP: LazyLock<reqwest::Client> =
        LazyLock::new(|| reqwest::Client::builder().no_proxy().build().expect("an HTTP client"));
    &HTTP
}

fn postgres() -> String {
    let default = "postgres://postgres:postgres@127.0.0.1:5432/postgres";
    std::env::var("TEST_POSTGRES").unwrap_or_else(|_| default.into())
}

fn redis() -> String {
    std::env::var("TEST_REDIS").unwrap_or_else(|_| "redis://127.0.0.1:6379/0".into())
}

/// What a rolling restart sets beside the rest: a text that is typed in twenty seconds, a word per keystroke.
pub const ROLLING: &[(&str, &str)] = &[
    ("TP_GAME__WORD_COUNT", "20"),
    ("TP_GAME__CHECK_RESULTS", "false"),
    ("TP_HANDLERS__BOTS__ENABLED", "false"),
    ("TP_LIMITS__SEATS_PER_PLAYER", "1000000"),
    ("TP_LIMITS__CONNECTIONS_PER_ADDRESS", "1000000"),
];

async fn is_ready(address: SocketAddr) {
    let ready = format!("http://{address}/healthcheck/ready");
    while !http().get(&ready).send().await.is_ok_and(|it| it.status().is_success()) {
        sleep(Duration::from_millis(20)).await;
    }
}

/// What a pod has counted under that name, over all labels.
pub async fn counted(port: u16, name: &str) -> Outcome<u64> {
    Ok(sum(&metrics(port).await?, name))
}

/// The metrics of a pod.
pub async fn metrics(port: u16) -> Outcome<String> {
    let answer = http().get(format!("http://127.0.0.1:{port}/metrics")).send().await?;
    Ok(answer.error_for_status()?.text().await?)
}

/// The sum over all labels of one of them.
pub fn sum(metrics: &str, name: &str) -> u64 {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
    let lines = lines.filter(|rest| rest.starts_with([' ', '{']));
    let values = lines.filter_map(|rest| rest.rsplit_once(' ')?.1.parse::<f64>().ok());
    values.sum::<f64>() as u64
}

impl Cluster {
    pub async fn start(count: usize) -> Outcome<Self> {
        Self::start_with(count, &[]).await
    }

    /// The same with further settings, as variables.
    pub async fn start_with(
        count: usize,
        settings: &'static [(&'static str, &'static str)],
    ) -> Outcome<Self> {
        let name = format!("typephoon_bench_{:08x}", rand::random::<u32>());
        let mut server = PgConnection::connect(&postgres()).await?;
        server.execute(AssertSqlSafe(format!("create database {name}"))).await?;
        let mut cluster = Self { name, settings, pods: Vec::new(), data: tempfile::tempdir()? };
        for number in 0..count {
            let pod = cluster.launch(number, 0).await?;
            cluster.pods.push(pod);
        }
        for (_, address) in &cluster.pods {
            is_ready(*address).await;
        }
        Ok(cluster)
    }

    /// Starts a pod, on any port if `port` is 0. Returns once it listens.
    async fn launch(&self, number: usize, port: u16) -> Outcome<(Child, SocketAddr)> {
        let log = self.data.path().join(format!("{number}.log"));
        let child = command(&self.name, number)?
            .envs(self.settings.iter().copied())
            .env("TP_SERVER__PORT", port.to_string())
            .current_dir(self.data.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .stdout(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        loop {
            let text = std::fs::read_to_string(&log)?;
            let address = text.split("listening on http://").nth(1);
            let address = address.and_then(|rest| rest.split([' ', '"', '\n', '\u{1b}']).next());
            if let Some(address) = address.and_then(|it| it.parse().ok()) {
                return Ok((child, address));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.pods.iter().map(|(_, address)| *address).collect()
    }

    pub fn ports(&self) -> Vec<u16> {
        self.pods.iter().map(|(_, address)| address.port()).collect()
    }

    /// Has a pod stop, and returns its exit code.
    pub async fn terminate(&mut self, number: usize) -> Outcome<i32> {
        let child = &mut self.pods[number].0;
        let id = child.id().ok_or("it has ended")?;
        std::process::Command::new("kill").args(["-TERM", &id.to_string()]).status()?;
        Ok(child.wait().await?.code().unwrap_or(-1))
    }

    /// Kills a pod.
    pub async fn kill(&mut self, number: usize) -> Outcome<()> {
        Ok(self.pods[number].0.kill().await?)
    }

    /// Starts it again on its port. Returns once it is ready.
    pub async fn restart(&mut self, number: usize) -> Outcome<()> {
        let port = self.pods[number].1.port();
        self.pods[number] = self.launch(number, port).await?;
        is_ready(self.pods[number].1).await;
        Ok(())
    }

    /// What the pods have counted so far, all in all.
    pub async fn count(&self, counter: &str) -> Outcome<u64> {
        let mut sum = 0;
        for (_, address) in &self.pods {
            let metrics = http().get(format!("http://{address}/metrics")).send().await?;
            let text = metrics.text().await?;
            let mut lines = text.lines().filter_map(|line| line.strip_prefix(counter));
            let value = lines.find_map(|line| line.strip_prefix(' '));
            sum += value.ok_or("no such counter")?.parse::<u64>()?;
        }
        Ok(sum)
    }

    /// CPU time of the pods so far.
    pub fn cpu(&self) -> Outcome<Duration> {
        let pids = self.pods.iter().filter_map(|(child, _)| child.id());
        pids.map(broker::cpu_of).sum()
    }

    /// Seats players, one after the other on the next pod, until all have heard START. If placed, all players of a race
    /// open the socket of the race on the same pod, as behind a proxy that hashes the game.
    pub async fn seat(&self, count: usize, is_placed: bool) -> Outcome<Seats> {
        let door = Arc::new(Semaphore::new(DOOR));
        let pods: Arc<[_]> = self.pods.iter().map(|(_, address)| *address).collect();
        let begun = Instant::now();
        let mut arrivals = JoinSet::new();
        for number in 0..count {
            let (pods, door) = (pods.clone(), door.clone());
            arrivals.spawn(async move {
                let pod = pods[number % pods.len()];
                let of_race = |game: u64| match is_placed {
                    true => pods[game as usize % pods.len()],
                    false => pod,
                };
                take_seat(pod, &door, of_race).await
            });
        }
        let mut players = Vec::new();
        while let Some(arrival) = arrivals.join_next().await {
            players.push(arrival??);
        }
        let last = players.iter().map(|it| it.seated).max().ok_or("no player")?;
        let per_second = count as f64 / (last - begun).as_secs_f64();
        let mut starts: HashMap<u64, (Instant, Instant)> = HashMap::new();
        for Player { game, started, .. } in &players {
            let (first, last) = starts.entry(*game).or_insert((*started, *started));
            (*first, *last) = ((*first).min(*started), (*last).max(*started));
        }
        let mut skews: Vec<_> = starts.into_values().map(|(first, last)| last - first).collect();
        skews.sort_unstable();
        let on: HashSet<_> = players.iter().map(|it| (it.game, it.pod)).collect();
        let others =
            players.iter().map(|it| on.iter().filter(|(game, _)| *game == it.game).count() - 1);
        let reach = others.sum::<usize>() as f64 / count as f64;
        Ok(Seats { players, per_second, skews, reach })
    }

    pub async fn stop(mut self) -> Outcome<()> {
        for (child, _) in &mut self.pods {
            child.kill().await?;
        }
        broker::forget(&self.name).await?;
        let mut server = PgConnection::connect(&postgres()).await?;
        let drop = format!("drop database {} with (force)", self.name);
        server.execute(AssertSqlSafe(drop)).await?;
        Ok(())
    }
}

fn command(name: &str, number: usize) -> Outcome<Command> {
    let mut command = Command::new(
        std::env::var("TYPEPHOON_API")
            .unwrap_or_else(|_| env!("CARGO_BIN_EXE_typephoon-api").into()),
    );
    let database: sqlx::postgres::PgConnectOptions = postgres().parse()?;
    let database = sqlx::ConnectOptions::to_url_lossy(&database.database(name)).to_string();
    let settings: [(&str, &str); 21] = [
        ("TP_SERVER__HOST", "127.0.0.1"),
        ("TP_SERVER__PORT", "0"),
        ("TP_OPERATIONS__PORT", "0"),
        ("TP_OPERATIONS__PUBLIC_METRICS", "true"),
        ("TP_DB__URL", &database),
        ("TP_REDIS__URL", &redis()),
        ("TP_REDIS__PREFIX", name),
        ("TP_AMQP__URL", &broker::url()),
        ("TP_AMQP__PREFIX", name),
        ("TP_TOKEN__PRIVATE_KEY", include_str!("../../tests/api/keys/private.pem")),
        ("TP_TOKEN__PUBLIC_KEY", include_str!("../../tests/api/keys/public.pem")),
        ("TP_GAME__LOBBY_COUNTDOWN", "5"),
        ("TP_GAME__START_COUNTDOWN", "5"),
        ("TP_GAME__WORD_COUNT", "500"),
        ("TP_LIMITS__REQUESTS_PER_SECOND", "1000000"),
        ("TP_LIMITS__GUESTS_PER_MINUTE", "1000000"),
        ("TP_LIMITS__SEATS_PER_MINUTE", "1000000"),
        ("TP_LIMITS__SOCKETS", "1000000"),
        ("TP_LIMITS__SOCKETS_PER_ADDRESS", "1000000"),
        ("TP_LIMITS__FRAMES_PER_SECOND", "100000"),
        ("SERVER_NAME", &format!("pod{number}")),
    ];
    command.envs(settings).arg("--init");
    Ok(command)
}

pub async fn open(pod: SocketAddr, path: &str, cookie: Option<&str>) -> Outcome<Socket> {
    let mut request = format!("ws://{pod}{path}").into_client_request()?;
    if let Some(cookie) = cookie {
        request.headers_mut().insert(COOKIE, cookie.parse()?);
    }
    let stream = TcpStream::connect(pod).await?;
    stream.set_nodelay(true)?;
    // The default of 128 KiB is cleared before each read, which costs more than the frame.
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    Ok(tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?.0)
}

/// The next message of a socket that is this event.
async fn event(socket: &mut Socket, name: &str) -> Outcome<Value> {
    while let Some(message) = socket.next().await {
        // A ping may happen to be text, too.
        let Message::Text(text) = message? else { continue };
        let message: Value = serde_json::from_str(&text)?;
        if message["event"] == name {
            return Ok(message);
        }
    }
    Err(format!("no {name}").into())
}

async fn take_seat(
    pod: SocketAddr,
    door: &Semaphore,
    of_race: impl Fn(u64) -> SocketAddr,
) -> Outcome<Player> {
    let entry = door.acquire().await?;
    let mut lobby = open(pod, "/api/v1/lobby/queue-in/ws", None).await?;
    let game = event(&mut lobby, "INIT").await?["game_id"].as_u64().ok_or("a game")?;
    let seated = Instant::now();
    let offer = event(&mut lobby, "GET_TOKEN").await?;
    let key = offer["guest_token_key"].as_str().ok_or("a key")?;
    let token = format!("http://{pod}/api/v1/auth/guest-token?key={key}");
    let answer = http().get(token).send().await?;
    let cookie = answer.headers().get("set-cookie").ok_or("a cookie")?.to_str()?;
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    drop(entry);
    event(&mut lobby, "GAME_START").await?;
    lobby.close(None).await?;
    let pod = of_race(game);
    let mut race = open(pod, &format!("/api/v1/game/ws?game_id={game}"), Some(&cookie)).await?;
    let info = format!("http://{pod}/api/v1/profile/user-info");
    let info = http().get(info).header(COOKIE, &cookie).send().await?;
    let user = info.json::<Value>().await?["id"].as_str().ok_or("an id")?.to_owned();
    event(&mut race, "START").await?;
    Ok(Player { user, race, pod, game, cookie, seated, started: Instant::now() })
}
