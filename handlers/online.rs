//! How many play: for a page that wants to show that somebody is there.

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::Serialize;

use crate::http::Answer;
use crate::module::{Cx, Module, Wiring};

inventory::submit! { Module { name: "online", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.get("/api/v1/online", online);
}

#[derive(Serialize, ToSchema)]
struct Online {
    /// Players with an open socket, in lobbies and races. Where several servers play one game, what is said of the
    /// others may be seconds old, and who has sockets on two of them counts twice.
    players: u64,
}

/// How many play right now.
#[endpoint(tags("online"))]
async fn online(cx: Cx) -> Answer<Online> {
    Answer::new(Online { players: cx.players_online() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn where_nobody_plays_nobody_is_online() {
        let server = Server::start().await;
        assert_eq!(server.get("/api/v1/online").await, json!({"ok": true, "players": 0}));
    }
}
