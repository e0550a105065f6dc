//! Many concurrent players, and a real file of records.

use std::collections::BTreeMap;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::Barrier;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::live::{InProcess, Live};
use crate::records::{Journal, Records};
use crate::settings::Settings;

const PLAYERS: usize = 200;
const LIMIT: usize = 5;

/// The live state of one process, and its file.
pub(super) struct Pod {
    pub(super) live: Arc<TestPod>,
    records: Records,
    journal: TaskTracker,
    journal_stop: CancellationToken,
    data: TempDir,
}

impl Pod {
    pub(super) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    async fn start_in(data: TempDir) -> Self {
        let settings = Settings { data_dir: data.path().into(), ..Settings::default() };
        let records = Records::open(&settings, false).await.unwrap();
        let (journal, journal_stop) = (TaskTracker::new(), CancellationToken::new());
        let writing = Journal::start(records.clone(), &journal, journal_stop.clone());
        let live = InProcess::resume(&records, writing, Timestamp(0)).await.unwrap();
        let live = Arc::new(TestPod::of(Live::in_process(live)));
        Self { live, records, journal, journal_stop, data }
    }

    /// Ends like a crash, and starts again with the same file.
    async fn restart(self) -> Self {
        self.journal_stop.cancel();
        self.journal.close();
        self.journal.wait().await;
        Self::start_in(self.data).await
    }

    /// Runs an operation for all players concurrently.
    async fn at_once<T, F>(&self, action: impl Fn(Arc<TestPod>, usize) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let barrier = Arc::new(Barrier::new(PLAYERS));
        let tasks = Vec::from_iter((0..PLAYERS).map(|n| {
            let (barrier, action) = (barrier.clone(), action(self.live.clone(), n));
            tokio::spawn(async move {
                barrier.wait().await;
                action.await
            })
        }));
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    }

    async fn enter_all(&self) -> Vec<GameId> {
        let enter = |live: Arc<TestPod>, n| async move {
            live.enter(request(n, rules(LIMIT), Timestamp(0))).await.unwrap().id
        };
        self.at_once(enter).await
    }

    /// The facts in memory.
    async fn known(&self) -> BTreeMap<GameId, Game> {
        let games = self.live.all().await.unwrap();
        by_id(games.iter().map(|game| (**game).clone()))
    }

    /// The facts on disk.
    async fn written(&self) -> BTreeMap<GameId, Game> {
        by_id(self.records.live_games().await.unwrap().into_iter())
    }
}

fn by_id(games: impl Iterator<Item = Game>) -> BTreeMap<GameId, Game> {
    games.map(|game| (game.id, game)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_come_at_once_fill_whole_games() {
    let pod = Pod::start().await;
    let seats = pod.enter_all().await;
    let games = pod.known().await;
    assert_eq!(games.len(), PLAYERS / LIMIT);
    assert!(games.values().all(|game| game.full && game.players.len() == LIMIT));
    for (n, id) in seats.iter().enumerate() {
        assert!(games[id].player(&player(n).id).is_some(), "player {n} has no seat in {id}");
    }
    assert_eq!(pod.written().await, games);
    assert_eq!(pod.records.last_game().await.unwrap(), GameId(40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_finish_at_once_are_ranked_once() {
    let pod = Pod::start().await;
    let seats = Arc::new(pod.enter_all().await);
    let start = Timestamp(0) + Duration::from_secs(5);
    for id in pod.known().await.into_keys() {
        pod.live.close_lobby(id, start).await.unwrap().expect("the lobby is due");
        pod.live.prepare(id, "some words".into(), start).await.unwrap().expect("it is closed");
        pod.live.start(id, start).await.unwrap().expect("START is due");
    }
    let finish = |live: Arc<TestPod>, n: usize| {
        let id = seats[n];
        async move {
            let user = player(n).id;
            let told = live.claim_start(id, &user, start).await.unwrap();
            let told_again = live.claim_start(id, &user, start).await.unwrap();
            assert!(told && !told_again);
            let Finish::Taken(rank) = live.finish(id, &user, claim(start)).await.unwrap() else {
                panic!("player {n} had finished before")
            };
            assert_eq!(live.finish(id, &user, claim(start)).await.unwrap(), Finish::Before(rank));
            (id, rank)
        }
    };
    let mut ranks = pod.at_once(finish).await;
    ranks.sort();
    let each = (1..=40).flat_map(|id| (1..=5).map(move |rank| (GameId(id), rank)));
    assert_eq!(ranks, Vec::from_iter(each));
    assert_eq!(pod.written().await, pod.known().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_leave_at_once_leave_no_lobby_behind() {
    let pod = Pod::start().await;
    let seats = Arc::new(pod.enter_all().await);
    let later = Timestamp(1);
    let leave = |live: Arc<TestPod>, n: usize| {
        let id = seats[n];
        async move {
            live.go_absent(id, &player(n).id, SOCKET, later).await.unwrap();
            live.dismiss_absent(id, later, later).await.unwrap().users
        }
    };
    let mut departed = pod.at_once(leave).await.concat();
    departed.sort();
    let mut all = Vec::from_iter((0..PLAYERS).map(|n| player(n).id));
    all.sort();
    assert_eq!(departed, all);
    assert_eq!((pod.known().await.len(), pod.written().await.len()), (0, 0));
}

#[tokio::test]
async fn a_restart_goes_on_with_what_was_written() {
    let pod = Pod::start().await;
    let id = pod.live.enter(request(0, rules(LIMIT), Timestamp(0))).await.unwrap().id;
    let start = Timestamp(0) + Duration::from_secs(5);
    pod.live.close_lobby(id, start).await.unwrap();
    pod.live.prepare(id, "some words".into(), start).await.unwrap();
    pod.live.start(id, start).await.unwrap();
    assert!(pod.live.claim_start(id, &player(0).id, start).await.unwrap());
    let pod = pod.restart().await;
    assert!(!pod.live.claim_start(id, &player(0).id, start).await.unwrap());
    let game = pod.live.find(id).await.unwrap().expect("the race goes on");
    assert_eq!((&*game.words(), game.stage), ("some words", Stage::Running));
    let next = pod.live.enter(request(1, rules(LIMIT), Timestamp(0))).await.unwrap();
    assert_eq!(next.id, GameId(id.0 + 1));
}
