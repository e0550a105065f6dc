//! The built-in client: the files of `web/` at the top of the repository, `index.html` at `/` and each under `/web/`. A
//! release build embeds them; a debug build reads them from disk, so that a reload shows a change.
//!
//! Their content is independent of this server: they use the same API as any other client.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write as _};
use std::sync::Arc;

use aws_lc_rs::digest::{self, Digest};
use flate2::Compression;
use flate2::write::GzEncoder;
use parking_lot::Mutex;
use salvo::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use salvo::hyper::body::Bytes;
use salvo::writing::Json;
use salvo::{Depot, FlowCtrl, Handler, Request, Response, Router, Writer, async_trait};
use serde::Serialize;

use super::Redirect;
use super::edge::tell;
use super::files::{MODULES, find};
use crate::Kind;
use crate::auth::{Cookies, Role};
use crate::bus::Owner;
use crate::module::context::{ClientEntry, Cx, Slot};

const INDEX: &str = "index.html";
/// Files for the operations port only.
const OPERATIONS: &str = "ops/";

/// Headers of every file, which replace the stricter ones of `policy`. The client's pages load nothing from other
/// sites, run no inline scripts, and cannot be framed; old Safari does not include `ws:` in `'self'`. Browsers cache
/// the files, and revalidate them each time.
const ALWAYS: [(HeaderName, &str); 2] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self'; script-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (header::CACHE_CONTROL, "no-cache"),
];

/// The client, if enabled; otherwise `/` redirects to the operator's frontend.
pub(super) fn router(cx: &Cx) -> Router {
    let settings = cx.settings();
    if !settings.web.enabled {
        return get_and_head(Router::new(), Elsewhere(settings.front_end().to_owned()));
    }
    let client = ClientFiles::default();
    let index = get_and_head(Router::new(), client.clone());
    let slots = get_and_head(Router::with_path("web/modules.json"), Slots(cx.clone()));
    let files = get_and_head(Router::with_path("web/{**file}"), client);
    Router::new().push(index).push(slots).push(files)
}

/// A slot of the client with the file that fills it, for the client.
#[derive(Serialize)]
struct Filled {
    slot: &'static str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
}

/// Lists what the modules that are on show in the client, to this caller.
#[derive(Clone)]
struct Slots(Cx);

#[async_trait]
impl Handler for Slots {
    async fn handle(&self, req: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        let caller = self.0.former_bearer(Cookies::of(req).access_token());
        let role = caller.map_or(Role::Player, |it| self.0.role_of(&it.user));
        let is_on = |module: &str| self.0.switches().get(module).is_none_or(|it| it.is_on());
        let rows = self.0.table().iter().filter(|row| is_on(row.name));
        let entries = rows.flat_map(|row| row.client.iter().map(move |entry| (row.name, *entry)));
        let seen = entries.filter(|(_, entry)| entry.role.is_none_or(|needed| role >= needed));
        let filled = seen.map(|(module, entry)| filled(module, entry));
        res.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        res.render(Json(filled.collect::<Vec<_>>()));
    }
}

fn filled(module: &str, entry: ClientEntry) -> Filled {
    let (path, title) = match entry.slot {
        Slot::Page { path, title } | Slot::Unlisted { path, title } => (Some(path), Some(title)),
        _ => (None, None),
    };
    let file = format!("/web/{MODULES}{module}/{}", entry.file);
    Filled { slot: entry.slot.name(), file, path, title }
}

pub(super) fn get_and_head(at: Router, goal: impl Handler + Clone) -> Router {
    at.push(Router::new().head(goal.clone())).push(Router::new().get(goal))
}

/// Redirects `/` if the client is disabled.
#[derive(Clone)]
struct Elsewhere(String);

#[async_trait]
impl Handler for Elsewhere {
    async fn handle(
        &self,
        req: &mut Request,
        depot: &mut Depot,
        res: &mut Response,
        _: &mut FlowCtrl,
    ) {
        Redirect::to(self.0.clone()).write(req, depot, res).await;
    }
}

/// Cache of requested files, ready to be sent; bounded by the number of files.
#[derive(Clone, Default)]
struct ClientFiles(Arc<Mutex<HashMap<String, Arc<ReadyFile>>>>);

#[async_trait]
impl Handler for ClientFiles {
    async fn handle(&self, req: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        let path = match req.uri().path() {
            "/" => Some(INDEX),
            path => path.strip_prefix("/web/"),
        };
        let path = path.filter(|path| !path.starts_with(OPERATIONS));
        match path.and_then(|path| self.file(path)) {
            Some(file) => file.send(req.headers(), res),
            None => tell(res, &Kind::NOT_FOUND.into()),
        }
    }
}

impl ClientFiles {
    /// The file at this path, if any.
    fn file(&self, path: &str) -> Option<Arc<ReadyFile>> {
        let content = find(path)?;
        let digest = digest::digest(&digest::SHA256, &content);
        let mut known = self.0.lock();
        // In a debug build a file may have changed since.
        let old = known.get(path).filter(|it| it.hash.as_ref() == digest.as_ref());
        if let Some(ready) = old {
            return Some(ready.clone());
        }
        let ready = Arc::new(ReadyFile::of(path, content, digest));
        known.insert(path.to_owned(), ready.clone());
        Some(ready)
    }
}

/// The files of the operations page.
#[derive(Clone, Default)]
pub(crate) struct Pages(ClientFiles);

