//! Single cases.

use super::*;
use crate::live::Index;

const FULL: usize = 5;

/// Fills a lobby with players from `first` on, and runs its race until all have finished.
fn race(games: &MemoryGames, first: usize, now: Timestamp) -> GameId {
    let players = first..first + FULL;
    let seated: Vec<_> =
        players.clone().map(|n| games.enter(request(n, rules(FULL), now)).id).collect();
    let id = seated[0];
    assert!(seated.iter().all(|seat| *seat == id));
    let start = now + Duration::from_secs(2);
    games.close_lobby(id, start).expect("the lobby is due");
    games.prepare(id, "some words".into(), start).expect("the lobby is closed");
    games.start(id, start).expect("START is due");
    for n in players {
        games.finish(id, &player(n).id, claim(start));
    }
    id
}

/// How many lobbies the search for a seat may have to read.
fn searched(games: &MemoryGames) -> usize {
    games.store.shelf.lock().indexes().get(&Index::Door(Door::OPEN)).map_or(0, |ids| ids.len())
}

#[test]
fn finished_games_do_not_slow_the_search_for_a_lobby_down() {
    let games = MemoryGames::of(GameId(0), Vec::new());
    for round in 0..200 {
        race(&games, round * FULL, Timestamp(0));
        assert_eq!(searched(&games), 0);
    }
    assert_eq!(games.all().len(), 200);
    games.enter(request(0, rules(FULL), Timestamp(0)));
    assert_eq!(searched(&games), 1);
}

#[test]
fn lobbies_whose_time_is_over_do_not_hide_one_with_room() {
    let games = MemoryGames::of(GameId(0), Vec::new());
    for n in 0..50 {
        // Each enters when the time of the lobby before is over, which no timer has closed.
        let now = Timestamp(0) + rules(FULL).countdown * n as u32;
        assert_eq!(games.enter(request(n, rules(FULL), now)).id, GameId(n as i64 + 1));
        let friend = request(n + 100, rules(FULL), now);
        assert_eq!(games.enter(friend).id, GameId(n as i64 + 1));
    }
}

#[test]
fn the_last_of_several_sockets_begins_the_absence() {
    let (games, now) = (MemoryGames::of(GameId(0), Vec::new()), Timestamp(0));
    let id = games.enter(request(0, rules(FULL), now)).id;
    let other = SocketId(2);
    games.enter(request_on(other, 0, rules(FULL), now));
    let user = player(0).id;
    let absent = |socket, now| {
        let game = games.go_absent(id, &user, socket, now).expect("the lobby waits");
        game.players[0].absent_since
    };
    assert_eq!(absent(other, now), None);
    assert_eq!(absent(other, now), None, "twice is once");
    assert_eq!(absent(SOCKET, now), Some(now));
    assert_eq!(absent(SOCKET, Timestamp(9)), Some(now), "since the first time");
}

#[test]
fn a_player_who_was_seated_without_hearing_of_it_can_leave() {
    let (games, now) = (MemoryGames::of(GameId(0), Vec::new()), Timestamp(0));
    let (door, user) = (invited(0), player(0).id);
    assert_eq!(games.abandon(&user, &door, SOCKET, now), None, "came nowhere");
    games.enter(SeatRequest { door: door.clone(), ..request(0, rules(FULL), now) });
    assert_eq!(games.abandon(&user, &Door::OPEN, SOCKET, now), None, "another door");
    let game = games.abandon(&user, &door, SOCKET, now).expect("the lobby waits");
    assert_eq!(game.players[0].absent_since, Some(now));
}

#[test]
fn the_last_to_leave_takes_the_lobby_along() {
    let (games, now) = (MemoryGames::of(GameId(0), Vec::new()), Timestamp(0));
    let id = games.enter(request(0, rules(FULL), now)).id;
    games.enter(request(1, rules(FULL), now));
    games.go_absent(id, &player(0).id, SOCKET, now);
    let departed = games.dismiss_absent(id, now, now);
    assert_eq!(departed.users, [player(0).id]);
    assert_eq!(departed.game.map(|game| game.players.len()), Some(1));
    games.go_absent(id, &player(1).id, SOCKET, now);
    let departed = games.dismiss_absent(id, now, now);
    assert_eq!((departed.users, departed.game), (vec![player(1).id], None));
    assert!(games.store.written.lock().is_empty());
    assert_eq!(games.find(id), None);
}

#[test]
fn a_restart_finds_the_seat_in_a_lobby_behind_a_younger_race() {
    let games = MemoryGames::of(GameId(0), Vec::new());
    let late = games.enter(request(FULL, rules(FULL), Timestamp(0)));
    // No timer has closed that lobby, and a whole race goes by.
    let younger = race(&games, 0, late.closes_at);
    let (now, resume) = (late.closes_at + RESUME, late.closes_at + RESUME * 2);
    let restart = |games: &MemoryGames| {
        let mut facts = Vec::from_iter(games.all().iter().map(|game| (**game).clone()));
        facts.sort_by_key(|game| game.id);
        MemoryGames::restore(younger, facts, resume)
    };
    // Player 0 has raced, and fills the lobby with others, which the restart has given some time.
    let games = restart(&games);
    for n in [0, FULL + 1, FULL + 2, FULL + 3] {
        assert_eq!(games.enter(request(n, rules(FULL), now)).id, late.id);
    }
    let games = restart(&games);
    assert_eq!(games.enter(request(0, rules(FULL), now)).id, late.id);
}

#[test]
fn a_player_whose_race_is_running_gets_a_new_lobby_and_keeps_the_seat() {
    let games = MemoryGames::of(GameId(0), Vec::new());
    let id = race(&games, 0, Timestamp(0));
    let next = games.enter(request(0, rules(FULL), Timestamp(0))).id;
    assert_ne!(next, id);
    assert_eq!(games.find(id).map(|game| game.players.len()), Some(FULL));
    assert_eq!(games.finish(id, &player(0).id, claim(Timestamp(9))), Finish::Before(1));
}

#[test]
fn the_race_of_a_guest_becomes_that_of_the_account() {
    let games = MemoryGames::of(GameId(0), Vec::new());
    let id = race(&games, 0, Timestamp(0));
    let (guest, account) = (player(0).id, User { user_type: UserType::Registered, ..player(99) });
    let before = games.find(id).unwrap().player(&guest).unwrap().clone();
    assert_eq!(games.hand_over(&guest, &account), [id]);
    let game = games.find(id).unwrap();
    assert_eq!(games.store.written.lock()[&id], game);
    assert_eq!(game.player(&guest), None);
    let after = game.player(&account.id).unwrap();
    assert_eq!((&after.user, after.result), (&account, before.result));
    assert_eq!(games.hand_over(&guest, &account), [], "twice is once");
    let own = player(1).id;
    assert_eq!(games.hand_over(&own, &account), [], "no player sits twice in one race");
}

#[test]
fn a_guest_who_still_waits_keeps_the_seat() {
    let games = MemoryGames::of(GameId(0), Vec::new());
    games.enter(request(0, rules(FULL), Timestamp(0)));
    assert_eq!(games.hand_over(&player(0).id, &player(99)), []);
}
