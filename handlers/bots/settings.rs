//! Settings of bots: their number and speed.

use std::ops::RangeInclusive;

use rand::Rng;
use rand::RngExt as _;
use rand::seq::index;
use serde::Deserialize;

use super::plan;
use crate::game::{User, UserType};
use crate::module::Setup;

/// Maximum of `players`: the players of one lobby, bots included.
const LIMIT: usize = 20;

/// Allowed speeds of bots, in percent of a person's.
const PERCENT: RangeInclusive<u32> = 10..=500;

/// Suffix of the names of bots; people may not use it.
const LABEL: &str = " (bot)";

const NAMES: [&str; LIMIT] = [
    "Ada", "Brio", "Cleo", "Dash", "Echo", "Fay", "Gus", "Hugo", "Iris", "Juno", "Kit", "Lux",
    "Milo", "Nova", "Otto", "Pip", "Quill", "Remy", "Sol", "Tess",
];

/// The section `handlers.bots`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BotSettings {
    /// Whether there are bots. Default: only on a single server.
    enabled: Option<bool>,
    /// Number of players up to which bots fill a lobby.
    pub(super) players: usize,
    /// Words per minute of the slowest bot, if no person's speed is known.
    slowest: u32,
    /// Words per minute of the fastest bot, if no person's speed is known.
    fastest: u32,
    /// Speed of the slowest bot, in percent of a person's recent speed.
    slowest_percent: u32,
    /// Speed of the fastest bot, in percent of a person's recent speed.
    fastest_percent: u32,
    /// `enabled`, with the default applied.
    #[serde(skip)]
    pub(super) is_on: bool,
}

impl Default for BotSettings {
    fn default() -> Self {
        Self {
            enabled: None,
            players: 3,
            slowest: 25,
            fastest: 70,
            slowest_percent: 85,
            fastest_percent: 115,
            is_on: false,
        }
    }
}

impl BotSettings {
    pub(super) fn load(setup: &Setup<'_>) -> Result<Self, String> {
        let mut section: Self = setup.section()?;
        if section.players > LIMIT {
            return Err(format!("handlers.bots.players must be at most {LIMIT}"));
        }
        if !plan::SPEEDS.contains(&section.slowest) || !plan::SPEEDS.contains(&section.fastest) {
            let (from, to) = (plan::SPEEDS.start(), plan::SPEEDS.end());
            return Err(format!("handlers.bots.slowest and fastest must be {from} to {to}"));
        }
        if section.slowest > section.fastest {
            return Err("handlers.bots.slowest must not be more than handlers.bots.fastest".into());
        }
        let (from, to) = (section.slowest_percent, section.fastest_percent);
        if !PERCENT.contains(&from) || !PERCENT.contains(&to) || from > to {
            let (from, to) = (PERCENT.start(), PERCENT.end());
            return Err(format!(
                "handlers.bots.slowest_percent and fastest_percent must be {from} to {to}, the former not the larger one"
            ));
        }
        section.is_on = Self::are_on(setup);
        section.players = section.players.min(setup.settings.game.player_limit);
        Ok(section)
    }

    /// Whether there are bots with these settings.
    pub(super) fn are_on(setup: &Setup<'_>) -> bool {
        let section: Self = setup.section().unwrap_or_default();
        section.enabled.unwrap_or(setup.settings.redis.is_none())
    }

    /// Draws bots with different names and speeds, as many as may be needed. Each is about as fast as one of the people
    /// with these paces.
    pub(super) fn draw(&self, paces: &[f64], chance: &mut impl Rng) -> Vec<User> {
        let names = index::sample(chance, NAMES.len(), self.players.saturating_sub(1));
        let bot = |(number, name): (usize, usize)| {
            let pace = paces.get(number % paces.len().max(1));
            let speeds = pace.map_or(self.slowest..=self.fastest, |pace| self.speeds_near(*pace));
            User {
                id: plan::id(chance.random_range(speeds), chance.random()),
                name: format!("{}{LABEL}", NAMES[name]),
                user_type: UserType::Guest,
            }
        };
        names.into_iter().enumerate().map(bot).collect()
    }

    /// The speeds of bots for a person with this pace.
    fn speeds_near(&self, pace: f64) -> RangeInclusive<u32> {
        let part = |percent: u32| {
            // The cast saturates.
            let speed = (pace * f64::from(percent) / 100.0).round() as u32;
            speed.clamp(*plan::SPEEDS.start(), *plan::SPEEDS.end())
        };
        part(self.slowest_percent)..=part(self.fastest_percent)
    }
}
