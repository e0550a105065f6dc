//! What follows from results, such as an entry on a board, is done when the event of a result arrives. Events can be missed, so
//! a timer does it again, until a part of the game says for how many results it is done.

use std::time::Duration;

use crate::game::{Player, Timestamp};

/// How long after the last result it is done again.
const LATER: Duration = Duration::from_secs(10);

/// When it is done again for these players, who have results; `None` if it is done for as many.
pub fn again_at<'a>(players: impl Iterator<Item = &'a Player>, done: usize) -> Option<Timestamp> {
    let finished: Vec<_> = players.filter_map(|it| Some(it.result?.finished)).collect();
    let last = finished.iter().max().filter(|_| finished.len() > done)?;
    Some(*last + LATER)
}

/// Notes that it is done for so many results. Returns whether that is news: pods may note it in any order.
pub fn raise(done: &mut usize, count: usize) -> bool {
    let is_news = *done < count;
    *done = count.max(*done);
    is_news
}
