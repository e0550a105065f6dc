//! A database of the old backend is taken over as it stands.

use super::*;

/// What its migrations leave, with some rows.
const OLD: &str = "
    create table alembic_version (version_num varchar(32) primary key);
    insert into alembic_version values ('e73c920ce493');
    create table games (
        id bigserial primary key, created_at timestamptz not null default current_timestamp,
        start_at timestamptz, end_at timestamptz, status int not null, invite_token text,
        game_type int not null, player_count int not null default 0, finish_count int not null default 0);
    create table users (
        id text primary key, name text not null,
        registered_at timestamptz not null default current_timestamp, refresh_token text);
    create table game_results (
        game_id bigint not null references games (id) on delete cascade,
        user_id text not null references users (id) on delete cascade,
        rank int not null, wpm_raw double precision not null, wpm_correct double precision not null,
        accuracy double precision not null, finished_at timestamptz not null,
        primary key (game_id, user_id));
    insert into games (status, game_type, player_count, finish_count) values
        (2, 1, 3, 2), (2, 1, 1, 1), (2, 1, 1, 1), (2, 1, 1, 1);
    insert into users (id, name, refresh_token) values ('google-77', 'User 77', 'a.b.c');
    insert into game_results values
        (1, 'google-77', 2, 80.5, 71.234567, 96, '2026-11-22T17:37:29.171282Z'),
        (2, 'google-77', 1, 60, 55.5, 99, '2026-11-23T17:37:29Z'),
        (3, 'google-77', 1, 60, 'NaN', 99, '2026-11-24T17:37:29Z'),
        (4, 'google-77', 1, 'Infinity', 70, 99, '2026-11-24T17:37:29Z');
";

#[tokio::test]
async fn users_games_and_results_of_the_old_backend_are_there() {
    let Some(scratch) = Scratch::make().await else { return };
    let pool = scratch.pool().await;
    pool.execute(OLD).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        data_dir: folder.path().into(),
        db: Some(scratch.settings()),
        ..Settings::default()
    };
    for _ in 0..2 {
        let records = Records::open(&settings, true).await.unwrap();
        let history = records.history(&"google-77".into(), 10, 0, LATER).await.unwrap();
        let games: Vec<_> = history.iter().map(|it| (it.game.0, it.rank)).collect();
        assert_eq!(games, [(2, 1), (1, 2)]);
        assert_eq!(history[1].finished_at.with_z(), "2026-11-22T17:37:29.171282Z");
        let next = records.reserve_games().await.unwrap().unwrap();
        assert!(next[0] > GameId(4), "{next:?}");
        let summary = records.summary(&"google-77".into()).await.unwrap();
        assert_eq!(
            (summary.races, summary.best.wpm),
            (2, 71.234_567),
            "what is no number is left out"
        );
    }
    let head: String = sqlx::query_scalar("select version_num from alembic_version")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(head, "e73c920ce493");
    scratch.drop_it().await;
}

#[tokio::test]
async fn an_empty_database_asks_for_init() {
    let Some(scratch) = Scratch::make().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        data_dir: folder.path().into(),
        db: Some(scratch.settings()),
        ..Settings::default()
    };
    let complaint = Records::open(&settings, false).await.unwrap_err();
    assert!(complaint.contains("start once with --init"), "{complaint}");
    scratch.drop_it().await;
}
