//! What a result can be, for all typists; and how results are ranked.

mod judge;

use proptest::prelude::*;

use super::rules::{check_values, ranking};
use crate::Kind;
use crate::game::{Figures, Player, Result, Timestamp, User, UserType};

const FIGURES: Figures = Figures { wpm: 60.0, wpm_raw: 65.0, acc: 97.5 };

fn player(n: usize, rank: Option<u32>) -> Player {
    let id = format!("guest-{n}").as_str().into();
    let user = User { id, name: format!("Player {n}"), user_type: UserType::Guest };
    let (finished, figures, unranked) = (Timestamp(0), FIGURES, None);
    let result = rank.map(|rank| Result { rank, finished, figures, unranked });
    Player { result, ..Player::new(user, None) }
}

/// The numbers of players, for comparing orders.
fn numbers<'a>(players: impl IntoIterator<Item = &'a Player>) -> Vec<&'a str> {
    players.into_iter().map(|player| player.user.id.as_str()).collect()
}

fn is_refused(figures: Figures) -> bool {
    match check_values(&figures) {
        Ok(()) => false,
        Err(error) => {
            assert_eq!(error.kind(), Kind::VALIDATION);
            true
        }
    }
}

/// Values that no race can have, whichever figure it is.
const IMPOSSIBLE: [f64; 6] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN, -1.0, -f64::MIN_POSITIVE];

proptest! {
    #[test]
    fn a_ranking_is_all_players_by_rank_and_then_those_who_have_not_finished(
        ranks in prop::collection::vec(prop::option::of(1_u32..6), 0..10),
    ) {
        let players: Vec<_> = ranks.iter().enumerate().map(|(n, rank)| player(n, *rank)).collect();
        let ranked = ranking(&players);
        let key = |player: &Player| (player.result.is_none(), player.result.map(|it| it.rank));
        prop_assert!(ranked.is_sorted_by_key(|player| key(player)));
        let (mut all, mut listed) = (numbers(&players), numbers(ranked));
        all.sort();
        listed.sort();
        prop_assert_eq!(listed, all);
    }

    #[test]
    fn equals_are_listed_in_order_of_arrival(
        ranks in prop::collection::vec(prop::option::of(1_u32..3), 0..10),
    ) {
        let players: Vec<_> = ranks.iter().enumerate().map(|(n, rank)| player(n, *rank)).collect();
        let ranked = ranking(&players);
        for rank in [None, Some(1), Some(2)] {
            let of = |player: &&Player| player.result.map(|it| it.rank) == rank;
            let before = numbers(players.iter().filter(of));
            prop_assert_eq!(numbers(ranked.iter().copied().filter(of)), before);
        }
    }

    #[test]
    fn possible_figures_are_taken(
        wpm in 0.0..=1000.0,
        wpm_raw in 0.0..=f64::MAX,
        acc in 0.0..=100.0,
    ) {
        let figures = Figures { wpm, wpm_raw, acc };
        prop_assert!(!is_refused(figures));
    }

    #[test]
    fn figures_beyond_the_limits_are_refused(beyond in 0.000_001..=f64::MAX) {
        let beyond_a_limit = [
            Figures { wpm: 1000.0 + beyond, ..FIGURES },
            Figures { acc: 100.0 + beyond, ..FIGURES },
            Figures { wpm: -beyond, ..FIGURES },
            Figures { wpm_raw: -beyond, ..FIGURES },
            Figures { acc: -beyond, ..FIGURES },
        ];
        for figures in beyond_a_limit {
            prop_assert!(is_refused(figures), "{:?}", figures);
        }
    }
}

#[test]
fn what_is_no_number_of_a_race_is_refused_wherever_it_stands() {
    for value in IMPOSSIBLE {
        assert!(is_refused(Figures { wpm: value, ..FIGURES }), "wpm {value}");
        assert!(is_refused(Figures { wpm_raw: value, ..FIGURES }), "wpm_raw {value}");
        assert!(is_refused(Figures { acc: value, ..FIGURES }), "acc {value}");
    }
}

