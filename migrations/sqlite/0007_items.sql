-- Items that handler modules keep: a key, perhaps an owner, a version, a JSON body, and up to four sort keys. Sort keys are
-- bytes in an order that does not depend on the collation; the same bytes are written to PostgreSQL.

create table module_items (
    collection text not null,
    key text not null,
    -- The owner: an account, whose deletion deletes the item, or a guest, which has no row in users.
    account text references users (id) on delete cascade,
    guest text,
    version integer not null,
    form integer not null,                -- version of the type that wrote the body
    body text not null,                   -- JSON
    sort_1 blob,
    sort_2 blob,
    sort_3 blob,
    sort_4 blob,
    updated_at integer not null,
    expires_at integer,
    primary key (collection, key)
);

create index module_items_sort_1 on module_items (collection, sort_1, key) where sort_1 is not null;
create index module_items_sort_2 on module_items (collection, sort_2, key) where sort_2 is not null;
create index module_items_sort_3 on module_items (collection, sort_3, key) where sort_3 is not null;
create index module_items_sort_4 on module_items (collection, sort_4, key) where sort_4 is not null;
create index module_items_by_account on module_items (account, collection, key) where account is not null;
create index module_items_by_guest on module_items (guest, collection, key) where guest is not null;
create index module_items_by_end on module_items (expires_at) where expires_at is not null;
