//! The race: text, countdown, START, and the carets of all players.

#[cfg(test)]
mod cost;
pub mod rules;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use salvo::Writer;
use salvo::oapi::{Parameter, endpoint};

use self::wire::{
    Current, Edits, EditsAck, GameEnd, KeyStoke, Moved, RaceCountdown, RacePlayers, RaceWords,
    Resume, Start as StartFrame,
};
use crate::auth::Bearer;
use crate::bus::Heard;
use crate::game::{
    Game, GameId, LobbyClosed, LoginId, PlayerMoved, PlayerTyped, RaceEntered, RacePrepared,
    RaceStarted, Stage, Timestamp, User,
};
use crate::handlers::shared::{
    CaretTold, DrawnText, Noted, Progress, RaceWatched, Text, TextAbout, TextWanted, TimeIsUp,
    Typing, TypingLeft, WordSource,
};
use crate::http::{Answer, Caller, GameQuery, integer_parameter};
use crate::module::{Cx, Module, Wiring};
use crate::socket::{
    Ending, Frame, Handshake, Malformed, Opening, RACE, Say, Seat, Sender, Socket,
};
use crate::{Error, Kind};

inventory::submit! { Module { name: "race", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(WordSource::load);
    module.hears(prepare_closed);
    module.hears(keep_typed);
    // A lost event of this kind costs the carets of players at rest.
    module.listens(tell_carets, |_| async { Ok(()) });
    module.emits::<CaretTold>();
    module.timer("race.preparation", rules::to_be_prepared, prepare);
    module.timer("race.countdown", rules::starts_at, start);
    module.socket::<RaceSocket>();
    module.frame(RACE, keystroke);
    module.frame(RACE, edit);
    module.ignores(RACE, wire::IGNORED);
    module.shows(RACE, Moved::of);
    module.wakes::<RaceStarted>(RACE);
    module.get("/api/v1/game/countdown", countdown).fails(&[Kind::GAME_NOT_FOUND]);
    module.get("/api/v1/game/words", words).fails(&[Kind::WORDS_NOT_FOUND]);
    module
        .get("/api/v1/game/players", players)
        .fails(&[Kind::GAME_NOT_FOUND, Kind::NOT_A_PARTICIPANT]);
    module.get("/api/v1/game/current", current);
}

async fn prepare_closed(cx: Cx, closed: Heard<LobbyClosed>) -> Result<Option<RacePrepared>, Error> {
    prepare(cx, closed.game).await
}

/// Stores what the players of this pod have typed: their time is up.
async fn keep_typed(cx: Cx, up: Heard<TimeIsUp>) -> Result<(), Error> {
    let room = cx.rooms().get(RACE, up.game);
    for (user, typing) in room.iter().flat_map(|room| room.own_of_all::<Typing>()) {
        let (its, game) = (cx.clone(), up.game);
        cx.spawn_background(async move { typing.keep_at_last(&its, game, &user).await });
    }
    Ok(())
}

/// Tells a pod from which the race is watched where the players of this pod are.
async fn tell_carets(cx: Cx, watched: Heard<RaceWatched>) -> Result<(), Error> {
    let Some(room) = cx.rooms().get(RACE, watched.game) else { return Ok(()) };
    // A player without a socket here may be on another pod, and have moved there.
    let here =
        room.own_of_all::<Typing>().into_iter().filter(|(user, _)| room.newest(user).is_some());
    for (user, typing) in here {
        let Some((word_index, char_index)) = typing.position() else { continue };
        cx.publish(CaretTold { game: watched.game, user, word_index, char_index }).await;
    }
    Ok(())
}

/// Draws the text of a race, and sets the time of its START.
async fn prepare(cx: Cx, game: GameId) -> Result<Option<RacePrepared>, Error> {
    let Some(closed) = cx.live().find(game).await? else { return Ok(None) };
    let settings = &cx.settings().game;
    let wish = rules::text_wish(&closed, settings.word_count);
    let starts_at = cx.now() + rules::wait(&closed, settings);
    // A module that fails is reported, and must not stop the race.
    let drawn = cx.ask(TextWanted { game: closed, wish }).await.unwrap_or_default();
    let draw = || DrawnText {
        words: cx.state::<WordSource>().draw(wish, &mut rand::rng()),
        about: TextAbout::default(),
    };
    let text = drawn.unwrap_or_else(draw);
    let (typed, about) = (Arc::from(text.words), text.about);
    let prepare = |game: &mut Game| rules::prepare_text(game, &typed, &about, starts_at);
    let prepared = cx.live().advance("prepare", game, prepare).await?;
    Ok(prepared.map(|game| {
        cx.arm(&game);
        RacePrepared { game: game.id, starts_at }
    }))
}

/// Gives START.
async fn start(cx: Cx, game: GameId) -> Result<Option<RaceStarted>, Error> {
    let now = cx.now();
    let started = cx.live().advance("start", game, |game| rules::start(game, now)).await?;
    Ok(started.map(|game| {
        cx.arm(&game);
        RaceStarted { game: game.id }
    }))
}

/// Turns a keystroke into a position for the other players, and notes it for the result. This is the hot path.
///
/// A position outside of the text, or before START, is dropped without an error: the player may be holding a key down.
fn keystroke(
    sender: &Sender<'_>,
    key: KeyStoke,
) -> Result<(Option<PlayerMoved>, Option<PlayerTyped>), Malformed> {
    let typing = sender.own::<Typing>();
    let position = typing.text().position(key.word_index, key.char_index);
    let Some((word_index, char_index)) = position else { return Ok((None, None)) };
    let noted =
        typing.record_position((word_index, char_index), Timestamp::now(), sender.round_trip);
    if noted == Noted::NotNow {
        return Ok((None, None));
    }
    let (game, user) = (sender.game, || sender.user.clone());
    let typed = (noted == Noted::Milestone).then(|| PlayerTyped { game, user: user() });
    Ok((Some(PlayerMoved { game, user: user(), word_index, char_index }), typed))
}

/// Turns edits into the position that they lead to, as for a keystroke, and notes each of them.
fn edit(
    sender: &Sender<'_>,
    Edits { seq, edits }: Edits,
) -> Result<(Option<PlayerMoved>, Option<PlayerTyped>), Malformed> {
    let first = u32::try_from(seq).map_err(|_| Malformed)?;
    if !rules::are_valid(&edits) {
        return Err(Malformed);
    }
    let typing = sender.own::<Typing>();
    let heard = (Timestamp::now(), sender.round_trip);
    let edited = typing.edit(first, &edits, heard, Text::position);
    if rules::is_to_be_acknowledged(first, &edited) {
        let (game_id, seq, again) = (sender.game, edited.known, edited.is_gap);
        sender.answer(&EditsAck { game_id, seq, again });
    }
    let (game, user) = (sender.game, || sender.user.clone());
    let typed = edited.is_milestone.then(|| PlayerTyped { game, user: user() });
    let moved = edited.position.map(|(word_index, char_index)| PlayerMoved {
        game,
        user: user(),
        word_index,
        char_index,
    });
    Ok((moved, typed))
}

/// The sub-protocol in which clients send edits.
const EDITS: &str = "typephoon.v2";

/// A socket in a race.
struct RaceSocket {
    user: User,
    login: Option<LoginId>,
    game: GameId,
    text: Text,
    /// The player's progress, as stored.
    progress: Arc<Progress>,
    is_browser: bool,
    /// Whether the client sends edits.
    sends_edits: bool,
    start: StartTold,
}

/// What a socket has told its player about START. All times are those stored in the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StartTold {
    /// Nothing yet.
    Awaited,
    /// Nothing yet: it has claimed START in the facts, and does not know whether that succeeded.
    Claiming(Timestamp),
    /// START was told.
    Said(Timestamp),
    /// RESUME was told, with the time since then: another socket of the player has told START.
    Resumed(Timestamp),
    /// GAME_END was told.
    Over,
}