impl Pages {
    /// Answers with one of these files.
    pub(crate) fn send(&self, file: &str, asked: &HeaderMap, res: &mut Response) {
        match self.0.file(&format!("{OPERATIONS}{file}")) {
            Some(file) => file.send(asked, res),
            None => tell(res, &Kind::NOT_FOUND.into()),
        }
    }
}

/// A file, made ready to be sent.
struct ReadyFile {
    hash: Digest,
    content_type: &'static str,
    etag: HeaderValue,
    plain: Bytes,
    /// The gzip variant (RFC 1952), if it is smaller.
    gzip: Option<Bytes>,
}

impl ReadyFile {
    fn of(path: &str, content: Cow<'static, [u8]>, hash: Digest) -> Self {
        let content_type = content_type(path);
        // Weak (RFC 9110, section 8.8.1), since it also identifies the compressed variant.
        let digits: String = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let etag = HeaderValue::try_from(format!("W/\"{digits}\""));
        let etag = etag.expect("hexadecimal digits are visible ASCII");
        let plain = match content {
            Cow::Borrowed(embedded) => Bytes::from_static(embedded),
            Cow::Owned(read) => Bytes::from(read),
        };
        let gzip = is_text(content_type).then(|| gzip(&plain)).and_then(Result::ok);
        let gzip = gzip.filter(|it| it.len() < plain.len()).map(Bytes::from);
        Self { hash, content_type, etag, plain, gzip }
    }

    fn send(&self, asked: &HeaderMap, res: &mut Response) {
        let headers = res.headers_mut();
        for (name, value) in ALWAYS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::ETAG, self.etag.clone());
        if self.gzip.is_some() {
            // CORS may have set it, too.
            headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if is_known(asked, &self.etag) {
            res.status_code(StatusCode::NOT_MODIFIED);
            return;
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        let gzip = self.gzip.as_ref().filter(|_| takes_gzip(asked));
        if gzip.is_some() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let body = gzip.unwrap_or(&self.plain);
        // Also for HEAD, whose body hyper drops.
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        res.status_code(StatusCode::OK);
        res.body(body.clone());
    }
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

/// By the file's extension; files without one, such as `LICENSE`, are text.
fn content_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        Some("txt") | None => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml; charset=utf-8",
        // In UTF-8 by definition (RFC 8259, section 8.1).
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn is_text(content_type: &str) -> bool {
    content_type.contains("charset") || content_type.ends_with("json")
}

/// Whether the client has the current version (RFC 9110, section 13.1.2).
fn is_known(asked: &HeaderMap, etag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let own = etag.to_str().map(opaque).unwrap_or_default();
    listed(asked, &header::IF_NONE_MATCH).any(|tag| tag.trim() == "*" || opaque(tag) == own)
}

/// Whether the client takes gzip (RFC 9110, section 12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    listed(asked, &header::ACCEPT_ENCODING).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|it| it.trim().parse().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.unwrap_or(1.0_f32) > 0.0
    })
}

/// The entries of a header that is a list.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn what_modules_show_in_the_client_is_there() {
        let modules = crate::module::linked(&[]).unwrap();
        for row in crate::module::wire(&modules).unwrap().table {
            for entry in &row.client {
                let Filled { file, .. } = filled(row.name, *entry);
                let path = file.strip_prefix("/web/").unwrap();
                assert!(find(path).is_some(), "{file}");
            }
        }
    }

    /// The names of all files in a folder.
    fn files_of(folder: &std::path::Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| match path.is_dir() {
                true => files_of(&path),
                false => vec![path.display().to_string()],
            })
            .collect()
    }

    #[test]
    fn every_file_of_the_client_is_of_a_kind_that_browsers_know() {
        assert!(find(INDEX).is_some());
        for file in files_of("web".as_ref()) {
            assert_ne!(content_type(&file), "application/octet-stream", "{file}");
        }
    }

    #[test]
    fn kinds_go_by_the_end_of_the_name() {
        for (path, kind) in [
            ("app.js", "text/javascript; charset=utf-8"),
            ("vendor/a.b.mjs", "text/javascript; charset=utf-8"),
            ("fonts.v1/LICENSE", "text/plain; charset=utf-8"),
            ("fonts/mono.woff2", "font/woff2"),
            ("manifest.webmanifest", "application/manifest+json"),
            ("a.exe", "application/octet-stream"),
        ] {
            assert_eq!(content_type(path), kind, "{path}");
        }
        let are_text = ["a.svg", "a.json", "a.md", "a.webmanifest"].map(content_type).map(is_text);
        assert_eq!(are_text, [true; 4]);
        assert!(!["a.png", "a.woff2", "a.exe"].map(content_type).into_iter().any(is_text));
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        for (accepted, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("deflate,gzip ; q=1", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, br", false),
            ("br", false),
            ("", false),
        ] {
            let asked = asking(header::ACCEPT_ENCODING, accepted);
            assert_eq!(takes_gzip(&asked), takes, "{accepted}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_file_that_is_known_is_known_by_its_tag() {
        let etag = HeaderValue::from_static("W/\"abc\"");
        for (tags, known) in [
            ("W/\"abc\"", true),
            ("\"abc\"", true),
            ("\"x\", W/\"abc\"", true),
            ("*", true),
            ("\"abcd\"", false),
            ("abc", false),
        ] {
            assert_eq!(is_known(&asking(header::IF_NONE_MATCH, tags), &etag), known, "{tags}");
        }
        assert!(!is_known(&HeaderMap::new(), &etag));
    }
}
