//! A model of the load that a deployment puts on the services between its pods: `cargo run --release --example scale`.
//!
//! The bridge is simulated batch by batch, by the rules of `src/bridge/outbound.rs`; the rest is counted. Random
//! numbers are seeded, so that each run prints the same tables. They are in `docs/scale.md`, with an explanation. No
//! dependencies.

#[path = "scale/bridge.rs"]
mod bridge;

use bridge::{Player, Traffic};

/// Players of a race.
const RACE: usize = 5;
/// Keystrokes per second of a racing player: 84 words per minute.
const RATE: f64 = 7.0;
/// Keystrokes of a race, which has 25 words.
const KEYSTROKES: f64 = 172.0;
/// Seconds from joining the lobby to the end of the race: two countdowns, then the typing.
const STAY: f64 = 10.0 + KEYSTROKES / RATE;

/// Bytes of a keystroke from its player, and to another player, including the headers of WebSocket, TCP and IP.
const KEY_IN: f64 = 68.0 + 6.0 + 52.0;
const KEY_OUT: f64 = 131.0 + 4.0 + 52.0;

/// Measured with typephoon-load (docs/scale.md). Messages per player and race in addition to positions: timers, and the
/// events of joins, START and results for other pods.
const TIMERS: f64 = 1.2;
const LIFECYCLE: f64 = 3.1;
/// Redis commands per player and race, including those inside of scripts: a constant part, and a part per pod with a
/// player of the race. Fitted to what was measured, without the read of the race's version by each such pod once a second.
const COMMANDS: (f64, f64) = (117.0, 10.7);
/// Commands by which each such pod copies positions once a second while players type: a read, a script, and four inside of
/// it (`handlers/recorder/copies.rs`).
const COPY: f64 = 6.0;
/// Commands per pod and second without players.
const IDLE: f64 = 11.0;
/// Share of the commands with keys in the busiest slot, that of the timers: a cluster cannot divide it.
const BUSIEST: f64 = 0.06;
/// CPU seconds of Redis per command, and its bytes per player and race.
const COMMAND_CPU: f64 = 13e-6;
const REDIS_BYTES: f64 = 80_000.0;
/// CPU seconds of RabbitMQ per message published, and per pod that receives it: fitted on a busy machine. On a quiet one
/// half of that was measured (docs/operating.md: 2.5 ms on two pods, 7 ms on four, per 1,000 keystrokes).
const BROKER_CPU: (f64, f64) = (130e-6, 60e-6);
/// Frames per second that a core of a pod delivers while 99 % of them arrive within 100 ms: measured (docs/performance.md).
const DELIVERIES: f64 = 112_000.0;
/// Maximum of simulated players per pod.
const MOST_SIMULATED: f64 = 20_000.0;

/// Assumed: the available hardware. PostgreSQL writes a row of a race at its opening, its preparation, each result and
/// its end, and a row per result.
const POD_CORES: f64 = 4.0;
const BROKER_CORES: f64 = 8.0;
const BROKER_BYTES: f64 = 1.25e9;
const DATABASE_ROWS: f64 = 20_000.0;
const ROWS: f64 = 8.0 / RACE as f64 + 1.0;

/// A linear congruential generator (Knuth's MMIX); only its high bits are used.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// Uniform between 0 and 1.
    fn part(&mut self) -> f64 {
        self.next() as f64 / (1_u64 << 31) as f64
    }
}

/// A deployment: pods, players who are racing, and the services.
#[derive(Clone, Copy)]
struct Deployment {
    pods: usize,
    players: usize,
    /// Whether all players of a race are on one pod; otherwise each is on a random one.
    is_placed: bool,
    /// Brokers, among which the races are divided.
    exchanges: usize,
    /// Redis servers, among which the slots are divided.
    redis: usize,
}

/// The load of a deployment, per second.
struct Cost {
    messages: f64,
    /// CPU and network of each broker.
    broker_cores: f64,
    broker_bytes: f64,
    bytes: f64,
    commands: f64,
    /// CPU of the busiest Redis server.
    redis_core: f64,
    pod_cores: f64,
    rows: f64,
}

impl Deployment {
    fn new(pods: usize, players: usize, is_placed: bool) -> Self {
        Self { pods, players, is_placed, exchanges: 1, redis: 1 }
    }

    /// Average number of pods with a player of a race.
    fn holders(&self) -> f64 {
        let pods = self.pods as f64;
        if self.is_placed { 1.0 } else { pods * (1.0 - (1.0 - 1.0 / pods).powi(RACE as i32)) }
    }

    fn player(&self, dice: &mut Dice) -> Player {
        let opponents = if self.is_placed { 0 } else { RACE - 1 };
        let others = (0..opponents).map(|_| dice.below(self.pods)).filter(|pod| *pod != 0);
        let others = others.collect();
        Player { phase: dice.part() / RATE, exchange: dice.below(self.exchanges), others }
    }

