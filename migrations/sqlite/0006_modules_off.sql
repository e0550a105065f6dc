-- Handler modules that an operator has switched off on all pods, by the operations page.

create table modules_off (
    module text primary key,
    since integer not null,
    operator text not null
);
