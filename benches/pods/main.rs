//! What many pods cost: how fast players find seats, how far apart they hear START, how long a keystroke is on
//! its way to another player, and what the broker has to do for it; against a broker that gets every keystroke
//! by itself, confirmed and persistent, for a fan-out exchange.
//!
//! Both ways carry the same keystrokes, and each has the broker to itself while it is measured, in turns: the
//! messages that the pods have sent are then sent without them. What the broker takes while no one types, with the same
//! connections open, is measured first and taken off.
//!
//! `cargo bench --bench pods` needs PostgreSQL, Redis and RabbitMQ on their standard ports (`TEST_POSTGRES`,
//! `TEST_REDIS` and `TEST_RABBITMQ` name others, as addresses), and no one else may use the broker meanwhile.
//! The last part is what a thousand spectators of one race cost on one pod. `-- 2` measures two pods alone, `-- latency`
//! leaves the other ways out, `-- rolling` measures a rolling restart of three pods behind nginx, `-- soak` an hour of races on
//! them, `-- watch 3 10000` ten thousand spectators on three. `TYPEPHOON_API` names another binary.

mod batched;
mod broker;
mod cluster;
mod fan_out;
#[path = "../figures/mod.rs"]
mod figures;
mod proxy;
mod race;
mod racer;
mod rolling;
mod soak;
mod watch;

use std::time::Duration;

use batched::Batches;
use broker::Cost;
use fan_out::Queues;
use figures::Compared;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const PLAYERS: usize = 1000;
/// Keystrokes of a player in a second: about 80 words per minute.
const RATE: u32 = 7;
const SPAN: Duration = Duration::from_secs(10);
/// How often, and how long, each way is measured without the players.
const ROUNDS: usize = 3;
const TURN: Duration = Duration::from_secs(5);

const MESSAGES: &str = "typephoon_bridge_messages_total";
const POSITIONS: &str = "typephoon_bridge_positions_total";

#[tokio::main]
async fn main() -> Outcome<()> {
    if std::env::args().any(|it| it == "rolling") {
        return rolling::measure().await;
    }
    if std::env::args().any(|it| it == "soak") {
        return soak::measure().await;
    }
    if std::env::args().any(|it| it == "watch") {
        let given: Vec<usize> = std::env::args().filter_map(|it| it.parse().ok()).collect();
        let (pods, spectators) = match given[..] {
            [pods, spectators] => (pods, spectators),
            _ => (1, 1_000),
        };
        return watch::measure(pods, spectators, watch::ROUNDS).await;
    }
    println!("{PLAYERS} players in races of 5, {RATE} keystrokes/s each, {} s", SPAN.as_secs());
    let chosen: Vec<usize> = std::env::args().filter_map(|it| it.parse().ok()).collect();
    let is_short = std::env::args().any(|it| it == "latency");
    let is_all = chosen.is_empty() && !is_short;
    for pods in if chosen.is_empty() { vec![1, 2, 4] } else { chosen } {
        let shown = show(pods, false).await?;
        if !is_short {
            compare(pods, &shown).await?;
        }
        if pods > 1 {
            show(pods, true).await?;
        }
    }
    if is_all { watch::measure(1, 1_000, ROUNDS).await } else { Ok(()) }
}

/// What the pods have done while players typed.
struct Shown {
    raced: race::Raced,
    /// What the broker takes in a second without them, and has taken.
    idle: Duration,
    busy: Duration,
    messages: f64,
    positions: f64,
}

