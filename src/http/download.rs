//! An answer that a browser saves as a file.

use salvo::http::{HeaderValue, ResBody, header};
use salvo::oapi::schema::BasicType;
use salvo::oapi::{
    Components, Content, EndpointOutRegister, Object, Operation, Response as Documented,
};
use salvo::{Depot, Request, Response, Writer, async_trait};

/// A file.
#[derive(Debug)]
pub struct Download {
    /// Its name: letters, digits, `-` and `.`.
    pub name: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes, or a stream of them.
    pub body: ResBody,
}

#[async_trait]
impl Writer for Download {
    async fn write(self, _: &mut Request, _: &mut Depot, res: &mut Response) {
        let headers = res.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // A constant, so it is a valid header value.
        if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{}\"", self.name)) {
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
        res.body(self.body);
    }
}

impl EndpointOutRegister for Download {
    fn register(_: &mut Components, operation: &mut Operation) {
        let text = Content::new(Object::with_type(BasicType::String));
        let file = Documented::new("A file.")
            .add_content("application/json", Content::new(Object::new()))
            .add_content("text/csv; charset=utf-8", text);
        operation.responses.insert("200", file);
    }
}
