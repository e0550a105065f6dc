//! The commits of a store that is shared.

use super::redis::on;
use super::*;
use crate::live::redis::commit::{Commit, Committed};

#[tokio::test]
async fn a_commit_that_is_sent_again_is_done_once() {
    on(1, async |cluster| {
        let live = &cluster.pods[0];
        let before = live.enter(request(0, rules(2), Timestamp(0))).await.unwrap();
        let next = |game: &Game| Game { version: game.version + 1, ..game.clone() };
        let (after, last) = (next(&before), next(&next(&before)));
        let commit = Commit::of_game(Some(&before), Some(&after)).unwrap().with_receipt();
        let of_another = Commit::of_game(Some(&before), Some(&after)).unwrap().with_receipt();
        assert_eq!(live.try_commit(&commit).await.unwrap(), Committed::Done);
        assert_eq!(live.try_commit(&of_another).await.unwrap(), Committed::Stale);
        assert_eq!(live.try_commit(&commit).await.unwrap(), Committed::Done);
        // Also when another change has followed.
        let following = Commit::of_game(Some(&after), Some(&last)).unwrap();
        assert_eq!(live.try_commit(&following).await.unwrap(), Committed::Done);
        assert_eq!(live.try_commit(&commit).await.unwrap(), Committed::Done);
        assert_eq!(live.find(before.id).await.unwrap().unwrap().version, last.version);
        let removal = Commit::of_game(Some(&last), None).unwrap().with_receipt();
        assert_eq!(live.try_commit(&removal).await.unwrap(), Committed::Done);
        assert_eq!(live.try_commit(&removal).await.unwrap(), Committed::Done);
        assert!(live.find(before.id).await.unwrap().is_none());
    })
    .await;
}
