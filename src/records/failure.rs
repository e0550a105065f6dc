//! What failures of the databases mean: whether to try again, or a fault of ours.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use crate::Error;

/// Primary result codes of SQLite (<https://sqlite.org/rescode.html>) that come and go with the disk or another
/// process: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
const OF_SQLITE: [u32; 6] = [5, 6, 8, 10, 13, 14];

/// How the codes of PostgreSQL (its manual, appendix A) begin that come and go with the server: connection, read-only
/// transaction, authorization, database name, rights, resources, lock timeout, intervention of the operator, system.
const OF_POSTGRES: [&str; 9] = ["08", "25006", "28", "3D", "42501", "53", "55P03", "57", "58"];

/// The error for the caller: `SERVICE_UNAVAILABLE` if the database is away or refuses to work, else `UNKNOWN_ERROR`.
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
        // The lowest byte of an extended code is the primary one.
        None => code.parse::<u32>().is_ok_and(|code| OF_SQLITE.contains(&(code & 0xff))),
    }
}
