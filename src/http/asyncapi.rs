//! The AsyncAPI document (version 3.0): the messages of sockets and of the broker, generated from the types of the
//! modules and the events, and the close codes of the error table. The server is the application that it describes,
//! which defines the directions `send` and `receive`.

use salvo::oapi::Components;
use serde_json::{Map, Value, json};

use crate::Kind;
use crate::bridge;
use crate::bus::{EventInfo, SchemaOf};
use crate::module::context::ModuleTable;
use crate::socket::SocketRoute;
use crate::socket::rooms::{MessageInfo, Side};

const ABOUT: &str = "Real-time multiplayer typing race. Sockets carry text frames, one JSON object each. A client ignores \
                     events and fields that it does not know. Routes and the query of a handshake: /openapi.json.";

/// Fields that every message of a client has in addition to its own.
const HEAD: [(&str, &str, &str); 2] = [
    ("game_id", "integer", "Required, but ignored: the game is that of the socket."),
    ("traceparent", "string", "W3C Trace Context, optional."),
];

/// The whole document.
pub(super) fn document(
    modules: &[ModuleTable],
    sockets: &[SocketRoute],
    events: &[EventInfo],
) -> Value {
    let mut types = Types::default();
    let (mut channels, mut operations) = (Map::new(), Map::new());
    for socket in sockets {
        let name = socket.channel.to_string();
        let messages = messages(&mut types, modules, socket);
        for (side, action) in [(Side::Client, "receive"), (Side::Server, "send")] {
            let of_side = messages.keys().filter(|id| id.starts_with(prefix(side)));
            let refs: Vec<_> = of_side.map(|id| reference(&name, id)).collect();
            if !refs.is_empty() {
                let operation =
                    json!({"action": action, "channel": channel(&name), "messages": refs});
                operations.insert(format!("{name}.{action}"), operation);
            }
        }
        channels.insert(name, of_socket(socket, messages));
    }
    for (name, described) in bridge::channels(events, &mut |schema| types.own(schema)) {
        for action in ["send", "receive"] {
            let operation = json!({"action": action, "channel": channel(&name)});
            operations.insert(format!("{name}.{action}"), operation);
        }
        channels.insert(name, described);
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {"title": "typephoon-api", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": servers(),
        "channels": channels,
        "operations": operations,
        "components": {"schemas": types.shared()},
        "x-close-codes": close_codes(),
    })
}

fn servers() -> Value {
    let of = |about: &str| json!({"host": {"description": about}});
    json!({
        "sockets": {"host": "{host}", "protocol": "wss", "variables": of("The server, or its proxy.")},
        "broker": {"host": "{host}", "protocol": "amqp", "variables": of("RabbitMQ, shared by the pods.")},
    })
}

fn channel(name: &str) -> Value {
    json!({"$ref": format!("#/channels/{name}")})
}

fn reference(channel: &str, message: &str) -> Value {
    json!({"$ref": format!("#/channels/{channel}/messages/{message}")})
}

fn prefix(side: Side) -> &'static str {
    match side {
        Side::Client => "client.",
        Side::Server => "server.",
    }
}

fn of_socket(socket: &SocketRoute, messages: Map<String, Value>) -> Value {
    let parameters = serde_json::to_value((socket.query)()).unwrap_or_default();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in parameters.as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if parameter["required"] == true {
            required.push(name.clone());
        }
        let mut schema = parameter["schema"].clone();
        schema["description"] = parameter["description"].clone();
        properties.insert(name, schema);
    }
    let query = json!({"type": "object", "properties": properties, "required": required});
    let mut binding = json!({"method": "GET", "query": query, "bindingVersion": "0.1.0"});
    if !socket.protocols.is_empty() {
        let about = "Optional: the sub-protocols that the client speaks. The answer names the one that was chosen.";
        let header = json!({"type": "string", "enum": socket.protocols, "description": about});
        let properties = json!({"Sec-WebSocket-Protocol": header});
        binding["headers"] = json!({"type": "object", "properties": properties});
    }
    json!({
        "address": socket.path,
        "description": socket.about,
        "servers": [{"$ref": "#/servers/sockets"}],
        "bindings": {"ws": binding},
        "messages": messages,
    })
}

/// The messages of a channel, under `client.EVENT` and `server.EVENT`.
fn messages(
    types: &mut Types,
    modules: &[ModuleTable],
    socket: &SocketRoute,
) -> Map<String, Value> {
    let mut messages = Map::new();
    for module in modules {
        for info in module.messages.iter().filter(|it| it.channel == socket.channel) {
            let name = if info.schema.is_some() { info.events[0] } else { "ignored" };
            let id = format!("{}{name}", prefix(info.from));
            messages.insert(id, message(types, module.name, name, info));
        }
    }
    messages
}

fn message(types: &mut Types, module: &str, name: &str, info: &MessageInfo) -> Value {
    let own = info.schema.map_or_else(|| json!({}), |schema| types.own(schema));
    let mut fields = Map::new();
    let event = match info.events {
        [one] => json!({"const": one}),
        several => json!({"enum": several}),
    };
    fields.insert("event".into(), event);
    let mut required = vec![json!("event")];
    if info.from == Side::Client {
        for (field, kind, about) in HEAD {
            fields.insert(field.into(), json!({"type": kind, "description": about}));
        }
        required.push("game_id".into());
    }
    let its = own["properties"].as_object().into_iter().flatten();
    fields.extend(its.map(|(field, schema)| (field.clone(), schema.clone())));
    required.extend(own["required"].as_array().into_iter().flatten().cloned());
    let about = own["description"].as_str();
    json!({
        "name": name,
        "summary": about.unwrap_or("Accepted without effect, since clients of the Python backend may send it."),
        "tags": [{"name": module}],
        "payload": {"type": "object", "properties": fields, "required": required},
    })
}

/// Shared types that schemas refer to.
#[derive(Default)]
struct Types(Components);

impl Types {
    /// The schema of a type. Types that it contains are referenced.
    fn own(&mut self, schema: SchemaOf) -> Value {
        let schema = serde_json::to_value(schema(&mut self.0)).unwrap_or_default();
        let name = schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/components/schemas/"));
        let named = name.and_then(|name| self.0.schemas.remove(name));
        named.map_or(schema, |named| serde_json::to_value(named).unwrap_or_default())
    }

    /// The referenced types.
    fn shared(&self) -> Value {
        serde_json::to_value(&self.0.schemas).unwrap_or_default()
    }
}

/// The close codes: the code, its reason, and whether the client should reconnect.
fn close_codes() -> Vec<Value> {
    let done = "The client was sent GAME_START ten seconds ago, and should be in the race by now.";
    let done = json!({"code": 1000, "reason": "", "come_back": false, "meaning": done});
    let kinds = Kind::ALL.iter().map(|(kind, meaning)| {
        let Kind { close, code, .. } = kind;
        json!({"code": close, "reason": code, "come_back": kind.come_back(), "meaning": meaning.trim()})
    });
    let mut codes: Vec<_> = std::iter::once(done).chain(kinds).collect();
    codes.sort_by_key(|it| it["code"].as_u64());
    codes
}
