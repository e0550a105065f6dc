//! A thread for work that may wait for everything else.

use std::thread::Builder;

#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::runtime;

/// Runs `work` to its end on a thread of that name, which gets the CPU while nothing else needs it: on Linux, where a thread
/// can be scheduled by a policy of its own.
///
/// # Errors
/// One sentence, if the system has no thread for it.
pub(crate) fn run(
    name: &str,
    work: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let failed = |error| format!("the thread {name:?} cannot be started: {error}");
    let runtime = runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
    let body = move || {
        #[cfg(target_os = "linux")]
        yield_to_all();
        runtime.block_on(work);
    };
    Builder::new().name(name.into()).spawn(body).map(drop).map_err(failed)
}

/// Schedules this thread by `SCHED_IDLE`, so that every other one preempts it at once. A low priority is not enough: Linux leaves
/// the CPU to a thread for some milliseconds, whatever its nice value.
#[cfg(target_os = "linux")]
fn yield_to_all() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
    if let Err(error) = set {
        tracing::warn!(?error, "spectators are written to at the priority of players");
    }
}
