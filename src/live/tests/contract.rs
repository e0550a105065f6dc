//! The contract of a store: the same stories run against it and against the in-memory store that `promises.rs` checks, and
//! both must have the same facts after each step.

use std::sync::Arc;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::embedded::Pod;
use super::redis::on;
use super::story::{Facts, Moment, TimedStep, plots, run};
use super::*;

/// The facts without their versions, which differ from store to store.
fn without_versions<'a>(games: impl Iterator<Item = &'a Arc<Game>>) -> Vec<Game> {
    let mut games: Vec<_> = games.map(|game| Game { version: 0, ..Game::clone(game) }).collect();
    // Nor does it matter which pod holds a socket.
    let sockets = games.iter_mut().flat_map(|game| &mut game.players).map(|it| &mut it.sockets);
    sockets.for_each(|sockets| sockets.values_mut().for_each(|pod| *pod = "any".into()));
    games.sort_by_key(|game| game.id);
    games
}

/// Runs a story on several pods, each step on the next one.
async fn keeps_to_the_story(pods: &[Arc<TestPod>], (limit, moments): &(usize, Vec<Moment>)) {
    let mut versions = Facts::new();
    for (number, moment) in moments.iter().enumerate() {
        let timed = TimedStep { step: moment.step.clone(), now: moment.now };
        let outcome = timed.take(&pods[number % pods.len()], *limit).await;
        assert_eq!(outcome, moment.outcome, "{:?}", moment.step);
        let games = pods[(number + 1) % pods.len()].all().await.unwrap();
        let expected = without_versions(moment.after.values());
        assert_eq!(without_versions(games.iter()), expected, "{:?}", moment.step);
        for game in games {
            let before = versions.insert(game.id, game.clone());
            if let Some(before) = before.filter(|before| *before != game) {
                assert!(before.version < game.version, "{:?}", moment.step);
            }
        }
    }
}

/// The story without restarts, which differ between the stores.
fn story(plot: &super::story::Plot) -> (usize, Vec<Moment>) {
    let steady = plot.1.iter().filter(|step| !step.is_restart()).copied().collect();
    (plot.0, run(&(plot.0, steady)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_live_state_of_one_process_keeps_to_the_story(plot in plots()) {
        let story = story(&plot);
        Runtime::new().unwrap().block_on(async {
            let pod = Pod::start().await;
            keeps_to_the_story(std::slice::from_ref(&pod.live), &story).await;
        });
    }

    #[test]
    fn the_live_state_on_redis_keeps_to_the_story(plot in plots()) {
        let story = story(&plot);
        Runtime::new().unwrap().block_on(on(2, async |cluster| {
            keeps_to_the_story(&cluster.pods, &story).await;
        }));
    }
}
