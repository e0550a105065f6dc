//! Stories: random sequences of steps of several players, run against an in-memory store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::live::Index;

/// The number of players in a story.
const PLAYERS: usize = 8;

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Action {
    Wait,
    Enter,
    Reconnect,
    EnterInvited,
    EnterAlone,
    Hasten,
    BeReady,
    SeatBots,
    Leave,
    Abandon,
    Dismiss,
    Close,
    Prepare,
    Start,
    ClaimStart,
    ReleaseStart,
    Track,
    Finish,
    End,
    Restart,
}

impl Action {
    /// Whether a player takes a seat.
    pub(super) fn is_entry(self) -> bool {
        matches!(self, Self::Enter | Self::Reconnect | Self::EnterInvited | Self::EnterAlone)
    }

    /// Whether a socket closes.
    fn is_exit(self) -> bool {
        matches!(self, Self::Leave | Self::Abandon)
    }

    /// The action of a number below 100.
    fn of(number: u64) -> Self {
        match number {
            0..8 => Self::Wait,
            8..11 => Self::BeReady,
            11..15 => Self::Track,
            15..26 => Self::Enter,
            26..30 => Self::Reconnect,
            30..34 => Self::EnterInvited,
            34..35 => Self::EnterAlone,
            35..37 => Self::Hasten,
            37..40 => Self::SeatBots,
            40..44 => Self::Leave,
            44..45 => Self::Abandon,
            45..49 => Self::Dismiss,
            49..61 => Self::Close,
            61..70 => Self::Prepare,
            70..79 => Self::Start,
            79..85 => Self::ClaimStart,
            85..88 => Self::ReleaseStart,
            88..97 => Self::Finish,
            97..99 => Self::End,
            _ => Self::Restart,
        }
    }
}

/// One step of a plot, before the game and the player are chosen: its numbers choose among those that exist, mostly among
/// those that the action can change.
#[derive(Clone, Copy, Debug)]
pub(super) struct RandomStep {
    action: Action,
    who: usize,
    /// The number that chooses the game; for a wait, how long it is.
    which: usize,
    /// Whether only games that the action can change are chosen from.
    aimed: bool,
}

impl RandomStep {
    /// Reads a step from the digits of a number: much cheaper to generate than nested choices.
    fn of(number: u64) -> Self {
        let mut rest = number;
        let mut digit = |base: u64| {
            let digit = rest % base;
            rest /= base;
            digit
        };
        let action = Action::of(digit(100));
        let (who, which) = (digit(PLAYERS as u64) as usize, digit(16) as usize);
        Self { action, who, which, aimed: digit(8) != 0 }
    }

    pub(super) fn is_restart(self) -> bool {
        self.action == Action::Restart
    }

    /// The step among these games. `last` is the newest game so far, and `number` the number of earlier steps.
    fn among(self, facts: &Facts, last: GameId, now: Timestamp, number: usize) -> StoryStep {
        let fitting: Vec<_> = facts.values().filter(|game| fits(self.action, game, now)).collect();
        let chosen = fitting.get(self.which % fitting.len().max(1)).filter(|_| self.aimed);
        let game = chosen.map_or(GameId(last.0 - self.which as i64 % 4), |game| game.id);
        // Any player may enter; other actions are those of a seated player.
        let inside = chosen.filter(|_| !self.action.is_entry());
        let seats: Vec<_> = inside.iter().flat_map(|game| &game.players).collect();
        // Bots have no sockets.
        let seats = seats.into_iter().filter(|it| !self.action.is_exit() || it.user.is_person());
        let seats: Vec<_> = seats.map(|player| &player.user.id).collect();
        let seat = seats.get(self.who % seats.len().max(1)).copied();
        let mut users = (0..PLAYERS).map(player).chain(bots());
        let user = users.find(|user| Some(&user.id) == seat);
        let user = user.unwrap_or_else(|| player(self.who));
        let wait = Duration::from_millis(500) * (self.which as u32 % 4);
        let seat = facts.get(&game).and_then(|game| game.player(&user.id));
        let is_known = !self.which.is_multiple_of(4);
        let claimed = seat.and_then(|seat| seat.started()).filter(|_| is_known).unwrap_or(now);
        let open = seat.and_then(|seat| seat.sockets.keys().next()).copied();
        let open = open.filter(|_| self.action.is_exit() && is_known);
        let socket = open.unwrap_or(SocketId(number as u64));
        let door = facts.get(&game).map_or(Door::OPEN, |game| game.door.clone());
        let (seen, claim) = (self.seen(now), self.claim(now));
        StoryStep { action: self.action, user, game, door, socket, wait, claimed, seen, claim }
    }
}