impl StartTold {
    /// When another socket of the player told START, if this one has told RESUME.
    fn resumed(self) -> Option<Timestamp> {
        match self {
            Self::Resumed(at) => Some(at),
            Self::Awaited | Self::Claiming(_) | Self::Said(_) | Self::Over => None,
        }
    }

    /// The time at which this socket claimed START, if it did, or may have.
    fn claimed(self) -> Option<Timestamp> {
        match self {
            Self::Claiming(at) | Self::Said(at) => Some(at),
            Self::Awaited | Self::Resumed(_) | Self::Over => None,
        }
    }
}

impl Socket for RaceSocket {
    const PATH: &'static str = "/api/v1/game/ws";
    const CHANNEL: crate::socket::Channel = RACE;
    const ABOUT: &'static str = "The race of a participant: START, or RESUME for a player who has been told START, and \
        KEY_STOKE in both directions. With the sub-protocol typephoon.v2 the client sends EDITS instead, and may get \
        an array of messages, such as KEY_STOKE, in one frame. Query: game_id. Cookie TP_AT.";
    const PROTOCOLS: &'static [&'static str] = &[EDITS];
    const JOINED: &'static [&'static str] = Self::PROTOCOLS;
    const REFUSES: &'static [Kind] = &[
        Kind::TOKEN_NOT_PROVIDED,
        Kind::INVALID_TOKEN,
        Kind::TOKEN_EXPIRED,
        Kind::NOT_A_PARTICIPANT,
        Kind::GAME_NOT_FOUND,
    ];
    type Emits = (Option<RaceEntered>, Option<TypingLeft>);
    type Says = (StartFrame, Resume, GameEnd, EditsAck);
    type Own = Typing;

    fn query() -> Vec<Parameter> {
        vec![integer_parameter("game_id", "The game.").required(true)]
    }

    async fn admit(cx: &Cx, handshake: &Handshake<'_>) -> Result<Self, Error> {
        let id = GameId(handshake.query().integer("game_id")?);
        let Bearer { user, login } = cx.bearer(handshake.cookies().access_token())?;
        let game = find(cx, id).await?;
        let player = game.player(&user.id).ok_or(Kind::NOT_A_PARTICIPANT)?;
        let (text, progress) = (Text::of(&game.words()), player.part());
        let start = player.started().map_or(StartTold::Awaited, StartTold::Resumed);
        let is_browser = handshake.is_browser();
        let sends_edits = handshake.protocol() == Some(EDITS);
        Ok(Self { user, login, game: id, text, progress, is_browser, sends_edits, start })
    }

    /// Tells a player who has been told START before how long ago that was.
    async fn open(&mut self, cx: &Cx) -> Result<Opening<Self::Emits>, Error> {
        let (game, user, login) = (self.game, self.user.id.clone(), self.login.clone());
        let resumed = self.start.resumed();
        let resumed = resumed.map(|at| Frame::of(&Resume::of(game, cx.now().after(at))));
        let known = self.sends_edits.then(|| {
            let room = cx.rooms().get(RACE, game);
            let typing = room.and_then(|room| room.own::<Typing>(&user));
            let seq = typing.map_or(0, |typing| typing.edits());
            Frame::of(&EditsAck { game_id: game, seq, again: true })
        });
        let greeting = resumed.into_iter().chain(known).collect();
        let emits = (Some(RaceEntered { game, user: user.clone() }), None);
        Ok(Opening { game, user: Some(user), login, greeting, emits })
    }

    fn seated(&mut self, seat: &Seat) {
        let (text, progress) = (std::mem::take(&mut self.text), std::mem::take(&mut self.progress));
        seat.own::<Typing>().resume(text, &progress, self.start.resumed());
    }

    /// Tells START, if it is given and the player has not been told. If a player has several sockets, the newest tells
    /// START, the others RESUME.
    async fn catch_up(&mut self, cx: &Cx, seat: &Seat) -> Result<Say, Error> {
        let Some(game) = cx.live().find(seat.game).await? else {
            // The game is over, or was lost. The socket stays open, as the contract requires: if it were closed, the
            // present frontend would reconnect at once, in an endless loop.
            let before = std::mem::replace(&mut self.start, StartTold::Over);
            let end = GameEnd { game_id: seat.game };
            return Ok(if before == StartTold::Over { Say::nothing() } else { Say::message(&end) });
        };
        if let Some(until) = rules::typing_ends_at(&game) {
            seat.own::<Typing>().end_at(until);
        }
        match (self.start, rules::told_start(&game, &seat.user)) {
            (StartTold::Claiming(claimed), Some(at)) if at == claimed => {
                return Ok(self.say_start(seat, claimed, cx.now()));
            }
            (StartTold::Awaited | StartTold::Claiming(_), Some(at)) => {
                self.start = StartTold::Resumed(at);
                seat.own::<Typing>().begin(at);
                return Ok(Say::message(&Resume::of(seat.game, cx.now().after(at))));
            }
            _ => {}
        }
        let due = rules::start_is_due(&game, &seat.user);
        if !due || !seat.is_newest() {
            return Ok(Say::nothing());
        }
        // After an error the claim may be stored all the same: the next catch-up finds it, or `closed` releases it.
        let (now, before) = (cx.now(), self.start);
        self.start = StartTold::Claiming(now);
        let claim = |game: &mut Game| rules::claim_start(game, &seat.user, now);
        let is_ours = cx.live().advance("claim_start", seat.game, claim).await?;
        if is_ours.is_none() {
            self.start = before;
            return Ok(Say::nothing());
        }
        seat.room.wake_others_of(seat);
        Ok(self.say_start(seat, now, now))
    }

    /// Stores the player's progress; leaving is not announced. Releases a START that cannot have arrived, so that it is
    /// told again, unless the player has typed since: then another socket's RESUME has taken its place.
    async fn closed(self, cx: &Cx, seat: &Seat, ending: &Ending) -> Result<Self::Emits, Error> {
        if seat.own::<Typing>().save_progress(cx.live(), seat.game, &seat.user).await.is_err() {
            let (its, seat) = (cx.clone(), seat.clone());
            cx.spawn_background(async move {
                seat.own::<Typing>().keep_at_last(&its, seat.game, &seat.user).await;
            });
        }
        let claimed = self.start.claimed();
        let lost = claimed.filter(|_| !rules::start_arrived(ending, self.is_browser));
        let typed = seat.room.latest::<PlayerMoved>(&seat.user);
        if let Some(claimed) = lost.filter(|claimed| typed < Some(*claimed)) {
            let release = |game: &mut Game| rules::release_start(game, &seat.user, claimed);
            cx.live().advance("release_start", seat.game, release).await?;
        }
        // Another socket of the player may be waiting for this one, perhaps in a new room.
        if let Some(room) = cx.rooms().get(RACE, seat.game) {
            room.wake_player(&seat.user);
        }
        let left = |tape| TypingLeft { game: seat.game, user: seat.user.clone(), tape };
        Ok((None, seat.own::<Typing>().unkept_tape().map(left)))
    }
}

