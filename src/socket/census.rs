//! Counts open sockets, and how sockets ended.

use std::borrow::Cow;

use super::state::End;
use crate::telemetry::count;

/// A socket from its handshake to its end. Dropping it counts the end, whatever ends the task.
pub(super) struct CountedSocket {
    channel: &'static str,
    code: Cow<'static, str>,
}

impl CountedSocket {
    pub(super) fn opened(channel: &'static str) -> Self {
        count::SOCKETS_OPENED.add([channel], 1);
        count::SOCKETS_OPEN.change([channel], 1.0);
        Self { channel, code: Cow::Borrowed("refused") }
    }

    pub(super) fn ends_by(&mut self, end: &End) {
        self.code = match end {
            End::Gone => Cow::Borrowed("gone"),
            End::Silent => Cow::Borrowed("silent"),
            End::Close(code, _) => Cow::Owned(code.to_string()),
        };
    }
}

impl Drop for CountedSocket {
    fn drop(&mut self) {
        count::SOCKETS_OPEN.change([self.channel], -1.0);
        let code = std::mem::take(&mut self.code);
        count::SOCKETS_CLOSED.add_named([Cow::Borrowed(self.channel), code], 1);
    }
}
