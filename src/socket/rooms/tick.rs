//! What a room shows once per tick: one message with the newest of every player, made once for all members.
//!
//! For rooms with many members that need not see each position at once, such as sockets without a seat. A position costs such a
//! room that it is noted; the members are written to on a thread that all others preempt (`background`), so that nothing waits for
//! them. The message stands for all before it: a member that does not read gets the newest one later.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;

use super::frame::Frame;
use super::outbox::Outbox;
use super::room::Room;
use super::whose::Whose;
use crate::game::{GameId, UserId};

/// The time from the first position that is noted to the message with it.
pub const TICK: Duration = Duration::from_millis(200);

/// Members that are written to before other tasks get their turn: a write takes about six microseconds, and a keystroke should
/// not wait for many.
const IN_TURN: usize = 2;

/// The newest that is noted of each player; without a player, of the game.
pub type Newest<R> = Vec<(Option<UserId>, R)>;

/// How a kind of rooms shows what is noted.
pub(crate) struct Show<R> {
    /// The name of the message: the newest of this name replaces those that wait.
    pub(crate) event: &'static str,
    /// Makes the message, if there is something to show.
    pub(crate) make: MakeMessage<R>,
}

type MakeMessage<R> = Box<dyn Fn(GameId, &Newest<R>) -> Option<Frame> + Send + Sync>;

/// What is noted in a room.
#[derive(Default)]
pub(in crate::socket) struct NotedRows {
    /// `Rows` of the type that is shown on the room's channel.
    rows: Option<Box<dyn AnyRows>>,
    /// Whether the tick is due that shows it.
    is_due: bool,
}

struct Rows<R> {
    game: GameId,
    newest: Newest<R>,
    show: Arc<Show<R>>,
}

/// Rows of any type.
trait AnyRows: Send {
    fn as_any(&mut self) -> &mut dyn Any;
    /// The name of the message, and a function that makes it from a copy of the rows.
    fn message(&self) -> (&'static str, Making);
}

type Making = Box<dyn FnOnce() -> Option<Frame> + Send>;

impl<R: Clone + Send + Sync + 'static> AnyRows for Rows<R> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn message(&self) -> (&'static str, Making) {
        let (game, newest, show) = (self.game, self.newest.clone(), self.show.clone());
        (show.event, Box::new(move || (show.make)(game, &newest)))
    }
}

impl NotedRows {
    fn rows<R: Clone + Send + Sync + 'static>(&mut self) -> Option<&mut Rows<R>> {
        self.rows.as_mut()?.as_any().downcast_mut()
    }
}

