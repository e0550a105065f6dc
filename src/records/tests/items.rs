//! Items of modules, as the store keeps them: written on conditions, found by their sort keys, gone with their owner.

use std::time::Duration;

use super::*;
use crate::Kind;
use crate::records::{
    BODY, Cursor, Expected, ItemWrite, KEY, NewItem, Range, SORT_KEY, SortKey, StoredItem,
};

/// An item with a number as its body, and as its sort key in the second index.
fn item(number: i64) -> NewItem {
    let sort_keys = vec![SortKey::default(), SortKey::default().text("best").integer(number)];
    NewItem { owner: None, form: 1, body: number.to_string(), sort_keys, expires_at: None }
}

fn write(key: &str, expected: Expected, item: Option<NewItem>) -> ItemWrite {
    ItemWrite { collection: "laps", key: key.into(), expected, item }
}

async fn put(records: &Records, key: &str, expected: Expected, item: NewItem) -> bool {
    records.write_items(vec![write(key, expected, Some(item))]).await.unwrap()
}

async fn stored(records: &Records, key: &str) -> Option<StoredItem> {
    records.item("laps", key).await.unwrap()
}

#[tokio::test]
async fn an_item_is_written_on_its_condition_only() {
    use Expected::{Absent, Anything, Version};
    on_both(async |records| {
        assert_eq!(stored(&records, "a").await, None);
        assert!(!put(&records, "a", Version(1), item(1)).await, "there is none");
        assert!(put(&records, "a", Absent, item(1)).await);
        assert!(!put(&records, "a", Absent, item(2)).await, "there is one");
        let first = stored(&records, "a").await.unwrap();
        assert_eq!((first.body.as_str(), first.owner.as_ref()), ("1", None));
        assert!(put(&records, "a", Version(first.version), item(2)).await);
        assert!(!put(&records, "a", Version(first.version), item(3)).await, "it has changed");
        assert!(put(&records, "a", Anything, item(4)).await);
        let last = stored(&records, "a").await.unwrap();
        assert!(last.body == "4" && last.version > first.version + 1);
        let delete = |expected| records.write_items(vec![write("a", expected, None)]);
        assert!(!delete(Version(first.version)).await.unwrap());
        assert!(delete(Version(last.version)).await.unwrap());
        assert!(!delete(Anything).await.unwrap(), "gone");
        assert!(put(&records, "a", Absent, item(5)).await);
        let anew = stored(&records, "a").await.unwrap();
        assert!(anew.version > last.version, "no version is used twice");
    })
    .await;
}

#[tokio::test]
async fn a_batch_happens_as_a_whole_or_not_at_all() {
    on_both(async |records| {
        let both = |second| {
            let first = write("b", Expected::Anything, Some(item(second)));
            vec![first, write("receipt", Expected::Absent, Some(item(0)))]
        };
        assert!(records.write_items(both(1)).await.unwrap());
        assert!(!records.write_items(both(2)).await.unwrap(), "the receipt is there");
        assert_eq!(stored(&records, "b").await.unwrap().body, "1");
        let too_many = (0..65).map(|n| write(&n.to_string(), Expected::Anything, Some(item(n))));
        let refused = records.write_items(too_many.collect()).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::PAYLOAD_TOO_LARGE);
    })
    .await;
}

#[tokio::test]
async fn of_several_items_under_a_key_the_first_in_its_index_stays() {
    on_both(async |records| {
        let item = |number| {
            let sort_keys = vec![SortKey::default().integer(number)];
            NewItem { sort_keys, ..item(number) }
        };
        for (number, is_written) in [(5, true), (7, false), (5, false), (3, true), (4, false)] {
            assert_eq!(put(&records, "a", Expected::After, item(number)).await, is_written);
        }
        assert_eq!(stored(&records, "a").await.unwrap().body, "3");
        let owner = Some("google-gone".into());
        assert!(
            !put(&records, "b", Expected::After, NewItem { owner, ..item(1) }).await,
            "no account"
        );
        let owner = Some("guest-1".into());
        assert!(put(&records, "b", Expected::After, NewItem { owner, ..item(1) }).await);
    })
    .await;
}

