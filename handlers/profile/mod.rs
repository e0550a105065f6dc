//! The profile of a player: identity, statistics and history of races, export and deletion.
//!
//! Guests have no records: their figures are those of a player without races.

mod export;

use salvo::extract::Metadata;
use salvo::oapi::{Components, EndpointArgRegister, Operation, ToSchema, endpoint};
use salvo::{Depot, Extractible, Request, Writer};
use serde::Serialize;

use crate::Error;
use crate::game::{PlayerForgotten, Timestamp};
use crate::handlers::shared::{Grade, OnRecord, OnRecordWanted};
use crate::http::{Answer, BoundedInteger, Caller, Query, Rate, no_metadata};
use crate::module::{Cx, Module, Need, Wiring};
use crate::records::{KeptResult, Summary};

inventory::submit! { Module { name: "profile", path: module_path!(), wire } }

const HISTORY: &str = "/api/v1/profile/history";

fn wire(module: &mut Wiring) {
    module.needs(Need::Records);
    module.get("/api/v1/profile/user-info", user_info);
    module.get("/api/v1/profile/statistics", statistics);
    module.get("/api/v1/profile/graph", graph);
    module.get(HISTORY, history);
    module.get("/api/v1/profile/export", export::export).at_most(Rate::per_minute(10));
    module.delete("/api/v1/profile", export::forget);
    module.emits::<PlayerForgotten>();
}

const GRAPH_SIZE: BoundedInteger =
    BoundedInteger { name: "size", about: "Number of games; default 10.", from: 0, to: 1000 };
const PAGE: BoundedInteger =
    BoundedInteger { name: "page", about: "Number of the page; default 1.", from: 1, to: i64::MAX };
const PAGE_SIZE: BoundedInteger =
    BoundedInteger { name: "size", about: "Games per page; default 50.", from: 0, to: 200 };
const AS_OF: BoundedInteger = BoundedInteger {
    name: "as_of",
    about: "Time of the snapshot, in microseconds since 1970, as in the header `link`; default now.",
    from: 0,
    to: i64::MAX / 2,
};

/// The query of a graph: the number of latest games.
struct Size(i64);

impl<'ex> Extractible<'ex> for Size {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        GRAPH_SIZE.of(&Query::of(req)).map(|size| Self(size.unwrap_or(10)))
    }
}

impl EndpointArgRegister for Size {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        GRAPH_SIZE.register(components, operation);
    }
}

/// The query of a history: the page, and its size.
struct HistoryPage {
    number: i64,
    size: i64,
    as_of: Option<Timestamp>,
}

impl<'ex> Extractible<'ex> for HistoryPage {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        let query = Query::of(req);
        let number = PAGE.of(&query)?.unwrap_or(1);
        let size = PAGE_SIZE.of(&query)?.unwrap_or(50);
        let as_of = AS_OF.of(&query)?.map(Timestamp);
        Ok(Self { number, size, as_of })
    }
}

impl EndpointArgRegister for HistoryPage {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        for parameter in [PAGE, PAGE_SIZE, AS_OF] {
            parameter.register(components, operation);
        }
    }
}

#[derive(Serialize, ToSchema)]
struct UserInfo {
    id: String,
    name: String,
}

#[derive(Default, Serialize, ToSchema)]
struct ProfileStatistics {
    total_games: i64,
    /// The highest words per minute.
    wpm_best: f64,
    /// The accuracy in that game.
    acc_best: f64,
    /// Averages of the last ten games.
    wpm_avg_10: f64,
    acc_avg_10: f64,
    /// Averages of all games.
    wpm_avg_all: f64,
    acc_avg_all: f64,
}

