//! Stories of many players, drawn by chance and told to games on paper.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::live::Index;

/// Who plays in a story.
const PLAYERS: usize = 8;

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Deed {
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

impl Deed {
    /// Whether somebody takes a seat.
    pub(super) fn comes_in(self) -> bool {
        matches!(self, Self::Enter | Self::Reconnect | Self::EnterInvited | Self::EnterAlone)
    }

    /// Whether a socket closes.
    fn goes_out(self) -> bool {
        matches!(self, Self::Leave | Self::Abandon)
    }

    /// Which deed a number below 100 stands for.
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

/// One step of a plot. Numbers choose among what is there, mostly among what fits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    deed: Deed,
    who: usize,
    /// Which game; of a wait, how long.
    which: usize,
    /// Whether only what fits is chosen from.
    aimed: bool,
}

impl Chance {
    /// Reads a step off the digits of a number: much cheaper to draw than a choice of choices.
    fn of(number: u64) -> Self {
        let mut rest = number;
        let mut digit = |base: u64| {
            let digit = rest % base;
            rest /= base;
            digit
        };
        let deed = Deed::of(digit(100));
        let (who, which) = (digit(PLAYERS as u64) as usize, digit(16) as usize);
        Self { deed, who, which, aimed: digit(8) != 0 }
    }

    pub(super) fn is_restart(self) -> bool {
        self.deed == Deed::Restart
    }

    /// The step that this is among these games. `last` is the newest that there has ever been, and `number`
    /// how many steps came before.
    fn among(self, facts: &Facts, last: GameId, now: Timestamp, number: usize) -> Step {
        let fitting: Vec<_> = facts.values().filter(|game| fits(self.deed, game, now)).collect();
        let chosen = fitting.get(self.which % fitting.len().max(1)).filter(|_| self.aimed);
        let game = chosen.map_or(GameId(last.0 - self.which as i64 % 4), |game| game.id);
        // Who comes may be anybody; who does something in a game sits there.
        let inside = chosen.filter(|_| !self.deed.comes_in());
        let seats: Vec<_> = inside.iter().flat_map(|game| &game.players).collect();
        // Bots have no sockets.
        let seats = seats.into_iter().filter(|it| !self.deed.goes_out() || it.user.is_person());
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
        let open = open.filter(|_| self.deed.goes_out() && is_known);
        let socket = open.unwrap_or(SocketId(number as u64));
        let door = facts.get(&game).map_or(Door::OPEN, |game| game.door.clone());
        let (seen, claim) = (self.seen(now), self.claim(now));
        Step { deed: self.deed, user, game, door, socket, wait, claimed, seen, claim }
    }
}

impl Chance {
    /// What may have been seen of a player's typing, now or a little earlier, and perhaps to its end.
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

/// Whether the deed can change something in the game.
fn fits(deed: Deed, game: &Game, now: Timestamp) -> bool {
    let waits = game.stage == Stage::Lobby;
    match deed {
        Deed::Wait | Deed::Enter | Deed::EnterAlone | Deed::Restart => false,
        Deed::Reconnect | Deed::Leave | Deed::Abandon | Deed::SeatBots | Deed::BeReady => waits,
        Deed::EnterInvited | Deed::Hasten => waits && token_of(&game.door).is_some(),
        Deed::Dismiss => waits && game.players.iter().any(|it| it.absent_since.is_some()),
        Deed::Close => waits && game.closes_at <= now,
        Deed::Prepare => game.stage == Stage::Closed,
        Deed::Start => game.stage == Stage::Countdown,
        Deed::ClaimStart | Deed::ReleaseStart | Deed::Track | Deed::Finish => {
            game.stage == Stage::Running
        }
        Deed::End => game.ends_at <= now,
    }
}

/// One step of a story: what happens, by whom, in which game, or how long nothing happens.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) deed: Deed,
    pub(super) user: User,
    pub(super) game: GameId,
    /// Of that game.
    pub(super) door: Door,
    /// A new one for a player who comes; mostly an open one for a player who leaves.
    pub(super) socket: SocketId,
    wait: Duration,
    /// Of a START that is taken back: when it was claimed, mostly.
    pub(super) claimed: Timestamp,
    /// Of a typist.
    pub(super) seen: Progress,
    /// Of finishers.
    pub(super) claim: Claim,
}

impl Step {
    /// How somebody comes in.
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
        match self.deed {
            Deed::Reconnect => SeatRequest { previous: Some(self.game), ..request },
            Deed::EnterInvited => SeatRequest { door: invited(self.game.0), ..request },
            Deed::EnterAlone => alone(request),
            _ => request,
        }
    }
}

/// What became of it.
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

/// How many may sit in a game, and what happens.
pub(super) type Plot = (usize, Vec<Chance>);

pub(super) fn plots() -> impl Strategy<Value = Plot> {
    let steps = prop::collection::vec(any::<u64>().prop_map(Chance::of), 1..200);
    (1_usize..5, steps)
}

/// The facts of every game.
pub(super) type Facts = BTreeMap<GameId, Arc<Game>>;

