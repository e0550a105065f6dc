//! Verdicts: their bounds, and whose they are.

use super::kept::Judged;
use super::wire::VerdictBody;
use crate::game::{GameId, Timestamp, User, UserType};
use crate::handlers::shared::Verdict;
use crate::module::Item;

fn verdict(is_struck: bool, reason: &str, at: i64) -> Verdict {
    Verdict { is_struck, reason: reason.into(), at: Timestamp(at) }
}

#[test]
fn a_verdict_is_the_same_whenever_it_was_given() {
    let first = verdict(true, "typed by a program", 1);
    assert!(first.says_the_same(&verdict(true, "typed by a program", 2)));
    assert!(!first.says_the_same(&verdict(true, "typed by another person", 1)));
    assert!(!first.says_the_same(&verdict(false, "typed by a program", 1)));
}

#[test]
fn a_reason_is_one_line_within_its_bounds() {
    let body = |reason: &str| {
        let body = serde_json::json!({"result_id": "35-1", "struck": true, "reason": reason});
        serde_json::from_value::<VerdictBody>(body).unwrap().checked().map(|it| it.reason)
    };
    assert_eq!(body(" typed\n by  a program ").unwrap(), "typed by a program");
    assert!(body(&"é".repeat(300)).is_ok());
    for bad in ["", " \n ", "a\u{7}", &"é".repeat(301)] {
        assert!(body(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_verdict_on_a_guest_becomes_that_on_the_account() {
    let judged =
        Judged { game: GameId(35), user: "guest-1".into(), verdict: verdict(true, "x", 1) };
    let anna = User { id: "google-1".into(), name: "Anna".into(), user_type: UserType::Registered };
    assert_eq!(judged.expires_at(), Some(Timestamp(1 + 30 * 24 * 3_600_000_000)));
    let own = judged.handed_over(&anna).unwrap();
    assert_eq!(own.expires_at(), None);
    assert_eq!((own.key().as_str(), own.owner()), ("35:google-1", Some(&anna.id)));
}
