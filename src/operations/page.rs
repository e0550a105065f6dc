//! The operations page: its files (`web/ops/`), its data, and the login of a browser.

use std::collections::BTreeMap;
use std::sync::Arc;

use salvo::http::cookie::{Cookie, SameSite};
use salvo::http::{HeaderMap, HeaderValue, StatusCode, header};
use salvo::{Depot, FlowCtrl, Handler, Request, Response, Writer, async_trait, handler};
use serde::Serialize;

use super::access::{Access, COOKIE};
use super::actions::is_own_page;
use crate::bus::Owner;
use crate::game::Timestamp;
use crate::http::{Answer, Form, Pages, exposed, tell};
use crate::module::context::{Cx, Off, Switch};
use crate::records::Act;
use crate::telemetry::{Format, troubles};

/// Number of actions on the page.
const ACTS: i64 = 20;

/// The data of the page.
#[derive(Serialize)]
struct OpsFigures {
    pod: String,
    at: String,
    /// Whether it refuses new sockets.
    draining: bool,
    /// Whether it is about to stop.
    stopping: bool,
    /// Whether there can be other pods.
    alone: bool,
    /// The pods that are alive, including this one.
    pods: Vec<String>,
    dependencies: Vec<Dependency>,
    modules: Vec<ModuleState>,
    /// Modules disabled in the settings.
    disabled: Vec<String>,
    errors: Vec<troubles::Trouble>,
    acts: Vec<ActLine>,
    samples: Vec<Sample>,
}

#[derive(Serialize)]
struct Dependency {
    name: &'static str,
    /// Since when it is down, if it is.
    away_since: Option<String>,
}

#[derive(Serialize)]
struct ModuleState {
    name: &'static str,
    /// Since when, where and by whom it is switched off, if it is.
    off: Option<Off>,
    last_panic: Option<troubles::Trouble>,
}

#[derive(Serialize)]
struct ActLine {
    at: String,
    operator: String,
    action: String,
    target: String,
}

impl From<Act> for ActLine {
    fn from(Act { at, operator, action, target }: Act) -> Self {
        Self { at: at.with_z(), operator, action, target }
    }
}

/// The name of this pod.
pub(super) fn name_of(cx: &Cx) -> String {
    let configured = || cx.settings().server_name.clone();
    cx.peers().own_name().or_else(configured).unwrap_or_else(|| "this server".into())
}

/// One value of a metric.
#[derive(Debug, PartialEq, Serialize)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// `GET /ops/figures.json`.
#[handler]
pub(super) async fn figures(cx: Cx, req: &mut Request, depot: &mut Depot, res: &mut Response) {
    // The page must work while the database is down.
    let acts = cx.records().last_acts(ACTS).await.unwrap_or_default();
    res.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Answer::new(OpsFigures::of(&cx, acts)).write(req, depot, res).await;
}

impl OpsFigures {
    fn of(cx: &Cx, acts: Vec<Act>) -> Self {
        let own = name_of(cx);
        let mut pods = cx.peers().alive();
        if !pods.contains(&own) {
            pods.push(own.clone());
        }
        pods.sort();
        let away = |(name, since): (&'static str, Option<Timestamp>)| Dependency {
            name,
            away_since: since.map(Timestamp::with_z),
        };
        let is_used = |it: &(&'static str, _)| it.0 != "broker" || !cx.is_alone();
        let module = |switch: &Arc<Switch>| {
            let (name, off) = (switch.module(), switch.off());
            ModuleState { name, off, last_panic: troubles::last_panic(name) }
        };
        Self {
            pod: own,
            at: Timestamp::now().with_z(),
            draining: cx.drain().is_on(),
            stopping: cx.drain().is_for_good(),
            alone: cx.is_alone(),
            pods,
            dependencies: cx.health().away().into_iter().filter(is_used).map(away).collect(),
            modules: cx.switches().all().map(module).collect(),
            disabled: cx.settings().handlers.disabled.clone(),
            errors: troubles::last(),
            acts: acts.into_iter().map(ActLine::from).collect(),
            samples: exposed(cx, Format::Plain).lines().filter_map(Sample::read).collect(),
        }
    }
}

impl Sample {
    /// Parses a line of the exposition: `name{label="value"} 1.5`.
    fn read(line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let pairs = labels.strip_suffix("\"}").unwrap_or(labels).split("\",");
        let labels = pairs.filter_map(|pair| pair.split_once("=\""));
        let labels = labels.map(|(label, value)| (label.to_owned(), value.to_owned())).collect();
        // `+Inf` and the like are bounds of buckets, not values.
        let value = value.parse().ok().filter(|value: &f64| value.is_finite())?;
        Some(Self { name: name.to_owned(), labels, value })
    }
}

/// `GET /ops` and its files. A browser without the token gets the login form.
#[derive(Clone)]
pub(super) struct OperationsPage {
    pub(super) access: Access,
    pub(super) files: Pages,
}

#[async_trait]
impl Handler for OperationsPage {
    async fn handle(&self, req: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        let path = req.uri().path();
        let file = path.strip_prefix("/ops").unwrap_or_default().trim_matches('/').to_owned();
        match file.as_str() {
            "" if !self.access.lets_in(req) => {
                // Without the request's ETag, which belongs to the other page at the same URL.
                self.files.send("login.html", &HeaderMap::new(), res);
                res.status_code(StatusCode::UNAUTHORIZED);
            }
            "" => self.files.send("index.html", req.headers(), res),
            file => self.files.send(file, req.headers(), res),
        }
    }
}

/// `POST /ops/login`, a form with `token`: a cookie for the page.
pub(super) struct LogIn {
    pub(super) access: Access,
    pub(super) cx: Cx,
}

#[async_trait]
impl Handler for LogIn {
    async fn handle(&self, req: &mut Request, _: &mut Depot, res: &mut Response, _: &mut FlowCtrl) {
        let form = match Form::of(req, &self.cx).await {
            Ok(form) => form,
            Err(error) => return tell(res, &error),
        };
        let is_token = self.access.is_token(form.text("token").unwrap_or_default());
        let cookie = self.access.cookie().filter(|_| is_token && is_own_page(req).is_ok());
        if let Some(cookie) = cookie {
            let cookie = Cookie::build((COOKIE, cookie)).path("/ops").http_only(true);
            res.add_cookie(cookie.same_site(SameSite::Strict).build());
        } else {
            crate::telemetry::count::OPERATIONS_REFUSED.add(1);
        }
        res.status_code(StatusCode::SEE_OTHER);
        res.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/ops"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_exposition_is_read_with_its_labels() {
        let line = r#"a_total{route="/auth/{provider}/login",code="200"} 3"#;
        let sample = Sample::read(line).unwrap();
        assert_eq!((sample.name.as_str(), sample.value), ("a_total", 3.0));
        let labels = [("code", "200"), ("route", "/auth/{provider}/login")];
        assert_eq!(sample.labels, labels.map(|(a, b)| (a.to_owned(), b.to_owned())).into());
        assert_eq!(Sample::read("b 1.5").unwrap().value, 1.5);
        assert_eq!(Sample::read("# TYPE b counter"), None);
    }
}