/// One step, and the facts around it.
pub(super) struct Moment {
    pub(super) step: Step,
    pub(super) now: Timestamp,
    pub(super) outcome: Outcome,
    pub(super) before: Facts,
    pub(super) after: Facts,
    /// What has been written down.
    pub(super) paper: Facts,
    /// In which games each player has a seat, as the games know it.
    pub(super) played: BTreeMap<UserId, Vec<GameId>>,
}

/// Tells a story to games of their own.
pub(super) fn tell((limit, steps): &Plot) -> Vec<Moment> {
    let mut teller = Teller {
        table: Table::of(GameId(0), Vec::new()),
        last: GameId(0),
        now: Timestamp(0),
        rules: rules(*limit),
        steps: 0,
    };
    steps.iter().map(|chance| teller.moment(*chance)).collect()
}

struct Teller {
    table: Table,
    last: GameId,
    now: Timestamp,
    rules: LobbyRules,
    steps: usize,
}

impl Teller {
    fn moment(&mut self, chance: Chance) -> Moment {
        let before = self.facts();
        let step = chance.among(&before, self.last, self.now, self.steps);
        self.steps += 1;
        let outcome = self.take(&step);
        let (now, after) = (self.now, self.facts());
        let paper = self.table.paper.written.lock().clone();
        let played = self.played();
        Moment { step, now, outcome, before, after, paper, played }
    }

    fn facts(&self) -> Facts {
        self.table.all().into_iter().map(|game| (game.id, game)).collect()
    }

    fn played(&self) -> BTreeMap<UserId, Vec<GameId>> {
        let shelf = self.table.paper.shelf.lock();
        let of_player = |(index, games): (&Index, &BTreeSet<GameId>)| match index {
            Index::Player(user) => Some((user.clone(), games.iter().copied().collect())),
            _ => None,
        };
        shelf.indexes().iter().filter_map(of_player).collect()
    }

    fn take(&mut self, step: &Step) -> Outcome {
        let moment = Told { step: step.clone(), now: self.now };
        match step.deed {
            Deed::Wait => self.now = self.now + step.wait,
            Deed::Restart => self.restart(),
            _ => {}
        }
        let limit = self.rules.player_limit;
        let outcome = self.table.now(async |deeds| moment.take(deeds, limit).await);
        if let Outcome::Seated(id) = outcome {
            self.last = self.last.max(id);
        }
        outcome
    }

    /// The server has been away: only what was written down is left.
    fn restart(&mut self) {
        let written = self.table.paper.written.lock().clone();
        let read_back = |game: &Arc<Game>| {
            serde_json::from_str(&serde_json::to_string(&**game).unwrap()).unwrap()
        };
        let games = written.values().map(read_back).collect();
        self.table = Table::restore(self.last, games, self.now + RESUME);
    }
}

/// One step, and when it is taken.
pub(super) struct Told {
    pub(super) step: Step,
    pub(super) now: Timestamp,
}

impl Told {
    /// Does what the step says.
    pub(super) async fn take(&self, live: &Deeds, limit: usize) -> Outcome {
        let (step, now) = (&self.step, self.now);
        let (user, game) = (step.user.clone(), step.game);
        let changed = |game: Option<Arc<Game>>| Outcome::Changed(game.is_some());
        let grace = now + rules(limit).full_grace;
        let told = |told: Result<Arc<Game>, Error>| {
            Outcome::Hastened(told.map(drop).map_err(|error| error.kind().code))
        };
        match step.deed {
            Deed::Wait | Deed::Restart => Outcome::Nothing,
            Deed::Enter | Deed::Reconnect | Deed::EnterInvited | Deed::EnterAlone => {
                Outcome::Seated(live.enter(step.request(now, rules(limit))).await.unwrap().id)
            }
            Deed::Hasten => told(live.hasten(game, &user.id, grace).await),
            Deed::BeReady => told(live.be_ready(game, &user.id, grace).await),
            Deed::SeatBots => changed(live.seat_bots(game, bots(), limit, now).await.unwrap()),
            Deed::Leave => changed(live.go_absent(game, &user.id, step.socket, now).await.unwrap()),
            Deed::Abandon => {
                let (door, socket) = (&step.door, step.socket);
                changed(live.abandon(&user.id, door, socket, now).await.unwrap())
            }
            Deed::Dismiss => {
                let departed = live.dismiss_absent(game, now - ABSENCE, now).await.unwrap();
                Outcome::Departed(departed.users)
            }
            Deed::Close => changed(live.close_lobby(game, now).await.unwrap()),
            Deed::Prepare => {
                let starts_at = now + START_COUNTDOWN;
                changed(live.prepare(game, "some words".into(), starts_at).await.unwrap())
            }
            Deed::Start => changed(live.start(game, now).await.unwrap()),
            Deed::ClaimStart => Outcome::Told(live.claim_start(game, &user.id, now).await.unwrap()),
            Deed::ReleaseStart => {
                live.release_start(game, &user.id, step.claimed).await.unwrap();
                Outcome::Nothing
            }
            Deed::Track => changed(live.track(game, &user.id, &step.seen).await.unwrap()),
            Deed::Finish => {
                let finish = live.finish(game, &user.id, step.claim).await;
                Outcome::Finished(finish.map_err(|error| error.kind().code))
            }
            Deed::End => changed(live.end(game, now).await.unwrap()),
        }
    }
}
