//! The wire format of events: JSON, with a version, so that pods of two versions run side by side.

use std::borrow::Cow;
use std::sync::Arc;

use salvo::oapi::ToSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bus::Parcel;
use crate::game::{GameId, PodName, Timestamp, UserId};
use crate::telemetry::count;

/// The version of this format, also in the names of the work queues (`topology`). Messages of another version are
/// counted and skipped.
const VERSION: u32 = 1;

/// A message: some events of one pod.
#[derive(Serialize, Deserialize)]
pub(super) struct PodMessage<'a> {
    v: u32,
    #[serde(borrow)]
    pub(super) from: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) events: Vec<EventItem<'a>>,
}

/// One of them.
#[derive(Serialize, Deserialize)]
pub(super) struct EventItem<'a> {
    /// The name of its type.
    #[serde(rename = "e", borrow)]
    pub(super) event: Cow<'a, str>,
    /// When it was published.
    pub(super) at: Timestamp,
    /// The span that published it (W3C Trace Context), if it is not in the message's header.
    #[serde(rename = "t", borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<Cow<'a, str>>,
    #[serde(rename = "b", borrow)]
    pub(super) body: &'a RawValue,
}

/// The JSON Schema of a message with such items.
pub(super) fn form(items: Vec<Value>) -> Value {
    let version = json!({"const": VERSION, "description": "The version of this form."});
    let from = json!({"type": "string", "description": "The pod that sends it."});
    let events = json!({"type": "array", "items": {"oneOf": items}});
    let properties = json!({"v": version, "from": from, "events": events});
    json!({"type": "object", "properties": properties, "required": ["v", "from", "events"]})
}

/// The JSON Schema of an item: an event of this name, in the form `body`.
pub(super) fn item_form(event: &str, body: &Value) -> Value {
    let at = json!({"type": "integer", "description": "When it was published, in microseconds since 1970."});
    let trace = json!({"type": "string", "description": "W3C Trace Context of its span, where the message has several."});
    let properties = json!({"e": {"const": event}, "at": at, "t": trace, "b": body});
    json!({"type": "object", "properties": properties, "required": ["e", "at", "b"]})
}

/// Messages between pods in addition to events.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) enum Talk {
    /// The sender holds sockets of the game from now on.
    Entered(GameId),
    /// The sender no longer holds any.
    Left(GameId),
    /// A player's newest position, for a pod that has just entered the game.
    Position { game: GameId, channel: String, event: String, player: Option<UserId>, frame: String },
    /// The timer of a game may be due.
    Due { game: GameId, timer: String },
}

/// The name of [`Talk`] among events.
pub(super) const TALK: &str = "bridge.talk";

fn raw(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
}

fn item(parcel: &Parcel, with_trace: bool) -> Option<EventItem<'_>> {
    let trace = if with_trace { parcel.trace.to_traceparent() } else { None };
    let (event, at, body) = (parcel.event.into(), parcel.at, raw(&parcel.body)?);
    Some(EventItem { event, at, trace: trace.map(Cow::Owned), body })
}

fn write(from: &PodName, events: Vec<EventItem<'_>>) -> Vec<u8> {
    let message = PodMessage { v: VERSION, from: from.as_str().into(), events };
    serde_json::to_vec(&message).expect("texts and what has been JSON before")
}

/// A message with one event, whose trace context is in the header.
pub(super) fn of_one(from: &PodName, parcel: &Parcel) -> Vec<u8> {
    write(from, item(parcel, false).into_iter().collect())
}

/// A message with many events.
pub(super) fn of_many<'a>(from: &PodName, parcels: impl Iterator<Item = &'a Parcel>) -> Vec<u8> {
    write(from, parcels.filter_map(|parcel| item(parcel, true)).collect())
}

/// A message with [`Talk`] of the pods themselves.
pub(super) fn of_talk(from: &PodName, talk: &[Talk]) -> Vec<u8> {
    let bodies: Vec<Arc<str>> =
        talk.iter().map(|it| serde_json::to_string(it).expect("ids and texts").into()).collect();
    let at = Timestamp::now();
    let item = |body| Some(EventItem { event: TALK.into(), at, trace: None, body: raw(body)? });
    write(from, bodies.iter().filter_map(|body| item(body)).collect())
}

/// Parses a message. `None` if it is of another version or invalid, which is counted.
pub(super) fn read(bytes: &[u8]) -> Option<PodMessage<'_>> {
    let message = serde_json::from_slice::<PodMessage<'_>>(bytes).ok().filter(|it| it.v == VERSION);
    if message.is_none() {
        count::BRIDGE_UNREADABLE.add(1);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Reach;
    use crate::telemetry::TraceContext;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let parcel = Parcel {
            event: "player.moved",
            reach: Reach::Game,
            game: Some(GameId(1)),
            player: None,
            at: Timestamp(5),
            trace: TraceContext::from_traceparent(
                "00-0af7651916cd43dd8448eb211c803100-b7ad6b7169203331-01",
            ),
            body: r#"{"game":1}"#.into(),
        };
        let bytes = of_many(&"a".into(), [&parcel, &parcel].into_iter());
        let message = read(&bytes).unwrap();
        assert_eq!((&*message.from, message.events.len()), ("a", 2));
        let EventItem { event, at, trace, body } = &message.events[1];
        assert_eq!((&**event, *at, body.get()), ("player.moved", Timestamp(5), r#"{"game":1}"#));
        let expected = "00-0af7651916cd43dd8448eb211c803100-b7ad6b7169203331-01";
        assert_eq!(trace.as_deref(), Some(expected));
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_skipped() {
        let before = count::BRIDGE_UNREADABLE.get();
        for bytes in ["", "nonsense", r#"{"v":2,"from":"a","events":[]}"#, r#"{"v":1}"#] {
            assert!(read(bytes.as_bytes()).is_none(), "{bytes}");
        }
        assert_eq!(count::BRIDGE_UNREADABLE.get() - before, 4);
    }
}
