//! Turns of clocks, as pods claim them.

use std::time::Duration;

use super::*;
use crate::records::Claimed;

const LEASE: Duration = Duration::from_secs(60);

/// A turn that has begun: these go by the time of the process.
fn turn(number: i64) -> Timestamp {
    Timestamp((number + 1) * 1_000_000)
}

#[tokio::test]
async fn of_several_pods_one_claims_a_turn() {
    on_both(async |records| {
        records.begin_clock("x.count", turn(0)).await.unwrap();
        let claim = |number| records.claim_turn("x.count", turn(number), LEASE);
        assert_eq!(claim(0).await.unwrap(), Claimed::Done, "a new clock begins with its next turn");
        let Claimed::Ours(first) = claim(1).await.unwrap() else { panic!("it is free") };
        assert_eq!((first.turn, first.done), (turn(1), turn(0)));
        let Claimed::Held(until) = claim(1).await.unwrap() else { panic!("it is claimed") };
        assert!(until > Timestamp::now() && until <= Timestamp::now() + LEASE);
        assert!(records.renew_turn(&first, LEASE * 2).await.unwrap());
        let Claimed::Held(renewed) = claim(2).await.unwrap() else { panic!("it is claimed") };
        assert!(renewed > until);
        assert!(records.finish_turn(&first).await.unwrap());
        assert!(!records.finish_turn(&first).await.unwrap(), "no longer ours");
        assert_eq!(claim(1).await.unwrap(), Claimed::Done);
        // Two turns were missed.
        let Claimed::Ours(later) = claim(4).await.unwrap() else { panic!("it is free") };
        assert_eq!((later.turn, later.done), (turn(4), turn(1)));
        records.begin_clock("x.count", turn(9)).await.unwrap();
        assert!(matches!(claim(4).await.unwrap(), Claimed::Held(_)), "it is known");
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_is_not_renewed_goes_to_another_pod() {
    on_both(async |records| {
        records.begin_clock("x.count", turn(0)).await.unwrap();
        let claim = |lease| records.claim_turn("x.count", turn(1), lease);
        let Claimed::Ours(lost) = claim(Duration::ZERO).await.unwrap() else { panic!("free") };
        let Claimed::Ours(next) = claim(LEASE).await.unwrap() else { panic!("it has ended") };
        assert!(!records.renew_turn(&lost, LEASE).await.unwrap());
        assert!(!records.finish_turn(&lost).await.unwrap());
        assert!(records.put_off_turn(&next, Duration::ZERO).await.unwrap());
        let Claimed::Ours(again) = claim(LEASE).await.unwrap() else { panic!("it has failed") };
        assert!(records.put_off_turn(&again, LEASE).await.unwrap());
        assert!(matches!(claim(LEASE).await.unwrap(), Claimed::Held(_)), "after the pause");
    })
    .await;
}

#[tokio::test]
async fn pods_that_claim_at_once_are_told_apart() {
    on_both(async |records| {
        records.begin_clock("x.count", turn(0)).await.unwrap();
        let claims = (0..8).map(|_| {
            let records = records.clone();
            tokio::spawn(
                async move { records.claim_turn("x.count", turn(1), LEASE).await.unwrap() },
            )
        });
        let mut ours = 0;
        for claim in claims.collect::<Vec<_>>() {
            ours += usize::from(matches!(claim.await.unwrap(), Claimed::Ours(_)));
        }
        assert_eq!(ours, 1);
    })
    .await;
}