impl RandomStep {
    /// Progress that a pod may have seen of a player, now or a little earlier, possibly to the end of the text.
    fn seen(self, now: Timestamp) -> Progress {
        let number = self.which as u32;
        let earlier = Duration::from_millis(500) * (number % 3);
        let at = Some((now - earlier).max(Timestamp(0)));
        let letters = |word| ((self.which * 7 + word * 5) % 6) as u16;
        let reached = (0..=self.which % 3).map(letters).collect();
        let completed = at.filter(|_| number.is_multiple_of(4));
        Progress {
            reached,
            keys: number + 1,
            extra: number % 3,
            gaps: number % 2,
            at,
            completed,
            late: (number % 200) as u16,
            round_trip: (number % 5) as u16,
        }
    }

    fn claim(self, now: Timestamp) -> Claim {
        let unranked = self.which.is_multiple_of(4).then_some(Unranked::TextNotTyped);
        Claim { unranked, ..claim(now) }
    }
}

/// Whether the action can change something in the game.
fn fits(action: Action, game: &Game, now: Timestamp) -> bool {
    let waits = game.stage == Stage::Lobby;
    match action {
        Action::Wait | Action::Enter | Action::EnterAlone | Action::Restart => false,
        Action::Reconnect
        | Action::Leave
        | Action::Abandon
        | Action::SeatBots
        | Action::BeReady => waits,
        Action::EnterInvited | Action::Hasten => waits && token_of(&game.door).is_some(),
        Action::Dismiss => waits && game.players.iter().any(|it| it.absent_since.is_some()),
        Action::Close => waits && game.closes_at <= now,
        Action::Prepare => game.stage == Stage::Closed,
        Action::Start => game.stage == Stage::Countdown,
        Action::ClaimStart | Action::ReleaseStart | Action::Track | Action::Finish => {
            game.stage == Stage::Running
        }
        Action::End => game.ends_at <= now,
    }
}

/// One step of a story: the action, its player, its game, or how long nothing happens.
#[derive(Clone, Debug)]
pub(super) struct StoryStep {
    pub(super) action: Action,
    pub(super) user: User,
    pub(super) game: GameId,
    /// The door of that game.
    pub(super) door: Door,
    /// A new one for a player who enters; mostly an open one for a player who leaves.
    pub(super) socket: SocketId,
    wait: Duration,
    /// For a START that is taken back: mostly the time at which it was claimed.
    pub(super) claimed: Timestamp,
    /// The progress that a pod has seen.
    pub(super) seen: Progress,
    /// The claim of a player who finishes.
    pub(super) claim: Claim,
}

