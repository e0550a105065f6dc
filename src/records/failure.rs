//! Classifies database errors: retryable, or a bug.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use crate::Error;

/// Primary result codes of SQLite (<https://sqlite.org/rescode.html>) of transient failures of the disk or by another
/// process: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
const OF_SQLITE: [u32; 6] = [5, 6, 8, 10, 13, 14];

/// Prefixes of PostgreSQL's codes (its manual, appendix A) of transient failures of the server: connection, read-only
/// transaction, authorization, database name, permissions, resources, lock timeout, operator intervention, system.
const OF_POSTGRES: [&str; 9] = ["08", "25006", "28", "3D", "42501", "53", "55P03", "57", "58"];

/// The error for the caller: `SERVICE_UNAVAILABLE` if the database is down or refuses to work, else `UNKNOWN_ERROR`.
pub(super) fn failed(error: sqlx::Error) -> Error {
    if is_away(&error) { Error::away(error) } else { Error::internal(error) }
}

fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => is_refusal(&**error),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

fn is_refusal(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    match error.try_downcast_ref::<PgDatabaseError>() {
        Some(_) => OF_POSTGRES.iter().any(|begin| code.starts_with(begin)),
        // The lowest byte of an extended code is the primary code.
        None => code.parse::<u32>().is_ok_and(|code| OF_SQLITE.contains(&(code & 0xff))),
    }
}
