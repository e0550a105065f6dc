//! The live tail of one player or one game, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use salvo::http::{HeaderValue, header};
use salvo::{Depot, Request, Response, Writer, handler};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio_stream::StreamExt;

use crate::bus::{Focus, Sight};
use crate::game::{GameId, UserId};
use crate::module::context::Cx;
use crate::{Error, Kind};

/// Interval of keep-alives on an idle stream, so that a closed connection is noticed.
const STILL_HERE: Duration = Duration::from_secs(15);

/// One event in the tail.
#[derive(Serialize)]
struct TailLine<'a> {
    at: String,
    event: &'static str,
    game: Option<GameId>,
    body: &'a RawValue,
}

/// `GET /ops/tail?game=…` or `?player=…`: `event: seen` with JSON, `event: lagged` with the number missed.
#[handler]
pub(super) async fn tail(cx: Cx, req: &mut Request, depot: &mut Depot, res: &mut Response) {
    let focus = match (req.query::<i64>("game"), req.query::<String>("player")) {
        (Some(game), None) => Focus::Game(GameId(game)),
        (None, Some(player)) if !player.is_empty() => Focus::Player(UserId::from(player.as_str())),
        _ => {
            let error = Error::validation("either game or player is required");
            return error.write(req, depot, res).await;
        }
    };
    let Some(sights) = cx.bus().watch(focus) else {
        let error = Error::new(Kind::TOO_MANY_REQUESTS, "too many tails are open");
        return error.write(req, depot, res).await;
    };
    let event_stream = HeaderValue::from_static("text/event-stream");
    res.headers_mut().insert(header::CONTENT_TYPE, event_stream);
    res.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let begin = tokio_stream::once(String::from("event: open\ndata: {}\n\n"));
    let still_here = tokio::time::interval(STILL_HERE);
    let lines = sights.timeout_repeating(still_here).map(|sight| match sight {
        Ok(sight) => line(&sight),
        Err(_) => String::from(": still here\n\n"),
    });
    res.stream(begin.chain(lines).map(Ok::<_, Infallible>));
}

fn line(sight: &Sight) -> String {
    match sight {
        Sight::Lagged(missed) => format!("event: lagged\ndata: {missed}\n\n"),
        Sight::Event(seen) => {
            let body = serde_json::from_str(&seen.body).ok();
            let line =
                |body| TailLine { at: seen.at.with_z(), event: seen.event, game: seen.game, body };
            let text = body.and_then(|body| serde_json::to_string(&line(body)).ok());
            format!("event: seen\ndata: {}\n\n", text.unwrap_or_default())
        }
    }
}
