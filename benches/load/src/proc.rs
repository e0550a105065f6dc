//! Data from Linux about processes: CPU time and resident memory; and the limit of open files.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// `utime` and `stime` are counted in ticks of 1/100 s: `USER_HZ` is 100 on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// User and system time that a process has used so far. `None` if there is no such process.
pub fn cpu(pid: u32) -> Option<Duration> {
    ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?).map(|ticks| TICK * ticks)
}

fn ticks(stat: &str) -> Option<u32> {
    // The second field, the name, may contain anything, so fields are counted from its closing bracket: state is field
    // 3.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(ticks()? + ticks()?)
}

/// Resident memory of a process in bytes.
pub fn resident(pid: u32) -> Option<u64> {
    kibibytes(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?).map(|it| it * 1024)
}

fn kibibytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Raises the soft limit of open files to the hard limit. Returns the new limit.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // If that is refused, the limit stays the same.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_mislead() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 1 0 1 2 3";
        assert_eq!(ticks(stat), Some(200));
        assert_eq!(kibibytes("VmPeak:\t 9 kB\nVmRSS:\t    7412 kB\n"), Some(7412));
    }

    #[test]
    fn this_process_has_memory_and_a_missing_one_has_none() {
        assert!(resident(std::process::id()).is_some_and(|it| it > 100_000));
        assert!(cpu(std::process::id()).is_some());
        assert_eq!((cpu(u32::MAX), resident(u32::MAX)), (None, None));
    }
}
