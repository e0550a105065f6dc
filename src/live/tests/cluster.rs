//! What pods coordinate through Redis, and single cases of shared games.

use std::collections::BTreeSet;

use super::redis::on;
use super::*;
use crate::game::{Player, PodName};
use crate::live::RedisLive;
use crate::records::Journal;

const FULL: usize = 3;

/// Fills a lobby with players from `first` on, and prepares its race.
async fn prepared(live: &TestPod, first: usize, now: Timestamp) -> GameId {
    let mut seats = BTreeSet::new();
    for n in first..first + FULL {
        seats.insert(live.enter(request(n, rules(FULL), now)).await.unwrap().id);
    }
    assert_eq!(seats.len(), 1);
    let id = seats.pop_first().unwrap();
    let start = now + Duration::from_secs(2);
    live.close_lobby(id, start).await.unwrap().expect("the lobby is due");
    live.prepare(id, "some words".into(), start).await.unwrap().expect("the lobby is closed");
    id
}

/// The same, and runs it.
async fn running(live: &TestPod, first: usize, now: Timestamp) -> GameId {
    let id = prepared(live, first, now).await;
    live.start(id, now + Duration::from_secs(2)).await.unwrap().expect("START is due");
    id
}

#[tokio::test]
async fn a_player_who_comes_back_before_start_finds_the_seat_and_afterwards_another_lobby() {
    on(2, async |cluster| {
        let (one, two) = (&cluster.pods[0], &cluster.pods[1]);
        let now = Timestamp(0);
        let id = prepared(one, 0, now).await;
        let game = two.enter(request_on(SocketId(2), 1, rules(FULL), now)).await.unwrap();
        let (stage, sockets) = (game.stage, game.players[1].sockets.len());
        assert_eq!((game.id, stage, sockets), (id, Stage::Countdown, 2));
        one.start(id, now + Duration::from_secs(2)).await.unwrap().expect("START is due");
        let next = two.enter(request(1, rules(FULL), now)).await.unwrap();
        assert_ne!(next.id, id);
        assert_eq!(one.find(id).await.unwrap().unwrap().players.len(), FULL);
    })
    .await;
}

#[tokio::test]
async fn a_player_who_comes_to_several_pods_at_once_has_one_seat() {
    on(3, async |cluster| {
        for n in 0..20 {
            let comings = (0..9).map(|socket| {
                let pod = cluster.pods[socket % 3].clone();
                tokio::spawn(async move {
                    // The second of some lobbies, so that there are others to choose from.
                    let coming = request_on(SocketId(socket as u64), n, rules(2), Timestamp(0));
                    pod.enter(coming).await.unwrap().id
                })
            });
            let mut seats = BTreeSet::new();
            for coming in comings.collect::<Vec<_>>() {
                seats.insert(coming.await.unwrap());
            }
            assert_eq!(seats.len(), 1, "player {n}");
            let games = cluster.pods[0].all().await.unwrap();
            let seated = games.iter().filter_map(|game| game.player(&player(n).id));
            assert_eq!(seated.map(|player| player.sockets.len()).collect::<Vec<_>>(), [9]);
        }
    })
    .await;
}

#[tokio::test]
async fn concurrent_changes_by_several_pods_all_count() {
    on(3, async |cluster| {
        let (now, players) = (Timestamp(0), 60);
        let mut id = GameId(0);
        for n in 0..players {
            id = cluster.pods[n % 3].enter(request(n, rules(players), now)).await.unwrap().id;
        }
        let start = now + Duration::from_secs(2);
        cluster.pods[0].close_lobby(id, start).await.unwrap().expect("the lobby is due");
        cluster.pods[0].prepare(id, "some words".into(), start).await.unwrap().expect("closed");
        cluster.pods[0].start(id, start).await.unwrap().expect("START is due");
        let finishes = (0..players).map(|n| {
            let pod = cluster.pods[n % 3].clone();
            tokio::spawn(async move {
                assert!(pod.claim_start(id, &player(n).id, start).await.unwrap());
                pod.finish(id, &player(n).id, claim(start)).await.unwrap()
            })
        });
        let mut ranks = BTreeSet::new();
        for finish in finishes.collect::<Vec<_>>() {
            let Finish::Taken(rank) = finish.await.unwrap() else { panic!("finished before") };
            ranks.insert(rank);
        }
        assert!(ranks.into_iter().eq(1..=players as u32));
    })
    .await;
}

