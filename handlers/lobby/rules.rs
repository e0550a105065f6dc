//! When a lobby closes, and when a place in it is given up.

use std::time::Duration;

use crate::game::{Game, Stage, Timestamp};

/// How long a full lobby waits, so that the last to come has the cookie before the race. The contract
/// says "about one second, less than two".
pub(super) const FULL_GRACE: Duration = Duration::from_secs(1);

/// How long a player may be without a socket: a reload is no leaving. The contract wants a real one
/// announced within 1.5 s.
pub(super) const ABSENCE_GRACE: Duration = Duration::from_secs(1);

pub(super) fn closes_at(game: &Game) -> Option<Timestamp> {
    (game.stage == Stage::Lobby).then_some(game.closes_at)
}

pub(super) fn absence_ends_at(game: &Game) -> Option<Timestamp> {
    if game.stage != Stage::Lobby {
        return None;
    }
    let since = game.players.iter().filter_map(|player| player.absent_since).min()?;
    Some(since + ABSENCE_GRACE)
}

pub(super) use names::two_words;

/// Names of new guests.
mod names {
    const FIRST: [&str; 64] = [
        "Amber", "Azure", "Brave", "Breezy", "Bright", "Calm", "Cheerful", "Clever", "Cosmic",
        "Crimson", "Curious", "Dapper", "Daring", "Dizzy", "Eager", "Early", "Fancy", "Fearless",
        "Fluffy", "Gentle", "Golden", "Grand", "Happy", "Hasty", "Humble", "Jolly", "Keen", "Kind",
        "Lively", "Lucky", "Mellow", "Merry", "Mighty", "Misty", "Modest", "Nimble", "Noble",
        "Patient", "Plucky", "Polite", "Proud", "Quick", "Quiet", "Rapid", "Rosy", "Royal",
        "Rustic", "Silent", "Silver", "Sleepy", "Smooth", "Snowy", "Steady", "Stellar", "Sunny",
        "Swift", "Tidy", "Tiny", "Velvet", "Vivid", "Warm", "Windy", "Witty", "Zesty",
    ];
    const SECOND: [&str; 64] = [
        "Badger", "Bear", "Beaver", "Bison", "Canary", "Cheetah", "Comet", "Crane", "Cricket",
        "Dolphin", "Dragon", "Eagle", "Falcon", "Ferret", "Finch", "Firefly", "Fox", "Gecko",
        "Giraffe", "Hamster", "Hare", "Hawk", "Hedgehog", "Heron", "Ibex", "Jaguar", "Kestrel",
        "Koala", "Lark", "Lemur", "Leopard", "Llama", "Lynx", "Magpie", "Marmot", "Meteor", "Mole",
        "Moose", "Otter", "Owl", "Panda", "Panther", "Parrot", "Pelican", "Penguin", "Pony",
        "Puffin", "Rabbit", "Raccoon", "Raven", "Robin", "Salmon", "Seal", "Sparrow", "Squirrel",
        "Stork", "Swallow", "Swan", "Tiger", "Turtle", "Walrus", "Whale", "Wolf", "Wombat",
    ];

    /// One of 64 × 64 names, by twelve bits of chance.
    pub(in super::super) fn two_words(chance: u16) -> String {
        let chance = usize::from(chance);
        format!("{} {}", FIRST[chance % 64], SECOND[chance / 64 % 64])
    }
}
