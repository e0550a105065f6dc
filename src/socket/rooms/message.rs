//! Messages: the content of a socket's text frames. Each is one JSON object, whose `event` names its type.

use salvo::oapi::ToSchema;
use serde::Serialize;

use super::Channel;
use crate::bus::SchemaOf;

/// A type of message. Its fields are those of the object, without `event`, and without `game_id` in messages of
/// clients.
///
/// ```
/// use salvo::oapi::ToSchema;
/// use serde::Serialize;
/// use typephoon_api::game::GameId;
/// use typephoon_api::socket::{Frame, Message};
///
/// /// A player waves.
/// #[derive(Serialize, ToSchema)]
/// struct Wave { game_id: GameId }
/// impl Message for Wave { const EVENT: &'static str = "WAVE"; }
///
/// let frame = Frame::of(&Wave { game_id: GameId(35) });
/// assert_eq!(frame.text(), r#"{"event":"WAVE","game_id":35}"#);
/// ```
pub trait Message: ToSchema {
    /// The `event` of the frame.
    const EVENT: &'static str;
    /// The same as a list, for the documentation.
    #[doc(hidden)]
    const EVENTS: &'static [&'static str] = &[Self::EVENT];
}

/// A message as a frame holds it.
#[derive(Serialize)]
pub(in crate::socket) struct Tagged<'a, M> {
    pub(in crate::socket) event: &'static str,
    #[serde(flatten)]
    pub(in crate::socket) message: &'a M,
}

/// The two ends of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// A type of message in the AsyncAPI document.
#[derive(Clone, Copy, Debug)]
pub struct MessageInfo {
    pub(crate) channel: Channel,
    pub(crate) from: Side,
    /// The values of `event`: one, or several for ignored messages.
    pub(crate) events: &'static [&'static str],
    /// Its fields; `None` for ignored messages.
    pub(crate) schema: Option<SchemaOf>,
}

impl MessageInfo {
    /// A message of the server.
    pub(crate) fn said<M: Message>(channel: Channel) -> Self {
        Self { channel, from: Side::Server, events: M::EVENTS, schema: Some(M::to_schema) }
    }

    /// A message of clients.
    pub(crate) fn taken<M: Message>(channel: Channel) -> Self {
        Self { channel, from: Side::Client, events: M::EVENTS, schema: Some(M::to_schema) }
    }

    /// Frames of clients that are ignored.
    pub(crate) fn ignored(channel: Channel, events: &'static [&'static str]) -> Self {
        Self { channel, from: Side::Client, events, schema: None }
    }
}

/// The messages that a kind of socket sends by itself: a tuple of their types.
pub trait Messages {
    /// All of them, as messages of a channel.
    fn said(channel: Channel) -> Vec<MessageInfo>;
}

macro_rules! messages {
    ($($message:ident)*) => {
        impl<$($message: Message),*> Messages for ($($message,)*) {
            fn said(_channel: Channel) -> Vec<MessageInfo> {
                vec![$(MessageInfo::said::<$message>(_channel)),*]
            }
        }
    };
}

messages!();
messages!(A);
messages!(A B);
messages!(A B C);
messages!(A B C D);
messages!(A B C D E);
messages!(A B C D E F);
messages!(A B C D E F G);
messages!(A B C D E F G H);