#[tokio::test]
async fn items_that_follow_from_results_are_written_with_them_or_not_at_all() {
    on_both(async |records| {
        records.derive_by(vec![Box::new(|game| {
            let finished = |it: &&Player| it.result.is_some();
            let key = |it: &Player| format!("{}:{}", game.id, it.user.id);
            let of = |it: &Player| {
                let owner = Some(it.user.id.clone());
                ItemWrite {
                    key: key(it),
                    ..write("", Expected::After, Some(NewItem { owner, ..item(1) }))
                }
            };
            // One that is out of bounds is left out.
            let invalid = write("", Expected::After, Some(item(1)));
            game.players.iter().filter(finished).map(of).chain([invalid]).collect()
        })]);
        let anna: UserId = "google-anna".into();
        records.register(&anna, Some("Anna"), at(0)).await.unwrap();
        let of = |id, rank| player(id, UserType::Registered, rank, 60.0, 90.0, at(40));
        let racing = Player { result: None, ..of("google-anna", 0) };
        let racing = Player { user: User { id: "guest-1".into(), ..racing.user }, ..racing };
        let race = game(35, vec![of("google-anna", 1), of("google-gone", 2), racing]);
        records.save(std::slice::from_ref(&race)).await.unwrap();
        let first = stored(&records, "35:google-anna").await.expect("written with the result");
        assert_eq!(stored(&records, "35:google-gone").await, None, "the account is deleted");
        assert_eq!(stored(&records, "35:guest-1").await, None, "no result");
        records.save(&[race]).await.unwrap();
        assert_eq!(stored(&records, "35:google-anna").await, Some(first), "a repeat");
    })
    .await;
}