impl StoryStep {
    /// The request of a player who enters.
    pub(super) fn request(&self, now: Timestamp, rules: LobbyRules) -> SeatRequest {
        let (user, socket) = (self.user.clone(), on_a_pod(self.socket));
        let (door, parts) = (Door::OPEN, parts());
        let request = SeatRequest {
            user,
            door,
            socket,
            previous: None,
            now,
            rules,
            parts,
            level: super::Level::default(),
        };
        match self.action {
            Action::Reconnect => SeatRequest { previous: Some(self.game), ..request },
            Action::EnterInvited => SeatRequest { door: invited(self.game.0), ..request },
            Action::EnterAlone => alone(request),
            _ => request,
        }
    }
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Seated(GameId),
    Changed(bool),
    Departed(Vec<UserId>),
    Told(bool),
    Finished(Result<Finish, &'static str>),
    Hastened(Result<(), &'static str>),
    Nothing,
}

/// The limit of players of a game, and the steps.
pub(super) type Plot = (usize, Vec<RandomStep>);

pub(super) fn plots() -> impl Strategy<Value = Plot> {
    let steps = prop::collection::vec(any::<u64>().prop_map(RandomStep::of), 1..200);
    (1_usize..5, steps)
}

/// The facts of every game.
pub(super) type Facts = BTreeMap<GameId, Arc<Game>>;

/// One step, and the facts before and after it.
pub(super) struct Moment {
    pub(super) step: StoryStep,
    pub(super) now: Timestamp,
    pub(super) outcome: Outcome,
    pub(super) before: Facts,
    pub(super) after: Facts,
    /// What the journal has written.
    pub(super) written: Facts,
    /// The games in which each player has a seat, by the index.
    pub(super) played: BTreeMap<UserId, Vec<GameId>>,
}

/// Runs a story against games of its own.
pub(super) fn run((limit, steps): &Plot) -> Vec<Moment> {
    let mut run = Run {
        games: MemoryGames::of(GameId(0), Vec::new()),
        last: GameId(0),
        now: Timestamp(0),
        rules: rules(*limit),
        steps: 0,
    };
    steps.iter().map(|step| run.moment(*step)).collect()
}

struct Run {
    games: MemoryGames,
    last: GameId,
    now: Timestamp,
    rules: LobbyRules,
    steps: usize,
}

impl Run {
    fn moment(&mut self, random: RandomStep) -> Moment {
        let before = self.facts();
        let step = random.among(&before, self.last, self.now, self.steps);
        self.steps += 1;
        let outcome = self.take(&step);
        let (now, after) = (self.now, self.facts());
        let written = self.games.store.written.lock().clone();
        let played = self.played();
        Moment { step, now, outcome, before, after, written, played }
    }

    fn facts(&self) -> Facts {
        self.games.all().into_iter().map(|game| (game.id, game)).collect()
    }

    fn played(&self) -> BTreeMap<UserId, Vec<GameId>> {
        let shelf = self.games.store.shelf.lock();
        let of_player = |(index, games): (&Index, &BTreeSet<GameId>)| match index {
            Index::Player(user) => Some((user.clone(), games.iter().copied().collect())),
            _ => None,
        };
        shelf.indexes().iter().filter_map(of_player).collect()
    }

    fn take(&mut self, step: &StoryStep) -> Outcome {
        let moment = TimedStep { step: step.clone(), now: self.now };
        match step.action {
            Action::Wait => self.now = self.now + step.wait,
            Action::Restart => self.restart(),
            _ => {}
        }
        let limit = self.rules.player_limit;
        let outcome = self.games.now(async |pod| moment.take(pod, limit).await);
        if let Outcome::Seated(id) = outcome {
            self.last = self.last.max(id);
        }
        outcome
    }

    /// A restart: only what was written is left.
    fn restart(&mut self) {
        let written = self.games.store.written.lock().clone();
        let read_back = |game: &Arc<Game>| {
            serde_json::from_str(&serde_json::to_string(&**game).unwrap()).unwrap()
        };
        let games = written.values().map(read_back).collect();
        self.games = MemoryGames::restore(self.last, games, self.now + RESUME);
    }
}

/// One step, and its time.
pub(super) struct TimedStep {
    pub(super) step: StoryStep,
    pub(super) now: Timestamp,
}

impl TimedStep {
    /// Applies the step to a pod.
    pub(super) async fn take(&self, live: &TestPod, limit: usize) -> Outcome {
        let (step, now) = (&self.step, self.now);
        let (user, game) = (step.user.clone(), step.game);
        let changed = |game: Option<Arc<Game>>| Outcome::Changed(game.is_some());
        let grace = now + rules(limit).full_grace;
        let told = |told: Result<Arc<Game>, Error>| {
            Outcome::Hastened(told.map(drop).map_err(|error| error.kind().code))
        };
        match step.action {
            Action::Wait | Action::Restart => Outcome::Nothing,
            Action::Enter | Action::Reconnect | Action::EnterInvited | Action::EnterAlone => {
                Outcome::Seated(live.enter(step.request(now, rules(limit))).await.unwrap().id)
            }
            Action::Hasten => told(live.hasten(game, &user.id, grace).await),
            Action::BeReady => told(live.be_ready(game, &user.id, grace).await),
            Action::SeatBots => changed(live.seat_bots(game, bots(), limit, now).await.unwrap()),
            Action::Leave => {
                changed(live.go_absent(game, &user.id, step.socket, now).await.unwrap())
            }
            Action::Abandon => {
                let (door, socket) = (&step.door, step.socket);
                changed(live.abandon(&user.id, door, socket, now).await.unwrap())
            }
            Action::Dismiss => {
                let departed = live.dismiss_absent(game, now - ABSENCE, now).await.unwrap();
                Outcome::Departed(departed.users)
            }
            Action::Close => changed(live.close_lobby(game, now).await.unwrap()),
            Action::Prepare => {
                let starts_at = now + START_COUNTDOWN;
                changed(live.prepare(game, "some words".into(), starts_at).await.unwrap())
            }
            Action::Start => changed(live.start(game, now).await.unwrap()),
            Action::ClaimStart => {
                Outcome::Told(live.claim_start(game, &user.id, now).await.unwrap())
            }
            Action::ReleaseStart => {
                live.release_start(game, &user.id, step.claimed).await.unwrap();
                Outcome::Nothing
            }
            Action::Track => changed(live.track(game, &user.id, &step.seen).await.unwrap()),
            Action::Finish => {
                let finish = live.finish(game, &user.id, step.claim).await;
                Outcome::Finished(finish.map_err(|error| error.kind().code))
            }
            Action::End => changed(live.end(game, now).await.unwrap()),
        }
    }
}
