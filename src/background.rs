//! A thread for work that may wait for everything else.

use std::thread::Builder;

use tokio::runtime;

/// Runs `work` to its end on a thread of that name, which gets the CPU while nothing else needs it: on Linux, where a thread
/// can have a priority of its own.
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
        let _ = rustix::process::setpriority_process(None, LOWEST);
        runtime.block_on(work);
    };
    Builder::new().name(name.into()).spawn(body).map(drop).map_err(failed)
}

/// The lowest priority that a thread can have.
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;
