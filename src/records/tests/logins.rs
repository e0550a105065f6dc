//! Refresh tokens: good once, with a grace, and told when they come again.

use std::time::Duration;

use super::*;
use crate::game::{LoginId, UserId};
use crate::records::{ADDRESSES, GRACE, Refresh, StoredToken};

const ANNA: &str = "google-77";

fn token(name: &str, issued: Timestamp) -> StoredToken {
    StoredToken {
        fingerprint: name.into(),
        issued,
        expires: issued + Duration::from_secs(2_592_000),
    }
}

async fn registered(records: &Records) {
    records.register(&ANNA.into(), Some("Anna"), at(0)).await.unwrap();
}

async fn logged_in(records: &Records, name: &str) -> LoginId {
    records.log_in(&ANNA.into(), &token(name, at(0))).await.unwrap().login
}

/// Whether the first token was replaced by the second.
async fn replaced(records: &Records, old: &str, new: &str, now: Timestamp) -> bool {
    let refresh = records.refresh(old, &token(new, now)).await.unwrap();
    matches!(refresh, Refresh::Replaced { .. })
}

#[tokio::test]
async fn a_refresh_token_is_replaced_by_the_next() {
    on_both(async |records| {
        registered(&records).await;
        let login = logged_in(&records, "a").await;
        records.register(&ANNA.into(), Some("Anna Lena"), at(1)).await.unwrap();
        let user =
            User { id: ANNA.into(), name: "Anna Lena".into(), user_type: UserType::Registered };
        let refresh = records.refresh("a", &token("b", at(900))).await.unwrap();
        assert_eq!(refresh, Refresh::Replaced { login, user }, "by the name that is stored now");
        assert!(replaced(&records, "b", "c", at(1800)).await);
        let unknown = records.refresh("never", &token("d", at(1800))).await.unwrap();
        assert_eq!(unknown, Refresh::Unknown);
    })
    .await;
}

