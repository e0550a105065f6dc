//! From spawn to ready: with an empty data directory, and with the one of an earlier run.

use crate::Outcome;
use crate::report::Row;
use crate::server::{Kind, Server};

/// Starts each server twice in turns.
pub async fn compare(turns: impl Iterator<Item = Kind>) -> Outcome<Vec<Row>> {
    let mut first = Row::new("first start, nothing there yet", "ms", 1);
    let mut again = Row::new("start with the data of the first", "ms", 1);
    for kind in turns {
        let data = tempfile::tempdir()?;
        for row in [&mut first, &mut again] {
            let server = Server::start(kind, data.path()).await?;
            row.add(kind, server.started_in.as_secs_f64() * 1e3);
            server.stop().await?;
        }
    }
    Ok(vec![first, again])
}
