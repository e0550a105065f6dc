//! Whether a player was told START.

use serde::{Deserialize, Serialize};

use crate::game::{Part, Player, Timestamp};

/// When a player was told START: once, since a second one would falsify the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Started(Option<Timestamp>);

impl Part for Started {
    const NAME: &'static str = "started";
}

/// When that was first the case. A START that did not arrive is told again, which does not restart the player's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct FirstStarted(Option<Timestamp>);

impl Part for FirstStarted {
    const NAME: &'static str = "first_started";
}

impl Player {
    /// When the player was told START.
    pub fn started(&self) -> Option<Timestamp> {
        self.part::<Started>().0
    }

    /// When the player was told START for the first time.
    pub fn first_started(&self) -> Option<Timestamp> {
        self.part::<FirstStarted>().0
    }

    /// The player is told START.
    pub fn start(&mut self, now: Timestamp) {
        self.put(Started(Some(now)));
        if self.first_started().is_none() {
            self.put(FirstStarted(Some(now)));
        }
    }

    /// The START that the player was told has not arrived.
    pub fn take_start_back(&mut self) {
        self.put(Started(None));
    }

    /// Whether the pods track the typing of this player. They do not if a pod of an early version told START.
    pub fn is_followed(&self) -> bool {
        self.started().is_none() || self.first_started().is_some()
    }
}
