//! Roles: what an account may do besides playing.

use std::collections::HashSet;
use std::fmt;

use crate::game::{User, UserId, UserType};
use crate::settings::AuthSettings;

/// A role; each has the permissions of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Anyone with a valid access token, guests too.
    Player,
    /// Accounts that review results and hold races (`auth.organisers`).
    Organiser,
    /// Accounts that administrate the server (`auth.admins`).
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Player => "player",
            Self::Organiser => "organiser",
            Self::Admin => "admin",
        })
    }
}

/// The accounts with a role, from the settings.
pub(crate) struct Roles {
    organisers: HashSet<UserId>,
    admins: HashSet<UserId>,
}

impl Roles {
    pub(crate) fn of(settings: &AuthSettings) -> Self {
        let ids = |ids: &[String]| ids.iter().map(|id| UserId::from(id.as_str())).collect();
        Self { organisers: ids(&settings.organisers), admins: ids(&settings.admins) }
    }

    /// The highest role of a user. A guest has no other than that of a player.
    pub(crate) fn of_user(&self, user: &User) -> Role {
        match () {
            () if user.user_type == UserType::Guest => Role::Player,
            () if self.admins.contains(&user.id) => Role::Admin,
            () if self.organisers.contains(&user.id) => Role::Organiser,
            () => Role::Player,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_accounts_of_the_settings_have_a_role() {
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
        let roles = Roles::of(&AuthSettings {
            organisers: ids(&["local-anna", "guest-1"]),
            admins: ids(&["local-ben"]),
            ..AuthSettings::default()
        });
        for (id, user_type, role) in [
            ("local-anna", UserType::Registered, Role::Organiser),
            ("local-ben", UserType::Registered, Role::Admin),
            ("local-carl", UserType::Registered, Role::Player),
            ("guest-1", UserType::Guest, Role::Player),
        ] {
            let user = User { id: id.into(), name: id.into(), user_type };
            assert_eq!(roles.of_user(&user), role, "{id}");
        }
        assert!(Role::Admin > Role::Organiser && Role::Organiser > Role::Player);
    }
}
