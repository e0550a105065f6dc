//! The other pods, as this one knows them.

use std::sync::Arc;

use crate::live::RedisLive;

/// The connection over which pods reach each other.
pub(crate) trait Broker: Send + Sync {
    /// Checks that it takes messages.
    ///
    /// # Errors
    /// The cause, for the log.
    fn check(&self) -> Result<(), String>;
}

/// The other pods, if there can be any. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Peers {
    shared: Option<RedisLive>,
    broker: Option<Arc<dyn Broker>>,
}

impl Peers {
    /// The pods that share this live state, and the broker between them.
    pub(crate) fn new(shared: Option<RedisLive>, broker: Option<Arc<dyn Broker>>) -> Self {
        Self { shared, broker }
    }

    /// Whether this pod is the only one.
    pub(crate) fn are_none(&self) -> bool {
        self.broker.is_none()
    }

    /// Checks the broker, if there is one.
    ///
    /// # Errors
    /// The cause, for the log.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.broker.as_ref().map_or(Ok(()), |broker| broker.check())
    }

    /// Whether messages to other pods are accepted.
    pub(crate) fn are_reached(&self) -> bool {
        self.broker.as_ref().is_some_and(|broker| broker.check().is_ok())
    }

    /// The name of this pod among those that share the live state.
    pub(crate) fn own_name(&self) -> Option<String> {
        self.shared.as_ref().map(|shared| shared.pod().to_string())
    }

    /// The pods that are alive and share the live state, cached.
    pub(crate) fn alive(&self) -> Vec<String> {
        self.shared.iter().flat_map(RedisLive::pods).collect()
    }

    /// The number of players with a socket on another pod, cached.
    pub(crate) fn players(&self) -> u64 {
        self.shared.as_ref().map_or(0, RedisLive::players_elsewhere)
    }

    /// Whether another pod can take the sockets of this one.
    pub(crate) fn can_take_sockets(&self) -> bool {
        let own = self.own_name();
        !self.are_none() && own.is_some_and(|own| self.alive().iter().any(|pod| *pod != own))
    }
}
