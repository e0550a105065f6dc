//! What operators did, and which modules they have switched off.

use super::*;
use crate::records::{Act, SwitchedOff};

#[tokio::test]
async fn the_newest_actions_come_first() {
    on_both(async |records| {
        let act = |at: i64, target: &str| Act {
            at: Timestamp(at),
            operator: "127.0.0.1 (token)".into(),
            action: "close game".into(),
            target: target.into(),
        };
        for (at, target) in [(1_000, "1"), (2_000, "2"), (3_000, "3")] {
            records.note_act(&act(at, target)).await.unwrap();
        }
        let last = records.last_acts(2).await.unwrap();
        assert_eq!(last, [act(3_000, "3"), act(2_000, "2")]);
    })
    .await;
}

#[tokio::test]
async fn a_module_is_off_until_it_is_switched_on() {
    on_both(async |records| {
        let off = |module: &str, operator: &str| SwitchedOff {
            module: module.into(),
            since: Timestamp(1_000),
            operator: operator.into(),
        };
        records.switch_off(&off("chat", "anna")).await.unwrap();
        records.switch_off(&off("bots", "anna")).await.unwrap();
        records.switch_off(&off("chat", "ben")).await.unwrap();
        let known = records.switched_off().await.unwrap();
        assert_eq!(known, [off("bots", "anna"), off("chat", "anna")], "the first one stands");
        records.switch_on("chat").await.unwrap();
        records.switch_on("chat").await.unwrap();
        assert_eq!(records.switched_off().await.unwrap(), [off("bots", "anna")]);
    })
    .await;
}
