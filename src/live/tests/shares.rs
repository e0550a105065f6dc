//! Values that modules share, in one process and on several pods.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::embedded::Pod;
use super::redis::on;
use crate::Kind;
use crate::game::Timestamp;
use crate::live::{Live, Shared};
use crate::module::context::{Share, Shares};

/// How many players wait for something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Queue(Vec<u32>);

impl Share for Queue {
    const NAME: &'static str = "queue";
    const LASTS: Duration = Duration::from_secs(60);
}

/// A value that has expired when it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flash(u32);

impl Share for Flash {
    const NAME: &'static str = "flash";
    const LASTS: Duration = Duration::ZERO;
}

/// Runs a test in one process, and on two pods.
async fn on_both(test: impl AsyncFn(&Live, &Live)) {
    let pod = Pod::start().await;
    test(&pod.live.live, &pod.live.live).await;
    on(2, async |cluster| test(&cluster.pods[0].live, &cluster.pods[1].live).await).await;
}

#[tokio::test]
async fn a_shared_value_is_replaced_as_it_was_read_only() {
    on_both(async |one, two| {
        let (here, there) = (Shares::<Queue>::of(one, "x"), Shares::<Queue>::of(two, "x"));
        assert!(here.get("a").await.unwrap().is_none());
        assert!(here.put("a", None, &Queue(vec![1])).await.unwrap());
        assert!(!there.put("a", None, &Queue(vec![2])).await.unwrap(), "there is one");
        let found = there.get("a").await.unwrap().unwrap();
        assert_eq!(found.value, Queue(vec![1]));
        assert!(here.put("a", Some(&found), &Queue(vec![1])).await.unwrap());
        assert!(!there.put("a", Some(&found), &Queue(vec![3])).await.unwrap(), "it has changed");
        assert!(!there.remove("a", &found).await.unwrap());
        let found = there.get("a").await.unwrap().unwrap();
        assert!(there.remove("a", &found).await.unwrap());
        assert!(here.get("a").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn of_changes_by_several_pods_none_gets_lost() {
    on_both(async |one, two| {
        let tasks = (0..20).map(|number| {
            let shares = Shares::<Queue>::of([one, two][number as usize % 2], "x");
            tokio::spawn(async move {
                let add = |known: Option<&Queue>| {
                    let mut queue = known.cloned().unwrap_or(Queue(vec![]));
                    queue.0.push(number);
                    Some(queue)
                };
                assert!(shares.change("a", add).await.unwrap());
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let shares = Shares::<Queue>::of(one, "x");
        let mut all = shares.get("a").await.unwrap().unwrap().value.0;
        all.sort_unstable();
        assert!(all.into_iter().eq(0..20));
        assert!(!shares.change("a", |_| None).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn modules_and_types_have_keys_of_their_own() {
    on_both(async |one, _| {
        let (x, y) = (Shares::<Queue>::of(one, "x"), Shares::<Queue>::of(one, "y"));
        assert!(x.put("a", None, &Queue(vec![1])).await.unwrap());
        assert!(y.get("a").await.unwrap().is_none());
        assert!(Shares::<Flash>::of(one, "x").get("a").await.unwrap().is_none());
        let key = "k".repeat(201);
        assert_eq!(x.get(&key).await.unwrap_err().kind(), Kind::VALIDATION);
        let large = Queue(vec![1_000_000_000; 2_000]);
        assert_eq!(x.put("b", None, &large).await.unwrap_err().kind(), Kind::PAYLOAD_TOO_LARGE);
    })
    .await;
}

#[tokio::test]
async fn an_expired_value_and_one_of_another_form_count_as_none() {
    on_both(async |one, two| {
        let flashes = Shares::<Flash>::of(one, "x");
        assert!(flashes.put("a", None, &Flash(1)).await.unwrap());
        assert!(flashes.get("a").await.unwrap().is_none());
        assert!(Shares::<Flash>::of(two, "x").put("a", None, &Flash(2)).await.unwrap());
        let alien = Shared::new("\"many\"".into(), Timestamp::now() + Duration::from_secs(60));
        assert!(one.write("x/queue:b", None, alien).await.unwrap());
        let queues = Shares::<Queue>::of(two, "x");
        assert!(queues.get("b").await.unwrap().is_none());
        assert!(queues.put("b", None, &Queue(vec![7])).await.unwrap());
        assert_eq!(queues.get("b").await.unwrap().unwrap().value, Queue(vec![7]));
    })
    .await;
}
