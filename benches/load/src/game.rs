//! The frames of a race that are due, and those that have arrived.
//!
//! A player passes the positions of the text in order, so each keystroke has a number, which follows from the player
//! and the position in a frame. The number gives the time of sending; skipped numbers are lost frames, and repeated
//! ones are doubled. Nothing is added to the frames for this.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::format::{Edit, Position};

/// A race, as the generator tracks it.
#[derive(Debug)]
pub struct Game {
    /// Its id.
    pub id: u64,
    /// The positions in the order in which players pass them; the first one is that at START.
    positions: Vec<Position>,
    /// The characters that lead from each position to the next.
    letters: Vec<char>,
    /// Index of the first position of each word.
    words: Vec<usize>,
    racers: RefCell<Vec<Rc<Racer>>>,
}

/// A player of this generator in a race.
#[derive(Debug)]
pub struct Racer {
    user: Box<[u8]>,
    /// Keystrokes sent.
    sent: Cell<u64>,
    /// When the latest keystroke at each position was sent, in nanoseconds of the run.
    sent_at: Box<[Cell<u64>]>,
    /// Whether the player has stopped sending.
    is_done: Cell<bool>,
}

/// The kinds of frames with a position.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A frame that was due.
    Delivered {
        /// When it was sent, in nanoseconds of the run.
        sent_at: u64,
        /// Earlier keystrokes of the same player that have not arrived.
        skipped: u64,
    },
    /// A frame that has arrived before, or after a newer one.
    Doubled,
    /// A position from before this socket was open.
    CatchUp,
    /// Of a player that this generator does not play, such as a bot.
    Stranger,
    /// Of the receiver itself, or at a position at which nothing was sent.
    Wrong,
}

impl Game {
    /// A race with this text: words joined by single blanks.
    pub fn new(id: u64, text: &str) -> Self {
        let (mut positions, mut words) = (Vec::new(), Vec::new());
        for (word, letters) in (0..).zip(text.split(' ')) {
            words.push(positions.len());
            let last = i32::try_from(letters.chars().count()).unwrap_or(i32::MAX);
            positions.extend((-1..last).map(|char| Position { word, char }));
        }
        let letters = text.chars().collect();
        Self { id, positions, letters, words, racers: RefCell::default() }
    }

    /// Number of keystrokes of the text.
    pub fn keystrokes(&self) -> u64 {
        self.positions.len() as u64 - 1
    }

    /// Adds a player, unless already there. Returns its index.
    pub fn add(&self, user: &str) -> usize {
        let mut racers = self.racers.borrow_mut();
        let known = racers.iter().position(|it| *it.user == *user.as_bytes());
        known.unwrap_or_else(|| {
            racers.push(Rc::new(Racer {
                user: user.as_bytes().into(),
                sent: Cell::new(0),
                sent_at: vec![Cell::new(0); self.positions.len()].into(),
                is_done: Cell::new(false),
            }));
            racers.len() - 1
        })
    }

    /// The player with this index.
    pub fn racer(&self, index: usize) -> Rc<Racer> {
        self.racers.borrow()[index].clone()
    }

    /// Whether all players of this generator have stopped sending.
    pub fn is_done(&self) -> bool {
        self.racers.borrow().iter().all(|it| it.is_done.get())
    }

    /// Counts a player's next keystroke as sent now. After the last position of the text, the first one follows again.
    pub fn press(&self, racer: &Racer, now: u64) -> Position {
        racer.sent.set(racer.sent.get() + 1);
        let index = racer.sent.get() as usize % self.positions.len();
        racer.sent_at[index].set(now);
        self.positions[index]
    }

    /// A player's keystroke with this number, from 0 on, as an edit. `start` is the time of START.
    pub fn edit(&self, racer: &Racer, number: u64, start: u64) -> Edit {
        let index = (number + 1) as usize % self.positions.len();
        let at = racer.sent_at[index].get().saturating_sub(start) / 1_000_000;
        match index.checked_sub(1) {
            Some(before) => Edit { at, del: 0, ins: self.letters.get(before).copied() },
            None => Edit { at, del: self.keystrokes(), ins: None },
        }
    }

    fn index(&self, at: Position) -> Option<usize> {
        let index = self.words.get(at.word as usize)? + usize::try_from(at.char + 1).ok()?;
        (self.positions.get(index) == Some(&at)).then_some(index)
    }
}

impl Racer {
    /// Number of keystrokes sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// The player has stopped sending.
    pub fn finish(&self) {
        self.is_done.set(true);
    }

    /// The number of the newest keystroke at a position.
    fn newest_at(&self, index: usize, positions: usize) -> Option<u64> {
        let behind = self.sent.get().checked_sub(index as u64)? % positions as u64;
        let number = self.sent.get() - behind;
        (number > 0).then_some(number)
    }
}

/// The keystrokes of each player that one socket has received.
#[derive(Debug, Default)]
pub struct Tracks {
    tracks: Vec<Track>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Track {
    /// Keystrokes sent before the socket was open.
    base: u64,
    /// The newest one received.
    last: u64,
}

impl Tracks {
    /// The socket is open from now on: earlier keystrokes are not due on it.
    pub fn open(&mut self, game: &Game) {
        let racers = game.racers.borrow();
        self.tracks.resize(racers.len(), Track::default());
        for (track, racer) in self.tracks.iter_mut().zip(&*racers) {
            *track = Track { base: racer.sent(), last: racer.sent() };
        }
    }

