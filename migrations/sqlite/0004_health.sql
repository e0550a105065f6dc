-- Servers write here to see whether the disk takes what they write. A few rows, each written again and again.

create table health_probes (
    slot integer primary key,
    written_at integer not null
);
