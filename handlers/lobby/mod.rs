//! The lobby: players queue in, see the other players, and wait for the race.
//!
//! It ends with `lobby.closed`; the race follows. `GAME_START` is told as soon as the facts contain the time of START,
//! to every lobby socket, also to those that reconnect.

pub mod matchmaker;
mod nearest;
mod ready;
mod rules;
pub mod seats;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use salvo::Writer;
use salvo::oapi::schema::BasicType;
use salvo::oapi::{Object, Parameter, endpoint};

use self::matchmaker::Matchmaker;
use self::ready::{PlayerReady, UserReady};
use self::seats::SeatRequest;
use self::wire::{GameStart, GetToken, Init, LobbyCountdown, LobbyPlayers, UserJoined, UserLeft};
use crate::auth::{Bearer, Cookies};
use crate::game::{
    Door, Game, GameId, LobbyClosed, LoginId, Parts, PlayerJoined, PlayerLeft, RacePrepared,
    SocketId, Stage, Timestamp, User, UserId, UserType,
};
use crate::handlers::shared::{
    Level, LevelWanted, LobbyWanted, Log, Mode, ModeWanted, Passage, TextWish, Wishes, invited,
};
use crate::http::{Answer, Caller, GameQuery, Query, Rate, integer_parameter, text_parameter};
use crate::login::two_words;
use crate::module::{Cx, Module, Wiring};
use crate::socket::{Ending, Frame, Handshake, LOBBY, Opening, Say, Seat, Socket};
use crate::{Error, Kind};

