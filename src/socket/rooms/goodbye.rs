//! The close frame of a socket that the server closes.

use std::borrow::Cow;
use std::time::Duration;

use crate::Kind;

/// Why a socket is closed, and when its client should reconnect, if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goodbye {
    /// Its close code.
    pub kind: Kind,
    /// How long the client should wait. Clients that ignore it reconnect at once.
    pub after: Option<Duration>,
}

impl Goodbye {
    /// The reason of the close frame: `RESTARTING retry-after=0.25`, in seconds.
    pub(in crate::socket) fn reason(&self) -> Cow<'static, str> {
        match self.after {
            None => Cow::Borrowed(self.kind.code),
            Some(after) => {
                Cow::Owned(format!("{} retry-after={:.2}", self.kind.code, after.as_secs_f64()))
            }
        }
    }
}

impl From<Kind> for Goodbye {
    fn from(kind: Kind) -> Self {
        Self { kind, after: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_says_when_to_come_back() {
        let mut goodbye = Goodbye::from(Kind::RESTARTING);
        assert_eq!(goodbye.reason(), "RESTARTING");
        goodbye.after = Some(Duration::from_millis(250));
        assert_eq!(goodbye.reason(), "RESTARTING retry-after=0.25");
    }
}
