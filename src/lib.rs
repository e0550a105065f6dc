//! x

pub mod settings;
