//! When lobbies close, and whose place is given up when.

use proptest::prelude::*;
use serde_json::json;

use super::matchmaker::seat_all;
use super::rules::{ABSENCE_GRACE, absence_ends_at, closes_at, lobby_rules};
use super::seats::SeatRequest;
use super::wire::LobbyPlayers;
use crate::game::{
    Door, Game, GameId, Parts, Player, SocketId, Stage, Timestamp, User, UserId, UserType,
};
use crate::handlers::shared::Level;
use crate::testing::Server;

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
    fn once_the_lobby_is_closed_no_player_loses_a_seat(absences in absences()) {
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
        let seen = LobbyPlayers::seen_by(&game, &game.players[who].user.id);
        let seen = serde_json::to_value(seen).unwrap();
        let row = |n| json!({"id": format!("guest-{n}"), "name": format!("Player {n}")});
        prop_assert_eq!(&seen["me"], &row(who));
        let others: Vec<_> = (0..players).filter(|n| *n != who).map(row).collect();
        prop_assert_eq!(&seen["others"], &json!(others));
        prop_assert!(LobbyPlayers::seen_by(&game, &UserId::new_guest()).is_none());
    }
}

/// A request of a player of this level for a seat in the open lobby.
fn comes(n: usize, level: f64, server: &Server) -> SeatRequest {
    let Player { user, .. } = player(n, None);
    let (door, now) = (Door::OPEN, server.cx("lobby").now());
    let rules = lobby_rules(&server.cx("lobby").settings().game, &door);
    let (socket, parts) = ((SocketId(n as u64), "pod".into()), Parts::default());
    SeatRequest { user, door, socket, previous: None, now, rules, parts, level: Level(Some(level)) }
}

#[tokio::test]
async fn players_who_come_together_are_seated_with_players_of_a_near_level() {
    let server = Server::for_players(3).await;
    let cx = server.cx("lobby");
    let levels = [900.0, 1_500.0, 910.0, 1_510.0];
    let crowd: Vec<_> = levels.iter().enumerate().map(|(n, it)| comes(n, *it, &server)).collect();
    let games = seat_all(cx.live(), &crowd).await;
    let games: Vec<_> = games.into_iter().map(|game| game.expect("a seat").id).collect();
    assert_eq!(games[0], games[2]);
    assert_ne!(games[0], games[3], "three seats in a lobby");

    // Two lobbies, one with the seats of 900, 910 and 1500, the other with that of 1510.
    let late = seat_all(cx.live(), &[comes(4, 1_490.0, &server)]).await;
    assert_eq!(late[0].as_ref().map(|game| game.id).ok(), Some(games[3]));
}

#[tokio::test]
async fn a_party_that_waited_for_longer_than_a_lobby_does_is_seated_as_a_whole() {
    let server = Server::for_players(3).await;
    let (early, late) = (comes(0, 900.0, &server), comes(1, 910.0, &server));
    let late = SeatRequest { now: late.now + 2 * late.rules.countdown, ..late };
    let games = seat_all(server.cx("lobby").live(), &[early, late]).await;
    let games: Vec<_> = games.into_iter().map(|game| game.expect("a seat").id).collect();
    assert_eq!(games[0], games[1]);
}
