//! Logs each panic once: the fence around a module's function logs its own, with the module's name; all others are
//! logged here.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::task::Poll;

thread_local! {
    /// Whether a panic on this thread will be caught and reported.
    static IS_FENCED: Cell<bool> = const { Cell::new(false) };
    /// The location of the last panic that will be caught.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Logs panics instead of printing them.
pub(super) fn log_all() {
    panic::set_hook(Box::new(|info| {
        if IS_FENCED.get() {
            PLACE.set(place(info));
        } else if info.location().is_some_and(|at| at.file().contains("tracing")) {
            // The log itself panicked: logging again would abort the process.
            eprintln!("typephoon-api: {info}");
        } else {
            let (panic, at) = (info.payload_as_str().unwrap_or("no message"), place(info));
            tracing::error!(panic, at, "a task panicked");
        }
    }));
}

fn place(info: &PanicHookInfo<'_>) -> Option<String> {
    info.location().map(ToString::to_string)
}

/// A panic that was caught.
pub(crate) struct Caught {
    /// Its message.
    pub(crate) message: String,
    /// File, line and column.
    pub(crate) at: String,
}

impl Caught {
    fn of(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("no message").to_owned();
        Self { message, at: PLACE.take().unwrap_or_default() }
    }
}

/// Calls a function; the caller reports its panic.
pub(crate) fn catch<T>(call: impl FnOnce() -> T) -> Result<T, Caught> {
    let before = IS_FENCED.replace(true);
    let called = panic::catch_unwind(AssertUnwindSafe(call));
    IS_FENCED.set(before);
    called.map_err(|payload| Caught::of(&*payload))
}

/// The same for a future.
pub(crate) async fn catch_in<T>(work: impl Future<Output = T>) -> Result<T, Caught> {
    let mut work = std::pin::pin!(work);
    poll_fn(|cx| match catch(|| work.as_mut().poll(cx)) {
        Ok(polled) => polled.map(Ok),
        Err(caught) => Poll::Ready(Err(caught)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_with_its_words_also_after_a_pause() {
        let number = 7;
        let caught = catch_in(async {
            tokio::task::yield_now().await;
            assert!(number > 7, "{number} is too small");
        });
        assert_eq!(caught.await.map_err(|it| it.message), Err("7 is too small".into()));
        assert!(!IS_FENCED.get(), "the next panic may be one that nothing reports");
        assert_eq!(catch(|| number).ok(), Some(7));
    }
}
