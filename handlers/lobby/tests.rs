//! When lobbies close, and whose place is given up when.

use proptest::prelude::*;
use serde_json::json;

use super::rules::{ABSENCE_GRACE, absence_ends_at, closes_at};
use super::wire::Players;
use crate::game::{
    Game, GameId, Parts, Player, SocketId, Stage, Timestamp, User, UserId, UserType,
};

const STAGES: [Stage; 4] = [Stage::Lobby, Stage::Closed, Stage::Countdown, Stage::Running];

fn player(n: usize, absent_since: Option<i64>) -> Player {
    let id = format!("guest-{n}").as_str().into();
    let user = User { id, name: format!("Player {n}"), user_type: UserType::Guest };
    let socket = absent_since.is_none().then(|| (SocketId(1), "pod".into()));
    Player { absent_since: absent_since.map(Timestamp), ..Player::new(user, socket) }
}

fn game(stage: Stage, closes_at: i64, absences: &[Option<i64>]) -> Game {
    Game {
        stage,
        closes_at: Timestamp(closes_at),
        ends_at: Timestamp(i64::MAX),
        players: absences.iter().enumerate().map(|(n, since)| player(n, *since)).collect(),
        ..Game::opened(GameId(1), Timestamp(0), Parts::default())
    }
}

/// Since when the players of a lobby are absent, if they are.
fn absences() -> impl Strategy<Value = Vec<Option<i64>>> {
    prop::collection::vec(prop::option::of(0_i64..1_000_000_000), 0..6)
}

proptest! {
    #[test]
    fn a_lobby_closes_at_its_time_and_once(closes in any::<i64>()) {
        for stage in STAGES {
            let due = (stage == Stage::Lobby).then_some(Timestamp(closes));
            prop_assert_eq!(closes_at(&game(stage, closes, &[])), due);
        }
    }

    #[test]
    fn the_longest_absent_is_the_first_whose_place_is_given_up(absences in absences()) {
        let due = absence_ends_at(&game(Stage::Lobby, 0, &absences));
        let longest = absences.iter().flatten().min();
        prop_assert_eq!(due, longest.map(|since| Timestamp(*since) + ABSENCE_GRACE));
    }

    #[test]
    fn once_the_lobby_is_closed_nobody_loses_a_place(absences in absences()) {
        for stage in &STAGES[1..] {
            prop_assert_eq!(absence_ends_at(&game(*stage, 0, &absences)), None);
        }
    }

    #[test]
    fn a_player_sees_itself_and_all_others_in_order_of_arrival(
        players in 1_usize..8,
        who in any::<prop::sample::Index>(),
    ) {
        let who = who.index(players);
        let game = game(Stage::Lobby, 0, &vec![None; players]);
        let seen = Players::seen_by(&game, &game.players[who].user.id);
        let seen = serde_json::to_value(seen).unwrap();
        let row = |n| json!({"id": format!("guest-{n}"), "name": format!("Player {n}")});
        prop_assert_eq!(&seen["me"], &row(who));
        let others: Vec<_> = (0..players).filter(|n| *n != who).map(row).collect();
        prop_assert_eq!(&seen["others"], &json!(others));
        prop_assert!(Players::seen_by(&game, &UserId::new_guest()).is_none());
    }
}
