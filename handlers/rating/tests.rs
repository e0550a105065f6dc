//! Which races are rated, and how ratings move.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::kept::{Rating, Strength};
use super::rules::{Entrant, due, entrants, mark_rated, rated};
use crate::game::{
    Figures, Game, GameId, Parts, Player, Result as GameResult, Stage, Timestamp, User, UserId,
    UserType,
};
use crate::module::{Item, Kept};

const START: Timestamp = Timestamp(1_795_694_400_000_000);

fn guest(number: usize) -> UserId {
    format!("guest-{number:032x}").as_str().into()
}

/// A player who was told START, perhaps with a result.
fn player(number: usize, rank: Option<u32>) -> Player {
    let user = User { id: guest(number), name: "Anna".into(), user_type: UserType::Guest };
    let figures = Figures { wpm: 70.0, wpm_raw: 75.0, acc: 98.0 };
    let finished = START + Duration::from_secs(rank.unwrap_or(0).into());
    let mut player = Player::new(user, None);
    player.result = rank.map(|rank| GameResult { rank, finished, figures, unranked: None });
    player.start(START);
    player
}

fn race(players: Vec<Player>) -> Game {
    let ends_at = START + Duration::from_secs(900);
    let opened = Game::opened(GameId(35), START, Parts::default());
    Game { stage: Stage::Running, ends_at, players, ..opened }
}

#[test]
fn a_race_is_rated_when_all_have_a_result_or_when_it_ends() {
    let at = |seconds| Some(START + Duration::from_secs(seconds));
    for (ranks, expected) in [
        (vec![Some(1), Some(2)], at(2)),
        (vec![Some(1), None], at(870)),
        (vec![Some(1)], None),
        (vec![None, None], None),
        (vec![Some(0), Some(0)], None),
        (vec![Some(1), Some(0)], at(1)),
    ] {
        let players = (0..).zip(&ranks).map(|(number, rank)| player(number, *rank));
        let mut game = race(players.collect());
        assert_eq!(due(&game), expected, "{ranks:?}");
        assert!(mark_rated(&mut game) && !mark_rated(&mut game));
        assert_eq!(due(&game), None);
    }
}

#[test]
fn those_who_were_never_there_and_those_moved_by_the_server_are_not_rated() {
    let mut players = vec![player(0, Some(1)), player(1, None)];
    let mut absent = player(2, None);
    absent.parts = Parts::default();
    players.push(absent);
    let mut bot = player(3, Some(0));
    bot.user.id = "bot-3".into();
    players.push(bot);
    let game = race(players);
    let users: Vec<_> = entrants(&game).iter().map(|(player, _)| player.user.id.clone()).collect();
    assert_eq!(users, [guest(0), guest(1)]);
}

fn entrant(number: usize, rank: usize, rating: f64, uncertainty: f64) -> Entrant {
    let strength = Strength { rating, uncertainty };
    let (user, game, changes) = (guest(number), GameId(1), VecDeque::new());
    let item = Rating { user, strength, races: 3, game, before: 0.0, at: START, changes };
    Entrant { user: guest(number), rank, known: Some(Kept { item, version: 1, updated_at: START }) }
}

#[test]
fn the_first_race_of_two_players_tells_the_winner_from_the_other() {
    let new = |number, rank| Entrant { user: guest(number), rank, known: None };
    let entrants = [new(0, 1), new(1, 2)];
    let after = rated(entrants.iter());
    let change = after[0].rating - 1000.0;
    assert!(change > 50.0 && (1000.0 - after[1].rating - change).abs() < 1e-9, "{after:?}");
    assert!(after.iter().all(|it| it.uncertainty < 1000.0 / 3.0));
    let kept = entrants[0].after(GameId(35), after[0], START);
    assert_eq!((kept.races, kept.before, kept.game), (1, 1000.0, GameId(35)));
}

proptest! {
    #[test]
    fn a_winner_does_not_fall_and_a_loser_does_not_rise(
        people in prop::collection::vec((600.0..1500.0_f64, 50.0..333.0_f64), 2..8),
    ) {
        let entrants: Vec<_> = (1..)
            .zip(&people)
            .map(|(rank, (rating, uncertainty))| entrant(rank, rank, *rating, *uncertainty))
            .collect();
        let after = rated(entrants.iter());
        prop_assert_eq!(after.len(), people.len());
        prop_assert!(after[0].rating >= people[0].0);
        prop_assert!(after[after.len() - 1].rating <= people[people.len() - 1].0);
        for (after, (_, uncertainty)) in after.iter().zip(&people) {
            prop_assert!(after.rating.is_finite() && after.uncertainty > 0.0);
            prop_assert!(after.uncertainty <= *uncertainty + 1e-9, "each race makes it more certain");
        }
    }

    #[test]
    fn an_upset_moves_more_than_what_was_expected(weak in 600.0..900.0_f64, strong in 1100.0..1500.0_f64) {
        let change = |weak_rank, strong_rank| {
            let entrants = [entrant(0, weak_rank, weak, 200.0), entrant(1, strong_rank, strong, 200.0)];
            (rated(entrants.iter())[0].rating - weak).abs()
        };
        prop_assert!(change(1, 2) > change(2, 1));
    }
}

#[test]
fn the_rating_of_a_guest_expires_and_becomes_that_of_the_account() {
    let rating = entrant(0, 1, 1100.0, 200.0).known.unwrap().item;
    assert_eq!(rating.expires_at(), Some(START + Duration::from_secs(7 * 24 * 3600)));
    let anna = User { id: "google-1".into(), name: "Anna".into(), user_type: UserType::Registered };
    let own = rating.handed_over(&anna).unwrap();
    assert_eq!((own.key().as_str(), own.expires_at(), own.races), ("google-1", None, 3));
}

#[test]
fn what_a_struck_race_has_changed_is_taken_back_once_and_restored_when_it_is_cleared() {
    let after = |known: Option<Rating>, game: i64, rating: f64| {
        let known = known.map(|item| Kept { item, version: 1, updated_at: START });
        let entrant = Entrant { user: guest(0), rank: 1, known };
        let strength = Strength { rating, uncertainty: 200.0 };
        entrant.after(GameId(game), strength, START)
    };
    let first = after(None, 1, 1080.0);
    let mut rating = after(Some(first.clone()), 2, 1100.0);
    assert!(!rating.judge(GameId(1), false), "it counts already");
    assert!(!rating.judge(GameId(3), true), "it was not rated");
    assert!(rating.judge(GameId(1), true) && !rating.judge(GameId(1), true));
    assert_eq!((rating.strength.rating, rating.before, rating.races), (1020.0, 1000.0, 1));
    assert!(rating.judge(GameId(2), true));
    assert_eq!((rating.strength.rating, rating.before, rating.races), (1000.0, 1000.0, 0));
    assert!(rating.judge(GameId(1), false) && rating.judge(GameId(2), false));
    assert_eq!((rating.strength.rating, rating.before, rating.races), (1100.0, 1080.0, 2));

    let mut many = first;
    for game in 2..200 {
        many = after(Some(many), game, 1080.0);
    }
    assert_eq!(many.changes.len(), 50);
    // Ratings of the version before remember nothing.
    let mut old = serde_json::to_value(&many).unwrap();
    old.as_object_mut().unwrap().remove("changes");
    assert!(!serde_json::from_value::<Rating>(old).unwrap().judge(GameId(199), true));
}
