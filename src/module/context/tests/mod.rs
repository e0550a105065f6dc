//! What modules keep and share, and what they do by the clock.

mod clockwork;
mod collection;
