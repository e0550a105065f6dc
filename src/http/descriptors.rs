//! The limit of open files, which every connection counts against.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files reserved for other uses than client connections: databases, services, logs, the listener.
const RESERVED: u64 = 100;

/// Raises the soft limit of open files to the hard one, and returns how many connections fit under it.
/// Logs a warning if they are fewer than `wanted`.
pub(crate) fn room_for_connections(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Some systems do not allow their hard limit as a soft one: then try the number needed.
    let needed = Rlimit { current: Some(wanted as u64 + RESERVED), maximum: limit.maximum };
    if limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_err() {
        let _ = setrlimit(Resource::Nofile, needed);
    }
    let files = getrlimit(Resource::Nofile).current;
    let room = connections_under(files);
    if room < wanted {
        tracing::warn!(
            "the limit of open files ({}) leaves room for {room} connections, fewer than limits.sockets \
             ({wanted}): raise the hard limit (ulimit -Hn, LimitNOFILE)",
            files.unwrap_or_default()
        );
    }
    room
}

/// Connections that fit under a limit of open files; no limit is `None`.
fn connections_under(files: Option<u64>) -> usize {
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(RESERVED).max(files / 2));
    usize::try_from(room).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_left_for_everything_else() {
        assert_eq!(connections_under(Some(1_024)), 924);
        assert_eq!(connections_under(Some(64)), 32, "half of a very small limit");
        assert_eq!(connections_under(None), usize::MAX);
    }
}
