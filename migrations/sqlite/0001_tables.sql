-- The tables that the old backend has in PostgreSQL, in SQLite's types. Instants are whole microseconds
-- since 1970-01-01T00:00:00Z: kept and ordered exactly.

create table games (
    id integer primary key autoincrement,
    created_at integer not null,
    start_at integer,
    end_at integer,
    status integer not null,              -- 0 lobby, 1 in game, 2 finished
    invite_token text,
    game_type integer not null,           -- 0 single, 1 multi, 2 team
    player_count integer not null default 0,
    finish_count integer not null default 0
);

create table users (
    id text primary key,
    name text not null,
    registered_at integer not null,
    refresh_token text
);

create table game_results (
    game_id integer not null references games (id) on delete cascade,
    user_id text not null references users (id) on delete cascade,
    rank integer not null,
    wpm_raw real not null,
    wpm_correct real not null,
    accuracy real not null,
    finished_at integer not null,
    primary key (game_id, user_id)
);

-- Profiles read the results of one user, newest first; and the best one.
create index game_results_by_time on game_results (user_id, finished_at desc, game_id desc);
create index game_results_by_speed on game_results (user_id, wpm_correct desc);

-- The facts of every game that is not over, so that a restart goes on where the last one stopped. Also
-- when the records are in PostgreSQL: what is live is this server's.
create table live_games (
    game_id integer primary key,
    facts text not null                   -- JSON
);
