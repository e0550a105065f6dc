//! The recent speeds of people, so that bots are about as fast.

use crate::game::{Game, User, UserType};
use crate::module::Cx;

/// Number of races that count.
const LATEST: usize = 5;

/// The recent speeds of the people in a lobby, in words per minute, where known. A guest's are known from the games
/// still in the live state.
pub(super) async fn of_people(cx: &Cx, lobby: &Game) -> Vec<f64> {
    let mut paces = Vec::new();
    for player in lobby.people() {
        paces.extend(of_person(cx, &player.user).await);
    }
    paces
}

/// The speed of one person. A failed read counts as unknown: it does not keep bots away.
async fn of_person(cx: &Cx, user: &User) -> Option<f64> {
    let played = cx.live().played(&user.id).await.unwrap_or_default();
    let speeds = played.iter().rev().filter_map(|game| speed_in(game, user)).take(LATEST);
    if let Some(pace) = mean(speeds.collect()) {
        return Some(pace);
    }
    if user.user_type != UserType::Registered {
        return None;
    }
    let summary = cx.records().summary(&user.id).await.ok()?;
    (summary.races > 0).then_some(summary.last_ten.wpm)
}

/// The speed of the user's ranked result, if there is one.
fn speed_in(game: &Game, user: &User) -> Option<f64> {
    let result = game.player(&user.id)?.result?;
    (result.rank > 0).then_some(result.figures.wpm)
}

fn mean(speeds: Vec<f64>) -> Option<f64> {
    (!speeds.is_empty()).then(|| speeds.iter().sum::<f64>() / speeds.len() as f64)
}
