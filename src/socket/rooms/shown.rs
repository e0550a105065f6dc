//! How a room shows an event, by the promises of its type.

use std::sync::Arc;
use std::time::Duration;

use super::frame::Frame;
use super::room::Room;
use super::whose::Whose;
use crate::bus::{Event, Loss, Promise, Reach};
use crate::telemetry::Born;

impl Room {
    /// Shows an event as this frame. `age` is how long the event took from another pod. An event for one player is shown
    /// to the sockets of that player only; without a player, to none.
    pub(crate) fn show_event<E: Event>(self: &Arc<Self>, event: &E, frame: Frame, age: Duration) {
        const {
            let (promise, reach) = (<E::Loss as Loss>::PROMISE, E::REACH);
            let is_position_for_one = matches!((promise, reach), (Promise::Latest, Reach::Player));
            assert!(!is_position_for_one, "a position is for the other players");
        }
        let only = match (E::REACH, event.player()) {
            (Reach::Player, None) => return,
            (Reach::Player, player) => player,
            _ => None,
        };
        let whose = || Whose { event: E::NAME, player: event.player().cloned() };
        match (<E::Loss as Loss>::PROMISE, only) {
            (Promise::Latest, _) => self.show_position(whose(), frame.born(Born::position(age))),
            (Promise::Fleeting, only) => {
                self.show_fleeting(&whose(), &frame.born(Born::in_span(age)), only);
            }
            (Promise::Never, Some(player)) => {
                self.show_to(player, &frame.born(Born::in_span(age)));
            }
            (Promise::Never, None) => self.show(&frame.born(Born::in_span(age))),
        }
    }
}

#[cfg(test)]
mod tests {
    use salvo::oapi::ToSchema;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::bus::{Fleeting, Never};
    use crate::game::UserId;
    use crate::socket::rooms::Member;

    /// Declares an event of these promises.
    macro_rules! event {
        ($event:ident, $reach:ident, $loss:ident) => {
            #[derive(Serialize, Deserialize, ToSchema)]
            struct $event(Option<UserId>);
            impl Event for $event {
                const NAME: &'static str = stringify!($event);
                const REACH: Reach = Reach::$reach;
                type Loss = $loss;
                fn player(&self) -> Option<&UserId> {
                    self.0.as_ref()
                }
            }
        };
    }

    event!(HintGiven, Player, Never);
    event!(HintFlashed, Player, Fleeting);
    event!(WaveSeen, Game, Fleeting);

    /// Which of Anna and Ben see an event.
    fn seen_by<E: Event>(event: &E) -> Vec<String> {
        let room = Arc::new(Room::default());
        let members = ["anna", "ben"].map(|user| {
            let (user, outbox) = (Some(user.into()), Arc::default());
            Arc::new(Member { socket: 1, module: "race", user, login: None, outbox })
        });
        members.iter().for_each(|member| room.enter(member, 8));
        room.show_event(event, Frame::json(&1), Duration::ZERO);
        let seen = members.iter().filter(|member| !member.outbox.take_texts().is_empty());
        seen.filter_map(|member| Some(member.user.as_ref()?.to_string())).collect()
    }

    #[test]
    fn an_event_for_one_player_is_shown_to_no_other() {
        let ben = || Some("ben".into());
        assert_eq!(seen_by(&HintGiven(ben())), ["ben"]);
        assert_eq!(seen_by(&HintFlashed(ben())), ["ben"]);
        assert_eq!(seen_by(&WaveSeen(ben())), ["anna", "ben"]);
        let none: [&str; 0] = [];
        assert_eq!(seen_by(&HintGiven(None)), none);
        assert_eq!(seen_by(&HintFlashed(None)), none);
    }
}
