//! Devices that stay logged in, and those that do not.

use futures_util::future::join_all;

use crate::database::{Database, on_both};
use crate::device::Device;
use crate::persona::Player;
use crate::server::{Server, Settings};
use crate::signing;
use crate::site::{ANONYMOUS, Answer};

/// A server with accounts of its own, wherever its records are.
fn with_accounts(database: &Database) -> Settings {
    database.settings().set("auth.local", true)
}

#[track_caller]
fn is_refused(answer: &Answer) {
    answer.refused(400, "REFRESH_TOKEN_MISSMATCH");
    answer.cookie("USERNAME").deletes("/");
}

#[tokio::test]
async fn a_refresh_gives_fresh_tokens_of_the_same_player() {
    on_both(async |database| {
        let server = with_accounts(&database).start().await;
        let before = Device::of_new_account(&server, "Anna").await;
        let answer = before.asks_for_more(&server).await;
        let after = Device::from(&answer);
        assert_ne!(after.refresh, before.refresh);
        let subject = |device: &Device| signing::read(&device.access)["sub"].clone();
        assert_eq!(subject(&after), subject(&before));
        let names: Vec<_> = answer.cookies().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["TP_AT", "TP_RT"]);
        server.get("/api/v1/profile/user-info", &after).await.ok();
    })
    .await;
}

#[tokio::test]
async fn a_page_that_refreshes_four_times_at_once_succeeds_four_times() {
    on_both(async |database| {
        let server = with_accounts(&database).start().await;
        let device = Device::of_new_account(&server, "Anna").await;
        let answers = join_all([0; 4].map(|_| device.asks_for_more(&server))).await;
        for answer in &answers {
            // Whichever arrives last is what the browser keeps.
            Device::from(answer).refreshes(&server).await;
        }
    })
    .await;
}

#[tokio::test]
async fn several_devices_of_a_player_are_logged_in_side_by_side() {
    on_both(async |database| {
        let server = with_accounts(&database).start().await;
        let mut phone = Device::of_new_account(&server, "Anna").await;
        let mut laptop = Device::logged_in(&server, "Anna").await;
        phone.refreshes(&server).await;
        laptop.refreshes(&server).await;
        phone.logs_out(&server).await.ok();
        is_refused(&phone.asks_for_more(&server).await);
        laptop.refreshes(&server).await;
    })
    .await;
}

#[tokio::test]
async fn a_logout_ends_the_sockets_of_its_login_and_no_others() {
    let server = Server::for_players(2).await;
    let phone = Device::of_new_account(&server, "Anna").await;
    let laptop = Device::logged_in(&server, "Anna").await;
    let mut on_phone = Player::known(&server.site(), phone.access.clone()).await;
    let mut on_laptop = Player::known(&server.site(), laptop.access.clone()).await;
    let logout = phone.logs_out(&server).await;
    logout.cookie("TP_AT").deletes("/");
    logout.cookie("TP_RT").deletes("/api/v1/auth/token-refresh");
    assert_eq!(on_phone.lobby.closed().await, 4502);
    on_laptop.lobby.is_alive().await;
}

#[tokio::test]
async fn a_logout_works_with_an_access_token_that_has_expired() {
    let server = Server::with().set("token.access_duration", 1).start().await;
    let device = Device::of_new_account(&server, "Anna").await;
    crate::server::eventually("the token expires", async || {
        let answer = server.get("/api/v1/profile/user-info", &device).await;
        (answer.code() == "TOKEN_EXPIRED").then_some(())
    })
    .await;
    device.logs_out(&server).await.ok();
    is_refused(&device.asks_for_more(&server).await);
}