#[tokio::test]
async fn the_races_of_a_guest_become_those_of_the_account() {
    on(2, async |cluster| {
        let (one, two) = (&cluster.pods[0], &cluster.pods[1]);
        let (now, guest) = (Timestamp(0), player(0).id);
        let account = User { user_type: UserType::Registered, ..player(99) };
        cluster.records.register(&account.id, Some("Anna"), now).await.unwrap();
        let raced = running(one, 0, now).await;
        one.finish(raced, &guest, claim(now)).await.unwrap();
        one.finish(raced, &player(1).id, claim(now)).await.unwrap();
        let awaited = prepared(one, 0, now).await;
        let lobby = one.enter(request(7, rules(FULL), now)).await.unwrap().id;
        assert_eq!(two.hand_over(&guest, &account).await.unwrap(), [raced, awaited]);
        assert_eq!(two.hand_over(&guest, &account).await.unwrap(), [], "twice is once");
        assert_eq!(
            two.hand_over(&player(7).id, &player(98)).await.unwrap(),
            [],
            "still in a lobby"
        );
        assert_eq!(two.hand_over(&player(1).id, &account).await.unwrap(), [], "sits there already");
        let kept =
            cluster.records.history(&account.id, 9, 0, Timestamp(i64::MAX / 2_000)).await.unwrap();
        assert_eq!(kept.iter().map(|it| (it.game, it.rank)).collect::<Vec<_>>(), [(raced, 1)]);
        let back = SeatRequest { user: account, ..request(0, rules(FULL), now) };
        assert_eq!(two.enter(back).await.unwrap().id, awaited);
        assert_ne!(awaited, lobby);
    })
    .await;
}

#[tokio::test]
async fn the_sockets_of_a_dead_pod_are_not_waited_for() {
    on(2, async |cluster| {
        let (one, two) = (&cluster.pods[0], &cluster.pods[1]);
        let now = Timestamp(0);
        let untouched = two.enter(request(2, rules(1), now)).await.unwrap();
        let id = one.enter(request(0, rules(FULL), now)).await.unwrap().id;
        two.enter(request_on(SocketId(2), 0, rules(FULL), now)).await.unwrap();
        one.enter(request(1, rules(FULL), now)).await.unwrap();
        let later = Timestamp(9);
        let changed = two.forget_pod(one.pod(), later).await.unwrap();
        assert_eq!(changed.iter().map(|game| game.id).collect::<Vec<_>>(), [id]);
        let players = &changed[0].players;
        let of = |player: &Player| (player.sockets.len(), player.absent_since);
        assert_eq!(of(&players[0]), (1, None), "has one elsewhere");
        assert_eq!(of(&players[1]), (0, Some(later)));
        assert_eq!(two.find(untouched.id).await.unwrap().unwrap().version, untouched.version);
        assert_eq!(two.forget_pod(one.pod(), later).await.unwrap(), [], "twice is once");
    })
    .await;
}

