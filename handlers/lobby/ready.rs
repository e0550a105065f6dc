//! Ready players: once all people in a lobby are ready, it closes.

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::{Deserialize, Serialize};

use super::rules::FULL_GRACE;
use super::seats;
use crate::bus::{Event, Never, Reach};
use crate::game::{Game, GameId, Stage, UserId};
use crate::http::{Answer, Body, Caller, Empty, lenient};
use crate::module::Cx;
use crate::socket::Message;
use crate::{Error, Kind};

/// A player in a lobby is ready.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct PlayerReady {
    game: GameId,
    user: UserId,
}

impl Event for PlayerReady {
    const NAME: &'static str = "player.readied";
    const REACH: Reach = Reach::Game;
    type Loss = Never;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// A player of the lobby is ready. The countdown may be shorter now.
#[derive(Serialize, ToSchema)]
pub(super) struct UserReady {
    game_id: GameId,
    user_id: UserId,
}

impl Message for UserReady {
    const EVENT: &'static str = "USER_READY";
}

impl UserReady {
    pub(super) fn of(it: &PlayerReady) -> Self {
        Self { game_id: it.game, user_id: it.user.clone() }
    }
}

/// The lobby in which the caller is ready.
#[derive(Deserialize, ToSchema)]
#[salvo(schema(name = "Ready"))]
pub(super) struct Ready {
    /// The game.
    #[serde(deserialize_with = "lenient::integer")]
    game_id: i64,
}

/// Marks the caller as ready. One second after all people in the lobby are ready, it closes, and the race has a shorter
/// countdown. A friends' lobby needs at least two people for that.
#[endpoint(tags("lobby"))]
pub(super) async fn be_ready(
    cx: Cx,
    lobby: Body<Ready>,
    caller: Caller,
) -> Result<Answer<Empty>, Error> {
    let (its, game, user) = (cx.clone(), GameId(lobby.0.game_id), caller.0.id);
    cx.run_to_completion(async move {
        // One second more, as in a full lobby: the last player needs to get the cookie, and to see the others.
        let closes_at = its.now() + FULL_GRACE;
        let ready = |game: &mut Game| seats::be_ready(game, &user, closes_at);
        let changed = its.live().change("be_ready", game, ready).await?;
        let (ready, lobby) = changed.ok_or(Kind::GAME_NOT_FOUND)?;
        ready?;
        // Also if it is a repetition: the first answer may have been lost before the others were told.
        if lobby.stage == Stage::Lobby {
            its.arm(&lobby);
            its.publish(PlayerReady { game, user }).await;
        }
        Ok(Answer::ok())
    })
    .await
}
