//! Arguments of endpoints. They are extracted in their order, so an invalid query is reported before a missing token,
//! as in the Python backend.

use salvo::extract::Metadata;
use salvo::oapi::{
    Components, EndpointArgRegister, Object, Operation, Parameter, ParameterIn, schema::BasicType,
};
use salvo::{Depot, Extractible, Request};

use super::edge::{Query, may_fail};
use crate::game::GameId;
use crate::module::context::Cx;
use crate::{Error, Kind};

/// salvo asks every argument for a description of fields that it could extract; these arguments extract themselves.
pub fn no_metadata() -> &'static Metadata {
    static NONE: std::sync::LazyLock<Metadata> = std::sync::LazyLock::new(|| Metadata::new(""));
    &NONE
}

/// An optional query parameter, an integer within bounds; documented with the bounds that are enforced.
pub struct BoundedInteger {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// The smallest value.
    pub from: i64,
    /// The largest value.
    pub to: i64,
}

impl BoundedInteger {
    /// Its value, if present.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, if it is not an integer or out of bounds.
    pub fn of(&self, query: &Query<'_>) -> Result<Option<i64>, Error> {
        let Self { name, from, to, .. } = *self;
        if query.text(name).is_none() {
            return Ok(None);
        }
        let value = query.integer(name)?;
        if (from..=to).contains(&value) {
            return Ok(Some(value));
        }
        Err(Error::validation(format!("query parameter {name}: must be from {from} to {to}")))
    }

    /// Its entry in the documentation.
    pub fn parameter(&self) -> Parameter {
        let bounded = Object::with_type(BasicType::Integer).minimum(self.from).maximum(self.to);
        integer_parameter(self.name, self.about).schema(bounded).required(false)
    }

    /// Adds it to the documentation.
    pub fn register(&self, components: &mut Components, operation: &mut Operation) {
        operation.parameters.insert(self.parameter());
        may_fail(components, operation, &[Kind::VALIDATION]);
    }
}

/// The query parameter `game_id`: a positive integer of any size.
#[derive(Clone, Copy, Debug)]
pub struct GameQuery(pub GameId);

impl<'ex> Extractible<'ex> for GameQuery {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        Query::of(req).integer("game_id").map(|id| Self(GameId(id)))
    }
}

impl EndpointArgRegister for GameQuery {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        operation.parameters.insert(integer_parameter("game_id", "The game.").required(true));
        may_fail(components, operation, &[Kind::VALIDATION]);
    }
}

/// A query parameter for the documentation.
pub fn integer_parameter(name: &str, about: &str) -> Parameter {
    Parameter::new(name)
        .location(ParameterIn::Query)
        .description(about)
        .schema(Object::with_type(BasicType::Integer))
}

/// The same for text.
pub fn text_parameter(name: &str, about: &str) -> Parameter {
    integer_parameter(name, about).schema(Object::with_type(BasicType::String)).required(false)
}

/// The context of the module that the route belongs to.
pub(super) fn cx_of(depot: &Depot) -> Result<&Cx, Error> {
    depot
        .get_typed::<Cx>()
        .map_err(|_| Error::internal("a route without the context of its module"))
}

impl<'ex> Extractible<'ex> for Cx {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(_: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, Error> {
        cx_of(depot).cloned()
    }
}

impl EndpointArgRegister for Cx {
    fn register(_: &mut Components, _: &mut Operation, _: &str) {}
}

/// The query parameter `key`: a one-time key.
#[derive(Debug)]
pub struct Key(pub String);

impl<'ex> Extractible<'ex> for Key {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        let key = Query::of(req).text("key").map(|key| Self(key.to_owned()));
        key.ok_or_else(|| Error::validation("query parameter key: is required"))
    }
}

impl EndpointArgRegister for Key {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        let parameter = text_parameter("key", "From the lobby's GET_TOKEN.");
        operation.parameters.insert(parameter.required(true));
        may_fail(components, operation, &[Kind::VALIDATION]);
    }
}
