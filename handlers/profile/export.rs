//! Export and deletion of a player's data.

use std::fmt::Write as _;

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use salvo::extract::Metadata;
use salvo::http::ResBody;
use salvo::oapi::schema::BasicType;
use salvo::oapi::{Components, EndpointArgRegister, Object, Operation, endpoint};
use salvo::{Depot, Extractible, Request, Writer};
use serde::Serialize;
use serde_json::Value;

use super::ResultRow;
use crate::auth::SetCookies;
use crate::game::{PlayerForgotten, User, UserId, UserType};
use crate::http::{Answer, Caller, Download, Empty, Query, may_fail, no_metadata, text_parameter};
use crate::module::Cx;
use crate::records::{KeptLogin, Records, StoredItem};
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

/// How many items are read at once: each has 64 KiB at most.
const AT_ONCE: u32 = 50;

/// The start of an export; `items` follow: what modules keep about the person, lists by the name of the collection.
#[derive(Serialize)]
struct ExportStart {
    ok: bool,
    user: ExportedPerson,
    /// The devices that are logged in.
    logins: Vec<Login>,
    /// Newest first.
    results: Vec<ResultRow>,
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

impl From<StoredItem> for ExportedItem {
    fn from(item: StoredItem) -> Self {
        let StoredItem { key, body, updated_at, .. } = item;
        // What is no JSON is shown as it is.
        let item = serde_json::from_str(&body).unwrap_or(Value::String(body));
        Self { key, updated_at: updated_at.with_z(), item }
    }
}

/// The items of a person, read and written as JSON page by page: an export takes the memory of one page.
struct ItemPages {
    records: Records,
    owner: UserId,
    size: u32,
    /// Collection and key of the last item that was written; empty before the first.
    last: (String, String),
    is_over: bool,
}

impl ItemPages {
    fn of(records: Records, owner: UserId, size: u32) -> Self {
        Self { records, owner, size, last: Default::default(), is_over: false }
    }

    /// The member `items`, and the end of the object that it belongs to.
    fn json(self) -> impl Stream<Item = Result<Vec<u8>, Error>> {
        let start = stream::iter([Ok(br#","items":{"#.to_vec())]);
        start.chain(stream::try_unfold(self, Self::page))
    }

    async fn page(mut self) -> Result<Option<(Vec<u8>, Self)>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let last = (self.last.0.as_str(), self.last.1.as_str());
        let items = self.records.items_after(&self.owner, last, self.size).await?;
        self.is_over = items.len() < self.size as usize;
        let mut text = Vec::new();
        for item in items {
            let collection = std::mem::replace(&mut self.last.0, item.collection.clone());
            if collection == item.collection {
                text.push(b',');
            } else {
                text.extend_from_slice(if collection.is_empty() { b"" } else { b"]," });
                serde_json::to_writer(&mut text, &item.collection).map_err(Error::internal)?;
                text.extend_from_slice(b":[");
            }
            self.last.1.clone_from(&item.key);
            let item = ExportedItem::from(item);
            serde_json::to_writer(&mut text, &item).map_err(Error::internal)?;
        }
        if self.is_over {
            text.extend_from_slice(if self.last.0.is_empty() { b"}}" } else { b"]}}" });
        }
        Ok(Some((text, self)))
    }
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
        return Ok(Download { name, content_type, body: csv(&results).into_bytes().into() });
    }
    let account = cx.records().account(&user.id).await?;
    let start = ExportStart {
        ok: true,
        user: ExportedPerson {
            id: user.id.to_string(),
            name: account.as_ref().map_or(user.name, |it| it.name.clone()),
            user_type: user.user_type,
            registered_at: account.as_ref().map(|it| it.registered.with_z()),
        },
        logins: account.iter().flat_map(|it| &it.logins).map(Login::from).collect(),
        results,
    };
    let mut start = serde_json::to_vec(&start).map_err(Error::internal)?;
    // Its last brace comes after the items.
    start.pop();
    let items = ItemPages::of(cx.records().clone(), user.id, AT_ONCE).json();
    let all = stream::iter([Ok(start)]).chain(items);
    // The client sees an answer that breaks off.
    let all = all.inspect_err(|error| tracing::warn!(%error, "an export has failed"));
    let (name, content_type) = ("typephoon.json", "application/json");
    Ok(Download { name, content_type, body: ResBody::stream(all) })
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
    use serde_json::json;

    use super::*;
    use crate::records::{Expected, ItemWrite, NewItem, SortKey};
    use crate::settings::Settings;

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

    #[tokio::test]
    async fn items_are_exported_page_by_page() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings { data_dir: data.path().into(), ..Settings::default() };
        let records = Records::open(&settings, false).await.unwrap();
        let owner = UserId::new_guest();
        for (collection, key) in [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("c", "1")] {
            let (body, sort_keys) = (r#"{"n":1}"#.to_owned(), vec![SortKey::default()]);
            let owner = Some(owner.clone());
            let item = Some(NewItem { owner, form: 1, body, sort_keys, expires_at: None });
            let (key, expected) = (key.to_owned(), Expected::Absent);
            let write = ItemWrite { collection, key, expected, item };
            assert!(records.write_items(vec![write]).await.unwrap());
        }
        for size in [1, 2, 3, 5, 50] {
            let pages = ItemPages::of(records.clone(), owner.clone(), size).json();
            let text = [br#"{"ok":true"#.to_vec(), pages.try_concat().await.unwrap()].concat();
            let all: Value = serde_json::from_slice(&text).unwrap();
            let keys = |collection: &str| {
                let items = all["items"][collection].as_array().unwrap().iter();
                items.map(|it| it["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(
                (keys("a"), keys("b")),
                (vec!["1".into(), "2".into(), "3".into()], vec!["1".into()])
            );
            assert_eq!(keys("c"), ["1"]);
            assert_eq!(all["items"]["c"][0]["item"], json!({"n": 1}));
        }
        let nothing = ItemPages::of(records, UserId::new_guest(), 2).json();
        assert_eq!(nothing.try_concat().await.unwrap(), br#","items":{}}"#);
    }
}
