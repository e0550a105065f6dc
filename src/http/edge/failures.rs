//! Failures in the OpenAPI document: each status that a route may answer, with its codes.
//!
//! An extractor declares the failures that it causes, a route its own, and the router those of every route.

use salvo::oapi::schema::BasicType;
use salvo::oapi::{
    Components, Content, Header, Object, Operation, RefOr, Response as Documented, ToSchema,
};

use super::answer::ErrorAnswer;
use crate::Kind;

/// Adds failures to an operation. Codes of the same status share one response, whose description lists them.
pub fn may_fail(components: &mut Components, operation: &mut Operation, kinds: &[Kind]) {
    let schema = ErrorAnswer::to_schema(components);
    for kind in kinds {
        let (status, code) = (kind.status.to_string(), format!("`{}`", kind.code));
        if let Some(RefOr::Type(known)) = operation.responses.get_mut(&status) {
            if !known.description.contains(&code) {
                known.description.push_str(", ");
                known.description.push_str(&code);
            }
            continue;
        }
        let content = Content::new(schema.clone());
        let response = Documented::new(code).add_content("application/json", content);
        operation.responses.insert(status, with_retry(kind.status, response));
    }
}

fn with_retry(status: u16, response: Documented) -> Documented {
    if !matches!(status, 429 | 503) {
        return response;
    }
    let seconds = Object::with_type(BasicType::Integer).minimum(0);
    response.add_header("Retry-After", Header::new(seconds).description("Seconds."))
}

/// The schema of a code: all rows of the error table.
pub(in crate::http) fn codes() -> Object {
    Object::with_type(BasicType::String)
        .enum_values(Kind::ALL.iter().map(|(kind, _)| kind.code))
        .description("Stable; the documentation page lists them all.")
}