impl RaceSocket {
    /// Tells START, claimed in the facts at `claimed`. From now on the player may type.
    fn say_start(&mut self, seat: &Seat, claimed: Timestamp, now: Timestamp) -> Say {
        self.start = StartTold::Said(claimed);
        seat.own::<Typing>().begin(now);
        Say::message(&StartFrame { game_id: seat.game }).tracked()
    }
}

/// The race, once GAME_START can be told.
async fn find(cx: &Cx, id: GameId) -> Result<Arc<Game>, Error> {
    let game = cx.live().find(id).await?.filter(|game| game.stage >= Stage::Countdown);
    game.ok_or_else(|| Kind::GAME_NOT_FOUND.into())
}

/// The time until START; 0 once the race is on.
#[endpoint(tags("game"))]
async fn countdown(cx: Cx, game: GameQuery) -> Result<Answer<RaceCountdown>, Error> {
    let game = find(&cx, game.0).await?;
    Ok(Answer::new(RaceCountdown { seconds_left: rules::seconds_left(&game, cx.now()) }))
}

/// The text to type, the same for all players.
#[endpoint(tags("game"))]
async fn words(cx: Cx, game: GameQuery) -> Result<Answer<RaceWords>, Error> {
    let game = find(&cx, game.0).await.map_err(|error| match error.kind() {
        Kind::GAME_NOT_FOUND => Kind::WORDS_NOT_FOUND.into(),
        _ => error,
    })?;
    Ok(Answer::new(RaceWords::of(&game)))
}

/// The players of the race, and their results so far.
#[endpoint(tags("game"))]
async fn players(cx: Cx, game: GameQuery, caller: Caller) -> Result<Answer<RacePlayers>, Error> {
    let game = find(&cx, game.0).await?;
    RacePlayers::seen_by(&game, &caller.0.id)
        .map(Answer::new)
        .ok_or_else(|| Kind::NOT_A_PARTICIPANT.into())
}

/// The caller's unfinished race, so that a new page can return to it. Only the latest race counts: older ones were
/// given up.
#[endpoint(tags("game"))]
async fn current(cx: Cx, caller: Caller) -> Result<Answer<Current>, Error> {
    let played = cx.live().played(&caller.0.id).await?;
    Ok(Answer::new(Current::of(&played, &caller.0.id)))
}
