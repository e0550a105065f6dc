//! The migrations of both databases, embedded in the binary. `build.rs` lists the files of `migrations/`; sqlx's own
//! macro would compile all of sqlx, including SQLite, a second time for the build host.

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Version, description and statements, from the file's name and text.
type File = (i64, &'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The migrations of PostgreSQL.
pub(super) fn of_postgres() -> Migrator {
    migrator(POSTGRES)
}

/// The migrations of SQLite.
pub(super) fn of_sqlite() -> Migrator {
    migrator(SQLITE)
}

fn migrator(files: &[File]) -> Migrator {
    let read = |&(version, description, text): &File| {
        let kind = MigrationType::Simple;
        Migration::new(version, description.into(), kind, SqlStr::from_static(text), false)
    };
    let mut migrator = Migrator::with_migrations(files.iter().map(read).collect());
    // Ignores migrations of newer versions, so that an operator can roll back: migrations only add tables, columns and
    // indexes.
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prefixes of the checksums, by version from 1. A database that has run a migration refuses a changed text of it.
    const RELEASED: [(&str, &[File], &[&str]); 2] = [
        ("postgres", POSTGRES, &["c5a0b3a4", "4cbf8a17", "20ea5835", "5b1b1753", "55eab314"]),
        ("sqlite", SQLITE, &["148b1645", "23839078", "3390313a", "a084f227", "d4adc0b8"]),
    ];

    #[test]
    fn migrations_that_databases_have_run_are_never_edited() {
        for (database, files, released) in RELEASED {
            let now = migrator(files);
            for ((version, checksum), migration) in (1..).zip(released).zip(now.iter()) {
                let begins: String =
                    migration.checksum[..4].iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(
                    (migration.version, begins.as_str()),
                    (version, *checksum),
                    "{database}"
                );
            }
            assert!(now.iter().count() >= released.len(), "{database}: a migration has gone");
        }
    }
}
