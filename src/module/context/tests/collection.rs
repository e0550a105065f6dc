//! Typed items, on both databases.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Kind;
use crate::game::{Timestamp, User, UserId, UserType};
use crate::module::context::collection::{Batch, Item, ItemEdit, Items};
use crate::module::context::handover::hand_over;
use crate::records::tests::on_both;
use crate::records::{Cursor, Expected, Range, Records, SortKey};
use crate::testing::Server;

/// The best time of a player on a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Lap {
    track: String,
    user: UserId,
    seconds: f64,
}

impl Item for Lap {
    const COLLECTION: &'static str = "test.laps";
    const FORM: i32 = 2;
    const INDEXES: &'static [&'static str] = &["best"];

    fn key(&self) -> String {
        format!("{}:{}", self.track, self.user)
    }

    fn owner(&self) -> Option<&UserId> {
        Some(&self.user)
    }

    fn sort_keys(&self) -> Vec<SortKey> {
        vec![SortKey::default().text(&self.track).rising(self.seconds)]
    }

    /// The first form had milliseconds.
    fn upgrade(_: i32, mut stored: Value) -> Result<Self, serde_json::Error> {
        stored["seconds"] = json!(stored["milliseconds"].as_f64().unwrap_or_default() / 1000.0);
        serde_json::from_value(stored)
    }

    fn handed_over(self, account: &User) -> Option<Self> {
        Some(Self { user: account.id.clone(), ..self })
    }
}

/// The form before.
#[derive(Serialize, Deserialize)]
struct OldLap {
    track: String,
    user: UserId,
    milliseconds: u32,
}

impl Item for OldLap {
    const COLLECTION: &'static str = Lap::COLLECTION;

    fn key(&self) -> String {
        format!("{}:{}", self.track, self.user)
    }
}

/// A repeat of a write is recognised by it.
#[derive(Serialize, Deserialize)]
struct Receipt(String);

impl Item for Receipt {
    const COLLECTION: &'static str = "test.receipts";

    fn key(&self) -> String {
        self.0.clone()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(Timestamp(1))
    }
}

fn guest(number: usize) -> UserId {
    format!("guest-{number:032x}").as_str().into()
}

fn lap(number: usize, seconds: f64) -> Lap {
    Lap { track: "Monza".into(), user: guest(number), seconds }
}

