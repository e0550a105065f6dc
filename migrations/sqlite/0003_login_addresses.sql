-- From where players have logged in by a password of this server: keyed hashes, which tell nobody the addresses, of the
-- latest few. Wrong passwords from other addresses do not lock a player out there.

create table login_addresses (
    user_id text not null references local_accounts (user_id) on delete cascade,
    address text not null,
    seen_at integer not null,
    primary key (user_id, address)
);
