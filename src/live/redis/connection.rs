//! A connection to one Redis, or to a cluster of several.

use futures_util::future::try_join_all;
use redis::aio::{ConnectionLike, ConnectionManager};
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, FromRedisValue, Pipeline, RedisFuture, Value};

use super::connect::failed;
use crate::Error;

/// Most commands in one pipeline; other requests wait for it.
const AT_ONCE: usize = 200;

/// Cheap to clone; all clones share the connection.
#[derive(Clone)]
pub(super) enum RedisConnection {
    One(ConnectionManager),
    Cluster(ClusterConnection),
}

impl RedisConnection {
    /// Runs independent commands, each of which touches one key, and returns their answers.
    pub(super) async fn each<T: FromRedisValue>(
        &self,
        commands: impl IntoIterator<Item = Cmd>,
    ) -> Result<Vec<T>, Error> {
        let commands: Vec<_> = commands.into_iter().collect();
        let mut answers = Vec::with_capacity(commands.len());
        for commands in commands.chunks(AT_ONCE) {
            answers.extend(self.some(commands).await.map_err(failed)?);
        }
        Ok(answers)
    }

    async fn some<T: FromRedisValue>(&self, commands: &[Cmd]) -> redis::RedisResult<Vec<T>> {
        if let (Self::One(_), [_, _, ..]) = (self, commands) {
            let mut pipeline = redis::pipe();
            for command in commands {
                pipeline.add_command(command.clone());
            }
            return pipeline.query_async(&mut self.clone()).await;
        }
        // In a cluster each goes to the node of its key.
        let ask = |command: &Cmd| {
            let (command, mut connection) = (command.clone(), self.clone());
            async move { command.query_async(&mut connection).await }
        };
        try_join_all(commands.iter().map(ask)).await
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
