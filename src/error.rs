//! The one error table: every error that a client can get, with its code, status and close code.
//!
//! No other place has these codes and numbers. Close codes 4000-4499 mean "reconnect", 4500-4999 "do
//! not"; 1000, 1002, 1007, 1009 and 1012 are those of RFC 6455, section 7.4.1, and of its IANA registry.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A kind of error, as the protocol names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The stable code in the envelope.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The HTTP status of a refused socket handshake.
    pub handshake: u16,
    /// The close code of an open socket.
    pub close: u16,
}

impl Kind {
    /// Whether a client whose socket was closed with this should reconnect.
    pub const fn come_back(self) -> bool {
        matches!(self.close, 1012 | 4000..=4499)
    }
}

macro_rules! table {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal $status:literal $handshake:literal $close:literal;)*) => {
        impl Kind {
            $($(#[doc = $doc])* pub const $name: Self =
                Self { code: $code, status: $status, handshake: $handshake, close: $close };)*
            /// The whole table: each row, and its meaning.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, concat!($($doc),*)),)*];
        }
    };
}

table! {
    // name                code                    answer handshake close
    /// Internal error; the server's log has the cause.
    UNKNOWN = "UNKNOWN_ERROR" 500 500 4000;
    /// The one-time key is unknown, used or expired.
    KEY_NOT_FOUND = "KEY_NOT_FOUND" 400 403 4500;
    /// The refresh token is valid, but not stored here.
    REFRESH_TOKEN_MISMATCH = "REFRESH_TOKEN_MISSMATCH" 400 403 4500;
    /// The cookie is missing or empty.
    TOKEN_NOT_PROVIDED = "TOKEN_NOT_PROVIDED" 401 403 4501;
    /// The token was not issued by this server, or is not valid yet.
    INVALID_TOKEN = "INVALID_TOKEN" 400 403 4501;
    /// The token has expired: refresh it and try again.
    TOKEN_EXPIRED = "TOKEN_EXPIRED" 400 403 4501;
    /// No such game, or it is in another stage.
    GAME_NOT_FOUND = "GAME_NOT_FOUND" 404 404 4504;
    /// No such user.
    USER_NOT_FOUND = "USER_NOT_FOUND" 404 404 4504;
    /// The race has no words (yet).
    WORDS_NOT_FOUND = "WORDS_NOT_FOUND" 404 404 4504;
    /// You have no seat in this game.
    NOT_A_PARTICIPANT = "NOT_A_PARTICIPANT" 400 403 4503;
    /// This account has no permission to do that.
    NOT_PERMITTED = "NOT_PERMITTED" 403 403 4503;
    /// Only the host of the lobby can do that.
    NOT_THE_HOST = "NOT_THE_HOST" 403 403 4503;
    /// A parameter, the body or one of its fields is invalid.
    VALIDATION = "VALIDATION_ERROR" 422 403 4522;
    /// The race has not started, so there can be no result.
    GAME_NOT_STARTED = "GAME_NOT_STARTED" 400 403 4500;
    /// The game no longer exists: the live state lost it, or it has expired.
    GAME_LOST = "GAME_LOST" 404 404 4404;
    /// No such path.
    NOT_FOUND = "NOT_FOUND" 404 404 4504;
    /// The path does not support this method; the header `allow` lists those that it does.
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED" 405 405 4500;
    /// The body is too large.
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE" 413 413 1009;
    /// The path with its query is too long.
    URI_TOO_LONG = "URI_TOO_LONG" 414 414 4500;
    /// The headers are too many or too large.
    HEADERS_TOO_LARGE = "HEADERS_TOO_LARGE" 431 431 4500;
    /// This path accepts WebSocket handshakes only.
    UPGRADE_REQUIRED = "UPGRADE_REQUIRED" 426 426 4500;
    /// Too many requests, sockets or frames; the header `retry-after` says when to try again.
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS" 429 429 4429;
    /// Pages of this origin are not allowed to do that.
    ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED" 403 403 4503;
    /// The request is not well-formed HTTP for this path.
    BAD_REQUEST = "BAD_REQUEST" 400 400 4500;
    /// A timeout, the server is stopping, or a service that it needs is down: try again.
    UNAVAILABLE = "SERVICE_UNAVAILABLE" 503 503 4013;
    /// The client did not read what it was sent.
    SLOW_READER = "SLOW_READER" 503 503 4008;
    /// Too many malformed frames.
    MALFORMED_FRAMES = "MALFORMED_FRAMES" 400 400 4520;
    /// A text frame that is not UTF-8.
    INVALID_UTF8 = "INVALID_UTF8" 400 400 1007;
    /// The client violated the WebSocket protocol.
    PROTOCOL_ERROR = "PROTOCOL_ERROR" 400 400 1002;
    /// Wrong name or password.
    WRONG_CREDENTIALS = "WRONG_CREDENTIALS" 401 403 4501;
    /// Only guests may do that: an account already has a name.
    NOT_A_GUEST = "NOT_A_GUEST" 400 403 4503;
    /// The name is already taken.
    NAME_TAKEN = "NAME_TAKEN" 409 409 4500;
    /// The player has logged out, or the login was ended.
    LOGGED_OUT = "LOGGED_OUT" 401 403 4502;
    /// The guest of this socket has logged in: reconnect, as the account.
    LOGGED_IN = "LOGGED_IN" 409 409 4010;
    /// A newer socket of the same player replaced this one.
    REPLACED = "REPLACED" 409 409 4509;
    /// An operator has closed the sockets of this game or player.
    CLOSED_BY_OPERATOR = "CLOSED_BY_OPERATOR" 403 403 4512;
    /// The server is stopping: reconnect, to another pod or to this one after its restart. The close reason may name the
    /// delay in seconds: `RESTARTING retry-after=0.93`.
    RESTARTING = "RESTARTING" 503 503 1012;
}

/// A failure of a request or a socket: its row of the table, and a message for the client's developer.
/// The message never holds a token, an address or the text of an inner error.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: Cow<'static, str>,
    status: Option<u16>,
    retry_after: Option<Duration>,
}

impl Error {
    /// A failure with a message of its own.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), status: None, retry_after: None }
    }

    /// An internal failure. The cause goes to the log, never to the client.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Kind::UNKNOWN.into()
    }

    /// A budget is exhausted; its next unit is available after `wait`.
    pub fn too_many(message: impl Into<Cow<'static, str>>, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(Kind::TOO_MANY_REQUESTS, message) }
    }

    /// A required service is down; the client should retry. Every request fails in an outage, so
    /// the cause is logged at debug level only; the health watch reports the outage once.
    pub fn away(cause: impl fmt::Display) -> Self {
        tracing::debug!(%cause, "a service is down");
        Kind::UNAVAILABLE.into()
    }

    /// An invalid parameter, body or field.
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::VALIDATION, message)
    }

    /// The same failure with another status, where the protocol has an exception.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Its row of the table.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// When the same request may succeed, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The HTTP status of the error answer.
    pub fn status(&self) -> u16 {
        self.status.unwrap_or(self.kind.status)
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self::new(kind, "")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_ref() {
            "" => f.write_str(self.kind.code),
            message => write!(f, "{}: {message}", self.kind.code),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_code_says_whether_to_come_back() {
        for (kind, meaning) in Kind::ALL {
            let known = matches!(kind.close, 1002 | 1007 | 1009 | 1012 | 4000..=4999);
            assert!(known && !meaning.is_empty(), "{kind:?}");
        }
        assert!(Kind::SLOW_READER.come_back() && !Kind::NOT_A_PARTICIPANT.come_back());
    }
}
