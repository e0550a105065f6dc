//! Transactions: all transactions of the records begin here.
//!
//! A connection whose transaction failed, or was cancelled half-way, is closed and not reused. SQLite rolls a
//! transaction back by itself when the disk is full, while sqlx still counts it as open: back in the pool, such a
//! connection would refuse every later transaction.

use std::future::Future;
use std::pin::Pin;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Database, Pool, Postgres, Sqlite, Transaction};

use crate::telemetry::transaction_step;

/// How transactions begin on a database.
pub(super) trait Begins: Database {
    /// The statement.
    const BEGIN: &'static str;
    /// The database, as spans name it.
    const SYSTEM: &'static str;
}

/// Takes the write lock at once: a transaction that begins by reading may fail at its first write because the file has
/// changed since (`SQLITE_BUSY_SNAPSHOT`).
impl Begins for Sqlite {
    const BEGIN: &'static str = "begin immediate";
    const SYSTEM: &'static str = "sqlite";
}

impl Begins for Postgres {
    const BEGIN: &'static str = "begin";
    const SYSTEM: &'static str = "postgresql";
}

type Lending<'p, DB> = Pin<Box<dyn Future<Output = sqlx::Result<Lent<DB>>> + Send + 'p>>;
type Beginning<'c, DB> =
    Pin<Box<dyn Future<Output = sqlx::Result<Transaction<'c, DB>>> + Send + 'c>>;

/// A connection that is closed when dropped, unless it is given back to the pool.
pub(super) struct Lent<DB: Database> {
    connection: PoolConnection<DB>,
    is_sound: bool,
}

impl<DB: Begins> Lent<DB> {
    /// Waits for a connection of the pool. Boxed, so that the compiler need not look into it at each transaction.
    pub(super) fn from(pool: &Pool<DB>) -> Lending<'_, DB> {
        Box::pin(async { Ok(Self { connection: pool.acquire().await?, is_sound: false }) })
    }

    /// Begins a transaction. Boxed, since the compiler cannot prove that the future of a generic database is `Send`.
    pub(super) fn begin(&mut self) -> Beginning<'_, DB> {
        Box::pin(transaction_step(DB::SYSTEM, DB::BEGIN, self.connection.begin_with(DB::BEGIN)))
    }

    /// Returns the connection to the pool, after a successful transaction.
    pub(super) fn give_back(mut self) {
        self.is_sound = true;
    }
}

impl<DB: Database> Drop for Lent<DB> {
    fn drop(&mut self) {
        if !self.is_sound {
            self.connection.close_on_drop();
        }
    }
}

/// The database of a transaction, as spans name it.
pub(super) fn system_of<DB: Begins>(_: &Transaction<'_, DB>) -> &'static str {
    DB::SYSTEM
}

/// Commits a transaction.
macro_rules! commit {
    ($tx:expr) => {{
        let system = $crate::records::transaction::system_of(&$tx);
        $crate::telemetry::transaction_step(system, "commit", $tx.commit()).await
    }};
}
pub(super) use commit;

/// Runs steps in one transaction, and commits it. If a step fails, it is rolled back and the connection is closed.
macro_rules! transaction {
    ($pool:expr, |$tx:ident| $steps:expr) => {
        async {
            let mut lent = $crate::records::transaction::Lent::from($pool).await?;
            let mut $tx = lent.begin().await?;
            let outcome = $steps;
            $crate::records::transaction::commit!($tx)?;
            lent.give_back();
            Ok(outcome)
        }
    };
}
pub(super) use transaction;
