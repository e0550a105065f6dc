//! What is written to the records, and what a restart restores.

use proptest::prelude::*;

use super::redis::on;
use super::story::{Action, plots, run};
use super::*;

/// The facts as they come back from the records.
fn read_back(game: &Game) -> Game {
    serde_json::from_str(&serde_json::to_string(game).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn what_is_written_down_is_what_is_known(plot in plots()) {
        for moment in run(&plot) {
            prop_assert_eq!(moment.written, moment.after, "{:?}", moment.step);
        }
    }

    #[test]
    fn facts_are_read_back_as_they_were_written(plot in plots()) {
        let Some(moment) = run(&plot).pop() else { return Ok(()) };
        for game in moment.after.values() {
            prop_assert_eq!(&read_back(game), &**game);
        }
    }

    #[test]
    fn a_restart_keeps_every_game_and_every_seat(plot in plots()) {
        for moment in run(&plot).into_iter().filter(|it| it.step.action == Action::Restart) {
            prop_assert!(moment.before.keys().eq(moment.after.keys()));
            for (before, after) in moment.before.values().zip(moment.after.values()) {
                prop_assert_eq!((before.stage, before.full), (after.stage, after.full));
                prop_assert_eq!((before.words(), before.ends_at), (after.words(), after.ends_at));
                prop_assert_eq!(before.players.len(), after.players.len());
                for (before, after) in before.players.iter().zip(&after.players) {
                    prop_assert_eq!(&before.user, &after.user);
                    prop_assert_eq!((before.started(), before.result), (after.started(), after.result));
                    prop_assert!(after.sockets.is_empty());
                }
            }
        }
    }

    #[test]
    fn after_a_restart_nothing_is_due_before_players_can_come_back(plot in plots()) {
        for moment in run(&plot).into_iter().filter(|it| it.step.action == Action::Restart) {
            let resume = moment.now + RESUME;
            for (before, after) in moment.before.values().zip(moment.after.values()) {
                match after.stage {
                    Stage::Lobby => {
                        prop_assert_eq!(after.closes_at, before.closes_at.max(resume));
                        let mut absent = after.people().map(|player| player.absent_since);
                        prop_assert!(absent.all(|since| since == Some(resume)));
                    }
                    Stage::Countdown => {
                        prop_assert_eq!(after.starts_at, before.starts_at.max(Some(resume)));
                    }
                    Stage::Closed | Stage::Running => {
                        prop_assert_eq!(after.starts_at, before.starts_at);
                    }
                }
            }
        }
    }

    #[test]
    fn ids_are_never_used_again(plot in plots()) {
        let mut last = GameId(0);
        for moment in run(&plot) {
            let opened: Vec<_> =
                moment.after.keys().filter(|id| !moment.before.contains_key(id)).collect();
            prop_assert!(opened.len() <= 1 && opened.iter().all(|id| **id > last));
            last = opened.first().map_or(last, |id| **id);
        }
    }
}

#[tokio::test]
async fn all_games_are_visited_but_those_that_cannot_be_parsed() {
    on(2, async |cluster| {
        let (one, two) = (&cluster.pods[0], &cluster.pods[1]);
        let mut ids = Vec::new();
        // One more than two batches.
        for n in 0..=200 {
            ids.push(one.enter(request(5 * n, rules(1), Timestamp(0))).await.unwrap().id);
        }
        let spoilt = ids.pop().unwrap();
        cluster.spoil(spoilt).await;
        let visited: Vec<_> = two.all().await.unwrap().iter().map(|game| game.id).collect();
        assert_eq!(visited, ids);
        two.find(spoilt).await.expect_err("a game that cannot be parsed");
    })
    .await;
}
