//! The AsyncAPI document: what the server serves is what lies in `docs/asyncapi.json`, and every frame that a socket of
//! these tests sends or hears is as it says (`Spoken`), and so is every code with which a socket is closed.

use std::collections::HashMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::persona::QUEUE_IN;
use crate::server::Server;
use crate::site::ANONYMOUS;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/asyncapi.json"));
    serde_json::from_str(&text.expect("a document")).expect("JSON")
});

/// What is said on a kind of socket, by `event`.
#[derive(Default)]
pub struct Spoken {
    client: HashMap<String, Validator>,
    server: HashMap<String, Validator>,
}

impl Spoken {
    /// On the socket at this path, if it is documented.
    pub fn at(path: &str) -> Option<&'static Self> {
        static SPOKEN: LazyLock<HashMap<String, Spoken>> = LazyLock::new(|| {
            let channels = DOCUMENT["channels"].as_object().into_iter().flatten();
            let address =
                |channel: &Value| channel["address"].as_str().expect("an address").to_owned();
            channels.map(|(_, channel)| (address(channel), Spoken::of(channel))).collect()
        });
        SPOKEN.get(path.split('?').next().unwrap_or_default())
    }

    fn of(channel: &Value) -> Self {
        let mut spoken = Self::default();
        for (id, message) in channel["messages"].as_object().into_iter().flatten() {
            let mut payload = message["payload"].clone();
            payload["components"] = DOCUMENT["components"].clone();
            let of_side = match id.split_once('.') {
                Some(("client", _)) => &mut spoken.client,
                // A client may say more than it has to; the server says what is documented.
                Some(("server", _)) => {
                    payload["additionalProperties"] = json!(false);
                    &mut spoken.server
                }
                _ => continue,
            };
            let event = &payload["properties"]["event"];
            let events = event["enum"].as_array().cloned();
            for event in events.unwrap_or_else(|| vec![event["const"].clone()]) {
                let validator = jsonschema::validator_for(&payload).expect("a schema");
                of_side.insert(event.as_str().expect("an event").to_owned(), validator);
            }
        }
        spoken
    }

    /// What is wrong with a frame of a client.
    pub fn fault_of_client(&self, frame: &Value) -> Option<String> {
        fault(&self.client, frame)
    }

    /// What is wrong with a frame of the server.
    pub fn fault_of_server(&self, frame: &Value) -> Option<String> {
        fault(&self.server, frame)
    }
}

fn fault(events: &HashMap<String, Validator>, frame: &Value) -> Option<String> {
    let Some(validator) = frame["event"].as_str().and_then(|event| events.get(event)) else {
        return Some("no such event".to_owned());
    };
    validator.validate(frame).err().map(|error| error.to_string())
}

/// Whether the server may close a socket in this way.
pub fn is_close_code(code: u16, reason: &str) -> bool {
    // The answer to a close frame of the client that has no code (RFC 6455, section 7.1.5).
    if (code, reason) == (1005, "") {
        return true;
    }
    let codes = DOCUMENT["x-close-codes"].as_array().expect("close codes");
    let reason = reason.split(" retry-after=").next().unwrap_or_default();
    codes.iter().any(|it| it["code"] == code && it["reason"] == reason)
}

#[tokio::test]
async fn the_document_of_the_server_is_that_of_the_docs() {
    let server = Server::start().await;
    let mut served = server.get("/asyncapi.json", ANONYMOUS).await.body;
    // A release without a new message needs no new document.
    served["info"]["version"] = DOCUMENT["info"]["version"].clone();
    if served != *DOCUMENT {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/target/asyncapi.json");
        let text = serde_json::to_string_pretty(&served).expect("JSON") + "\n";
        std::fs::write(beside, text).expect("a file beside the build");
        panic!(
            "docs/asyncapi.json is another one: look at the difference, then\ncp target/asyncapi.json docs/"
        );
    }
    let page = server.get("/docs", ANONYMOUS).await.text;
    for shown in ["guest_token_key", "KEY_STOKE", "user_id", "4520", "<code>GET_TOKEN</code>"] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains('`'), "code spans are shown as code");
    // A nullable object, and one that is made of several.
    for shown in ["{change, game_id} or null", "<code>result_id</code>"] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn a_frame_or_close_code_that_is_not_documented_is_found() {
    let lobby = Spoken::at(QUEUE_IN).expect("documented");
    let fine = json!({"event": "USER_LEFT", "game_id": 35, "user_id": "google-77"});
    assert_eq!(lobby.fault_of_server(&fine), None);
    for (field, value) in [
        ("event", json!("USER_LOST")),
        ("event", json!("KEY_STOKE")),
        ("game_id", json!("35")),
        ("user_id", Value::Null),
        ("more", json!(1)),
    ] {
        let mut frame = fine.clone();
        frame[field] = value;
        assert!(lobby.fault_of_server(&frame).is_some(), "{frame}");
    }
    let race = Spoken::at("/api/v1/game/ws?game_id=35").expect("documented");
    let stroke = json!({"event": "KEY_STOKE", "game_id": 35, "word_index": 0, "char_index": -1});
    assert_eq!(race.fault_of_client(&stroke), None);
    assert!(race.fault_of_server(&stroke).is_some(), "whose is it?");
    assert!(lobby.fault_of_client(&stroke).is_none(), "it means nothing there");
    assert!(is_close_code(4008, "SLOW_READER") && !is_close_code(4008, ""));
}