inventory::submit! { Module { name: "lobby", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(|_| Ok(Arc::new(Matchmaker::default())));
    module.socket::<LobbySocket>();
    module.wakes::<PlayerJoined>(LOBBY);
    module.wakes::<PlayerLeft>(LOBBY);
    module.wakes::<RacePrepared>(LOBBY);
    module.ignores(LOBBY, wire::IGNORED);
    module
        .get("/api/v1/lobby/players", players)
        .fails(&[Kind::GAME_NOT_FOUND, Kind::NOT_A_PARTICIPANT]);
    module.get("/api/v1/lobby/countdown", countdown).fails(&[Kind::GAME_NOT_FOUND]);
    module
        .post("/api/v1/lobby/ready", ready::be_ready)
        .at_most(Rate::per_second(2).burst(10))
        .fails(&[Kind::GAME_NOT_FOUND, Kind::NOT_A_PARTICIPANT]);
    module.emits::<PlayerReady>();
    module.shows(LOBBY, UserReady::of);
    module.histogram("wait_seconds", "From the opening of a lobby to its close");
    module.timer("lobby.countdown", rules::closes_at, close);
    module.timer("lobby.absence", rules::absence_ends_at, dismiss_absent);
}

/// How long the key of a guest's token is valid.
const KEY_LIFE: Duration = Duration::from_secs(60);
/// How long after GAME_START a client may keep its lobby socket open.
const LEAVING_PATIENCE: Duration = Duration::from_secs(10);

/// How long an arriving player waits until the level is known.
const LEVEL_PATIENCE: Duration = Duration::from_millis(100);

/// The longest pause between two attempts to note that a socket has closed; the last attempt is after 13 s.
const LONGEST_PAUSE: Duration = Duration::from_millis(6_400);

/// A socket in a lobby.
struct LobbySocket {
    id: SocketId,
    user: User,
    login: Option<LoginId>,
    is_new: bool,
    door: Door,
    /// What is stored with a lobby that opens for this player.
    parts: Parts,
    previous: Option<GameId>,
    /// Number of entries of the lobby's log that the client has been told.
    told: u64,
    told_game_start: bool,
}

impl Socket for LobbySocket {
    const PATH: &'static str = "/api/v1/lobby/queue-in/ws";
    const CHANNEL: crate::socket::Channel = LOBBY;
    const ABOUT: &'static str = "Takes a seat in a lobby: INIT, GET_TOKEN for a new guest, then \
        USER_JOINED and USER_LEFT, and GAME_START. Query: prev_game_id, queue_in_type (new or reconnect); game_type=single \
        for a solo race, or invite_token for a friends' lobby; words, punctuation and numbers for the text of these two. \
        Cookie TP_AT is optional.";
    type Emits = Option<PlayerJoined>;
    type Says = (Init, GetToken, UserJoined, UserLeft, GameStart);
    type Own = ();

    fn query() -> Vec<Parameter> {
        let one_of =
            |values: [&'static str; 2]| Object::with_type(BasicType::String).enum_values(values);
        vec![
            integer_parameter("prev_game_id", "With reconnect: the game to return to."),
            text_parameter("queue_in_type", "By default new.").schema(one_of(["new", "reconnect"])),
            text_parameter(
                "game_type",
                "By default multi; single for a race alone; modules add others.",
            ),
            text_parameter("invite_token", "For the lobby of those who have the token."),
            rules::WORDS.parameter(),
            text_parameter("punctuation", "Solo races and friends' lobbies: true for sentences."),
            text_parameter(
                "numbers",
                "Solo races and friends' lobbies: true for numbers among the words.",
            ),
        ]
    }

    async fn admit(cx: &Cx, handshake: &Handshake<'_>) -> Result<Self, Error> {
        cx.takes_players()?;
        let query = handshake.query();
        let previous = match query.text("prev_game_id") {
            Some(_) => Some(GameId(query.integer("prev_game_id")?)),
            None => None,
        };
        let previous = match query.text("queue_in_type") {
            None | Some("new") => None,
            Some("reconnect") => previous,
            Some(_) => {
                return Err(Error::validation("queue_in_type: is neither new nor reconnect"));
            }
        };
        let (door, parts) = asked_for(cx, &query).await?;
        let known = known_user(cx, &handshake.cookies());
        let is_new = known.is_none();
        let is_own_game = !door.is_public();
        handshake.spend_seat(known.as_ref().map(|bearer| &bearer.user.id), is_own_game)?;
        // Single and invited lobbies are limited like new guests: they fill the server as fast.
        if is_new || is_own_game {
            handshake.spend_guest()?;
        }
        // Modules may have to read for it, so it comes after the limits.
        let parts = with_own(cx, &query, &door, parts).await?;
        let Bearer { user, login } = known.unwrap_or_else(new_guest);
        let id = SocketId(rand::random());
        Ok(Self { id, user, login, is_new, door, parts, previous, told: 0, told_game_start: false })
    }

    async fn open(&mut self, cx: &Cx) -> Result<Opening<Self::Emits>, Error> {
        let seated = self.take_seat(cx).await;
        let (game, greeting) = seated.inspect_err(|_| {
            // The seat may be stored all the same, and would stay empty: a client that returns has another
            // socket, and a new guest another id.
            let (its, gone) = (cx.clone(), self.gone(None));
            cx.spawn_background(async move { drop(gone.record(&its).await) });
        })?;
        let (user, login) = (self.user.id.clone(), self.login.clone());
        let joined = PlayerJoined { game: game.id, user: user.clone() };
        let emits = (game.stage == Stage::Lobby).then_some(joined);
        // The last entry of the log is this arrival, which all players are told, the new one included.
        self.told = game.part::<Log>().end() - u64::from(emits.is_some());
        Ok(Opening { game: game.id, user: Some(user), login, greeting, emits })
    }

    async fn catch_up(&mut self, cx: &Cx, seat: &Seat) -> Result<Say, Error> {
        let Some(game) = cx.live().find(seat.game).await? else {
            return Ok(Say::goodbye(Kind::GAME_LOST));
        };
        // This pod was silent for so long that its players counted as absent: they are told to reconnect.
        let (log, is_dismissed) = (game.part::<Log>(), Passage::Left(seat.user.clone()));
        if log.since(self.told).any(|passage| *passage == is_dismissed) {
            return Ok(Say::goodbye(Kind::GAME_LOST));
        }
        let news = log.since(self.told).map(|passage| news(game.id, passage));
        let say = Say::frames(news.collect());
        self.told = log.end();
        if game.stage < Stage::Countdown || self.told_game_start {
            return Ok(say);
        }
        self.told_game_start = true;
        Ok(say.and(Frame::of(&GameStart { game_id: seat.game })).then_close(LEAVING_PATIENCE))
    }

    async fn closed(self, cx: &Cx, seat: &Seat, _: &Ending) -> Result<Self::Emits, Error> {
        self.gone(Some(seat.game)).record(cx).await.map(|()| None)
    }
}

/// A socket that has closed.
struct Gone {
    user: UserId,
    socket: SocketId,
    door: Door,
    /// The game, if the socket got a seat.
    game: Option<GameId>,
}

impl Gone {
    /// Notes it in the facts, with retries while the live state is away. An empty seat would otherwise take part in the
    /// race, and keep a friends' lobby waiting.
    async fn record(self, cx: &Cx) -> Result<(), Error> {
        let Self { user, socket, door, game } = self;
        let (now, mut pause) = (cx.now(), Duration::from_millis(100));
        loop {
            let noted = match game {
                Some(game) => {
                    let leave = |game: &mut Game| seats::go_absent(game, &user, socket, now);
                    cx.live().advance("go_absent", game, leave).await
                }
                None => matchmaker::abandon(cx.live(), &user, &door, socket, now).await,
            };
            if noted.is_ok() || pause > LONGEST_PAUSE {
                return noted.map(|game| game.iter().for_each(|game| cx.arm(game)));
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

/// The frame of an arrival or departure.
fn news(game_id: GameId, passage: &Passage) -> Frame {
    match passage {
        Passage::Came => Frame::of(&UserJoined { game_id }),
        Passage::Left(user) => Frame::of(&UserLeft { game_id, user_id: user.clone() }),
    }
}

impl LobbySocket {
    /// Takes a seat. Returns the game, and the first frames for the player.
    async fn take_seat(&self, cx: &Cx) -> Result<(Arc<Game>, Vec<Frame>), Error> {
        let (user, door, previous) = (self.user.clone(), self.door.clone(), self.previous);
        let (socket, now) = ((self.id, cx.live().pod().clone()), cx.now());
        let rules = rules::lobby_rules(&cx.settings().game, &door);
        let parts = self.parts.clone();
        let level = self.level(cx).await;
        let request = SeatRequest { user, door, socket, previous, now, rules, parts, level };
        let matchmaker = cx.state::<Arc<Matchmaker>>();
        let entering = matchmaker.seat(cx.live(), cx.tasks(), request);
        // Waits while the records accept no writes; after a timeout the client is told to retry, as for a request.
        let patience = cx.settings().limits.request_timeout;
        let entered = tokio::time::timeout(patience, entering).await;
        let game = entered.unwrap_or_else(|_| Err(Kind::UNAVAILABLE.into()))?;
        cx.arm(&game);
        let mut greeting = vec![Frame::of(&Init { game_id: game.id })];
        if self.is_new {
            greeting.push(Frame::of(&self.hand_over(cx, &game).await?));
        }
        Ok((game, greeting))
    }

    /// The player's level, for an open lobby. If the answer takes longer than `LEVEL_PATIENCE`, the level counts as unknown.
    async fn level(&self, cx: &Cx) -> Level {
        if self.is_new || !self.door.is_public() || self.door == Door::ALONE {
            return Level::default();
        }
        let asked = cx.ask(LevelWanted { user: self.user.id.clone() });
        let answer = tokio::time::timeout(LEVEL_PATIENCE, asked).await;
        answer.ok().and_then(Result::ok).flatten().unwrap_or_default()
    }

    /// This socket, closed.
    fn gone(&self, game: Option<GameId>) -> Gone {
        let (user, door) = (self.user.id.clone(), self.door.clone());
        Gone { user, socket: self.id, door, game }
    }

    /// Stores the identity of a new guest, with the name it has in the game, under the key by which it fetches its
    /// token.
    async fn hand_over(&self, cx: &Cx, game: &Game) -> Result<GetToken, Error> {
        let seat = game.player(&self.user.id).ok_or(Kind::NOT_A_PARTICIPANT)?;
        let key = format!("guest-token-{:032x}", rand::random::<u128>());
        cx.live().store_one_time(&key, &seat.user, cx.now() + KEY_LIFE).await?;
        Ok(GetToken { game_id: game.id, guest_token_key: key })
    }
}

/// The lobby that a query asks for: its door, and what is stored with it if it opens.
async fn asked_for(cx: &Cx, query: &Query<'_>) -> Result<(Door, Parts), Error> {
    let wishes = Wishes { text: text_wish(query)?, ..Wishes::default() };
    let is_known = matches!(query.text("game_type"), None | Some("single" | "multi"));
    let mode = if is_known { None } else { cx.ask(ModeWanted { query: query.all() }).await? };
    let (door, parts) = match (mode, query.text("invite_token")) {
        (None, _) => (door(query, query.text("game_type"))?, Parts::default()),
        (Some(Mode { door, parts }), None) => (door, parts),
        (Some(Mode { parts, .. }), Some(_)) => (door(query, None)?, parts),
    };
    Ok((door, parts.with(wishes)))
}

/// The same with the parts that other modules give a lobby that is not open.
async fn with_own(cx: &Cx, query: &Query<'_>, door: &Door, parts: Parts) -> Result<Parts, Error> {
    if door.is_public() {
        return Ok(parts);
    }
    let more = cx.ask_all(LobbyWanted { query: query.all() }).await?;
    Ok(more.into_iter().fold(parts, Parts::and))
}

/// The door that a query asks for, with this `game_type`.
fn door(query: &Query<'_>, game_type: Option<&str>) -> Result<Door, Error> {
    match (query.text("invite_token"), game_type) {
        (None, None | Some("multi")) => Ok(Door::OPEN),
        (None, Some("single")) => Ok(Door::ALONE),
        (Some(token), None | Some("multi")) if rules::is_token(token) => Ok(invited(token)),
        (Some(_), _) => Err(Error::validation("invite_token: is no invitation of this server")),
        (None, Some(_)) => Err(Error::validation("game_type: is neither single nor multi")),
    }
}

/// The text that a query asks for, in case it opens the lobby.
fn text_wish(query: &Query<'_>) -> Result<TextWish, Error> {
    let words = rules::WORDS.of(query)?.and_then(|words| u16::try_from(words).ok());
    let is_on = |name| query.text(name) == Some("true");
    Ok(TextWish { words, punctuation: is_on("punctuation"), numbers: is_on("numbers") })
}

/// For `fuzz/`: the invitation's token in a query, if it is accepted.
#[cfg(fuzzing)]
pub fn invite_token(request: &salvo::Request) -> Option<String> {
    let query = Query::of(request);
    match door(&query, query.text("game_type")) {
        Ok(door) => door.key().map(str::to_owned),
        Err(_) => None,
    }
}

/// The user of a valid token. An invalid token counts as missing: its player becomes a new guest, whose cookie replaces
/// the invalid one, and is not locked out.
fn known_user(cx: &Cx, cookies: &Cookies<'_>) -> Option<Bearer> {
    cx.bearer(cookies.access_token()).ok()
}

fn new_guest() -> Bearer {
    let name = two_words(rand::random());
    let user = User { id: UserId::new_guest(), name, user_type: UserType::Guest };
    Bearer { user, login: None }
}

/// Closes a lobby whose countdown is over.
async fn close(cx: Cx, game: GameId) -> Result<Option<LobbyClosed>, Error> {
    let now = cx.now();
    let closed = cx.live().advance("close", game, |game| seats::close(game, now)).await?;
    // A lobby that all people have left is removed.
    let closed = closed.filter(|game| game.stage == Stage::Closed);
    Ok(closed.map(|game| {
        cx.histogram("wait_seconds").observe(cx.now().after(game.opened_at));
        cx.arm(&game);
        LobbyClosed { game: game.id }
    }))
}

/// Removes the seats of players who have been absent for too long.
async fn dismiss_absent(cx: Cx, game: GameId) -> Result<Vec<PlayerLeft>, Error> {
    let now = cx.now();
    let dismiss = |game: &mut Game| seats::dismiss_absent(game, rules::ABSENCE_GRACE, now);
    let Some((left, lobby)) = cx.live().change("dismiss_absent", game, dismiss).await? else {
        return Ok(Vec::new());
    };
    if lobby.people().next().is_some() {
        cx.arm(&lobby);
    }
    Ok(left.into_iter().map(|user| PlayerLeft { game, user }).collect())
}

/// The lobby, while it waits.
async fn waiting(cx: &Cx, id: GameId) -> Result<Arc<Game>, Error> {
    let game = cx.live().find(id).await?.filter(|game| game.stage == Stage::Lobby);
    game.ok_or_else(|| Kind::GAME_NOT_FOUND.into())
}

/// The players in the lobby.
#[endpoint(tags("lobby"))]
async fn players(cx: Cx, game: GameQuery, caller: Caller) -> Result<Answer<LobbyPlayers>, Error> {
    let game = waiting(&cx, game.0).await?;
    LobbyPlayers::seen_by(&game, &caller.0.id)
        .map(Answer::new)
        .ok_or_else(|| Kind::NOT_A_PARTICIPANT.into())
}

/// The time until the lobby closes.
#[endpoint(tags("lobby"))]
async fn countdown(cx: Cx, game: GameQuery) -> Result<Answer<LobbyCountdown>, Error> {
    let game = waiting(&cx, game.0).await?;
    let now: Timestamp = cx.now();
    Ok(Answer::new(LobbyCountdown { seconds_left: game.closes_at.after(now).as_secs_f64() }))
}
