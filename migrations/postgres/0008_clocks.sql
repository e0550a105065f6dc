-- Clocks of handler modules: which turn was last completed, and which pod is at work on the next one until when.

create table module_clocks (
    name text primary key,
    done_at timestamptz not null,         -- the beginning of that turn
    holder text,
    held_until timestamptz
);
