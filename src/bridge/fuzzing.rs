//! Entry points for fuzzing what other pods send.

use super::message::{self, TALK, Talk};
use crate::bus::ReceivedEvent;
use crate::module::Declarations;
use crate::telemetry::TraceContext;

/// Handles a broker message with the bus of all modules. A readable message must serialise to what was read.
pub fn bridge_message(declared: Declarations) -> impl Fn(&[u8]) {
    let bus = declared.bus.build().0;
    move |bytes| {
        let Some(message) = message::read(bytes) else { return };
        let again = serde_json::to_vec(&message).expect("what has been JSON before");
        let again = message::read(&again).expect("a message").events.len();
        assert_eq!(again, message.events.len());
        for item in message.events {
            if item.event == TALK {
                drop(serde_json::from_str::<Talk>(item.body.get()));
                continue;
            }
            let trace = item.trace.as_deref().map(TraceContext::from_traceparent);
            let (at, body, trace) = (item.at, item.body.get(), trace.unwrap_or_default());
            drop(bus.receive(&item.event, &ReceivedEvent { at, trace, body, receipt: None }));
        }
    }
}