#[tokio::test]
async fn batches_in_another_order_do_not_wait_for_each_other_for_ever() {
    on_both(async |records| {
        let tasks = (0..8_i64).map(|n| {
            let records = records.clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    let mut writes: Vec<_> = ["a", "b", "c"]
                        .map(|key| write(key, Expected::Anything, Some(item(round))))
                        .into();
                    writes.rotate_left(usize::try_from(n).unwrap() % 3);
                    assert!(records.write_items(writes).await.unwrap());
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(stored(&records, "c").await.unwrap().body, "9");
    })
    .await;
}

/// The keys of all pages of a range.
async fn keys(records: &Records, range: &Range, size: u32) -> Vec<Vec<String>> {
    let (mut pages, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let page = records.item_page(("laps", 2), range, after.as_ref(), size).await.unwrap();
        let Some(last) = page.last() else { return pages };
        after = Some(Cursor::parse(&last.place().to_text()).unwrap());
        pages.push(page.iter().map(|it| it.key.clone()).collect());
    }
}

#[tokio::test]
async fn items_are_found_in_their_order_and_page_by_page() {
    on_both(async |records| {
        // Upper case comes first in one collation, and not in another.
        for (key, number) in [("b", 2), ("B", 2), ("a", 2), ("c", 1), ("d", -7), ("e", 9)] {
            assert!(put(&records, key, Expected::Absent, item(number)).await);
        }
        let elsewhere = NewItem { sort_keys: Vec::new(), ..item(3) };
        assert!(put(&records, "in no index", Expected::Absent, elsewhere).await);
        let best = SortKey::default().text("best");
        let all = Range::within("best", &best);
        let order = ["d", "c", "B", "a", "b", "e"];
        for size in 1..8 {
            assert_eq!(keys(&records, &all, size).await.concat(), order, "pages of {size}");
            let mut reversed = keys(&records, &all.clone().reversed(), size).await.concat();
            reversed.reverse();
            assert_eq!(reversed, order, "pages of {size}, reversed");
        }
        let twos =
            all.clone().starting_at(&best.clone().integer(2)).ending_before(&best.integer(9));
        assert_eq!(keys(&records, &twos, 2).await, [vec!["B", "a"], vec!["b"]]);
        let count = async |range: &Range, before: Option<&Cursor>, limit| {
            records.count_items(("laps", 2), range, before, limit).await.unwrap()
        };
        assert_eq!((count(&all, None, 99).await, count(&all, None, 4).await), (6, 4));
        assert_eq!(count(&twos, None, 99).await, 3);
        let page = records.item_page(("laps", 2), &all, None, 99).await.unwrap();
        for (before, item) in (0..).zip(&page) {
            assert_eq!(count(&all, Some(&item.place()), 99).await, before);
            assert_eq!(count(&all.clone().reversed(), Some(&item.place()), 99).await, 5 - before);
        }
        // An item that has moved up since it was read does not come before itself.
        let before = page.last().unwrap().place();
        assert!(put(&records, "e", Expected::Anything, item(-9)).await);
        assert_eq!(count(&all, Some(&before), 99).await, 5);
        assert!(put(&records, "e", Expected::Anything, item(9)).await);
        let other = Range::within("best", &SortKey::default().text("worst"));
        assert_eq!(keys(&records, &other, 9).await.len(), 0);
        let stray = Cursor::at(&SortKey::default().text("zzz"), "z");
        let page = records.item_page(("laps", 2), &twos, Some(&stray), 9).await.unwrap();
        assert_eq!(page.len(), 0, "a cursor leads out of no range");
    })
    .await;
}

#[tokio::test]
async fn a_page_goes_on_where_the_one_before_ended_whatever_comes_between() {
    on_both(async |records| {
        for number in 0..6 {
            put(&records, &format!("k{number}"), Expected::Absent, item(number * 10)).await;
        }
        let all = Range::all("best");
        let first = records.item_page(("laps", 2), &all, None, 3).await.unwrap();
        put(&records, "early", Expected::Absent, item(5)).await;
        put(&records, "late", Expected::Absent, item(35)).await;
        let delete = write("k2", Expected::Anything, None);
        assert!(records.write_items(vec![delete]).await.unwrap(), "the last of the page");
        let place = first[2].place();
        let rest = records.item_page(("laps", 2), &all, Some(&place), 9).await.unwrap();
        let keys: Vec<_> = rest.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(keys, ["k3", "late", "k4", "k5"]);
    })
    .await;
}

#[tokio::test]
async fn the_items_of_a_person_go_with_the_account() {
    on_both(async |records| {
        let (anna, guest): (UserId, UserId) = ("google-1".into(), UserId::new_guest());
        let of = |owner: &UserId| NewItem { owner: Some(owner.clone()), ..item(1) };
        let no_account = write("a", Expected::Anything, Some(of(&anna)));
        let refused = records.write_items(vec![no_account]).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::USER_NOT_FOUND);
        records.register(&anna, Some("Anna"), at(0)).await.unwrap();
        for key in ["a", "b", "c"] {
            assert!(put(&records, key, Expected::Anything, of(&anna)).await);
        }
        assert!(put(&records, "g", Expected::Anything, of(&guest)).await);
        assert!(put(&records, "without owner", Expected::Anything, item(1)).await);
        let other = ItemWrite {
            collection: "a first one",
            ..write("z", Expected::Anything, Some(of(&anna)))
        };
        assert!(records.write_items(vec![other]).await.unwrap());
        let keys = |items: Vec<StoredItem>| items.into_iter().map(|it| it.key).collect::<Vec<_>>();
        let all = async |owner| keys(records.items_after(owner, ("", ""), 10).await.unwrap());
        assert_eq!(all(&anna).await, ["z", "a", "b", "c"]);
        assert_eq!(all(&guest).await, ["g"]);
        let some = records.items_after(&anna, ("laps", "a"), 1).await.unwrap();
        assert_eq!((keys(some.clone()), some[0].owner.as_ref()), (vec!["b".into()], Some(&anna)));
        records.forget(&anna).await.unwrap();
        assert_eq!(all(&anna).await, [] as [&str; 0]);
        assert_eq!(all(&guest).await, ["g"]);
        records.forget(&guest).await.unwrap();
        assert_eq!(all(&guest).await, [] as [&str; 0]);
        assert!(stored(&records, "without owner").await.is_some());
    })
    .await;
}

#[tokio::test]
async fn expired_items_are_deleted() {
    on_both(async |records| {
        for number in 0..7 {
            let expires_at = Some(at(number)).filter(|_| number < 6);
            let item = NewItem { expires_at, ..item(number) };
            put(&records, &number.to_string(), Expected::Absent, item).await;
        }
        assert_eq!(records.expire_items(at(3)).await.unwrap(), 4);
        assert_eq!(records.expire_items(at(3)).await.unwrap(), 0);
        assert_eq!(records.expire_items(at(3) + Duration::from_secs(999)).await.unwrap(), 2);
        assert!(stored(&records, "6").await.is_some());
    })
    .await;
}

#[tokio::test]
async fn items_out_of_bounds_are_refused() {
    on_both(async |records| {
        let refusal = async |key: &str, item: NewItem| {
            let write = write(key, Expected::Anything, Some(item));
            records.write_items(vec![write]).await.unwrap_err().kind()
        };
        for key in ["", "a\0b", &"k".repeat(KEY + 1)] {
            assert_eq!(refusal(key, item(1)).await, Kind::VALIDATION, "{key:?}");
        }
        let long = SortKey::default().text(&"s".repeat(SORT_KEY));
        let long = NewItem { sort_keys: vec![long], ..item(1) };
        assert_eq!(refusal("a", long).await, Kind::VALIDATION);
        let large = NewItem { body: "b".repeat(BODY + 1), ..item(1) };
        assert_eq!(refusal("a", large).await, Kind::PAYLOAD_TOO_LARGE);
        let most = SortKey::default().text(&"s".repeat(SORT_KEY - 2));
        let most = NewItem { body: "b".repeat(BODY), sort_keys: vec![most; 4], ..item(1) };
        assert!(put(&records, &"k".repeat(KEY), Expected::Absent, most).await);
    })
    .await;
}
