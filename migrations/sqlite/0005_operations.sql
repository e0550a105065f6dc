-- What operators did by the operations page: who (the address, and whether a token was given), what, when.

create table operations_audit (
    id integer primary key,
    at integer not null,
    operator text not null,
    action text not null,
    target text not null
);