impl Room {
    /// Notes the newest of a player, for the next tick. `is_late`: it may be older than what is noted, and counts only if
    /// there is nothing yet.
    pub(crate) fn note<R: Clone + Send + Sync + 'static>(
        self: &Arc<Self>,
        show: &Arc<Show<R>>,
        game: GameId,
        (player, row): (Option<&UserId>, R),
        is_late: bool,
    ) {
        let mut board = self.board.lock();
        if board.rows.is_none() {
            board.rows =
                Some(Box::new(Rows { game, newest: Newest::<R>::new(), show: show.clone() }));
        }
        let Some(rows) = board.rows::<R>() else { return };
        match rows.newest.iter_mut().find(|(of, _)| of.as_ref() == player) {
            Some(_) if is_late => return,
            Some((_, known)) => *known = row,
            None => rows.newest.push((player.cloned(), row)),
        }
        if !std::mem::replace(&mut board.is_due, true) {
            drop(board);
            self.gatherer.tick(self.clone());
        }
    }

    /// The newest rows of this type that are noted.
    pub fn noted<R: Clone + Send + Sync + 'static>(&self) -> Newest<R> {
        let mut board = self.board.lock();
        board.rows::<R>().map(|rows| rows.newest.clone()).unwrap_or_default()
    }

    /// Shows what is noted. It runs on the thread that all others preempt.
    pub(super) fn tick(&self) {
        let message = {
            let mut board = self.board.lock();
            board.is_due = false;
            board.rows.as_ref().map(|rows| rows.message())
        };
        let Some((event, make)) = message else { return };
        let Some(frame) = make() else { return };
        let whose = Whose { event, player: None };
        self.outboxes().iter().for_each(|outbox| outbox.push_newest(&whose, &frame));
    }

    /// Sends a frame to all members, a few at a time. Of frames with the same `event` that a member has not read, only the newest
    /// waits for it.
    pub async fn spread(&self, event: &'static str, frame: &Frame) {
        let whose = Whose { event, player: None };
        for few in self.outboxes().chunks(IN_TURN) {
            few.iter().for_each(|outbox| outbox.push_newest(&whose, frame));
            yield_now().await;
        }
    }

    fn outboxes(&self) -> Vec<Arc<Outbox>> {
        self.lock().outboxes.iter().map(|(_, outbox)| outbox.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::rooms::Member;
    use crate::socket::rooms::gather::Gatherers;

    const GAME: GameId = GameId(1);

    fn sum() -> Arc<Show<u32>> {
        let make = |_, rows: &Newest<u32>| {
            let total: u32 = rows.iter().map(|(_, row)| row).sum();
            (total > 0).then(|| Frame::json(&total))
        };
        Arc::new(Show { event: "SUM", make: Box::new(make) })
    }

    /// A room with so many members without a seat, and the gatherers of its pod.
    fn room_of(members: u64) -> (Arc<Room>, Vec<Arc<Outbox>>, Gatherers) {
        let gatherers = Gatherers::default();
        let room = Arc::new(Room::new(gatherers.of(GAME).clone()));
        let outboxes = (0..members).map(|socket| {
            let outbox = Arc::<Outbox>::default();
            let of = outbox.clone();
            let member = Member { socket, module: "race", user: None, login: None, outbox: of };
            room.enter(&Arc::new(member), 1);
            outbox
        });
        let outboxes = outboxes.collect();
        (room, outboxes, gatherers)
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_moves_within_a_tick_is_one_message_for_all() {
        let (room, outboxes, gatherers) = room_of(100);
        let ticking = tokio::spawn(gatherers.ticks());
        let (show, anna, ben) = (sum(), "anna".into(), "ben".into());
        for row in 1..=5 {
            room.note(&show, GAME, (Some(&anna), row), false);
            room.note(&show, GAME, (Some(&ben), 10 * row), false);
        }
        room.note(&show, GAME, (Some(&ben), 7), true);
        assert!(outboxes[0].take_texts().is_empty(), "nothing before the tick");
        tokio::time::sleep(TICK * 2).await;
        assert!(outboxes.iter().all(|outbox| outbox.take_texts() == ["55"]));
        tokio::time::sleep(TICK * 3).await;
        assert!(outboxes.iter().all(|outbox| outbox.take_texts().is_empty()), "nothing moves");
        let carol = "carol".into();
        room.note(&show, GAME, (Some(&carol), 3), true);
        tokio::time::sleep(TICK * 2).await;
        assert!(outboxes.iter().all(|outbox| outbox.take_texts() == ["58"]));
        assert_eq!(room.noted::<u32>().len(), 3);
        assert!(room.noted::<u64>().is_empty(), "rows of another type");
        ticking.abort();
    }

    #[tokio::test]
    async fn of_what_a_member_does_not_read_the_newest_waits() {
        let (room, outboxes, _gatherers) = room_of(2);
        for number in 0..1000 {
            room.spread("SUM", &Frame::json(&number)).await;
            room.spread("STATE", &Frame::json(&-number)).await;
        }
        assert_eq!(outboxes[1].take_texts(), ["999", "-999"]);
    }

    #[test]
    fn members_without_a_seat_come_and_go_and_leave_nothing() {
        let (room, outboxes, _gatherers) = room_of(50);
        assert!(outboxes.iter().all(|outbox| !outbox.is_closing()), "none replaces another");
        assert!(!(0..49).any(|socket| room.leave(socket)));
        assert!(room.leave(49));
        assert!(room.lock().outboxes.is_empty());
    }
}
