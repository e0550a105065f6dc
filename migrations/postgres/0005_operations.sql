-- What operators did by the operations page: who (the address, and whether a token was given), what, when.

create table operations_audit (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    operator text not null,
    action text not null,
    target text not null
);