/// Has players race on so many pods, and prints what comes of it.
async fn show(pods: usize, is_placed: bool) -> Outcome<Shown> {
    let cluster = cluster::Cluster::start(pods).await?;
    let seats = cluster.seat(PLAYERS, is_placed).await?;
    println!("\n{pods} pods{}", if is_placed { ", each race on one of them" } else { "" });
    println!(
        "  joins per second {:.0}; a player has opponents on {:.1} other pods",
        seats.per_second, seats.reach
    );
    let [median, most] = [seats.skews[seats.skews.len() / 2], seats.skews[seats.skews.len() - 1]];
    println!(
        "  START of one race, last - first, ms   median {:.1}, most {:.1}",
        millis(median),
        millis(most)
    );
    let idle = broker::idle().await?;
    let before = (cluster.count(MESSAGES).await?, cluster.count(POSITIONS).await?, cluster.cpu()?);
    let (raced, busy) = race::run(seats.players, RATE, SPAN).await?;
    let after = (cluster.count(MESSAGES).await?, cluster.count(POSITIONS).await?, cluster.cpu()?);
    cluster.stop().await?;
    println!(
        "  keystroke to another player, ms       p50 {:.2}, p99 {:.2}; {} of {} not seen",
        raced.percentile(50),
        raced.percentile(99),
        raced.lost,
        raced.expected
    );
    let each = |cpu: Duration| millis(cpu) / raced.keystrokes as f64;
    let cpu = each(after.2 - before.2);
    println!("  CPU of the pods per 1,000 keystrokes, ms  {:.0}", cpu * 1000.0);
    let name = format!("{pods} pods{}", if is_placed { " with placement" } else { "" });
    figures::note(&format!("{name}: CPU per keystroke"), "ms", cpu, Compared::Frame);
    let broker = each(busy.saturating_sub(idle.mul_f64(raced.took.as_secs_f64())));
    figures::note(
        &format!("{name}: CPU of the broker per keystroke"),
        "ms",
        broker,
        Compared::Frame,
    );
    let late = raced.percentile(99);
    figures::note(&format!("{name}: relay latency, 99th percentile"), "ms", late, Compared::Alone);
    let (messages, positions) = ((after.0 - before.0) as f64, (after.1 - before.1) as f64);
    Ok(Shown { raced, idle, busy, messages, positions })
}

/// What the broker takes for the same messages alone, and for each keystroke by itself.
async fn compare(pods: usize, shown: &Shown) -> Outcome<()> {
    let Shown { ref raced, idle, busy, messages, positions } = *shown;
    let per_thousand = |value: f64| value * 1000.0 / raced.keystrokes as f64;
    let beside = Cost { idle, busy, keystrokes: raced.keystrokes, span: raced.took };
    println!(
        "  at the broker, per 1,000 keystrokes   keystrokes/s  messages  idle ms/s  CPU ms  ratio"
    );
    beside.print("these pods, beside the players", per_thousand(messages), None);
    let seconds = raced.took.as_secs_f64();
    let batches = (messages > 0.0).then(|| Batches {
        messages: messages / seconds / pods as f64,
        positions: positions / messages,
    });
    let keystrokes = raced.keystrokes as f64 / seconds;
    let (mut alone, mut classic, mut quorum) = (None, None, None);
    // In turns: what else runs on a machine changes from minute to minute.
    for _ in 0..ROUNDS {
        if let Some(batches) = batches {
            add(&mut alone, batched::cost(pods, batches, keystrokes, TURN).await?);
        }
        let fan_out = async |queues| fan_out::cost(pods, PLAYERS, RATE, TURN, queues).await;
        add(&mut classic, fan_out(Queues::Classic).await?);
        add(&mut quorum, fan_out(Queues::Quorum).await?);
    }
    if let Some(alone) = alone {
        alone.print("their messages alone", per_thousand(messages), None);
    }
    let way = alone.unwrap_or(beside);
    let name = format!("{pods} pods: CPU of the broker per keystroke, without the players");
    for (which, cost) in [("", alone), (", fan-out to classic queues", classic)] {
        if let Some(cost) = cost {
            let each = cost.per_thousand() / 1e3;
            figures::note(&format!("{name}{which}"), "ms", each, Compared::Frame);
        }
    }
    for (queues, theirs) in [(Queues::Classic, classic), (Queues::Quorum, quorum)] {
        theirs.iter().for_each(|theirs| theirs.print(queues.name(), 1000.0, Some(&way)));
    }
    Ok(())
}

fn add(sum: &mut Option<Cost>, cost: Cost) {
    *sum = Some(sum.map_or(cost, |sum| sum.and(cost)));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
