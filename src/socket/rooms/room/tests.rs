//! Which members are sent a position, and when.

use super::*;
use crate::game::GameId;
use crate::socket::rooms::gather::Gatherers;

/// For how long a busy room holds positions back: so long that two players are enough for it.
const HOLD: Duration = Duration::from_millis(60);

fn member(socket: u64, user: &str) -> Arc<Member> {
    let (user, outbox) = (Some(user.into()), Arc::default());
    Arc::new(Member { socket, module: "race", user, login: None, outbox })
}

fn whose(player: &str) -> Whose {
    Whose { event: "moved", player: Some(player.into()) }
}

fn at(place: u32) -> Frame {
    Frame::json(&place)
}

/// A room of a pod that is so busy that positions are held back, with two members, and its gatherers.
fn busy_room() -> (Arc<Room>, [Arc<Member>; 2], Gatherers) {
    let gatherers = Gatherers::default();
    let gatherer = gatherers.of(GameId(1)).clone();
    gatherer.be_busy(HOLD);
    let (room, members) = (Arc::new(Room::new(gatherer)), [member(1, "anna"), member(2, "ben")]);
    members.iter().for_each(|member| room.enter(member, 8));
    (room, members, gatherers)
}

#[test]
fn what_another_server_has_told_is_not_shown_again_by_the_keystroke_behind_it() {
    let (room, anna) = (Arc::new(Room::default()), member(1, "anna"));
    room.enter(&anna, 8);
    room.show_first_position(whose("ben"), at(1));
    room.show_position(whose("ben"), at(1));
    room.show_first_position(whose("ben"), at(0));
    assert_eq!(anna.outbox.take_texts(), ["1"]);
    // A player's own keystroke is shown, even with the same position.
    room.show_position(whose("ben"), at(1));
    room.show_position(whose("ben"), at(2));
    assert_eq!(anna.outbox.take_texts(), ["1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_pod_holds_positions_back_for_a_moment_and_writes_them_together() {
    let (room, [anna, ben], gatherers) = busy_room();
    room.show_position(whose("ben"), at(1));
    room.show_position(whose("anna"), at(2));
    room.show_position(whose("ben"), at(3));
    assert!(anna.outbox.take_texts().is_empty());
    let gathering: Vec<_> = gatherers.runs().map(tokio::spawn).collect();
    tokio::time::sleep(2 * HOLD).await;
    assert_eq!(anna.outbox.take_texts(), ["1", "3"]);
    assert_eq!(ben.outbox.take_texts(), ["2"]);
    room.show_position(whose("ben"), at(4));
    assert!(anna.outbox.take_texts().is_empty());
    tokio::time::sleep(2 * HOLD).await;
    assert_eq!(anna.outbox.take_texts(), ["4"]);
    gathering.iter().for_each(tokio::task::JoinHandle::abort);
}

#[test]
fn a_lifecycle_frame_never_waits_and_overtakes_nothing() {
    let (room, [anna, _], _gatherers) = busy_room();
    room.show_position(whose("ben"), at(1));
    room.show(&at(2));
    assert_eq!(anna.outbox.take_texts(), ["1", "2"]);
    room.show_position(whose("ben"), at(3));
    room.wake();
    assert_eq!(anna.outbox.take_texts(), ["3"], "before what it will say about the facts");
}

#[test]
fn a_member_who_comes_meanwhile_gets_each_position_once() {
    let (room, [anna, ben], _gatherers) = busy_room();
    room.show_position(whose("ben"), at(1));
    let carol = member(3, "carol");
    room.enter(&carol, 8);
    room.write_gathered();
    assert_eq!(carol.outbox.take_texts(), ["1"]);
    assert_eq!(anna.outbox.take_texts(), ["1"]);
    assert!(room.leave(1) || ben.outbox.take_texts().is_empty());
    room.show_position(whose("ben"), at(2));
    room.write_gathered();
    assert!(anna.outbox.take_texts().is_empty(), "left");
    assert_eq!(carol.outbox.take_texts(), ["2"]);
}

#[test]
fn a_room_gathers_so_many_positions_and_no_more() {
    let (room, [anna, _], _gatherers) = busy_room();
    for place in 1..u32::try_from(AT_ONCE).unwrap() {
        room.show_position(whose("ben"), at(place));
    }
    assert!(anna.outbox.take_texts().is_empty());
    room.show_position(whose("ben"), at(0));
    assert_eq!(anna.outbox.take_texts().len(), AT_ONCE);
}

#[test]
fn a_player_is_known_by_the_id_and_not_by_its_copy() {
    let (room, anna, again) = (Arc::new(Room::default()), member(1, "anna"), member(2, "anna"));
    room.enter(&anna, 8);
    room.enter(&again, 8);
    room.show_position(whose("anna"), at(1));
    room.show_position(whose("ben"), at(2));
    room.show_position(whose("ben"), at(3));
    for member in [&anna, &again] {
        assert_eq!(member.outbox.take_texts(), ["2", "3"]);
    }
    assert_eq!(room.lock().positions.len(), 2);
}
