-- Servers write here to see whether the database takes what they write. A few rows, each written again and again.

create table health_probes (
    slot int primary key,
    written_at timestamptz not null
);
