//! A reference model: the same rules written plainly, without an index; each lookup starts from the
//! beginning. A clerk keeps a sheet of paper for each game.

use std::collections::{BTreeMap, BTreeSet};

use super::story::{Action, Facts, Outcome, StoryStep};
use super::*;

/// What the clerk knows of a seat.
#[derive(Clone, Debug, PartialEq)]
struct SeatNote {
    user: UserId,
    sockets: BTreeSet<SocketId>,
    absent_since: Option<Timestamp>,
    started: Option<Timestamp>,
    first_started: Option<Timestamp>,
    progress: Progress,
    rank: Option<u32>,
}

/// What the clerk knows of a game.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sheet {
    stage: Stage,
    closes_at: Timestamp,
    starts_at: Option<Timestamp>,
    ends_at: Timestamp,
    full: bool,
    door: Door,
    seats: Vec<SeatNote>,
    ready: BTreeSet<UserId>,
}

impl Sheet {
    fn has_room(&self, now: Timestamp) -> bool {
        self.stage == Stage::Lobby && now < self.closes_at && !self.full
    }

    fn people(&self) -> impl Iterator<Item = &SeatNote> {
        self.seats.iter().filter(|seat| !seat.is_bot())
    }

    fn close_if_ready(&mut self, closes_at: Timestamp) {
        let present: Vec<_> = self.people().filter(|it| it.absent_since.is_none()).collect();
        let least = if token_of(&self.door).is_some() { 2 } else { 1 };
        if present.len() >= least && present.iter().all(|it| self.ready.contains(&it.user)) {
            self.closes_at = self.closes_at.min(closes_at);
        }
    }

    fn seat(&mut self, user: &UserId) -> Option<&mut SeatNote> {
        self.seats.iter_mut().find(|seat| seat.user == *user)
    }
}

impl SeatNote {
    fn of(user: UserId, sockets: BTreeSet<SocketId>) -> Self {
        Self {
            user,
            sockets,
            absent_since: None,
            started: None,
            first_started: None,
            progress: Progress::default(),
            rank: None,
        }
    }

    fn is_bot(&self) -> bool {
        self.user.as_str().starts_with("bot-")
    }
}

/// The sheets that tell the same facts.
pub(super) fn sheets(facts: &Facts) -> BTreeMap<GameId, Sheet> {
    let sheet = |game: &Game| Sheet {
        stage: game.stage,
        closes_at: game.closes_at,
        starts_at: game.starts_at,
        ends_at: game.ends_at,
        full: game.full,
        door: game.door.clone(),
        seats: game.players.iter().map(seat_of).collect(),
        ready: game.part::<Wishes>().ready.clone(),
    };
    facts.iter().map(|(id, game)| (*id, sheet(game))).collect()
}

fn seat_of(player: &crate::game::Player) -> SeatNote {
    SeatNote {
        user: player.user.id.clone(),
        sockets: player.sockets.keys().copied().collect(),
        absent_since: player.absent_since,
        started: player.started(),
        first_started: player.first_started(),
        progress: Progress::clone(&player.part()),
        rank: player.result.map(|result| result.rank),
    }
}

pub(super) struct Clerk {
    pub(super) sheets: BTreeMap<GameId, Sheet>,
    last: GameId,
    rules: LobbyRules,
}

impl Clerk {
    pub(super) fn new(rules: LobbyRules) -> Self {
        Self { sheets: BTreeMap::new(), last: GameId(0), rules }
    }

    /// Does the same as the games, in a plain way.
    pub(super) fn take(&mut self, step: &StoryStep, now: Timestamp) -> Outcome {
        let (id, user) = (step.game, step.user.id.clone());
        match step.action {
            Action::Wait => Outcome::Nothing,
            action if action.is_entry() => {
                Outcome::Seated(self.enter(&step.request(now, self.rules), now))
            }
            Action::Hasten => Outcome::Hastened(self.hasten(id, &user, now)),
            Action::BeReady => Outcome::Hastened(self.be_ready(id, user, now)),
            Action::SeatBots => Outcome::Changed(self.seat_bots(id, now)),
            Action::Dismiss => Outcome::Departed(self.dismiss(id, now - ABSENCE)),
            Action::End => {
                let due = self.sheets.get(&id).is_some_and(|sheet| sheet.ends_at <= now);
                Outcome::Changed(due && self.sheets.remove(&id).is_some())
            }
            Action::Restart => self.restart(now + RESUME),
            Action::Close => Outcome::Changed(self.close(id, now)),
            Action::Abandon => match self.seat_behind(&step.door, &user) {
                Some(id) => in_game(self.sheets.get_mut(&id).expect("found"), step, now),
                None => in_no_game(step.action),
            },
            _ => match self.sheets.get_mut(&id) {
                Some(sheet) => in_game(sheet, step, now),
                None => in_no_game(step.action),
            },
        }
    }

