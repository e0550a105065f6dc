//! The one error table: what can go wrong for a client, and how it is told.
//!
//! Nothing else knows these codes and numbers. Close codes 4000-4499 say "come back", 4500-4999 "do
//! not"; 1000, 1002, 1007, 1009 and 1012 are those of RFC 6455, section 7.4.1, and of its IANA registry.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What went wrong, as the contract names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The stable code in the envelope.
    pub code: &'static str,
    /// The status of an answer.
    pub status: u16,
    /// The status when it is a socket's handshake that is refused.
    pub handshake: u16,
    /// The code with which an open socket is closed.
    pub close: u16,
}

impl Kind {
    /// Whether a client whose socket was closed for this should open another.
    pub const fn come_back(self) -> bool {
        matches!(self.close, 1012 | 4000..=4499)
    }
}

macro_rules! table {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal $status:literal $handshake:literal $close:literal;)*) => {
        impl Kind {
            $($(#[doc = $doc])* pub const $name: Self =
                Self { code: $code, status: $status, handshake: $handshake, close: $close };)*
            /// The whole table, each row with its meaning.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, concat!($($doc),*)),)*];
        }
    };
}

table! {
    // name                code                    answer handshake close
    /// Something failed on our side; the log says what.
    UNKNOWN = "UNKNOWN_ERROR" 500 500 4000;
    /// The one-time key is unknown, used or too old.
    KEY_NOT_FOUND = "KEY_NOT_FOUND" 400 403 4500;
    /// The refresh token is valid, but not one that is stored.
    REFRESH_TOKEN_MISMATCH = "REFRESH_TOKEN_MISSMATCH" 400 403 4500;
    /// The cookie is missing or empty.
    TOKEN_NOT_PROVIDED = "TOKEN_NOT_PROVIDED" 401 403 4501;
    /// The token is not one of ours, or not valid yet.
    INVALID_TOKEN = "INVALID_TOKEN" 400 403 4501;
    /// The token was valid once: refresh it and try again.
    TOKEN_EXPIRED = "TOKEN_EXPIRED" 400 403 4501;
    /// No such game, or it is not where you look for it.
    GAME_NOT_FOUND = "GAME_NOT_FOUND" 404 404 4504;
    /// No such user.
    USER_NOT_FOUND = "USER_NOT_FOUND" 404 404 4504;
    /// The race has no words (yet).
    WORDS_NOT_FOUND = "WORDS_NOT_FOUND" 404 404 4504;
    /// You have no seat in this game.
    NOT_A_PARTICIPANT = "NOT_A_PARTICIPANT" 400 403 4503;
    /// Only the host of the lobby can do that.
    NOT_THE_HOST = "NOT_THE_HOST" 403 403 4503;
    /// A parameter, the body or a field of it is not what it should be.
    VALIDATION = "VALIDATION_ERROR" 422 403 4522;
    /// The race has not started: there can be no result.
    GAME_NOT_STARTED = "GAME_NOT_STARTED" 400 403 4500;
    /// The game was there, and is not any more: the live state has lost it, or its time is over.
    GAME_LOST = "GAME_LOST" 404 404 4404;
    /// No such path.
    NOT_FOUND = "NOT_FOUND" 404 404 4504;
    /// The path is there, but not for this method; `allow` says for which.
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED" 405 405 4500;
    /// The body is larger than the server takes.
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE" 413 413 1009;
    /// The path with its query is longer than the server reads.
    URI_TOO_LONG = "URI_TOO_LONG" 414 414 4500;
    /// The headers are more, or larger, than the server reads.
    HEADERS_TOO_LARGE = "HEADERS_TOO_LARGE" 431 431 4500;
    /// This path speaks WebSocket only.
    UPGRADE_REQUIRED = "UPGRADE_REQUIRED" 426 426 4500;
    /// Too many requests, sockets or frames; `retry-after` says when to come back.
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS" 429 429 4429;
    /// Pages of this origin may not do that here.
    ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED" 403 403 4503;
    /// The request is not well-formed HTTP for this path.
    BAD_REQUEST = "BAD_REQUEST" 400 400 4500;
    /// It took too long, the server is stopping, or something that it needs is away: try again.
    UNAVAILABLE = "SERVICE_UNAVAILABLE" 503 503 4013;
    /// The client did not take what it was sent.
    SLOW_READER = "SLOW_READER" 503 503 4008;
    /// Too many frames that are no message of the contract.
    MALFORMED_FRAMES = "MALFORMED_FRAMES" 400 400 4520;
    /// A text frame that is not UTF-8.
    INVALID_UTF8 = "INVALID_UTF8" 400 400 1007;
    /// What was sent is not the WebSocket protocol.
    PROTOCOL_ERROR = "PROTOCOL_ERROR" 400 400 1002;
    /// There is no account of that name with that password.
    WRONG_CREDENTIALS = "WRONG_CREDENTIALS" 401 403 4501;
    /// Only guests may do that: accounts have names of their own.
    NOT_A_GUEST = "NOT_A_GUEST" 400 403 4503;
    /// Somebody else has that name.
    NAME_TAKEN = "NAME_TAKEN" 409 409 4500;
    /// The player has logged out, or the login was ended.
    LOGGED_OUT = "LOGGED_OUT" 401 403 4502;
    /// The guest of this socket has logged in: come back, as the account.
    LOGGED_IN = "LOGGED_IN" 409 409 4010;
    /// A newer socket of the same player took the place of this one.
    REPLACED = "REPLACED" 409 409 4509;
    /// An operator has closed the sockets of this game or player.
    CLOSED_BY_OPERATOR = "CLOSED_BY_OPERATOR" 403 403 4512;
    /// The server is stopping; another one, or this one again, takes over. The reason of the close frame may name the seconds
    /// after which to come back: `RESTARTING retry-after=0.93`.
    RESTARTING = "RESTARTING" 503 503 1012;
}

/// A failure of a request or a socket: its row of the table, and words for the developer who reads
/// the answer. They never hold a token, an address or the text of an inner error.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: Cow<'static, str>,
    status: Option<u16>,
    retry_after: Option<Duration>,
}

impl Error {
    /// A failure with words of its own.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), status: None, retry_after: None }
    }

    /// A failure on our side. The cause goes to the log, never to the client.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Kind::UNKNOWN.into()
    }

    /// A budget is spent; its next unit is there after `wait`.
    pub fn too_many(message: impl Into<Cow<'static, str>>, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(Kind::TOO_MANY_REQUESTS, message) }
    }

    /// A service that is needed does not answer, or refuses to work: to be tried again. Every request meets it, so
    /// the cause is logged for debugging only; the health watch reports the outage once.
    pub fn away(cause: impl fmt::Display) -> Self {
        tracing::debug!(%cause, "a service is away");
        Kind::UNAVAILABLE.into()
    }

    /// A bad parameter, body or field.
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::VALIDATION, message)
    }

    /// The same failure under another status, where the contract has an exception.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Its row of the table.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// When the same request may succeed, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The status of an answer that tells it.
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
