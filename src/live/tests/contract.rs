//! What every implementation of [`LiveState`] promises: the same stories are told to it and to [`Games`],
//! which `promises.rs` has looked at, and both have to know the same after each step.

use std::sync::Arc;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::embedded::Pod;
use super::redis::on;
use super::story::{Deed, Facts, Moment, Outcome, plots, tell};
use super::*;
use crate::live::LiveState;

/// Does what the step says, and answers as the story would.
async fn take(live: &dyn LiveState, moment: &Moment, limit: usize) -> Outcome {
    let (user, game, now) = (moment.step.user.clone(), moment.step.game, moment.now);
    let words = "some words".into();
    let changed = |game: Option<Arc<Game>>| Outcome::Changed(game.is_some());
    match moment.step.deed {
        Deed::Wait | Deed::Restart => Outcome::Nothing,
        Deed::Enter | Deed::Reconnect | Deed::EnterInvited | Deed::EnterAlone => {
            let entry = moment.step.entry(now, rules(limit));
            Outcome::Seated(live.enter(entry).await.unwrap().id)
        }
        Deed::Hasten => {
            let hastened = live.hasten(game, &user.id, now + rules(limit).full_grace).await;
            Outcome::Hastened(hastened.map(drop).map_err(|error| error.kind().code))
        }
        Deed::BeReady => {
            let ready = live.be_ready(game, &user.id, now + rules(limit).full_grace).await;
            Outcome::Hastened(ready.map(drop).map_err(|error| error.kind().code))
        }
        Deed::SeatBots => changed(live.seat_bots(game, bots(), limit, now).await.unwrap()),
        Deed::Leave => {
            changed(live.go_absent(game, &user.id, moment.step.socket, now).await.unwrap())
        }
        Deed::Abandon => {
            let (door, socket) = (&moment.step.door, moment.step.socket);
            changed(live.abandon(&user.id, door, socket, now).await.unwrap())
        }
        Deed::Dismiss => {
            let departed = live.dismiss_absent(game, now - ABSENCE, now).await.unwrap();
            Outcome::Departed(departed.users)
        }
        Deed::Close => changed(live.close_lobby(game, now).await.unwrap()),
        Deed::Prepare => changed(live.prepare(game, words, now + START_COUNTDOWN).await.unwrap()),
        Deed::Start => changed(live.start(game, now).await.unwrap()),
        Deed::ClaimStart => Outcome::Told(live.claim_start(game, &user.id, now).await.unwrap()),
        Deed::ReleaseStart => {
            live.release_start(game, &user.id, moment.step.claimed).await.unwrap();
            Outcome::Nothing
        }
        Deed::Track => changed(live.track(game, &user.id, &moment.step.seen).await.unwrap()),
        Deed::Finish => {
            let finish = live.finish(game, &user.id, moment.step.claim).await;
            Outcome::Finished(finish.map_err(|error| error.kind().code))
        }
        Deed::End => changed(live.end(game, now).await.unwrap()),
    }
}

/// All facts but how often they have changed, which is everybody's own affair.
fn without_versions<'a>(games: impl Iterator<Item = &'a Arc<Game>>) -> Vec<Game> {
    let mut games: Vec<_> = games.map(|game| Game { version: 0, ..Game::clone(game) }).collect();
    games.sort_by_key(|game| game.id);
    games
}

/// Tells a story to servers, of whom each step meets another.
async fn keeps_to_the_story(pods: &[Arc<dyn LiveState>], (limit, moments): (usize, Vec<Moment>)) {
    let mut versions = Facts::new();
    for (number, moment) in moments.iter().enumerate() {
        let outcome = take(&*pods[number % pods.len()], moment, limit).await;
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
        Runtime::new().unwrap().block_on(async {
            let pod = Pod::start().await;
            keeps_to_the_story(&[pod.live.clone() as Arc<dyn LiveState>], story(&plot)).await;
        });
    }

    #[test]
    fn the_live_state_on_redis_keeps_to_the_story(plot in plots()) {
        Runtime::new().unwrap().block_on(async {
            on(2, async |cluster| {
                let pods: Vec<_> =
                    cluster.pods.iter().map(|pod| pod.clone() as Arc<dyn LiveState>).collect();
                keeps_to_the_story(&pods, story(&plot)).await;
            })
            .await;
        });
    }
}
