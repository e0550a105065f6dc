//! Many concurrent players on several pods that share their games: no player is lost or seated twice, and every result
//! counts once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

use super::redis::{Cluster, on};
use super::*;

const PODS: usize = 3;
const PLAYERS: usize = 40;
const STEPS: usize = 60;
const LIMIT: usize = 4;

/// What all players share: a clock that advances a little with every reading, and notes of what they were told.
#[derive(Default)]
struct Crowd {
    clock: AtomicI64,
    /// How often each player was told START, minus how often that was taken back.
    told: Mutex<BTreeMap<(GameId, UserId), i32>>,
    ranks: Mutex<BTreeMap<GameId, BTreeMap<UserId, u32>>>,
    /// The last facts of removed games.
    ended: Mutex<Vec<Arc<Game>>>,
}

impl Crowd {
    fn now(&self) -> Timestamp {
        Timestamp(self.clock.fetch_add(5_000, Ordering::Relaxed))
    }

    fn check(game: &Game) {
        assert!(game.players.len() <= LIMIT, "too many: {game:?}");
        let users: BTreeSet<_> = game.players.iter().map(|player| &player.user.id).collect();
        assert_eq!(users.len(), game.players.len(), "twice in one game: {game:?}");
        let ranks = game.players.iter().filter_map(|player| player.result);
        let ranks: BTreeSet<_> = ranks.map(|result| result.rank).collect();
        assert!(ranks.iter().copied().eq(1..=game.finishers() as u32), "ranks: {game:?}");
    }
}

/// One player who acts at random, with sockets on any pod.
struct RandomPlayer {
    crowd: Arc<Crowd>,
    pods: Vec<Arc<TestPod>>,
    user: User,
    chance: StdRng,
    seat: Option<GameId>,
    /// The open lobby sockets, and their pods.
    sockets: Vec<(SocketId, usize)>,
}

impl RandomPlayer {
    async fn play(mut self) {
        for _ in 0..STEPS {
            match self.chance.random_range(0..10) {
                0..3 => self.enter().await,
                3 => self.leave().await,
                4..7 => self.keep_time().await,
                _ => self.race().await,
            }
        }
    }

    fn pod(&mut self) -> Arc<TestPod> {
        let pod = self.chance.random_range(0..PODS);
        self.pods[pod].clone()
    }

    async fn enter(&mut self) {
        let pod = self.chance.random_range(0..PODS);
        let (user, previous) = (self.user.clone(), self.seat.filter(|_| self.chance.random()));
        let (door, socket) = (Door::OPEN, SocketId(self.chance.random()));
        let (now, rules) = (self.crowd.now(), rules(LIMIT));
        let (held, parts) = (on_a_pod(socket), parts());
        let request = SeatRequest {
            user,
            door,
            socket: held,
            previous,
            now,
            rules,
            parts,
            level: super::Level(self.chance.random_bool(0.5).then(|| self.chance.random())),
        };
        let game = self.pods[pod].enter(request).await.unwrap();
        Crowd::check(&game);
        let seat = game.player(&self.user.id).expect("a seat where the answer says");
        assert!(seat.sockets.contains_key(&socket) && seat.absent_since.is_none(), "{game:?}");
        if self.seat.replace(game.id) != Some(game.id) {
            self.sockets.clear();
        }
        self.sockets.push((socket, pod));
    }

    async fn leave(&mut self) {
        let (Some(game), Some((socket, pod))) = (self.seat, self.sockets.pop()) else { return };
        let (pod, user, now) = (&self.pods[pod], &self.user.id, self.crowd.now());
        let left = pod.go_absent(game, user, socket, now).await.unwrap();
        left.iter().for_each(|game| Crowd::check(game));
    }

    /// Does what timers do in one of the games, possibly at the same time as other players.
    async fn keep_time(&mut self) {
        let pod = self.pod();
        let games = pod.all().await.unwrap();
        games.iter().for_each(|game| Crowd::check(game));
        if games.is_empty() {
            return;
        }
        let game = &games[self.chance.random_range(0..games.len())];
        let (id, now) = (game.id, self.crowd.now());
        let changed = match game.stage {
            Stage::Lobby => {
                let departed = pod.dismiss_absent(id, now - ABSENCE, now).await.unwrap();
                departed.game.iter().for_each(|game| Crowd::check(game));
                pod.close_lobby(id, now).await.unwrap()
            }
            Stage::Closed => {
                pod.prepare(id, "some words".into(), now + START_COUNTDOWN).await.unwrap()
            }
            Stage::Countdown => pod.start(id, now).await.unwrap(),
            Stage::Running => {
                let ended = pod.end(id, now).await.unwrap();
                self.crowd.ended.lock().extend(ended);
                None
            }
        };
        changed.iter().for_each(|game| Crowd::check(game));
    }