    fn enter(&mut self, request: &SeatRequest, now: Timestamp) -> GameId {
        let (user, door) = (request.user.id.clone(), &request.door);
        let find = |is: &dyn Fn(GameId, &Sheet) -> bool| {
            self.sheets.iter().find(|(id, sheet)| is(**id, sheet)).map(|(id, _)| *id)
        };
        let asked_for = |id| request.previous == Some(id);
        let with_room = |sheet: &Sheet| sheet.door == *door && sheet.has_room(now);
        let id = self.seat_behind(door, &user).or_else(|| {
            let asked = || find(&|id, sheet| asked_for(id) && with_room(sheet));
            let any = || find(&|_, sheet| with_room(sheet));
            if *door == Door::ALONE { None } else { asked().or_else(any) }
        });
        let id = id.unwrap_or_else(|| self.open(door.clone(), now));
        let limit = request.rules.player_limit;
        let sheet = self.sheets.get_mut(&id).expect("it was found, or opened");
        if let Some(seat) = sheet.seat(&user) {
            seat.sockets.insert(request.socket.0);
            seat.absent_since = None;
            if sheet.stage == Stage::Lobby {
                sheet.close_if_ready(now + self.rules.full_grace);
            }
            return id;
        }
        sheet.seats.push(SeatNote::of(user, [request.socket.0].into()));
        if sheet.seats.len() > limit {
            let last = sheet.seats.iter().rposition(SeatNote::is_bot).expect("it is not full");
            let bot = sheet.seats.remove(last).user;
            sheet.ready.remove(&bot);
        }
        if sheet.people().count() == limit {
            sheet.full = true;
            sheet.closes_at = now + self.rules.full_grace;
        }
        id
    }

    /// Where a user sits behind a door, until START.
    fn seat_behind(&self, door: &Door, user: &UserId) -> Option<GameId> {
        let is_seat = |sheet: &Sheet| {
            let is_seated = sheet.seats.iter().any(|it| it.user == *user);
            sheet.stage < Stage::Running && sheet.door == *door && is_seated
        };
        self.sheets.iter().find(|(_, sheet)| is_seat(sheet)).map(|(id, _)| *id)
    }

    fn open(&mut self, door: Door, now: Timestamp) -> GameId {
        self.last = GameId(self.last.0 + 1);
        let (closes_at, ends_at) = (now + self.rules.countdown, now + self.rules.kept);
        let (stage, starts_at, full, seats) = (Stage::Lobby, None, false, Vec::new());
        let ready = BTreeSet::new();
        let sheet = Sheet { stage, closes_at, starts_at, ends_at, full, door, seats, ready };
        self.sheets.insert(self.last, sheet);
        self.last
    }

    fn hasten(&mut self, id: GameId, host: &UserId, now: Timestamp) -> Result<(), &'static str> {
        let invited = |sheet: &&mut Sheet| token_of(&sheet.door).is_some();
        let sheet = self.sheets.get_mut(&id).filter(invited).ok_or("GAME_NOT_FOUND")?;
        if sheet.seat(host).is_none() {
            return Err("NOT_A_PARTICIPANT");
        }
        let closes_at = now + self.rules.full_grace;
        if sheet.stage > Stage::Lobby || sheet.closes_at <= closes_at {
            return Ok(());
        }
        if sheet.seats[0].user != *host {
            return Err("NOT_THE_HOST");
        }
        sheet.closes_at = closes_at;
        sheet.ready.insert(host.clone());
        Ok(())
    }

    fn be_ready(&mut self, id: GameId, user: UserId, now: Timestamp) -> Result<(), &'static str> {
        let sheet = self.sheets.get_mut(&id).ok_or("GAME_NOT_FOUND")?;
        sheet.seat(&user).ok_or("NOT_A_PARTICIPANT")?;
        if sheet.stage > Stage::Lobby || !sheet.ready.insert(user) {
            return Ok(());
        }
        sheet.close_if_ready(now + self.rules.full_grace);
        Ok(())
    }

    fn seat_bots(&mut self, id: GameId, now: Timestamp) -> bool {
        let Some(sheet) = self.sheets.get_mut(&id).filter(|sheet| sheet.has_room(now)) else {
            return false;
        };
        let room = self.rules.player_limit.saturating_sub(sheet.seats.len());
        if sheet.door != Door::OPEN || sheet.seats.iter().any(SeatNote::is_bot) || room == 0 {
            return false;
        }
        sheet
            .seats
            .extend(bots().into_iter().take(room).map(|bot| SeatNote::of(bot.id, BTreeSet::new())));
        true
    }

    fn dismiss(&mut self, id: GameId, before: Timestamp) -> Vec<UserId> {
        let Some(sheet) = self.sheets.get_mut(&id).filter(|it| it.stage == Stage::Lobby) else {
            return Vec::new();
        };
        let gone = |seat: &SeatNote| seat.absent_since.is_some_and(|since| since <= before);
        let Sheet { seats, ready, .. } = sheet;
        ready.retain(|user| !seats.iter().any(|seat| seat.user == *user && gone(seat)));
        let (departed, present) = sheet.seats.drain(..).partition::<Vec<_>, _>(gone);
        sheet.seats = present;
        if sheet.people().next().is_none() {
            self.sheets.remove(&id);
        }
        departed.into_iter().map(|seat| seat.user).collect()
    }

    fn close(&mut self, id: GameId, now: Timestamp) -> bool {
        let Some(sheet) = self.sheets.get_mut(&id) else { return false };
        if sheet.stage != Stage::Lobby || now < sheet.closes_at {
            return false;
        }
        if sheet.people().all(|seat| seat.sockets.is_empty()) {
            self.sheets.remove(&id);
            return false;
        }
        sheet.stage = Stage::Closed;
        true
    }

    fn restart(&mut self, resume: Timestamp) -> Outcome {
        for sheet in self.sheets.values_mut() {
            let is_lobby = sheet.stage == Stage::Lobby;
            for seat in sheet.seats.iter_mut().filter(|seat| !seat.is_bot()) {
                seat.sockets.clear();
                seat.absent_since = if is_lobby { Some(resume) } else { seat.absent_since };
            }
            match sheet.stage {
                Stage::Lobby => sheet.closes_at = sheet.closes_at.max(resume),
                Stage::Countdown => sheet.starts_at = sheet.starts_at.max(Some(resume)),
                Stage::Closed | Stage::Running => {}
            }
        }
        Outcome::Nothing
    }
}