/// One stored race.
#[derive(Serialize, ToSchema)]
struct ResultRow {
    /// 0 single, 1 multi, 2 team.
    game_type: i32,
    game_id: i64,
    wpm: f64,
    wpm_raw: f64,
    accuracy: f64,
    /// ISO 8601.
    finished_at: String,
    rank: i32,
    /// What the figures are based on; in a history, if it is on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    grade: Option<Grade>,
    /// The place among all in the race, bots included; in a history, if it is on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<u32>,
    /// How many these were.
    #[serde(skip_serializing_if = "Option::is_none")]
    racers: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct Graph {
    /// Oldest first.
    data: Vec<ResultRow>,
}

#[derive(Serialize, ToSchema)]
struct History {
    total: i64,
    has_prev_page: bool,
    has_next_page: bool,
    /// Newest first.
    data: Vec<ResultRow>,
}

impl From<KeptResult> for ResultRow {
    fn from(kept: KeptResult) -> Self {
        Self {
            game_type: kept.game_type,
            game_id: kept.game.0,
            wpm: kept.wpm,
            wpm_raw: kept.wpm_raw,
            accuracy: kept.accuracy,
            finished_at: kept.finished_at.with_z(),
            rank: kept.rank,
            grade: None,
            place: None,
            racers: None,
        }
    }
}

impl ResultRow {
    /// The same with what is on record about the result.
    fn with(self, OnRecord { grade, place }: OnRecord) -> Self {
        let (place, racers) = place.unzip();
        Self { grade, place, racers, ..self }
    }
}

/// Returns the caller's identity.
#[endpoint(tags("profile"))]
async fn user_info(caller: Caller) -> Answer<UserInfo> {
    Answer::new(UserInfo { id: caller.0.id.to_string(), name: caller.0.name })
}

/// Returns the caller's best game, and averages.
#[endpoint(tags("profile"))]
async fn statistics(cx: Cx, caller: Caller) -> Result<Answer<ProfileStatistics>, Error> {
    let Summary { races, best, last_ten, all } = cx.records().summary(&caller.0.id).await?;
    Ok(Answer::new(ProfileStatistics {
        total_games: races,
        wpm_best: best.wpm,
        acc_best: best.accuracy,
        wpm_avg_10: last_ten.wpm,
        acc_avg_10: last_ten.accuracy,
        wpm_avg_all: all.wpm,
        acc_avg_all: all.accuracy,
    }))
}

/// Returns the latest games, for a graph.
#[endpoint(tags("profile"))]
async fn graph(cx: Cx, size: Size, caller: Caller) -> Result<Answer<Graph>, Error> {
    let kept = cx.records().history(&caller.0.id, size.0, 0, cx.now()).await?;
    Ok(Answer::new(Graph { data: kept.into_iter().rev().map(ResultRow::from).collect() }))
}

/// Returns all games, in pages. The header `link` (RFC 8288) names the next page of the same snapshot:
/// a client that follows it sees every game once, even while new ones arrive.
#[endpoint(tags("profile"))]
async fn history(cx: Cx, page: HistoryPage, caller: Caller) -> Result<Answer<History>, Error> {
    let HistoryPage { number, size, as_of } = page;
    let (user, as_of) = (caller.0.id, as_of.unwrap_or_else(|| cx.now()));
    let total = cx.records().races(&user, as_of).await?;
    let before = size.saturating_mul(number - 1);
    let kept = cx.records().history(&user, size, before, as_of).await?;
    let results = kept.iter().map(|it| (it.game, user.clone())).collect();
    let on_record = OnRecordWanted { results }.ask(&cx).await;
    let rows = kept.into_iter().map(ResultRow::from).zip(on_record);
    let has_next_page = total > number.saturating_mul(size);
    let answer = Answer::new(History {
        total,
        has_prev_page: number > 1,
        has_next_page,
        data: rows.map(|(row, known)| row.with(known)).collect(),
    });
    let next = format!("{HISTORY}?page={}&size={size}&as_of={}", number.saturating_add(1), as_of.0);
    Ok(if has_next_page && size > 0 { answer.with_next_page(&next) } else { answer })
}
