//! Request bodies: JSON on the routes of players, forms for the actions of operators. Both are read in the same way,
//! with limits on length and memory and, at a stop, on the time for the rest of a body.

use futures_util::{FutureExt, StreamExt};
use salvo::extract::Metadata;
use salvo::http::ReqBody;
use salvo::oapi::{
    Components, Content, EndpointArgRegister, Operation, RequestBody, Required, ToSchema,
};
use salvo::{Depot, Extractible, Request};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::edge::may_fail;
use super::extract::{cx_of, no_metadata};
use super::serve::STOP_GRACE;
use crate::module::context::Cx;
use crate::{Error, Kind};

/// A JSON body. Unknown fields are ignored; a missing content type counts as JSON.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<'ex, T: DeserializeOwned + Send> Extractible<'ex> for Body<T> {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, Error> {
        let is_json = req.content_type().is_none_or(|it| {
            it.type_() == "application"
                && (it.subtype() == "json" || it.suffix().is_some_and(|it| it == "json"))
        });
        if !is_json {
            return Err(Error::validation("body: must be application/json"));
        }
        let payload = received(req, cx_of(depot)?).await?;
        // serde would accept an array as the fields of a struct.
        if payload.trim_ascii_start().first() == Some(&b'[') {
            return Err(Error::validation("body: must be an object"));
        }
        let mut json = serde_json::Deserializer::from_slice(&payload);
        let body = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            Error::validation(format!("body {}: {}", error.path(), error.inner()))
        })?;
        json.end().map_err(|error| Error::validation(format!("body: {error}")))?;
        Ok(Self(body))
    }
}

impl<T: ToSchema> EndpointArgRegister for Body<T> {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        let content = Content::new(T::to_schema(components));
        let body = RequestBody::new().add_content("application/json", content);
        operation.request_body = Some(body.required(Required::True));
        let kinds =
            [Kind::BAD_REQUEST, Kind::PAYLOAD_TOO_LARGE, Kind::VALIDATION, Kind::RESTARTING];
        may_fail(components, operation, &kinds);
    }
}

/// A body of `name=value` pairs, `application/x-www-form-urlencoded`, which is also assumed if the content type is
/// missing. If a field occurs twice, the last one counts.
#[derive(Debug)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the form of a request.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, if its content type is another; otherwise those of a [`Body`] that is unreadable or too
    /// long.
    pub(crate) async fn of(req: &mut Request, cx: &Cx) -> Result<Self, Error> {
        let is_form = req.content_type().is_none_or(|it| {
            it.essence_str().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        if !is_form {
            return Err(Error::validation("body: is not application/x-www-form-urlencoded"));
        }
        let payload = received(req, cx).await?;
        Ok(Self(form_urlencoded::parse(&payload).into_owned().collect()))
    }

    /// The value of a field, if present.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rfind(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// Reads the whole body, at most `limits.body_bytes`. When the server stops, the rest of a body gets the same grace as
/// a request ([`STOP_GRACE`]); at other times `limits.request_timeout` ends the request.
async fn received(req: &mut Request, cx: &Cx) -> Result<Vec<u8>, Error> {
    let (limit, stop) = (cx.settings().limits.body_bytes, cx.stop());
    tokio::select! {
        payload = collect(req.take_body(), limit) => payload,
        // By then the rest of a body that is being sent has arrived.
        () = stop.cancelled().then(|()| sleep(STOP_GRACE)) => Err(Kind::RESTARTING.into()),
    }
}

/// Copies each chunk of a body as it arrives. A chunk from hyper keeps its whole 8 KiB read buffer allocated: if chunks
/// were kept until the end, a body that arrives byte by byte would take thousands of times its length.
async fn collect(mut body: ReqBody, limit: usize) -> Result<Vec<u8>, Error> {
    let mut payload = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| Error::new(Kind::BAD_REQUEST, "body: could not be read"))?;
        let Ok(piece) = piece.into_data() else { continue };
        if payload.len() + piece.len() > limit {
            return Err(Kind::PAYLOAD_TOO_LARGE.into());
        }
        payload.extend_from_slice(&piece);
    }
    Ok(payload)
}