    /// The messages of a pod for its players' keystrokes: the mean of several pods, if they have few players.
    fn positions(&self) -> Traffic {
        let own = (self.players as f64 / self.pods as f64).max(1.0);
        let simulated = own.min(MOST_SIMULATED).round();
        let pods = (1000.0 / simulated).ceil();
        let mut dice = Dice(16);
        let mut sent = Traffic::default();
        for _ in 0..pods as usize {
            let players: Vec<Player> =
                (0..simulated as usize).map(|_| self.player(&mut dice)).collect();
            // If only a part of the players is simulated, batches are larger by that factor.
            sent.simulate(&players, self.exchanges, own / simulated);
        }
        sent.times(RATE / f64::from(bridge::KEYS) / pods)
    }

    /// Redis commands per player and race, without the copies of positions.
    fn commands(&self) -> f64 {
        COMMANDS.0 + (COMMANDS.1 + STAY / RACE as f64) * self.holders()
    }

    fn cost(&self) -> Cost {
        let (pods, players) = (self.pods as f64, self.players as f64);
        let races = players * RATE / KEYSTROKES;
        let positions = self.positions().times(pods);
        let others = self.holders() - 1.0;
        // Lobbies are not placed: their players are on random pods.
        let lifecycle = if self.pods > 1 { LIFECYCLE } else { 0.0 };
        let messages = positions.messages + races * (TIMERS + lifecycle);
        let deliveries = positions.deliveries + races * (TIMERS + lifecycle * others.max(2.0));
        // A heartbeat every two seconds reads the number of players of every other pod.
        let beats = pods * (pods - 1.0) / 2.0;
        let of_races = races * self.commands();
        let seconds = if self.pods > 1 { KEYSTROKES / RATE } else { 0.0 };
        let copies = races / RACE as f64 * self.holders() * seconds * COPY;
        let of_timers = of_races * BUSIEST + pods * IDLE + beats;
        let divided = of_races * (1.0 - BUSIEST) + copies;
        let busiest = of_timers + divided / self.redis as f64;
        let exchanges = self.exchanges as f64;
        Cost {
            messages,
            broker_cores: (messages * BROKER_CPU.0 + deliveries * BROKER_CPU.1) / exchanges,
            broker_bytes: positions.bytes / exchanges,
            bytes: positions.bytes,
            commands: of_races + copies + pods * IDLE + beats,
            redis_core: busiest * COMMAND_CPU,
            pod_cores: players / pods * RATE * (RACE - 1) as f64 / DELIVERIES,
            rows: races * ROWS,
        }
    }

    /// The most players without an overload, and the part that is full first.
    fn most(&self) -> (usize, &'static str) {
        let with = |players| Self { players, ..*self }.cost().fullest();
        let (mut enough, mut too_many) = (0, 100_000_000);
        while too_many - enough > (enough / 50).max(1) {
            let players = usize::midpoint(enough, too_many);
            if with(players).1 <= 1.0 { enough = players } else { too_many = players }
        }
        (enough, with(too_many).0)
    }
}

impl Cost {
    /// The part with the highest load, and that load: above 1 it is overloaded.
    fn fullest(&self) -> (&'static str, f64) {
        let parts = [
            ("Redis", self.redis_core),
            ("RabbitMQ: CPU", self.broker_cores / BROKER_CORES),
            ("RabbitMQ: network", self.broker_bytes / BROKER_BYTES),
            ("PostgreSQL", self.rows / DATABASE_ROWS),
            ("pods", self.pod_cores / POD_CORES),
        ];
        parts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).expect("there are some")
    }
}

fn main() {
    println!("Messages of positions per 1,000 keystrokes\n");
    header(&["pods", "players", "modelled", "measured"]);
    for (pods, players, modelled, measured) in measured() {
        println!("| {pods} | {players} | {} | {measured:.0} |", figure(modelled));
    }
    println!("\nRedis commands per player and race\n");
    header(&["pods", "modelled", "measured"]);
    for (pods, modelled, measured) in measured_commands() {
        println!("| {pods} | {} | {measured:.0} |", figure(modelled));
    }
    for is_placed in [false, true] {
        println!("\n{}\n", if is_placed { "With placement" } else { "Without placement" });
        sizes(is_placed);
    }
    println!("\nThe most players with one Redis, one RabbitMQ, one PostgreSQL\n");
    header(&["pods", "without placement", "full first", "with placement", "full first"]);
    for pods in [4, 10, 30, 100, 300, 1000] {
        let [(without, first), (with, then)] =
            [false, true].map(|is_placed| Deployment::new(pods, 0, is_placed).most());
        let [without, with] = [without, with].map(|it| figure(it as f64));
        println!("| {pods} | {without} | {first} | {with} | {then} |");
    }
    println!("\nA million players on 400 pods\n");
    remedies();
    println!("\nConnections, and commands of Redis per second without players\n");
    header(&["pods", "RabbitMQ", "Redis", "PostgreSQL", "commands/s"]);
    for pods in [10, 100, 300, 1000] {
        let idle = figure(Deployment::new(pods, 0, true).cost().commands);
        println!("| {pods} | {} | {pods} | {} | {idle} |", 2 * pods, 5 * pods);
    }
    let (to, from) = (RATE * (RACE - 1) as f64 * KEY_OUT, RATE * KEY_IN);
    let redis = REDIS_BYTES * RATE / KEYSTROKES;
    println!("\nBytes/s per racing player: {from:.0} from it, {to:.0} to it, {redis:.0} of Redis");
}

