//! What every store promises: the same stories are told to it and to games on paper,
//! which `promises.rs` has looked at, and both have to know the same after each step.

use std::sync::Arc;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::embedded::Pod;
use super::redis::on;
use super::story::{Facts, Moment, Told, plots, tell};
use super::*;

/// All facts but how often they have changed, which is everybody's own affair.
fn without_versions<'a>(games: impl Iterator<Item = &'a Arc<Game>>) -> Vec<Game> {
    let mut games: Vec<_> = games.map(|game| Game { version: 0, ..Game::clone(game) }).collect();
    // Which pod holds a socket is another matter.
    let sockets = games.iter_mut().flat_map(|game| &mut game.players).map(|it| &mut it.sockets);
    sockets.for_each(|sockets| sockets.values_mut().for_each(|pod| *pod = "any".into()));
    games.sort_by_key(|game| game.id);
    games
}

/// Tells a story to servers, of whom each step meets another.
async fn keeps_to_the_story(pods: &[Arc<Deeds>], (limit, moments): &(usize, Vec<Moment>)) {
    let mut versions = Facts::new();
    for (number, moment) in moments.iter().enumerate() {
        let told = Told { step: moment.step.clone(), now: moment.now };
        let outcome = told.take(&pods[number % pods.len()], *limit).await;
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

/// The story without restarts: what becomes of these differs from one implementation to the other.
fn story(plot: &super::story::Plot) -> (usize, Vec<Moment>) {
    let steady = plot.1.iter().filter(|chance| !chance.is_restart()).copied().collect();
    (plot.0, tell(&(plot.0, steady)))
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
