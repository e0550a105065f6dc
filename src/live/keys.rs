//! Keys that are good once.

use std::collections::{BTreeSet, HashMap};

use crate::game::{Timestamp, User};

/// Keys that may be kept at once; when there are more, those that die first make way.
const LIMIT: usize = 100_000;

/// The keys of a server, in the order in which they die.
#[derive(Default)]
pub(super) struct OneTimeKeys {
    users: HashMap<String, (Timestamp, User)>,
    by_end: BTreeSet<(Timestamp, String)>,
}

impl OneTimeKeys {
    pub(super) fn keep(&mut self, key: String, user: User, until: Timestamp) {
        while self.by_end.len() >= LIMIT
            && let Some((_, oldest)) = self.by_end.pop_first()
        {
            self.users.remove(&oldest);
        }
        self.by_end.insert((until, key.clone()));
        self.users.insert(key, (until, user));
    }

    pub(super) fn take(&mut self, key: &str, now: Timestamp) -> Option<User> {
        self.forget_dead(now);
        let (until, user) = self.users.remove(key)?;
        self.by_end.remove(&(until, key.to_owned()));
        Some(user)
    }

    fn forget_dead(&mut self, now: Timestamp) {
        while self.by_end.first().is_some_and(|(until, _)| *until <= now) {
            if let Some((_, key)) = self.by_end.pop_first() {
                self.users.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::UserType;

    #[test]
    fn a_key_is_good_once_and_for_its_time() {
        let mut keys = OneTimeKeys::default();
        let anna = User { id: "anna".into(), name: "Anna".into(), user_type: UserType::Guest };
        keys.keep("k".into(), anna.clone(), Timestamp(60));
        keys.keep("late".into(), anna.clone(), Timestamp(60));
        assert_eq!(keys.take("k", Timestamp(1)), Some(anna));
        assert_eq!(keys.take("k", Timestamp(1)), None);
        assert_eq!(keys.take("late", Timestamp(60)), None);
        assert!(keys.by_end.is_empty() && keys.users.is_empty());
    }
}
