//! Properties that hold after every step of every story.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::clerk::{Clerk, sheets};
use super::story::{Action, Facts, Outcome, plots, run};
use super::*;

proptest! {
    #[test]
    fn games_do_what_a_plain_model_does(plot in plots()) {
        let mut clerk = Clerk::new(rules(plot.0));
        for moment in run(&plot) {
            let outcome = clerk.take(&moment.step, moment.now);
            prop_assert_eq!(&outcome, &moment.outcome, "{:?}", moment.step);
            prop_assert_eq!(&clerk.sheets, &sheets(&moment.after), "{:?}", moment.step);
        }
    }

    #[test]
    fn no_game_ever_has_more_players_than_the_limit(plot in plots()) {
        for moment in run(&plot) {
            prop_assert!(moment.after.values().all(|game| game.players.len() <= plot.0));
        }
    }

    #[test]
    fn no_player_sits_in_two_games_of_one_door_before_start(plot in plots()) {
        for moment in run(&plot) {
            let mut seated = BTreeSet::new();
            for game in moment.after.values().filter(|game| game.stage < Stage::Running) {
                for player in game.people() {
                    let seat = (&player.user.id, format!("{:?}", game.door));
                    prop_assert!(seated.insert(seat), "{} twice", player.user.id);
                }
            }
        }
    }

    #[test]
    fn the_games_of_a_player_are_those_with_a_seat_of_the_player(plot in plots()) {
        for moment in run(&plot) {
            let mut seats = BTreeMap::<UserId, Vec<GameId>>::new();
            for game in moment.after.values() {
                game.people().for_each(|it| seats.entry(it.user.id.clone()).or_default().push(game.id));
            }
            prop_assert_eq!(&moment.played, &seats, "{:?}", moment.step);
        }
    }

    #[test]
    fn a_player_who_has_entered_is_seated_where_the_answer_says(plot in plots()) {
        for moment in run(&plot) {
            if let Outcome::Seated(game) = moment.outcome {
                let seat = moment.after[&game].player(&moment.step.user.id);
                prop_assert!(seat.is_some_and(|it| !it.sockets.is_empty() && it.absent_since.is_none()));
            }
        }
    }

    #[test]
    fn a_player_is_lost_only_after_being_absent_for_too_long(plot in plots()) {
        for moment in run(&plot) {
            for (id, game) in &moment.before {
                for player in game.people() {
                    let after = moment.after.get(id);
                    if after.is_some_and(|game| game.player(&player.user.id).is_some()) {
                        continue;
                    }
                    let since = player.absent_since;
                    let absent = |least| since.is_some_and(|at| at + least <= moment.now);
                    let is_left = game.people().all(|it| it.absent_since.is_some());
                    let fair = match moment.step.action {
                        Action::Dismiss => game.stage == Stage::Lobby && absent(ABSENCE),
                        Action::Close => game.closes_at <= moment.now && is_left,
                        Action::End => game.ends_at <= moment.now,
                        _ => false,
                    };
                    prop_assert!(fair, "{} by {:?}", player.user.id, moment.step);
                }
            }
        }
    }

    #[test]
    fn lobbies_fill_one_by_one(plot in plots()) {
        for moment in run(&plot) {
            let Outcome::Seated(id) = moment.outcome else { continue };
            if !matches!(moment.step.action, Action::Enter | Action::Reconnect) {
                continue;
            }
            let room = |game: &&Arc<Game>| {
                game.door == Door::OPEN && game.waits(moment.now) && !game.full
            };
            let open = moment.before.values().filter(room);
            let open: Vec<_> = open.map(|game| game.id).collect();
            let comes_back = moment.step.action == Action::Reconnect;
            match moment.before.get(&id).map(|game| game.player(&moment.step.user.id)) {
                // A new lobby opens only if no open one has room.
                None => prop_assert!(open.is_empty(), "{open:?}"),
                Some(None) if comes_back => prop_assert!(open.contains(&id)),
                Some(None) => prop_assert_eq!(open.first(), Some(&id)),
                Some(Some(_)) => {}
            }
        }
    }

    #[test]
    fn a_player_is_seated_only_behind_its_own_door(plot in plots()) {
        for moment in run(&plot) {
            let Outcome::Seated(id) = moment.outcome else { continue };
            let (door, step) = (&moment.after[&id].door, &moment.step);
            let was_there = |game: &Arc<Game>| game.player(&step.user.id).is_some();
            match step.action {
                Action::EnterAlone => prop_assert_eq!(door, &Door::ALONE),
                Action::EnterInvited => prop_assert_eq!(door, &invited(step.game.0)),
                _ if moment.before.get(&id).is_some_and(was_there) => {}
                _ => prop_assert_eq!(door, &Door::OPEN),
            }
            prop_assert!(*door != Door::ALONE || moment.after[&id].players.len() == 1);
        }
    }

    #[test]
    fn the_host_alone_hastens_and_is_a_person_who_sits_there(plot in plots()) {
        for moment in run(&plot) {
            for game in moment.after.values() {
                let host = game.host();
                let is_seated = |host: &UserId| game.player(host).is_some_and(|it| it.user.is_person());
                prop_assert!(host.is_none_or(is_seated), "{:?}", host);
            }
            if moment.step.action == Action::Hasten && moment.before != moment.after {
                let game = &moment.before[&moment.step.game];
                prop_assert_eq!(game.host(), Some(&moment.step.user.id));
                prop_assert!(moment.after[&moment.step.game].closes_at < game.closes_at);
            }
        }
    }

    #[test]
    fn a_game_that_was_full_takes_no_new_player(plot in plots()) {
        for moment in run(&plot) {
            for (id, game) in moment.before.iter().filter(|(_, game)| game.full) {
                let players = moment.after.get(id).map_or(0, |after| after.players.len());
                prop_assert!(players <= game.players.len());
            }
        }
    }

    #[test]
    fn ranks_are_given_once_from_one_without_a_gap(plot in plots()) {
        let mut given = BTreeMap::new();
        for moment in run(&plot) {
            for game in moment.after.values() {
                let ranks: BTreeSet<_> =
                    game.people().filter_map(|it| it.result).map(|it| it.rank).filter(|it| *it > 0).collect();
                let expected: BTreeSet<_> = (1..).take(game.finishers()).collect();
                prop_assert_eq!(ranks, expected);
                for player in &game.players {
                    let key = (game.id, player.user.id.clone());
                    let result = given.entry(key).or_insert(player.result);
                    prop_assert!(result.is_none() || *result == player.result);
                    *result = player.result;
                }
            }
        }
    }

    #[test]
    fn start_is_told_once_to_each_player_unless_it_is_taken_back(plot in plots()) {
        let mut told = BTreeSet::new();
        for moment in run(&plot) {
            let key = (moment.step.game, moment.step.user.id.clone());
            match moment.outcome {
                Outcome::Told(true) => {
                    prop_assert_eq!(moment.after[&moment.step.game].stage, Stage::Running);
                    prop_assert!(told.insert(key), "{:?}", moment.step);
                }
                _ if moment.step.action == Action::ReleaseStart && !is_started(&moment.after, &key) => {
                    told.remove(&key);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn a_lobby_that_all_players_left_is_gone(plot in plots()) {
        for moment in run(&plot) {
            prop_assert!(moment.after.values().all(|game| game.people().next().is_some()));
            if moment.step.action != Action::Close {
                continue;
            }
            let Some(game) = moment.before.get(&moment.step.game) else { continue };
            let is_due = game.stage == Stage::Lobby && game.closes_at <= moment.now;
            if is_due && game.people().all(|player| player.absent_since.is_some()) {
                prop_assert!(!moment.after.contains_key(&game.id));
            }
        }
    }

    #[test]
    fn a_game_only_goes_forward_and_newer_facts_are_told_from_older_ones(plot in plots()) {
        for moment in run(&plot) {
            for (id, game) in &moment.before {
                let Some(after) = moment.after.get(id) else { continue };
                prop_assert!(after.stage >= game.stage);
                prop_assert!(after == game || after.version > game.version);
            }
        }
    }

    #[test]
    fn guests_of_one_game_have_different_names(plot in plots()) {
        for moment in run(&plot) {
            for game in moment.after.values() {
                let guests = game.players.iter().filter(|it| it.user.user_type == UserType::Guest);
                let names: BTreeSet<_> = guests.clone().map(|it| &it.user.name).collect();
                prop_assert_eq!(names.len(), guests.count());
            }
        }
    }

    #[test]
    fn a_step_without_effect_changed_nothing(plot in plots()) {
        for moment in run(&plot) {
            let nothing = match &moment.outcome {
                Outcome::Changed(false) => moment.step.action != Action::Close,
                Outcome::Told(false) | Outcome::Finished(Err(_) | Ok(Finish::Before(_))) => true,
                Outcome::Hastened(Err(_)) => true,
                Outcome::Departed(users) => users.is_empty(),
                _ => false,
            };
            prop_assert!(!nothing || moment.before == moment.after, "{:?}", moment.step);
        }
    }
}

/// Whether the player is told to have had START.
fn is_started(facts: &Facts, (game, user): &(GameId, UserId)) -> bool {
    facts.get(game).and_then(|game| game.player(user)?.started()).is_some()
}
