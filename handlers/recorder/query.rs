//! The queries of recordings, and the links to replays and results.

use salvo::extract::Metadata;
use salvo::oapi::{Components, EndpointArgRegister, Operation};
use salvo::{Depot, Extractible, Request};

use super::recording::Recording;
use crate::Error;
use crate::game::GameId;
use crate::handlers::shared::PublicLink;
use crate::http::{BoundedInteger, Query, no_metadata, text_parameter};
use crate::module::Cx;
use crate::records::Cursor;

const SIZE: BoundedInteger =
    BoundedInteger { name: "size", about: "Recordings per page; default 20.", from: 1, to: 100 };
const GAME: BoundedInteger = BoundedInteger {
    name: "game_id",
    about: "Only the recording of this race.",
    from: 0,
    to: i64::MAX,
};

/// The query of the caller's recordings.
pub(super) struct OwnQuery {
    pub(super) size: u32,
    pub(super) game: Option<GameId>,
    pub(super) cursor: Option<Cursor>,
}

impl<'ex> Extractible<'ex> for OwnQuery {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        let query = Query::of(req);
        let size = SIZE.of(&query)?.and_then(|size| u32::try_from(size).ok()).unwrap_or(20);
        let game = GAME.of(&query)?.map(GameId);
        let cursor = query.text("cursor").map(Cursor::parse).transpose()?;
        Ok(Self { size, game, cursor })
    }
}

impl EndpointArgRegister for OwnQuery {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        GAME.register(components, operation);
        SIZE.register(components, operation);
        let about = "Where the page begins: next of the page before.";
        operation.parameters.insert(text_parameter("cursor", about));
    }
}

/// The links of recordings. They cannot be guessed, since the numbers of races can.
pub(super) struct Links<'a>(pub(super) &'a Cx);

impl Links<'_> {
    /// The replay of a race.
    pub(super) fn replay(&self, game: GameId) -> String {
        PublicLink::Replay.to(self.0, game)
    }

    /// The signed result of a player, if there is a result. It stays the same if the account of a guest takes it over, and leads
    /// to no other player's.
    pub(super) fn result(&self, recording: &Recording) -> Option<String> {
        let (game, result) = (recording.game, recording.result?);
        let which = format!("the result of {game}: {}, {}", result.rank, result.finished.0);
        Some(format!("{game}-{}", self.0.secret_of(&which)))
    }
}

/// The race of a link, in the path.
pub(super) struct LinkedReplay(pub(super) GameId);

impl<'ex> Extractible<'ex> for LinkedReplay {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, Error> {
        PublicLink::Replay.in_path(req, depot).await.map(Self)
    }
}

impl EndpointArgRegister for LinkedReplay {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        PublicLink::document(components, operation, "link", "The link of a recording.");
    }
}

/// The id of a result, in the path.
pub(super) struct ResultPath {
    pub(super) id: String,
}

impl<'ex> Extractible<'ex> for ResultPath {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        Ok(Self { id: req.params().get("id").cloned().unwrap_or_default() })
    }
}

impl EndpointArgRegister for ResultPath {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        PublicLink::document(components, operation, "id", "The result_id of a recording.");
    }
}
