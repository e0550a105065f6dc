//! A handler module in a crate of its own: it counts cheers, and serves the number at `/api/v1/cheers`.
//!
//! A server has it if its `main.rs` names this crate: `use typephoon_cheers as _;`.

use std::sync::atomic::{AtomicU64, Ordering};

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::Serialize;
use typephoon_api::http::{Answer, Rate};
use typephoon_api::module::{Cx, Module, Wiring};

inventory::submit! { Module { name: "cheers", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(|_| Ok(Cheers::default()));
    module.get("/api/v1/cheers", count);
    module.post("/api/v1/cheers", cheer).at_most(Rate::per_second(2).burst(10));
}

/// The number of cheers since this server started.
#[derive(Default)]
struct Cheers(AtomicU64);

#[derive(Serialize, ToSchema)]
struct Count {
    /// Cheers since this server started.
    cheers: u64,
}

/// Returns the number of cheers.
#[endpoint(tags("cheers"))]
async fn count(cx: Cx) -> Answer<Count> {
    Answer::new(Count { cheers: cx.state::<Cheers>().0.load(Ordering::Relaxed) })
}

/// Adds a cheer.
#[endpoint(tags("cheers"))]
async fn cheer(cx: Cx) -> Answer<Count> {
    Answer::new(Count { cheers: cx.state::<Cheers>().0.fetch_add(1, Ordering::Relaxed) + 1 })
}
