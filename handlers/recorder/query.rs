//! The queries of recordings.

use salvo::extract::Metadata;
use salvo::oapi::{Components, EndpointArgRegister, Operation, ParameterIn};
use salvo::{Depot, Extractible, Request};

use crate::game::GameId;
use crate::handlers::shared::Link;
use crate::http::{BoundedInteger, Query, may_fail, no_metadata, text_parameter};
use crate::module::Cx;
use crate::records::Cursor;
use crate::{Error, Kind};

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

/// The race of a link, in the path.
pub(super) struct Linked(pub(super) GameId);

impl<'ex> Extractible<'ex> for Linked {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, Error> {
        let cx = <Cx as Extractible>::extract(req, depot).await?;
        let link = req.params().get("link").cloned().unwrap_or_default();
        Link::Replay.game(&cx, &link).map(Self).ok_or_else(|| Kind::GAME_NOT_FOUND.into())
    }
}

impl EndpointArgRegister for Linked {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        let about = "The link of a recording.";
        let parameter = text_parameter("link", about).location(ParameterIn::Path);
        operation.parameters.insert(parameter.required(true));
        may_fail(components, operation, &[Kind::GAME_NOT_FOUND]);
    }
}
