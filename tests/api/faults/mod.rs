//! What several pods survive, as `docs/faults.md` promises it: every race that should finish does, with one result per
//! player, START once, and no client stuck.

mod broker;
mod clock;
mod deliveries;
mod disk;
mod finishes;
mod pods;
mod promises;
mod records;
mod redis;
mod refusals;
