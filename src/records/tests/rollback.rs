//! A version that an operator rolls back to runs on the tables of a newer one.

use sqlx::AssertSqlSafe;

use super::*;
use crate::records::db::{open_lite, open_pg};

/// What a newer version leaves; `checksum` as the database writes bytes.
fn newer(checksum: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "create table of_tomorrow (id bigint primary key);
         alter table users add column mood text;
         insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (99991231235959, 'tomorrow', true, {checksum}, 0)"
    ))
}

#[tokio::test]
async fn a_version_before_runs_on_newer_tables_of_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    open_lite(folder.path()).await.unwrap().execute(newer("x'00'")).await.unwrap();
    let settings = Settings { data_dir: folder.path().into(), ..Settings::default() };
    let records = Records::open(&settings, false).await.unwrap();
    assert_eq!(records.summary(&"anna".into()).await.unwrap().races, 0);
}

#[tokio::test]
async fn a_version_before_runs_on_newer_tables_of_postgresql_with_and_without_init() {
    let Some(scratch) = Scratch::make().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let db = scratch.settings();
    open_pg(&db, true).await.unwrap().execute(newer("'\\x00'")).await.unwrap();
    let settings = Settings { data_dir: folder.path().into(), db: Some(db), ..Settings::default() };
    for init in [true, false] {
        let records = Records::open(&settings, init).await.unwrap();
        let summary = records.summary(&"anna".into()).await.unwrap();
        assert_eq!(summary.races, 0, "with --init: {init}");
    }
    scratch.drop_it().await;
}
