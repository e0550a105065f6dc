//! Work that waits for its turn.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::module::context::TURNS;
use crate::testing::Server;

#[tokio::test]
async fn work_of_many_runs_a_few_at_a_time_and_in_order() {
    let server = Server::for_players(2).await;
    let cx = server.cx("test");
    // How many run, the most that ran at once, and the order in which they began.
    let seen = Arc::new(Mutex::new((0_usize, 0_usize, Vec::new())));
    for number in 0..50 {
        let seen = seen.clone();
        cx.spawn_in_turn(move || async move {
            {
                let (running, most, order) = &mut *seen.lock();
                *running += 1;
                *most = (*most).max(*running);
                order.push(number);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            seen.lock().0 -= 1;
        });
    }
    while seen.lock().2.len() < 50 || seen.lock().0 > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (_, most, order) = &*seen.lock();
    assert_eq!(*most, TURNS);
    assert_eq!(*order, (0..50).collect::<Vec<_>>());
}
