-- The tables that the old backend has in PostgreSQL, in SQLite's types.

create table games (
    id integer primary key autoincrement,
    created_at datetime not null,
    start_at datetime,
    end_at datetime,
    status integer not null,              -- 0 lobby, 1 in game, 2 finished
    invite_token text,
    game_type integer not null,           -- 0 single, 1 multi, 2 team
    player_count integer not null default 0,
    finish_count integer not null default 0
);

create table users (
    id text primary key,
    name text not null,
    registered_at datetime not null default current_timestamp,
    refresh_token text
);

create table game_results (
    game_id integer not null references games (id) on delete cascade,
    user_id text not null references users (id) on delete cascade,
    rank integer not null,
    wpm_raw real not null,
    wpm_correct real not null,
    accuracy real not null,
    finished_at datetime not null,
    primary key (game_id, user_id)
);

-- Profiles read the results of one user, newest first.
create index game_results_of_user on game_results (user_id, finished_at);

-- The facts of every game that is not over, so that a restart goes on where the last one stopped.
create table live_games (
    game_id integer primary key references games (id) on delete cascade,
    facts text not null                   -- JSON
);
