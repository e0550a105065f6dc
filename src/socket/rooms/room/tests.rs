//! What a room shows to whom.

use super::*;

#[test]
fn what_another_server_has_told_is_not_shown_again_by_the_keystroke_behind_it() {
    let room = Room::default();
    let (user, outbox) = ("anna".into(), Arc::default());
    let anna = Arc::new(Member { socket: 1, module: "race", user, login: None, outbox });
    room.enter(&anna, 8);
    let whose = || Whose { event: "moved", player: Some("ben".into()) };
    let at = |place: u32| Frame::json(&place);
    room.show_first_position(whose(), at(1));
    room.show_position(whose(), at(1));
    room.show_first_position(whose(), at(0));
    assert_eq!(anna.outbox.take_texts(), ["1"]);
    // A player's own keystroke is shown, even with the same position.
    room.show_position(whose(), at(1));
    room.show_position(whose(), at(2));
    assert_eq!(anna.outbox.take_texts(), ["1", "2"]);
}
