//! The socket of a spectator: it has no seat, and its client has nothing to say.

use std::time::Duration;

use salvo::oapi::Parameter;

use super::audience::{Audiences, SpectatorSlot};
use super::count::SpectatorCounts;
use super::settings::WatchSettings;
use super::wire::{Carets, Watching};
use crate::handlers::shared::{PublicLink, RaceWatched, WATCH};
use crate::http::text_parameter;
use crate::module::Cx;
use crate::socket::{Ending, Handshake, Opening, Say, Seat, Socket};
use crate::{Error, Kind};

/// How long a client may keep its socket once the game is removed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket of a spectator.
pub(super) struct WatchSocket {
    slot: SpectatorSlot,
    /// Whether it has told its client of the race; what comes later is told to all.
    has_told: bool,
}

impl Socket for WatchSocket {
    const PATH: &'static str = "/api/v1/watch/live/ws";
    const CHANNEL: crate::socket::Channel = WATCH;
    const ABOUT: &'static str = "A race for spectators, without a seat or a token: WATCHING at first and after each \
        change, and CARETS once per tick while something moves. Each message stands for all before it with the same event. \
        Query: link, as GET /watch returns it to the players. The client sends nothing.";
    const REFUSES: &'static [Kind] = &[Kind::GAME_NOT_FOUND, Kind::TOO_MANY_REQUESTS];
    type Emits = Option<RaceWatched>;
    type Says = (Watching, Carets);
    type Own = ();

    fn query() -> Vec<Parameter> {
        vec![text_parameter("link", "The link for spectators.").required(true)]
    }

    async fn admit(cx: &Cx, handshake: &Handshake<'_>) -> Result<Self, Error> {
        let query = handshake.query();
        let link = query.text("link").ok_or_else(|| Error::validation("link: is missing"))?;
        let game = PublicLink::Watch.game(cx, link).ok_or(Kind::GAME_NOT_FOUND)?;
        let (settings, counts) = (cx.state::<WatchSettings>(), cx.state::<SpectatorCounts>());
        let left = settings.most_per_race.saturating_sub(counts.elsewhere(game));
        let Some(slot) = cx.state::<Audiences>().enter(game, left, settings.most_per_pod) else {
            cx.counter("refused").add(1);
            return Err(Error::new(Kind::TOO_MANY_REQUESTS, "too many spectators"));
        };
        if slot.audience.scene(cx).await?.is_forbidden {
            return Err(Kind::GAME_NOT_FOUND.into());
        }
        Ok(Self { slot, has_told: false })
    }

    async fn open(&mut self, cx: &Cx) -> Result<Opening<Self::Emits>, Error> {
        let game = self.slot.audience.game;
        cx.state::<SpectatorCounts>().begin(cx);
        let is_first = cx.rooms().get(WATCH, game).is_none();
        let emits = is_first.then_some(RaceWatched { game });
        Ok(Opening { game, user: None, login: None, greeting: Vec::new(), emits })
    }

    async fn catch_up(&mut self, cx: &Cx, _: &Seat) -> Result<Say, Error> {
        let audience = &self.slot.audience;
        let scene = audience.scene(cx).await?;
        if scene.is_forbidden {
            return Ok(Say::goodbye(Kind::GAME_NOT_FOUND));
        }
        let say = if std::mem::replace(&mut self.has_told, true) {
            // It was woken, or a heartbeat is due. What is news is shown to all.
            audience.read_soon(cx);
            Say::nothing()
        } else {
            Say::message(&scene.now(cx))
        };
        Ok(if scene.is_gone { say.then_close(PATIENCE) } else { say })
    }

    async fn closed(self, _: &Cx, _: &Seat, _: &Ending) -> Result<Self::Emits, Error> {
        Ok(None)
    }
}