#[tokio::test]
async fn pods_know_which_pods_are_alive() {
    on(2, async |cluster| {
        let (one, two) = (&cluster.pods[0], &cluster.pods[1]);
        let names = |pods: Vec<PodName>| {
            let mut names: Vec<_> = pods.iter().map(PodName::to_string).collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(names(one.beat().await.unwrap().alive), "pod-1");
        assert_eq!(names(two.beat().await.unwrap().alive), "pod-1 pod-2");
        one.farewell().await.unwrap();
        assert_eq!(names(two.beat().await.unwrap().alive), "pod-2");
        cluster.silence("pod-9").await;
        assert_eq!(names(two.beat().await.unwrap().alive), "pod-2");
        assert_eq!(names(two.silent_pods().await.unwrap()), "pod-9");
        two.forget_pod(&"pod-9".into(), Timestamp(0)).await.unwrap();
        assert_eq!(names(two.silent_pods().await.unwrap()), "");

        let game = GameId(1);
        assert_eq!(names(one.enter_pod(game).await.unwrap()), "pod-1");
        assert_eq!(names(two.enter_pod(game).await.unwrap()), "pod-1 pod-2");
        assert_eq!(names(two.enter_pod(GameId(2)).await.unwrap()), "pod-2");
        one.leave_pod(game).await.unwrap();
        assert_eq!(names(one.pods_of(game).await.unwrap()), "pod-2");
    })
    .await;
}

#[tokio::test]
async fn pods_know_how_many_players_the_other_living_pods_have() {
    on(3, async |cluster| {
        let [one, two, three] = cluster.pods.as_slice() else { panic!("three pods") };
        for (pod, players) in [(one, 3), (two, 4), (three, 0)] {
            pod.set_players_here(players);
            pod.beat().await.unwrap();
        }
        assert_eq!([one, two, three].map(|it| it.players_elsewhere()), [0, 3, 7], "as of its beat");
        one.set_players_here(5);
        one.beat().await.unwrap();
        assert_eq!(one.players_elsewhere(), 4);
        three.beat().await.unwrap();
        assert_eq!(three.players_elsewhere(), 9);
        two.farewell().await.unwrap();
        cluster.silence(one.pod().as_str()).await;
        three.beat().await.unwrap();
        assert_eq!(three.players_elsewhere(), 0);
    })
    .await;
}

#[tokio::test]
async fn one_of_several_pods_schedules_a_deadline() {
    on(2, async |cluster| {
        let (one, two) = (&cluster.pods[0], &cluster.pods[1]);
        let (game, at) = (GameId(1), Timestamp(1_595_368_211_642_285));
        let deadlines = [(game, "lobby.countdown", Some(at)), (game, "race.countdown", None)];
        assert_eq!(one.set_deadlines(&deadlines).await.unwrap(), [true, false]);
        assert_eq!(two.set_deadlines(&deadlines).await.unwrap(), [false, false]);
        let earlier = [(game, "lobby.countdown", Some(Timestamp(at.0 - 1)))];
        assert_eq!(two.set_deadlines(&earlier).await.unwrap(), [true]);
        assert_eq!(one.set_deadlines(&deadlines).await.unwrap(), [false, false], "older facts");
        assert_eq!(two.overdue(at, 9).await.unwrap().len(), 1);
        let later = [(game, "lobby.countdown", Timestamp(at.0 + 1)), (game, "gone", at)];
        two.put_off(&later).await.unwrap();
        assert_eq!(two.overdue(Timestamp(at.0 + 1), 9).await.unwrap(), []);
        let overdue = two.overdue(Timestamp(at.0 + 2), 9).await.unwrap();
        assert_eq!(overdue, [(game, "lobby.countdown".into())]);
        let done = [(game, "lobby.countdown", None)];
        assert_eq!(one.set_deadlines(&done).await.unwrap(), [false]);
        assert_eq!(two.overdue(Timestamp(at.0 + 2), 9).await.unwrap(), []);
        assert!(one.set_deadlines(&[]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_clock_of_redis_is_near_on_the_same_machine() {
    on(1, async |cluster| {
        let offset = cluster.pods[0].time_offset().await.unwrap();
        assert!(offset.abs() < 50_000, "{offset} µs");
    })
    .await;
}

#[tokio::test]
async fn a_pod_whose_clock_is_ahead_ends_nothing_that_is_not_due_by_the_clock_of_redis() {
    on(2, async |cluster| {
        let (wrong, right) = (&cluster.pods[0], &cluster.pods[1]);
        let hour = Duration::from_secs(3600);
        let now = Timestamp::now();
        let id = right.enter(request(0, rules(FULL), now)).await.unwrap().id;
        let user = player(0).id;
        right.go_absent(id, &user, SOCKET, now).await.unwrap();
        let far = now + hour;
        let departed = wrong.dismiss_absent(id, far - hour, far).await.unwrap();
        assert!(departed.users.is_empty(), "absent for an hour only by a wrong clock");
        right.enter(request(0, rules(FULL), now)).await.unwrap();
        assert_eq!(wrong.close_lobby(id, far).await.unwrap(), None);
        assert_eq!(wrong.end(id, far).await.unwrap(), None);

        // The lobby of two seconds is filled long ago, and its race is to start in an hour.
        let before = now - hour;
        let race = right.enter(request(1, rules(1), before)).await.unwrap().id;
        right.close_lobby(race, now).await.unwrap().expect("it is due");
        right.prepare(race, "some words".into(), far).await.unwrap().expect("it is closed");
        assert_eq!(wrong.start(race, far).await.unwrap(), None);
        assert_eq!(right.find(race).await.unwrap().unwrap().stage, Stage::Countdown);

        let deadlines = [(id, "lobby.countdown", Some(now + Duration::from_secs(60)))];
        right.set_deadlines(&deadlines).await.unwrap();
        assert_eq!(wrong.overdue(far, 9).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_pod_that_is_early_by_less_than_half_a_second_waits_for_redis() {
    on(1, async |cluster| {
        let live = &cluster.pods[0];
        let now = Timestamp::now();
        let early = |ahead: u64| now + Duration::from_millis(ahead);
        let door = request(0, rules(1), early(200) - rules(1).full_grace);
        let id = live.enter(door).await.unwrap().id;
        live.close_lobby(id, early(200)).await.unwrap().expect("closed when it is due");
        assert!(Timestamp::now() >= early(200));
        live.prepare(id, "some words".into(), early(400)).await.unwrap().expect("it is closed");
        live.start(id, early(400)).await.unwrap().expect("START when it is due");
        assert!(Timestamp::now() >= early(400));
    })
    .await;
}

#[tokio::test]
async fn a_single_use_value_can_be_taken_once_before_it_expires() {
    on(2, async |cluster| {
        let (one, two) = (&cluster.pods[0], &cluster.pods[1]);
        let now = Timestamp::now();
        let until = now + Duration::from_secs(60);
        one.live.store_one_time("k", &player(0), until).await.unwrap();
        one.live.store_one_time("late", &player(1), until).await.unwrap();
        assert_eq!(two.live.take_one_time::<User>("k", now).await.unwrap(), Some(player(0)));
        assert_eq!(one.live.take_one_time::<User>("k", now).await.unwrap(), None);
        assert_eq!(two.live.take_one_time::<User>("late", until).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn every_key_expires() {
    on(1, async |cluster| {
        // Long enough ago for the game to be over, also by the clock of Redis.
        let (live, now) = (&cluster.pods[0], Timestamp::now() - Duration::from_secs(60));
        running(live, 0, now).await;
        prepared(live, 0, now).await;
        let id = live.enter(request(0, rules(FULL), now)).await.unwrap().id;
        live.enter_pod(id).await.unwrap();
        live.beat().await.unwrap();
        live.live.store_one_time("k", &player(0), now).await.unwrap();
        live.set_deadlines(&[(id, "lobby.countdown", Some(now))]).await.unwrap();
        let lives = cluster.lives().await;
        assert!(lives.len() > 10, "{lives:?}");
        assert!(lives.iter().all(|(_, life)| *life > 0), "{lives:?}");

        // Of games that are over, no key is left.
        let end = now + Duration::from_secs(12);
        for game in live.all().await.unwrap() {
            assert!(live.end(game.id, end).await.unwrap().is_some());
            assert_eq!(live.end(game.id, end).await.unwrap(), None);
            live.leave_pod(game.id).await.unwrap();
        }
        let mut left: Vec<_> = cluster.keys().await;
        left.retain(|key| {
            let is_other = |it: &&str| key.ends_with(it);
            !["last-id", "pods", "players", "agenda-v2"].iter().any(is_other)
                && !key.contains(":shared:")
        });
        assert_eq!(left, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_has_lost_its_memory_can_be_used_again() {
    on(1, async |cluster| {
        let (live, now) = (&cluster.pods[0], Timestamp(0));
        let id = running(live, 0, now).await;
        let result = live.finish(id, &player(0).id, claim(now)).await.unwrap();
        assert_eq!(result, Finish::Taken(1));
        cluster.wipe().await;
        assert_eq!(live.find(id).await.unwrap(), None);
        let late = live.finish(id, &player(1).id, claim(now)).await.unwrap_err();
        assert_eq!(late.kind().code, "GAME_NOT_FOUND");
        assert!(
            live.enter(request(0, rules(FULL), now)).await.unwrap().id > id,
            "no id comes again"
        );
    })
    .await;
}

#[tokio::test]
async fn an_error_that_waiting_cannot_mend_is_reported_at_once() {
    on(0, async |cluster| {
        let refused = async |url: Option<&str>, prefix: &str| {
            let (tasks, stop) = Default::default();
            let journal = Journal::start(cluster.records.clone(), &tasks, stop);
            let url = url.map(Into::into).or(cluster.settings.url.clone());
            let settings = crate::settings::RedisSettings {
                url,
                prefix: prefix.into(),
                ..cluster.settings.clone()
            };
            let connect =
                RedisLive::connect(&settings, cluster.records.clone(), journal, "pod".into());
            connect.await.err().expect("a refusal")
        };
        let address = cluster.settings.url.clone().unwrap();
        let base = address.expose().rsplit_once('/').unwrap().0;
        let no_database = refused(Some(&format!("{base}/100000")), "p").await;
        assert!(no_database.contains("/100000 refuses us"), "{no_database}");
        let user = base.replace("redis://", "redis://unknown:hunter2@");
        let no_user = refused(Some(&user), "p").await;
        assert!(no_user.contains("refuses us") && !no_user.contains("hunter2"), "{no_user}");
        assert_eq!(refused(Some("http://x"), "p").await, "redis.url is no address of Redis");
        assert_eq!(refused(None, "{p}").await, "redis.prefix must be a text without braces");
    })
    .await;
}