    async fn race(&mut self) {
        let Some(game) = self.seat else { return };
        let (pod, other, now) = (self.pod(), self.pod(), self.crowd.now());
        let (user, key) = (self.user.id.clone(), (game, self.user.id.clone()));
        // Two sockets of one player, on two pods.
        let (one, two) =
            tokio::join!(pod.claim_start(game, &user, now), other.claim_start(game, &user, now));
        let told = i32::from(one.unwrap()) + i32::from(two.unwrap());
        let told = {
            let mut known = self.crowd.told.lock();
            let known = known.entry(key.clone()).or_default();
            *known += told;
            *known
        };
        assert!(told <= 1, "{user} was told START {told} times");
        if told == 1 && self.chance.random_range(0..4) == 0 {
            *self.crowd.told.lock().get_mut(&key).unwrap() -= 1;
            pod.release_start(game, &user, now).await.unwrap();
        }
        let (one, two) = tokio::join!(
            pod.finish(game, &user, claim(now)),
            other.finish(game, &user, claim(now))
        );
        let (one, two) = match (one, two) {
            (Ok(one), Ok(two)) => (one, two),
            // Not started yet, or removed meanwhile.
            _ => return,
        };
        let rank = |finish| match finish {
            Finish::Taken(rank) | Finish::Before(rank) => rank,
        };
        assert_eq!(rank(one), rank(two));
        assert!(!matches!((one, two), (Finish::Taken(_), Finish::Taken(_))), "taken twice");
        let mut ranks = self.crowd.ranks.lock();
        let known = ranks.entry(game).or_default().insert(user, rank(one));
        assert!(known.is_none_or(|known| known == rank(one)), "the rank has changed");
    }
}

async fn no_player_is_lost(cluster: &Cluster, seed: u64) {
    let crowd = Arc::new(Crowd::default());
    let mut players = JoinSet::new();
    for n in 0..PLAYERS {
        let user = player(n);
        if user.user_type == UserType::Registered {
            cluster.records.register(&user.id, Some(&user.name), Timestamp(0)).await.unwrap();
        }
        let (crowd, pods) = (crowd.clone(), cluster.pods.clone());
        let chance = StdRng::seed_from_u64(seed.wrapping_add(n as u64));
        let player = RandomPlayer { crowd, pods, user, chance, seat: None, sockets: Vec::new() };
        players.spawn(player.play());
    }
    while let Some(played) = players.join_next().await {
        played.unwrap();
    }
    let live = cluster.pods[0].all().await.unwrap();
    let mut seated = BTreeSet::new();
    for game in live.iter().filter(|game| game.stage < Stage::Running) {
        for player in &game.players {
            assert!(seated.insert(player.user.id.clone()), "{} sits twice", player.user.id);
        }
    }
    let ended = crowd.ended.lock().clone();
    let ids: BTreeSet<_> = ended.iter().map(|game| game.id).collect();
    assert_eq!(ids.len(), ended.len(), "a game ended twice");
    assert!(live.iter().all(|game| !ids.contains(&game.id)));
    results_are_recorded(cluster, &crowd, &live).await;
}

async fn results_are_recorded(cluster: &Cluster, crowd: &Crowd, live: &[Arc<Game>]) {
    let ranks = crowd.ranks.lock().clone();
    assert!(!ranks.is_empty(), "no player has raced");
    for (id, ranks) in &ranks {
        let distinct: BTreeSet<_> = ranks.values().collect();
        assert_eq!(distinct.len(), ranks.len(), "two of the same rank");
        let Some(game) = live.iter().find(|game| game.id == *id) else { continue };
        for (user, rank) in ranks {
            let result = game.player(user).and_then(|player| player.result);
            assert_eq!(result.map(|result| result.rank), Some(*rank));
        }
    }
    for n in (0..PLAYERS).filter(|n| player(*n).user_type == UserType::Registered) {
        let user = player(n).id;
        let history =
            cluster.records.history(&user, 1000, 0, Timestamp(i64::MAX / 2_000)).await.unwrap();
        let recorded: BTreeMap<_, _> = history.iter().map(|it| (it.game, it.rank)).collect();
        for (game, ranks) in &ranks {
            if let Some(rank) = ranks.get(&user) {
                assert_eq!(recorded.get(game), Some(&(*rank as i32)), "{user} in {game}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_player_is_lost_or_counted_twice_on_several_pods() {
    for _ in 0..3 {
        let seed = rand::random();
        // Shown if it fails.
        eprintln!("seed {seed}");
        on(PODS, async |cluster| no_player_is_lost(cluster, seed).await).await;
    }
}