#[tokio::test]
async fn of_changes_at_the_same_time_none_gets_lost() {
    on_both(async |records| {
        let tasks = (0..6).map(|_| {
            let laps = Items::<Lap>::of(&records);
            tokio::spawn(async move {
                for _ in 0..5 {
                    let slower = |known: Option<Lap>| {
                        let known = known.unwrap_or_else(|| lap(1, 0.0));
                        ItemEdit::Put(Lap { seconds: known.seconds + 1.0, ..known })
                    };
                    assert!(laps.change(&lap(1, 0.0).key(), slower).await.unwrap());
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let laps = Items::<Lap>::of(&records);
        let key = lap(1, 0.0).key();
        assert_eq!(laps.get(&key).await.unwrap().unwrap().item, lap(1, 30.0));
        assert!(!laps.change(&key, |_| ItemEdit::Keep).await.unwrap());
        assert!(laps.change(&key, |_| ItemEdit::Delete).await.unwrap());
        assert!(!laps.change(&key, |_| ItemEdit::Delete).await.unwrap());
        let other = laps.change(&key, |_| ItemEdit::Put(lap(2, 1.0))).await.unwrap_err();
        assert_eq!(other.kind(), Kind::UNKNOWN, "another key is another item");
    })
    .await;
}

#[tokio::test]
async fn an_item_of_an_earlier_form_is_read_by_its_upgrade() {
    on_both(async |records| {
        let old = OldLap { track: "Monza".into(), user: guest(1), milliseconds: 81_500 };
        assert!(Items::<OldLap>::of(&records).insert(&old).await.unwrap());
        let laps = Items::<Lap>::of(&records);
        assert_eq!(laps.get(&old.key()).await.unwrap().unwrap().item, lap(1, 81.5));
        let all = Range::all("best");
        assert_eq!(laps.count(&all, 9).await.unwrap(), 0, "in no index yet");
        laps.change(&old.key(), |known| known.map_or(ItemEdit::Keep, ItemEdit::Put)).await.unwrap();
        assert_eq!(laps.count(&all, 9).await.unwrap(), 1);
        // Back again, as a pod of the version before would read it.
        assert!(Items::<OldLap>::of(&records).get(&old.key()).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn pages_have_all_items_once_and_ties_in_one_order() {
    on_both(async |records| {
        let laps = Items::<Lap>::of(&records);
        for number in 0..10 {
            assert!(laps.insert(&lap(number, [80.0, 75.5][number % 2])).await.unwrap());
        }
        assert!(!laps.insert(&lap(3, 1.0)).await.unwrap(), "there is one");
        let monza = Range::within("best", &SortKey::default().text("Monza"));
        let (mut seen, mut after) = (Vec::new(), None::<Cursor>);
        loop {
            let page = laps.page(&monza, after.as_ref(), 4).await.unwrap();
            seen.extend(page.items.into_iter().map(|it| it.item));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let order = [1, 3, 5, 7, 9, 0, 2, 4, 6, 8].map(guest);
        assert_eq!(seen.iter().map(|lap| lap.user.clone()).collect::<Vec<_>>(), order);
        for (before, lap) in (0..).zip(&seen) {
            assert_eq!(laps.count_before(&monza, lap, 99).await.unwrap(), before);
        }
        let own = laps.of_owner(&guest(3), None, 9).await.unwrap();
        assert_eq!((own.items.len(), own.next), (1, None));
    })
    .await;
}

#[tokio::test]
async fn a_change_with_a_receipt_happens_once() {
    on_both(async |records| {
        let count = async |records: &Records, game: &str| {
            let laps = Items::<Lap>::of(records);
            let known = laps.get(&lap(1, 0.0).key()).await.unwrap();
            let expected =
                known.as_ref().map_or(Expected::Absent, |it| Expected::Version(it.version));
            let seconds = known.map_or(0.0, |it| it.item.seconds) + 1.0;
            let mut batch = Batch::default();
            batch.put(&lap(1, seconds), expected).unwrap();
            batch.put(&Receipt(format!("{game}:1")), Expected::Absent).unwrap();
            records.write_items(batch.into_writes()).await.unwrap()
        };
        assert!(count(&records, "35").await);
        assert!(!count(&records, "35").await, "a repeat");
        assert!(count(&records, "36").await);
        let lap = Items::<Lap>::of(&records).get(&lap(1, 0.0).key()).await.unwrap().unwrap();
        assert_eq!(lap.item.seconds, 2.0);
    })
    .await;
}

#[tokio::test]
async fn a_guest_who_logs_in_takes_items_along_unless_the_account_has_them() {
    on_both(async |records| {
        let anna =
            User { id: "google-1".into(), name: "Anna".into(), user_type: UserType::Registered };
        records.register(&anna.id, Some("Anna"), Timestamp(0)).await.unwrap();
        let laps = Items::<Lap>::of(&records);
        let of = |user: &UserId, track: &str, seconds| Lap {
            track: track.into(),
            user: user.clone(),
            seconds,
        };
        laps.insert(&of(&guest(1), "Monza", 81.0)).await.unwrap();
        laps.insert(&of(&guest(1), "Spa", 105.0)).await.unwrap();
        laps.insert(&of(&anna.id, "Spa", 103.0)).await.unwrap();
        for _ in 0..2 {
            hand_over::<Lap>(records.clone(), guest(1), anna.clone()).await.unwrap();
            hand_over::<Receipt>(records.clone(), guest(1), anna.clone()).await.unwrap();
        }
        let left = laps.of_owner(&guest(1), None, 9).await.unwrap();
        assert_eq!(left.items, []);
        let own = laps.of_owner(&anna.id, None, 9).await.unwrap();
        let own: Vec<_> =
            own.items.into_iter().map(|it| (it.item.track, it.item.seconds)).collect();
        assert_eq!(own, [("Monza".into(), 81.0), ("Spa".into(), 103.0)]);
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "the module keeps these items")]
async fn a_module_gets_only_the_items_that_it_declares() {
    Server::start().await.cx("test").items::<Lap>();
}
