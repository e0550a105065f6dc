//! What Linux tells about a process: CPU time, resident memory, open files.

use crate::Outcome;
use std::fs;
use std::time::Duration;

/// `utime` and `stime` are counted in ticks of 1/100 s: `USER_HZ` is 100 on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// User and system time that a process has used so far, all its threads together, to 1/100 s.
pub fn cpu(pid: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field, the name, may hold anything, so count from its closing bracket: state is field 3.
    let after_name = stat.rsplit_once(')').ok_or("a stat line without a name")?.1;
    let mut ticks = 0;
    for field in after_name.split_ascii_whitespace().skip(11).take(2) {
        ticks += field.parse::<u32>()?;
    }
    Ok(TICK * ticks)
}

/// Resident memory of a process in bytes.
pub fn resident(pid: u32) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("a status without VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

/// Raises the limit of open files, which the servers inherit, as far as it goes; gives what it is then.
pub fn raise_open_files() -> Outcome<usize> {
    let own = std::process::id().to_string();
    let (_, hard) = open_files()?;
    // Where `prlimit` is missing, the limit stays as it is.
    let _ = std::process::Command::new("prlimit")
        .args(["--pid", &own, &format!("--nofile={hard}:{hard}")])
        .status();
    Ok(open_files()?.0)
}

/// Pins this process to a core.
pub fn pin_this(core: usize) -> Outcome<()> {
    let own = std::process::id().to_string();
    let pinned = std::process::Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", &core.to_string(), &own])
        .stdout(std::process::Stdio::null())
        .status();
    match pinned {
        Ok(status) if status.success() => Ok(()),
        _ => Err("servers and load generator need a core each, and taskset (util-linux); --spread does without".into()),
    }
}

/// The soft and the hard limit of open files of this process.
fn open_files() -> Outcome<(usize, usize)> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .ok_or("no limit of open files")?;
    let mut values = line.split_ascii_whitespace().map(|value| value.parse().unwrap_or(usize::MAX));
    Ok((values.next().ok_or("no soft limit")?, values.next().ok_or("no hard limit")?))
}
