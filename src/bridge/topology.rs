//! Declarations at the broker, and their names. Those of the Python backend are left alone.
//!
//! Names contain the arguments, so that a changed argument creates a new queue beside the old one, which pods of the
//! previous version continue to use.

use std::time::Duration;

use lapin::ExchangeKind;
use lapin::message::Delivery;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::uri::AMQPUri;
use lapin::{Channel, Result};
use tracing::Span;

use crate::game::PodName;
use crate::settings::AmqpSettings;
use crate::telemetry::{Destination, Peer, TraceContext, send_span};

/// The routing key of messages to all pods.
pub(super) const ALL: &str = "all";
/// The routing key of events for exactly one pod. It contains the version of the messages, so that no pod consumes work
/// that it cannot parse.
pub(super) const ONCE: &str = "once.v1";
/// The routing key of timers that are due.
pub(super) const TIMERS: &str = "timers.v1";

/// Placeholder for a pod's name in the names of spans.
const ANY_POD: &str = "{pod}";

/// Heartbeat of the connection, in seconds.
const HEARTBEAT: u16 = 10;
/// The names.
#[derive(Debug)]
pub(super) struct Topology {
    pub(super) uri: AMQPUri,
    pub(super) prefetch: u16,
    prefix: String,
    pod: PodName,
}

impl Topology {
    pub(super) fn of(settings: &AmqpSettings, pod: &PodName) -> std::result::Result<Self, String> {
        let mut uri: AMQPUri = match &settings.url {
            Some(url) => url.expose().parse().map_err(|_| "amqp.url is no address of RabbitMQ")?,
            None => {
                let mut uri = AMQPUri::default();
                uri.authority.userinfo.username.clone_from(&settings.user);
                settings.password.expose().clone_into(&mut uri.authority.userinfo.password);
                uri.authority.host.clone_from(&settings.host);
                uri.authority.port = settings.port;
                uri.vhost.clone_from(&settings.vhost);
                uri
            }
        };
        uri.query.heartbeat = Some(HEARTBEAT);
        // 0 means "no limit" in AMQP; a pod should not take more than it can handle.
        let prefetch = if settings.prefetch_count == 0 { 1_000 } else { settings.prefetch_count };
        Ok(Self { uri, prefetch, prefix: settings.prefix.clone(), pod: pod.clone() })
    }

    /// The address of the broker, without secrets.
    pub(super) fn place(&self) -> String {
        let authority = &self.uri.authority;
        format!("{}:{}/{}", authority.host, authority.port, self.uri.vhost)
    }

    /// The same for spans.
    pub(super) fn peer(&self) -> Peer {
        let authority = &self.uri.authority;
        Peer { host: authority.host.clone(), port: authority.port }
    }

    /// The span of a sent message with `size` events, of which some are `traced`; disabled if none is.
    pub(super) fn send_span(
        &self,
        exchange: &ShortString,
        key: &ShortString,
        traced: &[&TraceContext],
        size: usize,
    ) -> Span {
        if !traced.iter().any(|it| it.is_some()) {
            return Span::none();
        }
        let (name, template) = match exchange.as_str() {
            "" => (key.to_string(), self.wait_template()),
            exchange => (format!("{exchange}:{key}"), self.template(exchange, key.as_str())),
        };
        let to = Destination { name, template, key: key.to_string() };
        send_span(&self.peer(), &to, traced, size)
    }

    /// The source of a message.
    pub(super) fn source(&self, delivery: &Delivery, queue: &ShortString) -> Destination {
        let (exchange, key) = (delivery.exchange.as_str(), delivery.routing_key.as_str());
        let template = self.template(exchange, key);
        Destination { name: format!("{exchange}:{key}:{queue}"), template, key: key.to_owned() }
    }

    fn template(&self, exchange: &str, key: &str) -> String {
        let is_pod = exchange == self.pods().as_str() && key != ALL;
        format!("{exchange}:{}", if is_pod { ANY_POD } else { key })
    }

    fn wait_template(&self) -> String {
        self.name(&format!("wait.{{delay}}.{TIMERS}")).to_string()
    }

    fn name(&self, rest: &str) -> ShortString {
        format!("{}.{rest}", self.prefix).as_str().into()
    }

    /// The exchange to pods, by name, or to all.
    pub(super) fn pods(&self) -> ShortString {
        self.name("pods")
    }

    /// The exchange to exactly one pod.
    pub(super) fn work(&self) -> ShortString {
        self.name("work")
    }

    /// The queue of one kind of work.
    pub(super) fn work_queue(&self, key: &str) -> ShortString {
        self.name(&format!("work.{key}"))
    }

    /// The wait queue of a delay: its messages move to the timers after the delay. The name contains all arguments that
    /// may differ; if another one changes, change the version in [`TIMERS`].
    pub(super) fn wait_queue(&self, delay: Duration) -> ShortString {
        self.name(&format!("wait.{}ms.{TIMERS}", delay.as_millis()))
    }

    /// No `x-expires`: RabbitMQ does not count publishing as use, so it would delete a queue in full use, with its
    /// timers. The empty queue of an unused delay remains.
    fn wait_arguments(&self, delay: Duration) -> FieldTable {
        let mut arguments = quorum();
        let text = |text: &str| AMQPValue::LongString(text.into());
        let milliseconds = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(milliseconds));
        arguments.insert("x-dead-letter-exchange".into(), text(self.work().as_str()));
        arguments.insert("x-dead-letter-routing-key".into(), text(TIMERS));
        // Timers are not lost between the two queues, even if the broker crashes in that moment.
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        arguments.insert("x-overflow".into(), text("reject-publish"));
        arguments
    }

    /// Declares everything but the wait queues. `epoch` distinguishes the connections of this pod, since the queue of
    /// the previous one may still exist.
    pub(super) async fn declare(&self, channel: &Channel, epoch: u64) -> Result<ShortString> {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        for exchange in [self.pods(), self.work()] {
            let kind = ExchangeKind::Direct;
            channel.exchange_declare(exchange, kind, durable, FieldTable::default()).await?;
        }
        for key in [ONCE, TIMERS] {
            let queue = self.work_queue(key);
            channel.queue_declare(queue.clone(), lasting(), quorum()).await?;
            self.bind(channel, queue, self.work(), key).await?;
        }
        // Exclusive, and deleted with the connection, so that the queue of a dead pod does not fill up.
        let queue = self.name(&format!("pod.{}.{epoch}", self.pod));
        let own = QueueDeclareOptions {
            exclusive: true,
            auto_delete: true,
            ..QueueDeclareOptions::default()
        };
        channel.queue_declare(queue.clone(), own, FieldTable::default()).await?;
        for key in [self.pod.as_str(), ALL] {
            self.bind(channel, queue.clone(), self.pods(), key).await?;
        }
        Ok(queue)
    }

    async fn bind(
        &self,
        channel: &Channel,
        queue: ShortString,
        exchange: ShortString,
        key: &str,
    ) -> Result<()> {
        let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(queue, exchange, key.into(), options, arguments).await
    }

    /// Declares the queue of a delay: one per delay, since in a shared queue short delays would wait behind long ones
    /// (head-of-line blocking).
    pub(super) async fn declare_wait(&self, channel: &Channel, delay: Duration) -> Result<()> {
        let arguments = self.wait_arguments(delay);
        channel.queue_declare(self.wait_queue(delay), lasting(), arguments).await.map(drop)
    }
}

fn lasting() -> QueueDeclareOptions {
    QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() }
}

/// Arguments of a quorum queue: on disk, on a majority of the brokers.
fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments
}
