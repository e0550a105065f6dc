//! Actions of operators: close the sockets of a game or of a player, drain this pod. Each action is audited, as are
//! those of `switching`.

use salvo::http::header;
use salvo::{Depot, Request, Response, Writer, handler};
use serde::Serialize;

use super::closing::SocketsClosed;
use super::page::name_of;
use crate::game::{GameId, UserId};
use crate::http::{Answer, Form};
use crate::module::context::Cx;
use crate::{Error, Kind};

/// Longest accepted id of a player, in bytes.
const LONGEST_ID: usize = 200;

/// The action that was carried out.
#[derive(Serialize)]
pub(super) struct Done {
    action: String,
    target: String,
}

/// `POST /ops/close`, a form with `game` or `player`: closes their sockets on all pods.
#[handler]
pub(super) async fn close(cx: Cx, req: &mut Request, depot: &mut Depot, res: &mut Response) {
    match closed(&cx, req).await {
        Ok(done) => Answer::new(done).write(req, depot, res).await,
        Err(error) => error.write(req, depot, res).await,
    }
}

async fn closed(cx: &Cx, req: &mut Request) -> Result<Done, Error> {
    is_own_page(req)?;
    let form = Form::of(req, cx).await?;
    let game = form.text("game").and_then(|id| id.parse().ok()).map(GameId);
    let user = form.text("player").filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    let user = user.map(UserId::from);
    let (action, target) = match (&game, &user) {
        (Some(game), None) => ("close game", game.to_string()),
        (None, Some(user)) => ("close player", user.to_string()),
        _ => return Err(Error::validation("either game or player is required")),
    };
    let done = audit(cx, operator(req), action, target).await;
    cx.bus().announce(SocketsClosed { game, user }).await;
    Ok(done)
}

/// `POST /ops/drain`, a form with `drain`: `on` moves the sockets of this pod to other pods and refuses new ones until
/// `off`.
#[handler]
pub(super) async fn drain(cx: Cx, req: &mut Request, depot: &mut Depot, res: &mut Response) {
    match drained(&cx, req).await {
        Ok(done) => Answer::new(done).write(req, depot, res).await,
        Err(error) => error.write(req, depot, res).await,
    }
}

async fn drained(cx: &Cx, req: &mut Request) -> Result<Done, Error> {
    is_own_page(req)?;
    let form = Form::of(req, cx).await?;
    let state = cx.drain();
    let action = match form.text("drain") {
        Some("on") => "drain",
        Some("off") if state.is_for_good() => return Err(Kind::RESTARTING.into()),
        Some("off") => "end drain",
        _ => return Err(Error::validation("drain: must be on or off")),
    };
    let done = audit(cx, operator(req), action, name_of(cx)).await;
    if action == "drain" {
        state.begin();
    } else {
        state.end();
    }
    Ok(done)
}

/// Records an action in the log and in the records, before it is carried out.
pub(super) async fn audit(cx: &Cx, operator: String, action: &str, target: String) -> Done {
    cx.audit(&operator, action, &target).await;
    Done { action: action.to_owned(), target }
}

/// The operator: address and authorisation.
pub(super) fn operator(req: &Request) -> String {
    let address = req.remote_addr().ip().map_or("unknown".to_owned(), |ip| ip.to_string());
    let by = match req.headers().get(header::AUTHORIZATION) {
        Some(_) => "token",
        None if req.cookies().get(super::access::COOKIE).is_some() => "page",
        None => "loopback",
    };
    format!("{address} ({by})")
}

/// Refuses requests of other sites' pages, by the headers that browsers send. Clients that are not browsers send none.
pub(super) fn is_own_page(req: &Request) -> Result<(), Error> {
    let value = |name: &str| req.headers().get(name).and_then(|it| it.to_str().ok());
    let is_own_origin = |origin: &str| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == value("host")
    };
    let is_own = match (value("origin"), value("sec-fetch-site")) {
        (Some(origin), _) => is_own_origin(origin),
        (None, Some(site)) => matches!(site, "same-origin" | "none"),
        (None, None) => true,
    };
    if is_own { Ok(()) } else { Err(Kind::ORIGIN_NOT_ALLOWED.into()) }
}

#[cfg(test)]
mod tests {
    use salvo::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn pages_of_other_sites_cannot_act() {
        for (headers, may) in [
            (vec![], true),
            (vec![("origin", "http://127.0.0.1:9091")], true),
            (vec![("origin", "http://127.0.0.1:8080")], false),
            (vec![("origin", "https://evil.example")], false),
            (vec![("origin", "null")], false),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "same-site")], false),
        ] {
            let mut req = Request::new();
            req.headers_mut().insert("host", HeaderValue::from_static("127.0.0.1:9091"));
            for (name, value) in &headers {
                let name = HeaderName::from_static(name);
                req.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            assert_eq!(is_own_page(&req).is_ok(), may, "{headers:?}");
        }
    }
}
