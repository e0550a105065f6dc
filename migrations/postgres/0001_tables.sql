-- The tables of the old backend, as its own migrations leave them. Where they are there already, with
-- rows and `alembic_version`, nothing is changed.

create table if not exists games (
    id bigserial primary key,
    created_at timestamptz not null default current_timestamp,
    start_at timestamptz,
    end_at timestamptz,
    status int not null,                  -- 0 lobby, 1 in game, 2 finished
    invite_token text,
    game_type int not null,               -- 0 single, 1 multi, 2 team
    player_count int not null default 0,
    finish_count int not null default 0
);

create table if not exists users (
    id text primary key,
    name text not null,
    registered_at timestamptz not null default current_timestamp,
    refresh_token text
);

create table if not exists game_results (
    game_id bigint not null references games (id) on delete cascade,
    user_id text not null references users (id) on delete cascade,
    rank int not null,
    wpm_raw double precision not null,
    wpm_correct double precision not null,
    accuracy double precision not null,
    finished_at timestamptz not null,
    primary key (game_id, user_id)
);

-- Profiles read the results of one user, newest first; and the best one.
create index if not exists game_results_by_time on game_results (user_id, finished_at desc, game_id desc);
create index if not exists game_results_by_speed on game_results (user_id, wpm_correct desc);
