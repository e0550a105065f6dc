//! Services that answer, and refuse to work.

use std::time::Duration;

use sqlx::Executor;

use crate::fleet::Fleet;
use crate::persona::{Player, QUEUE_IN};
use crate::postgres::Postgres;
use crate::server::{Server, within};
use crate::site::ANONYMOUS;

/// Readiness names the service, newcomers are refused.
async fn is_away(server: &Server, service: &str) {
    let answer = within(Duration::from_secs(20), "readiness says what is away", async || {
        let answer = server.try_get("/healthcheck/ready", ANONYMOUS).await?;
        (answer.status == 500).then_some(answer)
    })
    .await;
    assert!(answer.text.contains(&format!("{service} since 20")), "{answer:?}");
    server.handshake(QUEUE_IN, ANONYMOUS).await.refused(503, "SERVICE_UNAVAILABLE");
}

/// It recovers by itself, and has said twice what happened.
async fn is_back(server: &Server, service: &str) {
    within(Duration::from_secs(20), "the server is ready again", async || {
        (server.try_get("/healthcheck/ready", ANONYMOUS).await?.status == 200).then_some(())
    })
    .await;
    Player::guest(&server.site()).await;
    let log = server.log();
    // While it starts it lacks what it is still connecting to.
    let (_, running) = log.split_once("listening on").expect("it listens");
    let begins = format!("{service} cannot be used: no new players");
    assert_eq!(running.matches(&begins).count(), 1, "{begins}");
    let (_, after) = running.rsplit_once(&begins).expect("counted");
    assert_eq!(after.matches(&format!("{service} can be used again")).count(), 1);
    assert!(!log.contains("request failed"), "an outage is no fault of ours");
}

#[tokio::test]
async fn a_database_that_turns_read_only_takes_no_players_until_it_is_writable() {
    let Some(postgres) = Postgres::start().await else { return };
    let server = postgres.settings().start().await;
    let turn = async |value: &str| {
        let mut connection = postgres.connect().await;
        connection.execute("set default_transaction_read_only = off").await.expect("a setting");
        let set = format!("alter system set default_transaction_read_only = {value}");
        connection.execute(sqlx::AssertSqlSafe(set)).await.expect("a setting");
        connection.execute("select pg_reload_conf()").await.expect("a reload");
    };
    turn("on").await;
    is_away(&server, "the records").await;
    turn("off").await;
    is_back(&server, "the records").await;
}

#[tokio::test]
async fn a_redis_that_refuses_writes_takes_no_players_until_it_takes_them() {
    let Some(fleet) = Fleet::of(1).start().await else { return };
    let client = redis::Client::open(("127.0.0.1", fleet.redis.port())).expect("an address");
    let mut redis = client.get_multiplexed_async_connection().await.expect("Redis");
    let server = &fleet.pods[0];
    let mut config = async |value: &str| {
        let mut command = redis::cmd("CONFIG");
        command.arg("SET").arg("maxmemory").arg(value);
        command.exec_async(&mut redis).await.expect("a setting");
    };
    config("1").await;
    is_away(server, "the live state").await;
    config("0").await;
    is_back(server, "the live state").await;
}

#[tokio::test]
async fn a_redis_that_takes_away_rights_takes_no_players_until_it_gives_them() {
    let Some(fleet) = Fleet::of(1).start().await else { return };
    let client = redis::Client::open(("127.0.0.1", fleet.redis.port())).expect("an address");
    let mut redis = client.get_multiplexed_async_connection().await.expect("Redis");
    let server = &fleet.pods[0];
    let mut rights = async |rule: &str| {
        let mut command = redis::cmd("ACL");
        command.arg("SETUSER").arg("default").arg(rule);
        command.exec_async(&mut redis).await.expect("a right");
    };
    rights("-@write").await;
    is_away(server, "the live state").await;
    rights("+@write").await;
    is_back(server, "the live state").await;
}

#[tokio::test]
async fn a_broker_out_of_memory_takes_no_players_until_it_has_some() {
    let Some(fleet) = Fleet::of(1).start().await else { return };
    let server = &fleet.pods[0];
    fleet.rabbitmq.control(&["set_vm_memory_high_watermark", "0"]);
    is_away(server, "the broker").await;
    fleet.rabbitmq.control(&["set_vm_memory_high_watermark", "0.4"]);
    is_back(server, "the broker").await;
}