#[tokio::test]
async fn parallel_refreshes_all_succeed_and_whichever_answer_comes_last_is_good() {
    on_both(async |records| {
        registered(&records).await;
        logged_in(&records, "a").await;
        let names = ["b", "c", "d", "e"];
        let (records, now) = (&records, at(900));
        let all = names.map(|name| replaced(records, "a", name, now));
        assert_eq!(futures_util::future::join_all(all).await, [true; 4]);
        // The browser has kept one of the four; using it ends the others.
        assert!(replaced(records, "c", "f", at(1800)).await);
        assert!(replaced(records, "e", "g", at(1801)).await, "an answer that was under way");
        let late = at(1800) + GRACE;
        let reused = records.refresh("b", &token("h", late)).await.unwrap();
        assert!(matches!(reused, Refresh::Reused { .. }), "{reused:?}");
        assert!(!replaced(records, "f", "i", late).await, "the login has ended");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_comes_again_ends_its_login_and_no_other() {
    on_both(async |records| {
        registered(&records).await;
        let (stolen, other) = (logged_in(&records, "a").await, logged_in(&records, "other").await);
        assert!(replaced(&records, "a", "b", at(900)).await);
        assert!(replaced(&records, "a", "b2", at(929)).await, "within the grace");
        let again = records.refresh("a", &token("x", at(930))).await.unwrap();
        assert_eq!(again, Refresh::Reused { login: stolen, user: ANNA.into() });
        assert!(!replaced(&records, "b", "c", at(931)).await);
        assert!(replaced(&records, "other", "other2", at(931)).await);
        records.log_out(&ANNA.into(), &other).await.unwrap();
        assert!(!replaced(&records, "other2", "other3", at(932)).await);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_the_old_backend_stored_is_good_once() {
    on_both(async |records| {
        registered(&records).await;
        let clear = "update users set refresh_token = 'x.y.z'";
        with_db!(&records.db, |pool| pool.execute(clear).await.map(drop)).unwrap();
        let shown = token("print of x.y.z", at(0));
        let refresh = async |user: &str, clear, new| {
            let new = token(new, at(0));
            let refresh = records.refresh_clear(&user.into(), clear, &shown, &new).await.unwrap();
            matches!(refresh, Refresh::Replaced { .. })
        };
        assert!(!refresh(ANNA, "another", "a").await);
        assert!(!refresh("google-78", "x.y.z", "a").await);
        assert!(refresh(ANNA, "x.y.z", "a").await);
        assert!(!refresh(ANNA, "x.y.z", "b").await);
        // From then on it is like any other.
        assert!(replaced(&records, "print of x.y.z", "c", at(1)).await);
        let late = at(0) + GRACE;
        let reused = records.refresh("print of x.y.z", &token("d", late)).await.unwrap();
        assert!(matches!(reused, Refresh::Reused { .. }), "{reused:?}");
        assert!(!replaced(&records, "a", "e", late).await);
    })
    .await;
}

#[tokio::test]
async fn an_expired_token_is_unknown_and_so_is_one_of_a_player_who_went_away() {
    on_both(async |records| {
        registered(&records).await;
        logged_in(&records, "a").await;
        let end = token("", at(0)).expires;
        assert!(!replaced(&records, "a", "b", end).await);
        assert!(replaced(&records, "a", "b", at(1)).await);
        records.forget(&ANNA.into()).await.unwrap();
        assert_eq!(records.account(&ANNA.into()).await.unwrap(), None);
        assert!(!replaced(&records, "b", "c", at(2)).await);
    })
    .await;
}

#[tokio::test]
async fn many_devices_are_logged_in_and_the_longest_unused_makes_way() {
    on_both(async |records| {
        registered(&records).await;
        for number in 0..40 {
            let token = token(&format!("device {number}"), at(number));
            records.log_in(&ANNA.into(), &token).await.unwrap();
        }
        let account = records.account(&ANNA.into()).await.unwrap().unwrap();
        assert_eq!(account.logins.len(), 32);
        assert_eq!(account.logins[0].started, at(39));
        assert!(!replaced(&records, "device 7", "x", at(50)).await);
        assert!(replaced(&records, "device 8", "y", at(50)).await);
    })
    .await;
}

#[tokio::test]
async fn a_name_belongs_to_one_local_account() {
    on_both(async |records| {
        let user =
            |id: &str| User { id: id.into(), name: "Anna".into(), user_type: UserType::Registered };
        let open =
            async |id: &str| records.open_account(&user(id), "anna", "hash", at(0)).await.unwrap();
        assert!(open("local-1").await);
        assert!(!open("local-2").await);
        assert_eq!(records.account(&"local-2".into()).await.unwrap(), None, "nothing of it");
        let found = records.local_account("anna", "home").await.unwrap().unwrap();
        assert_eq!((found.user, found.password_hash.as_str()), (user("local-1"), "hash"));
        records.forget(&"local-1".into()).await.unwrap();
        assert_eq!(records.local_account("anna", "home").await.unwrap(), None);
        assert!(open("local-2").await);
    })
    .await;
}

#[tokio::test]
async fn of_the_addresses_of_a_player_the_latest_are_known() {
    on_both(async |records| {
        let id = UserId::from("local-1");
        let anna = User { id: id.clone(), name: "Anna".into(), user_type: UserType::Registered };
        assert!(records.open_account(&anna, "anna", "hash", at(0)).await.unwrap());
        let knows = async |address: &str| {
            records.local_account("anna", address).await.unwrap().unwrap().knows_address
        };
        assert!(!knows("home").await);
        for (address, seconds) in [("home", 1), ("school", 2), ("home", 3)] {
            records.note_address(&id, address, at(seconds)).await.unwrap();
        }
        assert!(knows("home").await && knows("school").await && !knows("elsewhere").await);
        for number in 0..ADDRESSES - 1 {
            records.note_address(&id, &format!("café {number}"), at(10 + number)).await.unwrap();
        }
        assert!(knows("home").await && !knows("school").await, "the oldest makes way");

        records.forget(&id).await.unwrap();
        assert!(records.open_account(&anna, "anna", "hash", at(0)).await.unwrap());
        assert!(!knows("home").await, "it goes with the account");
    })
    .await;
}

#[tokio::test]
async fn it_can_be_asked_which_logins_live() {
    on_both(async |records| {
        registered(&records).await;
        let (phone, laptop) = (logged_in(&records, "a").await, logged_in(&records, "b").await);
        records.log_out(&ANNA.into(), &phone).await.unwrap();
        let living = records.living(&[&phone, &laptop, &"never".into()]).await.unwrap();
        assert_eq!(living, [laptop].into());
        assert!(records.living(&[]).await.unwrap().is_empty());
    })
    .await;
}
