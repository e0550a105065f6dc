//! What operators did.

use super::*;
use crate::records::Act;

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
