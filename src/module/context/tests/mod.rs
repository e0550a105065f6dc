//! What modules keep and share, what they do by the clock, and what waits for its turn.

mod clockwork;
mod collection;
mod turns;
