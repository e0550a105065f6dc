//! What many pods cost: how fast players find seats, how far apart they hear START, how long a keystroke is on
//! its way to another player, and what the broker has to do for it; against a broker that gets every keystroke
//! by itself, confirmed and persistent, for a fan-out exchange.
//!
//! Both type at the same rate, for the same time. What the broker takes while nobody types, with the same
//! connections open, is measured first and taken off.
//!
//! `cargo bench --bench pods` needs PostgreSQL, Redis and RabbitMQ on their standard ports (`TEST_POSTGRES`,
//! `TEST_REDIS` and `TEST_RABBITMQ` name others, as addresses), and nobody else who uses the broker meanwhile.
//! `-- 2` measures two pods alone.

mod broker;
mod cluster;
mod fan_out;
mod race;

use std::time::Duration;

use broker::Cost;
use fan_out::Queues;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const PLAYERS: usize = 1000;
/// Keystrokes of a player in a second: about 80 words per minute.
const RATE: u32 = 7;
const SPAN: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Outcome<()> {
    println!("{PLAYERS} players in races of 5, {RATE} keystrokes/s each, {} s", SPAN.as_secs());
    let chosen: Vec<usize> = std::env::args().filter_map(|it| it.parse().ok()).collect();
    for pods in if chosen.is_empty() { vec![1, 2, 4] } else { chosen } {
        measure(pods).await?;
    }
    Ok(())
}

async fn measure(pods: usize) -> Outcome<()> {
    let cluster = cluster::Cluster::start(pods).await?;
    let seats = cluster.seat(PLAYERS).await?;
    println!("\n{pods} pods");
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
    let before = (cluster.messages().await?, cluster.cpu()?);
    let (raced, busy) = race::run(seats.players, RATE, SPAN).await?;
    let after = (cluster.messages().await?, cluster.cpu()?);
    cluster.stop().await?;
    println!(
        "  keystroke to another player, ms       p50 {:.2}, p99 {:.2}; {} of {} not seen",
        raced.percentile(50),
        raced.percentile(99),
        raced.lost,
        raced.expected
    );
    let per_thousand = |value: f64| value * 1000.0 / raced.keystrokes as f64;
    println!(
        "  CPU of the pods per 1,000 keystrokes, ms  {:.0}",
        per_thousand(millis(after.1 - before.1))
    );
    let messages = per_thousand((after.0 - before.0) as f64);
    let ours = Cost { idle, busy, keystrokes: raced.keystrokes, span: raced.took };
    println!(
        "  at the broker, per 1,000 keystrokes   keystrokes/s  messages  idle ms/s  CPU ms  ratio"
    );
    ours.print("these pods", messages, None);
    for queues in [Queues::Classic, Queues::Quorum] {
        let theirs = fan_out::cost(pods, PLAYERS, RATE, SPAN, queues).await?;
        theirs.print(queues.name(), 1000.0, Some(&ours));
    }
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
