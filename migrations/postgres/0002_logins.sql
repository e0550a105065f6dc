-- Which devices of a player are logged in, and the refresh tokens that keep them so: only fingerprints
-- (SHA-256, base64url) of them. The old backend goes on using users.refresh_token and does not see these.

create table logins (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    started_at timestamptz not null,
    refreshed_at timestamptz not null
);

create index logins_by_user on logins (user_id, refreshed_at desc);

create table refresh_tokens (
    fingerprint text primary key,
    login_id text not null references logins (id) on delete cascade,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    replaced_at timestamptz               -- null while it is good
);

create index refresh_tokens_by_login on refresh_tokens (login_id, issued_at desc);

-- Players who log in by a name and a password of this server.
create table local_accounts (
    user_id text primary key references users (id) on delete cascade,
    name_key text not null unique,        -- the name in lower case
    password_hash text not null           -- Argon2, as a PHC string
);