    /// Classifies a frame that the player with index `me` has received.
    pub fn hear(&mut self, game: &Game, me: usize, user: &[u8], at: Position) -> Frame {
        let racers = game.racers.borrow();
        let Some(from) = racers.iter().position(|it| *it.user == *user) else {
            return Frame::Stranger;
        };
        let racer = &racers[from];
        let index = game.index(at).filter(|_| from != me);
        let Some((index, number)) =
            index.and_then(|it| Some((it, racer.newest_at(it, game.positions.len())?)))
        else {
            return Frame::Wrong;
        };
        if self.tracks.len() < racers.len() {
            self.tracks.resize(racers.len(), Track::default());
        }
        let track = &mut self.tracks[from];
        if number <= track.base {
            return Frame::CatchUp;
        }
        if number <= track.last {
            return Frame::Doubled;
        }
        let skipped = number - track.last - 1;
        track.last = number;
        Frame::Delivered { sent_at: racer.sent_at[index].get(), skipped }
    }

    /// Number of keystrokes of the other players that have not arrived yet.
    pub fn missing(&self, game: &Game, me: usize) -> u64 {
        let racers = game.racers.borrow();
        let of = |index: usize| self.tracks.get(index).copied().unwrap_or_default().last;
        let others = racers.iter().enumerate().filter(|(index, _)| *index != me);
        others.map(|(index, racer)| racer.sent() - of(index)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A race of two players, and the kind of each frame of the first one.
    fn race() -> (Game, Rc<Racer>) {
        let game = Game::new(7, "ab c");
        assert_eq!((game.add("anna"), game.add("ben"), game.add("anna")), (0, 1, 0));
        let anna = game.racer(0);
        (game, anna)
    }

    fn delivered(sent_at: u64, skipped: u64) -> Frame {
        Frame::Delivered { sent_at, skipped }
    }

    #[test]
    fn the_text_is_passed_character_by_character() {
        let (game, anna) = race();
        assert_eq!(game.keystrokes(), 4);
        let at = |word, char| Position { word, char };
        let passed: Vec<_> = (0..5).map(|_| game.press(&anna, 0)).collect();
        assert_eq!(passed, [at(0, 0), at(0, 1), at(1, -1), at(1, 0), at(0, -1)]);
        for position in passed {
            assert_eq!(game.positions[game.index(position).expect("a position")], position);
        }
        for outside in [at(0, 2), at(0, -2), at(1, 1), at(2, -1)] {
            assert_eq!(game.index(outside), None, "{outside:?}");
        }
    }

    #[test]
    fn a_frame_that_is_left_out_is_lost_and_one_that_comes_again_is_doubled() {
        let (game, anna) = race();
        let mut ben = Tracks::default();
        ben.open(&game);
        let pressed: Vec<_> = (1..=4).map(|now| game.press(&anna, now)).collect();
        assert_eq!(ben.hear(&game, 1, b"anna", pressed[0]), delivered(1, 0));
        assert_eq!(ben.hear(&game, 1, b"anna", pressed[2]), delivered(3, 1));
        assert_eq!(ben.hear(&game, 1, b"anna", pressed[2]), Frame::Doubled);
        assert_eq!(ben.hear(&game, 1, b"anna", pressed[1]), Frame::Doubled);
        assert_eq!(ben.missing(&game, 1), 1);
        assert_eq!(ben.hear(&game, 1, b"bot", pressed[3]), Frame::Stranger);
        assert_eq!(ben.hear(&game, 0, b"anna", pressed[3]), Frame::Wrong);
        assert_eq!(ben.hear(&game, 1, b"anna", pressed[3]), delivered(4, 0));
        assert_eq!(ben.missing(&game, 1), 0);
    }

    #[test]
    fn what_was_typed_before_a_socket_opened_is_not_due_on_it() {
        let (game, anna) = race();
        let first = game.press(&anna, 1);
        let second = game.press(&anna, 2);
        let mut ben = Tracks::default();
        ben.open(&game);
        assert_eq!(ben.hear(&game, 1, b"anna", second), Frame::CatchUp);
        assert_eq!(ben.hear(&game, 1, b"anna", first), Frame::CatchUp);
        assert_eq!(ben.missing(&game, 1), 0);
        let third = game.press(&anna, 3);
        assert_eq!(ben.missing(&game, 1), 1);
        assert_eq!(ben.hear(&game, 1, b"anna", third), delivered(3, 0));
    }

    #[test]
    fn a_text_typed_again_and_again_is_followed_over_its_end() {
        let (game, anna) = race();
        let mut ben = Tracks::default();
        ben.open(&game);
        for now in 1..=23 {
            let position = game.press(&anna, now);
            assert_eq!(ben.hear(&game, 1, b"anna", position), delivered(now, 0), "{now}");
        }
    }

    #[test]
    fn a_position_that_was_not_sent_is_wrong() {
        let (game, anna) = race();
        game.press(&anna, 1);
        let mut ben = Tracks::default();
        assert_eq!(ben.hear(&game, 1, b"anna", Position { word: 1, char: 0 }), Frame::Wrong);
        assert_eq!(ben.hear(&game, 1, b"anna", Position { word: 0, char: -1 }), Frame::Wrong);
    }

    #[test]
    fn a_race_is_done_when_all_its_players_are() {
        let (game, anna) = race();
        anna.finish();
        assert!(!game.is_done());
        game.racer(1).finish();
        assert!(game.is_done());
    }
}
