//! The number of players online, for pages.

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
    /// Players with an open socket, in lobbies and races. With several pods, the figures of the
    /// others may be seconds old, and a player with sockets on two pods counts twice.
    players: u64,
}

/// Returns the number of players online.
#[endpoint(tags("online"))]
async fn online(cx: Cx) -> Answer<Online> {
    Answer::new(Online { players: cx.players_online() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn without_players_none_are_online() {
        let server = Server::start().await;
        assert_eq!(server.get("/api/v1/online").await, json!({"ok": true, "players": 0}));
    }
}