#[test]
fn the_limits_themselves_are_taken() {
    assert!(!is_refused(Figures { wpm: 0.0, wpm_raw: 0.0, acc: 0.0 }));
    assert!(!is_refused(Figures { wpm: 1000.0, wpm_raw: f64::MAX, acc: 100.0 }));
}

mod turns {
    use std::time::Duration;

    use super::super::rules::{finished_at, hand_in, turn_at};
    use super::*;
    use crate::game::{Game, GameId, Parts, Stage};
    use crate::handlers::shared::{Claim, Progress};

    const START: Timestamp = Timestamp(1_000_000_000);

    fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    /// A running race, with the progress of each player.
    fn race<const N: usize>(progress: [Progress; N]) -> Game {
        let players = progress.into_iter().enumerate().map(|(n, progress)| {
            let mut player = player(n, None);
            player.put(progress);
            player
        });
        let players = players.collect();
        Game { stage: Stage::Running, players, ..Game::opened(GameId(1), START, Parts::default()) }
    }

    /// The end of the text arrived so long after START, so much later than it was typed.
    fn through(at: u64, late: u16) -> Progress {
        let completed = Some(START + ms(at));
        Progress { completed, late, round_trip: late, ..Progress::default() }
    }

    fn typing(round_trip: u16) -> Progress {
        Progress { round_trip, ..Progress::default() }
    }

    fn turn(game: &Game, n: usize) -> Option<Duration> {
        turn_at(game, &game.players[n].user.id).map(|at| at.after(START))
    }

    #[test]
    fn a_claim_waits_as_long_as_the_keys_of_others_travel() {
        let game = race([through(9_020, 20), typing(200), typing(90)]);
        assert_eq!(turn(&game, 0), Some(ms(9_260)));
        assert_eq!(turn(&race([through(9_020, 20)]), 0), None, "alone");
    }

    #[test]
    fn a_claim_waits_for_that_of_a_player_who_was_through_earlier() {
        let mut game = race([through(9_020, 20), through(9_150, 200)]);
        assert_eq!(turn(&game, 0), Some(ms(10_020)));
        assert_eq!(turn(&game, 1), None);
        let claim = Claim { figures: FIGURES, at: START + ms(8_950), unranked: None };
        assert!(hand_in(&mut game, &"guest-1".into(), claim).is_change());
        assert_eq!(turn(&game, 0), None, "it is there");
    }

    #[test]
    fn a_player_who_is_told_start_late_loses_no_rank_for_that() {
        let mut game = race([through(9_020, 20), through(9_100, 20), typing(20)]);
        game.starts_at = Some(START);
        for (player, told) in game.players.iter_mut().zip([0, 150, 40]) {
            player.start(START + ms(told));
        }
        let at = |n: usize| finished_at(&game, &game.players[n].user.id, START + ms(9_110));
        assert_eq!((at(0).after(START), at(1).after(START)), (ms(9_000), ms(8_930)));
        assert_eq!(turn(&game, 1), Some(ms(8_930 + 60 + 60)), "keys of the third");
        assert_eq!(turn(&game, 0), Some(ms(10_020)), "the claim of the second");
        // A reload of four seconds is another matter.
        game.players[1].take_start_back();
        game.players[1] = {
            let mut it = player(1, None);
            it.put(through(13_000, 20));
            it.start(START + ms(4_000));
            it
        };
        let at = finished_at(&game, &game.players[1].user.id, START + ms(13_000));
        assert_eq!(at.after(START), ms(12_500));
    }

    #[test]
    fn a_result_is_dated_by_when_it_was_typed_unless_the_claim_is_late() {
        let game = race([through(9_200, 200)]);
        let at = |now| finished_at(&game, &"guest-0".into(), START + ms(now)).after(START);
        assert_eq!((at(9_210), at(9_900)), (ms(9_000), ms(9_000)));
        assert_eq!(at(20_000), ms(20_000));
    }
}
