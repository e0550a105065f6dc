//! Export and deletion of a player's data.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use salvo::extract::Metadata;
use salvo::oapi::schema::BasicType;
use salvo::oapi::{Components, EndpointArgRegister, Object, Operation, endpoint};
use salvo::{Depot, Extractible, Request, Writer};
use serde::Serialize;
use serde_json::Value;

use super::ResultRow;
use crate::auth::SetCookies;
use crate::game::{PlayerForgotten, User, UserType};
use crate::http::{Answer, Caller, Download, Empty, Query, may_fail, no_metadata, text_parameter};
use crate::module::Cx;
use crate::records::{KeptLogin, StoredItem};
use crate::{Error, Kind};

/// The query of an export.
#[derive(Clone, Copy)]
pub(super) enum ExportFormat {
    /// Everything.
    Json,
    /// The races, for a spreadsheet.
    Csv,
}

impl<'ex> Extractible<'ex> for ExportFormat {
    fn metadata() -> &'static Metadata {
        no_metadata()
    }
    async fn extract(req: &'ex mut Request, _: &'ex mut Depot) -> Result<Self, Error> {
        match Query::of(req).text("format") {
            None | Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some(_) => Err(Error::validation("query parameter format: must be json or csv")),
        }
    }
}

impl EndpointArgRegister for ExportFormat {
    fn register(components: &mut Components, operation: &mut Operation, _: &str) {
        let about = "json: all data; csv: the races, for a spreadsheet. Default: json.";
        let formats = Object::with_type(BasicType::String).enum_values(["json", "csv"]);
        operation.parameters.insert(text_parameter("format", about).schema(formats));
        may_fail(components, operation, &[Kind::VALIDATION]);
    }
}

#[derive(Serialize)]
struct Everything {
    ok: bool,
    user: ExportedPerson,
    /// The devices that are logged in.
    logins: Vec<Login>,
    /// Newest first.
    results: Vec<ResultRow>,
    /// What modules keep about the person, by the name of the collection.
    items: BTreeMap<String, Vec<ExportedItem>>,
}

#[derive(Serialize)]
struct ExportedPerson {
    id: String,
    name: String,
    user_type: UserType,
    /// ISO 8601; null for guests, who have no records.
    registered_at: Option<String>,
}

#[derive(Serialize)]
struct Login {
    started_at: String,
    refreshed_at: String,
}

/// An item of a module, as it is stored.
#[derive(Serialize)]
struct ExportedItem {
    key: String,
    updated_at: String,
    item: Value,
}

/// The items by their collections.
fn by_collection(items: Vec<StoredItem>) -> BTreeMap<String, Vec<ExportedItem>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for StoredItem { collection, key, body, updated_at, .. } in items {
        // What is no JSON is shown as it is.
        let item = serde_json::from_str(&body).unwrap_or(Value::String(body));
        let item = ExportedItem { key, updated_at: updated_at.with_z(), item };
        all.entry(collection).or_default().push(item);
    }
    all
}

impl From<&KeptLogin> for Login {
    fn from(login: &KeptLogin) -> Self {
        Self { started_at: login.started.with_z(), refreshed_at: login.refreshed.with_z() }
    }
}

/// Exports all data stored about the caller. Live state (games and their seats) expires within minutes and is not included.
#[endpoint(tags("profile"))]
pub(super) async fn export(
    cx: Cx,
    format: ExportFormat,
    caller: Caller,
) -> Result<Download, Error> {
    let user = caller.0;
    let kept = cx.records().all_results(&user.id).await?;
    let results: Vec<_> = kept.into_iter().map(ResultRow::from).collect();
    if let ExportFormat::Csv = format {
        let (name, content_type) = ("typephoon-races.csv", "text/csv; charset=utf-8");
        return Ok(Download { name, content_type, body: csv(&results).into_bytes() });
    }
    let account = cx.records().account(&user.id).await?;
    let items = by_collection(cx.records().items_of(&user.id).await?);
    let everything = Everything {
        ok: true,
        user: ExportedPerson {
            id: user.id.to_string(),
            name: account.as_ref().map_or(user.name, |it| it.name.clone()),
            user_type: user.user_type,
            registered_at: account.as_ref().map(|it| it.registered.with_z()),
        },
        logins: account.iter().flat_map(|it| &it.logins).map(Login::from).collect(),
        results,
        items,
    };
    let body = serde_json::to_vec(&everything).map_err(Error::internal)?;
    let (name, content_type) = ("typephoon.json", "application/json");
    Ok(Download { name, content_type, body })
}

/// Only numbers and timestamps, which need no quotes (RFC 4180).
fn csv(results: &[ResultRow]) -> String {
    let mut text = "game_id,game_type,finished_at,rank,wpm,wpm_raw,accuracy\r\n".to_owned();
    for ResultRow { game_type, game_id, wpm, wpm_raw, accuracy, finished_at, rank, .. } in results {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{game_id},{game_type},{finished_at},{rank},{wpm},{wpm_raw},{accuracy}\r\n"
        );
    }
    text
}

/// Deletes the caller's account, logins, results and what modules keep about the caller. The races of other players do not change.
#[endpoint(tags("profile"))]
pub(super) async fn forget(cx: Cx, caller: Caller) -> Result<Answer<Empty>, Error> {
    let (context, user) = (cx.clone(), caller.0);
    cx.run_to_completion(async move {
        context.live().hand_over(&user.id, &User::anonymous()).await?;
        context.records().forget(&user.id).await?;
        context.publish(PlayerForgotten { user: user.id }).await;
        Ok(())
    })
    .await?;
    Ok(Answer::ok().with_cookies(SetCookies::default().forget_all(cx.settings())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_race_is_a_line_of_numbers() {
        let row = ResultRow {
            game_type: 1,
            game_id: 35,
            wpm: 71.234567,
            wpm_raw: 80.5,
            accuracy: 96.0,
            finished_at: "2026-11-22T17:37:29.171282Z".into(),
            rank: 1,
            grade: None,
            place: None,
            racers: None,
        };
        let text = csv(&[row]);
        let lines: Vec<_> = text.split("\r\n").collect();
        assert_eq!(lines[1], "35,1,2026-11-22T17:37:29.171282Z,1,71.234567,80.5,96");
        assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
    }
}
