//! The messages of the broker, for the AsyncAPI document.

use salvo::oapi::ToSchema;
use serde_json::{Map, Value, json};

use super::message::{self, TALK, Talk};
use super::topology::{ONCE, TIMERS};
use crate::bus::{EventInfo, Reach, SchemaOf};

/// The channels of the broker, by name. `own` gives the schema of a type.
pub(crate) fn channels(
    events: &[EventInfo],
    own: &mut dyn FnMut(SchemaOf) -> Value,
) -> Vec<(String, Value)> {
    let talk = message::item_form(TALK, &own(Talk::to_schema));
    let mut items = |reaches: &[Reach]| -> Vec<Value> {
        let travelling = events.iter().filter(|it| reaches.contains(&it.reach));
        travelling.map(|it| message::item_form(it.name, &own(it.schema))).collect()
    };
    let mut for_pods = items(&[Reach::Game, Reach::Player, Reach::Everywhere]);
    for_pods.push(talk.clone());
    let pod = "The name of a pod, with further pods in the header CC; `all` for every pod.";
    let pods = of_exchange("pods", "{pod}", "Events for other pods.", for_pods);
    let pods = with_parameter(pods, "pod", pod);
    let once = "Events that exactly one pod handles, at least once: from a durable queue of the same name.";
    let once = of_exchange("work", ONCE, once, items(&[Reach::Once]));
    let due = "Timers of games that may be due, dead-lettered here after their delay.";
    let due = of_exchange("work", TIMERS, due, vec![talk]);
    [("pods", pods), ("once", once), ("timers", due)].map(|(name, it)| (name.into(), it)).into()
}

/// A routing key of an exchange, with its one kind of message.
fn of_exchange(exchange: &str, key: &str, about: &str, items: Vec<Value>) -> Value {
    let exchange = json!({"name": format!("typephoon.{exchange}"), "type": "direct", "durable": true,
        "autoDelete": false});
    let headers =
        ["traceparent", "tracestate"].map(|name| (name.to_owned(), json!({"type": "string"})));
    let headers = json!({"type": "object", "properties": Map::from_iter(headers)});
    let events = json!({
        "name": "events",
        "summary": "Some events of one pod. Messages of another version are counted and skipped.",
        "headers": headers,
        "payload": message::form(items),
    });
    json!({
        "address": key,
        "description": format!("{about} `typephoon` stands for the setting amqp.prefix."),
        "servers": [{"$ref": "#/servers/broker"}],
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
        "messages": {"events": events},
    })
}

fn with_parameter(mut channel: Value, name: &str, about: &str) -> Value {
    channel["parameters"] = json!({name: {"description": about}});
    channel
}

#[cfg(test)]
mod tests {
    use salvo::oapi::Components;

    use super::*;
    use crate::bus::{Event, Parcel};
    use crate::game::{GameId, PlayerMoved, Timestamp};
    use crate::telemetry::TraceContext;

    /// A validator of messages to pods that carry only positions.
    fn validator() -> jsonschema::Validator {
        let mut components = Components::default();
        let mut own = |schema: SchemaOf| serde_json::to_value(schema(&mut components)).unwrap();
        let channels = channels(&[EventInfo::of::<PlayerMoved>()], &mut own);
        let mut schema = channels[0].1["messages"]["events"]["payload"].clone();
        schema["components"] = json!({"schemas": components.schemas});
        jsonschema::validator_for(&schema).unwrap()
    }

    #[test]
    fn what_is_written_is_as_documented() {
        let validator = validator();
        let from = "pod-1".into();
        let moved =
            PlayerMoved { game: GameId(1), user: "anna".into(), word_index: 0, char_index: -1 };
        let parcel = Parcel {
            event: PlayerMoved::NAME,
            reach: Reach::Game,
            game: Some(moved.game),
            player: Some(moved.user.clone()),
            at: Timestamp(5),
            trace: TraceContext::none(),
            body: serde_json::to_string(&moved).unwrap().into(),
        };
        let position = Talk::Position {
            game: GameId(1),
            channel: "race".into(),
            event: PlayerMoved::NAME.into(),
            player: None,
            frame: "{}".into(),
        };
        let due = Talk::Due { game: GameId(1), timer: "race.countdown".into() };
        let talk = [Talk::Entered(GameId(1)), Talk::Left(GameId(1)), position, due];
        for bytes in [
            message::of_one(&from, &parcel),
            message::of_many(&from, [&parcel, &parcel].into_iter()),
            message::of_talk(&from, &talk),
        ] {
            let message = serde_json::from_slice(&bytes).unwrap();
            validator.validate(&message).unwrap_or_else(|error| panic!("{message}: {error}"));
        }
        let unknown = json!({"v": 1, "from": "pod-1", "events": [{"e": "x", "at": 1, "b": {}}]});
        assert!(!validator.is_valid(&unknown));
    }
}
