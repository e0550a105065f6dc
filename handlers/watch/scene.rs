//! What spectators see of a race besides the carets, from its facts.

use std::collections::HashMap;
use std::sync::Arc;

use super::count::SpectatorCounts;
use super::rules::is_watchable;
use super::wire::{WatchCaret, WatchRow, WatchStage, Watching};
use crate::game::{Game, GameId, Stage, Timestamp, UserId};
use crate::handlers::shared::{
    Progress, ReplayWanted, Standing, TextAbout, TimeLimit, Typing, WATCH,
};
use crate::module::Cx;
use crate::socket::RACE;
use crate::{Error, Kind};

/// A race, as it was when its facts were read.
pub(super) struct Scene {
    pub(super) game: Arc<Game>,
    /// Whether the game is removed; `game` has its last facts.
    pub(super) is_gone: bool,
    /// Whether its host has forbidden spectators.
    pub(super) is_forbidden: bool,
    /// The link to its replay, once it is over.
    replay: Option<String>,
    /// The number of each player's seat, from 1.
    seats: HashMap<UserId, u32>,
    /// What is shown of it; what depends on the time is added (`now`).
    shown: Watching,
}

impl PartialEq for Scene {
    /// Whether spectators see the same.
    fn eq(&self, other: &Self) -> bool {
        (self.is_gone, self.is_forbidden) == (other.is_gone, other.is_forbidden)
            && self.shown == other.shown
            && self.seats == other.seats
    }
}

impl Scene {
    /// Reads the facts of a race. Once it is removed, it is as it was `before`, and over.
    ///
    /// # Errors
    /// `GAME_NOT_FOUND`, or `SERVICE_UNAVAILABLE`.
    pub(super) async fn read(cx: &Cx, id: GameId, before: Option<&Self>) -> Result<Self, Error> {
        let found = cx.live().find(id).await?;
        let is_gone = found.is_none();
        let game =
            found.or_else(|| before.map(|it| it.game.clone())).ok_or(Kind::GAME_NOT_FOUND)?;
        let mut replay = before.and_then(|it| it.replay.clone());
        if replay.is_none() && (is_gone || is_over(&game)) {
            // Without an answer there is no link.
            replay = cx.ask(ReplayWanted { game: id }).await.unwrap_or_default();
        }
        Ok(Self::of(game, is_gone, replay))
    }

    pub(super) fn of(game: Arc<Game>, is_gone: bool, replay: Option<String>) -> Self {
        let seats: HashMap<_, _> =
            (1..).zip(&game.players).map(|(seat, it)| (it.user.id.clone(), seat)).collect();
        let standing = |(seat, player): (u32, _)| Standing::of(player).called(seat.to_string());
        let about = TextAbout::clone(&game.part());
        let words = game.words();
        let shown = Watching {
            game_id: game.id,
            stage: stage(&game, is_gone),
            words: (!words.is_empty()).then(|| words.to_string()),
            about: Some(about).filter(|about| *about != TextAbout::default()),
            seconds: game.part::<TimeLimit>().0,
            starts_in: None,
            running_for: None,
            players: (1..).zip(&game.players).map(standing).collect(),
            carets: Vec::new(),
            spectators: 0,
            replay: replay.clone(),
        };
        let is_forbidden = !is_watchable(&game);
        Self { game, is_gone, is_forbidden, replay, seats, shown }
    }

    /// Whether it is over, and no replay is known.
    pub(super) fn lacks_replay(&self) -> bool {
        self.shown.stage == WatchStage::Over && self.replay.is_none()
    }

    /// The caret of a player. `None` if these facts do not know the player.
    pub(super) fn caret(&self, user: &UserId, position: (u32, i32)) -> Option<WatchCaret> {
        let (word, char) = position;
        Some([(*self.seats.get(user)?).into(), word.into(), char.into()])
    }

    /// The race as spectators see it now.
    pub(super) fn now(&self, cx: &Cx) -> Watching {
        let now = cx.now();
        let starts_at = self.game.starts_at;
        let after = |start: Timestamp| now.after(start).as_secs_f64();
        Watching {
            starts_in: starts_at
                .filter(|_| self.shown.stage == WatchStage::Countdown)
                .map(|at| at.after(now).as_secs_f64()),
            running_for: starts_at.filter(|_| self.shown.stage == WatchStage::Running).map(after),
            carets: self.carets(cx),
            spectators: cx.state::<SpectatorCounts>().shown(self.game.id),
            ..self.shown.clone()
        }
    }

    /// The newest known position of each player: as noted for the spectators, else by a socket here, else by the facts.
    fn carets(&self, cx: &Cx) -> Vec<WatchCaret> {
        if self.game.stage < Stage::Running {
            return Vec::new();
        }
        let noted = cx.rooms().get(WATCH, self.game.id).map(|room| room.noted::<WatchRow>());
        let noted: HashMap<_, _> = noted.into_iter().flatten().collect();
        let racing = cx.rooms().get(RACE, self.game.id);
        let caret = |player: &crate::game::Player| {
            let user = &player.user.id;
            let noted = noted.get(&Some(user.clone())).and_then(|row| row.position());
            let typed = || racing.as_ref()?.own::<Typing>(user)?.position();
            let stored = || player.part::<Progress>().position();
            self.caret(user, noted.or_else(typed).or_else(stored)?)
        };
        self.game.players.iter().filter_map(caret).collect()
    }
}

fn stage(game: &Game, is_gone: bool) -> WatchStage {
    match game.stage {
        _ if is_gone || is_over(game) => WatchStage::Over,
        Stage::Lobby | Stage::Closed => WatchStage::Lobby,
        Stage::Countdown => WatchStage::Countdown,
        Stage::Running => WatchStage::Running,
    }
}

/// Whether all people have a result.
fn is_over(game: &Game) -> bool {
    game.stage == Stage::Running && game.people().all(|player| player.result.is_some())
}