/// A step in a game that is there.
fn in_game(sheet: &mut Sheet, step: &StoryStep, now: Timestamp) -> Outcome {
    let (action, stage) = (step.action, sheet.stage);
    let ranked = sheet.people().filter(|seat| seat.rank.is_some_and(|it| it > 0)).count();
    match action {
        Action::Prepare if stage == Stage::Closed => {
            (sheet.stage, sheet.starts_at) = (Stage::Countdown, Some(now + START_COUNTDOWN));
            Outcome::Changed(true)
        }
        Action::Start if stage == Stage::Countdown && sheet.starts_at <= Some(now) => {
            (sheet.stage, sheet.starts_at) = (Stage::Running, Some(now));
            Outcome::Changed(true)
        }
        _ => match sheet.seat(&step.user.id) {
            Some(seat) => in_seat(seat, step, stage, ranked, now),
            None if action == Action::Finish => Outcome::Finished(Err("NOT_A_PARTICIPANT")),
            None => in_no_game(action),
        },
    }
}

/// A step of a player with a seat.
fn in_seat(
    seat: &mut SeatNote,
    step: &StoryStep,
    stage: Stage,
    ranked: usize,
    now: Timestamp,
) -> Outcome {
    match step.action {
        Action::Leave | Action::Abandon if stage == Stage::Lobby => {
            seat.sockets.remove(&step.socket);
            if seat.sockets.is_empty() && seat.absent_since.is_none() {
                seat.absent_since = Some(now);
            }
            Outcome::Changed(true)
        }
        Action::ClaimStart if stage == Stage::Running && seat.started.is_none() => {
            seat.started = Some(now);
            seat.first_started = seat.first_started.or(Some(now));
            Outcome::Told(true)
        }
        Action::ReleaseStart => {
            seat.started = seat.started.filter(|started| *started != step.claimed);
            Outcome::Nothing
        }
        Action::Track if stage == Stage::Running && seat.rank.is_none() => {
            Outcome::Changed(learns(&mut seat.progress, &step.seen))
        }
        Action::Finish => Outcome::Finished(match seat.rank {
            Some(rank) => Ok(Finish::Before(rank)),
            None if stage != Stage::Running => Err("GAME_NOT_STARTED"),
            None => {
                let is_ranked = !seat.is_bot() && step.claim.unranked.is_none();
                let rank = if is_ranked { ranked as u32 + 1 } else { 0 };
                seat.rank = Some(rank);
                Ok(Finish::Taken(rank))
            }
        }),
        _ => in_no_game(step.action),
    }
}

/// Notes progress of a player, unless it came after the end.
fn learns(known: &mut Progress, seen: &Progress) -> bool {
    let (at, end) = (seen.at.expect("a time"), known.completed);
    if end.is_some_and(|end| end < at) {
        return false;
    }
    known.completed = match (end, seen.completed) {
        (None, Some(new)) => Some(known.at.map_or(new, |last| last.max(new))),
        (Some(end), Some(new)) if new < end => Some(new),
        _ => end,
    };
    match (end, seen.completed) {
        (Some(end), Some(new)) if end <= new => {}
        (_, Some(_)) => known.late = seen.late,
        _ => {}
    }
    if seen.round_trip != 0 {
        known.round_trip = seen.round_trip;
    }
    known.at = Some(known.at.map_or(at, |last| last.max(at)));
    known.keys += seen.keys;
    known.extra += seen.extra;
    known.gaps += seen.gaps;
    for (word, letters) in seen.reached.iter().enumerate() {
        match known.reached.get_mut(word) {
            Some(reached) => *reached = (*reached).max(*letters),
            None => known.reached.push(*letters),
        }
    }
    true
}

/// A step that finds nothing to do.
fn in_no_game(action: Action) -> Outcome {
    match action {
        Action::ClaimStart => Outcome::Told(false),
        Action::ReleaseStart => Outcome::Nothing,
        Action::Finish => Outcome::Finished(Err("GAME_NOT_FOUND")),
        _ => Outcome::Changed(false),
    }
}
