//! Links to a race that work without an account, and cannot be guessed although the numbers of races can.

use salvo::oapi::{Components, Operation, ParameterIn};
use salvo::{Depot, Extractible, Request};

use crate::game::GameId;
use crate::http::{may_fail, text_parameter};
use crate::module::Cx;
use crate::{Error, Kind};

/// What a link leads to. Links of different kinds to one race tell nothing of each other.
#[derive(Clone, Copy, Debug)]
pub enum PublicLink {
    /// The replay of a recorded race.
    Replay,
    /// A race that is going on.
    Watch,
}

impl PublicLink {
    fn purpose(self) -> &'static str {
        match self {
            Self::Replay => "the replay of",
            Self::Watch => "watching",
        }
    }

    /// The last part of the address.
    pub fn to(self, cx: &Cx, game: GameId) -> String {
        format!("{game}-{}", cx.secret_of(&format!("{} {game}", self.purpose())))
    }

    /// The race that a link leads to, if it is one.
    pub fn game(self, cx: &Cx, link: &str) -> Option<GameId> {
        let game = Self::claimed_game(link)?;
        (self.to(cx, game) == link).then_some(game)
    }

    /// The race that a link of any kind claims to lead to.
    pub fn claimed_game(link: &str) -> Option<GameId> {
        link.split('-').next().and_then(|it| it.parse().ok()).map(GameId)
    }

    /// The race of the link in the path of a request.
    ///
    /// # Errors
    /// `GAME_NOT_FOUND`, if it leads to none.
    pub async fn in_path(self, req: &mut Request, depot: &mut Depot) -> Result<GameId, Error> {
        let cx = <Cx as Extractible>::extract(req, depot).await?;
        let link = req.params().get("link").cloned().unwrap_or_default();
        self.game(&cx, &link).ok_or_else(|| Kind::GAME_NOT_FOUND.into())
    }

    /// Documents a link, or the like, in the path.
    pub fn document(
        components: &mut Components,
        operation: &mut Operation,
        name: &str,
        about: &str,
    ) {
        let parameter = text_parameter(name, about).location(ParameterIn::Path);
        operation.parameters.insert(parameter.required(true));
        may_fail(components, operation, &[Kind::GAME_NOT_FOUND]);
    }
}
