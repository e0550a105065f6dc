//! What many pods cost: how fast players find seats, how long a keystroke is on its way to another pod, and
//! what the broker has to do for it, against a broker that gets every keystroke by itself, confirmed and
//! persistent, to a fan-out exchange (as the Python backend has it).
//!
//! `cargo bench --bench pods` needs PostgreSQL, Redis and RabbitMQ on their standard ports (`TEST_POSTGRES`,
//! `TEST_REDIS` and `TEST_RABBITMQ` name others, as addresses), and nobody else who uses the broker meanwhile.
//! `-- 2` measures two pods alone.

mod broker;
mod cluster;
mod fan_out;
mod race;

use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const PLAYERS: usize = 1000;
/// Keystrokes of a player in a second: about 80 words per minute.
const RATE: u32 = 7;
const SPAN: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Outcome<()> {
    println!("{PLAYERS} players in races of 5, {RATE} keystrokes/s each, {} s", SPAN.as_secs());
    println!(
        "pods  joins/s  keystrokes  p50 ms  p99 ms  lost  messages/1000  broker CPU ms/1000  fan-out CPU ms/1000  ratio"
    );
    let chosen: Vec<usize> = std::env::args().filter_map(|it| it.parse().ok()).collect();
    let pods = if chosen.is_empty() { vec![1, 2, 4] } else { chosen };
    for pods in pods {
        let cluster = cluster::Cluster::start(pods).await?;
        let seats = cluster.seat(PLAYERS).await?;
        let joins = seats.per_second;
        let before = (cluster.messages().await?, broker::cpu()?);
        let raced = race::run(&seats.players, RATE, SPAN).await?;
        let after = (cluster.messages().await?, broker::cpu()?);
        let fan_out = fan_out::cpu_per_thousand(pods).await?;
        cluster.stop().await?;
        let per_thousand = |value: f64| value * 1000.0 / raced.keystrokes as f64;
        let cpu = per_thousand((after.1 - before.1).as_secs_f64() * 1000.0);
        println!(
            "{pods:4}  {joins:7.0}  {:10}  {:6.2}  {:6.2}  {:4}  {:13.1}  {cpu:18.1}  {fan_out:19.1}  {:5.1}",
            raced.keystrokes,
            raced.percentile(50),
            raced.percentile(99),
            raced.lost,
            per_thousand((after.0 - before.0) as f64),
            fan_out / cpu,
        );
    }
    Ok(())
}
