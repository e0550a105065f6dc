//! A disk that is full for some seconds, under the only server.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::persona::{Player, QUEUE_IN};
use crate::server::{Server, eventually, time_passes};
use crate::service::skip;
use crate::signing;
use crate::site::ANONYMOUS;

/// How long it is full.
const FULL: Duration = Duration::from_secs(5);

/// A small disk of the test's own, in memory; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None` if we may not mount one, unless `REQUIRE_SERVICES` is set.
    fn at(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(folder);
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(folder.into()));
        }
        skip("no right to mount a disk");
        None
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).expect("a file");
        while file.write(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).expect("the file that fills it");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

async fn registered(server: &Server, id: &str) -> Player {
    let row = format!("insert into users (id, name, registered_at) values ('{id}', '{id}', 0)");
    Database::Lite.execute(server, &row).await;
    let token = signing::sign(&signing::claims(id, id, "REGISTERED"));
    Player::known(&server.site(), token).await
}

#[tokio::test]
async fn a_disk_that_is_full_for_seconds_costs_nothing_that_was_acknowledged() {
    let settings = Server::with().embedded().set("game.player_limit", 2);
    let settings = settings.set("limits.request_timeout", 1);
    let Some(disk) = Disk::at(&settings.data_dir()) else { return };
    let mut server = settings.start().await;
    let mut players =
        [registered(&server, "google-1").await, registered(&server, "google-2").await];
    for player in &mut players {
        player.lobby.until("GAME_START").await;
        player.race().await;
    }
    for player in &mut players {
        player.hears("START").await;
    }
    let [anna, ben] = &players;
    anna.finishes(60.0).await;

    disk.fill();
    let figures =
        serde_json::json!({"game_id": ben.game, "wpm": 50.0, "wpm_raw": 55.0, "acc": 97.5});
    ben.posts(figures.clone()).await.refused(503, "SERVICE_UNAVAILABLE");
    let answer = eventually("readiness says what is away", async || {
        let answer = server.get("/healthcheck/ready", ANONYMOUS).await;
        (answer.status == 500).then_some(answer)
    })
    .await;
    assert!(answer.text.contains("the records since 20"), "{answer:?}");
    server.handshake(QUEUE_IN, ANONYMOUS).await.refused(503, "SERVICE_UNAVAILABLE");
    time_passes(FULL).await;
    disk.free();

    let freed = Instant::now();
    eventually("the server is ready again", async || {
        (server.get("/healthcheck/ready", ANONYMOUS).await.status == 200).then_some(())
    })
    .await;
    let ready = freed.elapsed();
    assert!(
        ready < Duration::from_secs(2),
        "newcomers are taken {ready:?} after the disk had room"
    );
    let mut next: [Player; 2] = server.race_of().await;
    next[0].types(1, 0).await;
    let took = freed.elapsed();
    // A full lobby closes after a second, and the race has a start countdown of 0.3 s.
    assert!(took < Duration::from_secs(4), "players raced {took:?} after the disk had room");
    assert_eq!(ben.posts(figures).await.status, 200);
    for said in ["the records cannot be used", "the records can be used again"] {
        assert_eq!(server.log().matches(said).count(), 1, "{said}: once per outage");
    }
    server.kill().await;
    server.restart().await;
    for (player, rank) in [(anna, 1), (ben, 2)] {
        let history = server.get("/api/v1/profile/history?page=1&size=50", player).await;
        assert_eq!(history.ok()["data"][0]["rank"], rank, "{history:?}");
    }
    // Before the server, whose directory goes away with it.
    drop(disk);
    drop(server);
}
