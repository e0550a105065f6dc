//! Which frames replace each other while they wait.

use crate::game::UserId;

/// The key by which frames replace each other: event and player.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Whose {
    /// The name of the event.
    pub event: &'static str,
    /// The player, if the event has one.
    pub player: Option<UserId>,
}

impl Whose {
    /// Whether it is a clone of the other one; see [`UserId::is_clone_of`].
    pub(super) fn is_clone_of(&self, other: &Self) -> bool {
        let is_same_player = match (&self.player, &other.player) {
            (Some(player), Some(other)) => player.is_clone_of(other),
            _ => false,
        };
        is_same_player && std::ptr::eq(self.event, other.event)
    }
}