#[tokio::test]
async fn devices_stay_logged_in_over_a_restart() {
    on_both(async |database| {
        let mut server = with_accounts(&database).start().await;
        let mut device = Device::of_new_account(&server, "Anna").await;
        server.kill().await;
        server.restart().await;
        device.refreshes(&server).await;
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_later_ends_its_login_and_its_sockets() {
    on_both(async |database| {
        let server = with_accounts(&database).start().await;
        let stolen = Device::of_new_account(&server, "Anna").await;
        let mut phone = stolen.clone();
        phone.refreshes(&server).await;
        let mut laptop = Device::logged_in(&server, "Anna").await;
        let mut anna = Player::known(&server.site(), phone.access.clone()).await;
        // Half a minute later.
        let later = match database {
            Database::Lite => "replaced_at - 30000000",
            Database::Pg(_) => "replaced_at - interval '30 seconds'",
        };
        let sql = format!("update refresh_tokens set replaced_at = {later}");
        database.execute(&server, &sql).await;

        is_refused(&stolen.asks_for_more(&server).await);
        assert_eq!(anna.lobby.closed().await, 4502);
        is_refused(&phone.asks_for_more(&server).await);
        laptop.refreshes(&server).await;
    })
    .await;
}

#[tokio::test]
async fn a_token_that_the_old_backend_stored_goes_on_working() {
    on_both(async |database| {
        let server = database.settings().start().await;
        let claims = signing::claims("google-77", "User 77", "REGISTERED");
        let refresh = signing::sign(&claims);
        let values = match database {
            Database::Lite => format!("('google-77', 'Anna', 0, '{refresh}')"),
            Database::Pg(_) => format!("('google-77', 'Anna', now(), '{refresh}')"),
        };
        let sql =
            format!("insert into users (id, name, registered_at, refresh_token) values {values}");
        database.execute(&server, &sql).await;
        let access = signing::sign(&signing::claims("google-77", "Anna", "REGISTERED"));
        let device = Device { access, refresh };

        // All four of a page, and then like any other.
        let answers = join_all([0; 4].map(|_| device.asks_for_more(&server))).await;
        let mut devices: Vec<_> = answers.iter().map(Device::from).collect();
        assert_eq!(signing::read(&devices[0].access)["name"], "Anna", "as it is stored");
        devices[3].refreshes(&server).await;
        devices[3].logs_out(&server).await.ok();
        is_refused(&devices[3].asks_for_more(&server).await);
    })
    .await;
}

#[tokio::test]
async fn a_logout_by_a_token_of_the_old_backend_erases_what_it_stored() {
    on_both(async |database| {
        let server = database.settings().start().await;
        let token = signing::sign(&signing::claims("google-77", "User 77", "REGISTERED"));
        let sql = match database {
            Database::Lite => format!("insert into users values ('google-77', 'A', 0, '{token}')"),
            Database::Pg(_) => {
                format!("insert into users values ('google-77', 'A', now(), '{token}')")
            }
        };
        database.execute(&server, &sql).await;
        let device = Device { access: token.clone(), refresh: token };
        device.logs_out(&server).await.ok();
        is_refused(&device.asks_for_more(&server).await);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_stored_refresh_token_is_refused() {
    let server = Server::start().await;
    let device = Device::of_new_account(&server, "Anna").await;
    let guest = server.guest().await;
    let with = |refresh: &str| Device { access: String::new(), refresh: refresh.to_owned() };
    let valid_but_unknown = signing::sign(&signing::claims("google-77", "A", "REGISTERED"));
    for token in [&device.access, &guest.token, &valid_but_unknown] {
        is_refused(&with(token).asks_for_more(&server).await);
    }
    for token in ["garbage", &device.refresh[..device.refresh.len() - 4]] {
        let answer = with(token).asks_for_more(&server).await;
        answer.refused(400, "INVALID_TOKEN");
        answer.cookie("USERNAME").deletes("/");
    }
    with("").asks_for_more(&server).await.refused(401, "TOKEN_NOT_PROVIDED");
    let refresh = device.refresh.clone();
    server.get("/api/v1/profile/user-info", &refresh).await.refused(400, "INVALID_TOKEN");
}

#[tokio::test]
async fn after_a_change_of_keys_all_players_are_still_logged_in() {
    let mut server = Server::with()
        .embedded()
        .unset("token.private_key")
        .unset("token.public_key")
        .set("token.accepted_public_keys", signing::PUBLIC_KEY)
        .start()
        .await;
    let old = signing::sign(&signing::claims("google-77", "A", "REGISTERED"));
    server.get("/api/v1/profile/user-info", &old).await.ok();
    let mut device = Device::of_new_account(&server, "Anna").await;
    let kid = signing::header(&device.access).kid.expect("the name of the key");
    assert_eq!(signing::header(&device.refresh).kid.as_ref(), Some(&kid));
    device.refreshes(&server).await;
    server.kill().await;
    server.restart().await;
    device.refreshes(&server).await;
    assert_eq!(signing::header(&device.access).kid, Some(kid), "the same key again");
    server.get("/api/v1/profile/user-info", ANONYMOUS).await.refused(401, "TOKEN_NOT_PROVIDED");
}

#[tokio::test]
async fn no_token_ever_reaches_the_log() {
    let server = Server::with().log_level("debug").start().await;
    let mut device = Device::of_new_account(&server, "Anna").await;
    let first = device.clone();
    device.refreshes(&server).await;
    device.logs_out(&server).await.ok();
    first.asks_for_more(&server).await;
    let log = server.log();
    for secret in
        [&first.access, &first.refresh, &device.access, &device.refresh, &"correct horse".into()]
    {
        assert!(!log.contains(secret.as_str()));
    }
    assert!(log.contains("listening"), "the log is there");
}