/// Rounds to three digits.
fn figure(value: f64) -> String {
    match value {
        0.0 => "0".into(),
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => {
            let power = 10_f64.powi(value.log10().floor() as i32 - 2);
            format!("{:.0}", (value / power).round() * power)
        }
    }
}

/// Prints the head of a table.
fn header(names: &[&str]) {
    println!("| {} |\n{}|", names.join(" | "), "|---".repeat(names.len()));
}

/// Messages of positions per 1,000 keystrokes: pods, players, modelled, measured.
fn measured() -> [(usize, usize, f64, f64); 5] {
    [(1, 1000, 0.0), (2, 1000, 25.0), (4, 1000, 51.0), (2, 200, 166.0), (4, 200, 449.0)].map(
        |(pods, players, measured)| {
            let of_a_pod = Deployment::new(pods, players, false).positions();
            let per_keystroke = of_a_pod.messages * pods as f64 / (players as f64 * RATE);
            (pods, players, 1000.0 * per_keystroke, measured)
        },
    )
}

/// Redis commands per player and race: pods, modelled, measured before there were copies of positions.
fn measured_commands() -> [(usize, f64, f64); 3] {
    [(1, 135.0), (2, 150.0), (4, 171.0)]
        .map(|(pods, measured)| (pods, Deployment::new(pods, 200, false).commands(), measured))
}

fn sizes(is_placed: bool) {
    let [messages, commands, per_player] = ["messages/s", "commands/s", "per player"];
    let broker = [messages, per_player, "RabbitMQ, cores", "positions, MB/s"];
    header(&[&["players", "pods"], &broker[..], &[commands, per_player, "Redis, cores"]].concat());
    let sizes = [10_000, 100_000, 1_000_000, 10_000_000];
    for (players, pods) in sizes.into_iter().flat_map(|it| [10, 100, 1000].map(|pods| (it, pods))) {
        let cost = Deployment::new(pods, players, is_placed).cost();
        if cost.pod_cores > POD_CORES {
            continue;
        }
        let Cost { messages, broker_cores, bytes, commands, redis_core, .. } = cost;
        let [sent, asked] = [messages, commands].map(|it| it / players as f64);
        let figures = [messages, sent, broker_cores, bytes / 1e6, commands, asked, redis_core];
        println!("| {players} | {pods} | {} |", figures.map(figure).join(" | "));
    }
}

fn remedies() {
    let [without, with] = [false, true].map(|is_placed| Deployment::new(400, 1_000_000, is_placed));
    // One of this many cells.
    let cell = |cells: usize, is_placed| Deployment::new(400 / cells, 1_000_000 / cells, is_placed);
    let rows = [
        ("one of each, without placement", without, 1.0),
        ("10 RabbitMQ, races divided", Deployment { exchanges: 10, ..without }, 1.0),
        ("placement", with, 1.0),
        ("placement, Redis Cluster of 10", Deployment { redis: 10, ..with }, 1.0),
        ("20 cells of 20 pods, placement", cell(20, true), 20.0),
        ("100 cells of 4 pods, placement", cell(100, true), 100.0),
        ("100 cells of 4 pods, without", cell(100, false), 100.0),
    ];
    let of_each =
        ["RabbitMQ, cores", "positions, MB/s", "busiest Redis, cores", "PostgreSQL, rows/s"];
    header(&[&["", "messages/s of all"], &of_each[..]].concat());
    for (name, deployment, cells) in rows {
        let Cost { messages, broker_cores, broker_bytes, redis_core, rows, .. } = deployment.cost();
        let figures = [messages * cells, broker_cores, broker_bytes / 1e6, redis_core, rows];
        println!("| {name} | {} |", figures.map(figure).join(" | "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_bears_out_what_was_measured() {
        for (pods, players, modelled, measured) in measured() {
            let is_near = (modelled - measured).abs() <= 0.15 * measured;
            assert!(is_near, "{pods} pods, {players} players: {modelled} instead of {measured}");
        }
        for (pods, modelled, measured) in measured_commands() {
            let is_near = (modelled - measured).abs() <= 0.02 * measured;
            assert!(is_near, "{pods} pods: {modelled} commands instead of {measured}");
        }
    }

    #[test]
    fn two_runs_are_alike_and_placement_leaves_no_position_between_pods() {
        let without = Deployment::new(30, 10_000, false);
        assert_eq!(without.positions().messages.to_bits(), without.positions().messages.to_bits());
        assert_eq!(Deployment::new(30, 10_000, true).positions().deliveries, 0.0);
    }
}
