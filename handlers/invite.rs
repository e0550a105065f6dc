//! Friends' lobbies: only players with the link can join, and the host decides when the lobby closes.
//!
//! An invitation is only a token: the first player who queues in with it opens a lobby, and other players with the
//! token join that lobby. So a link stays valid: after the race, and for a friend who is late, it leads to the next
//! lobby.

use std::net::IpAddr;

use salvo::oapi::{ToSchema, endpoint};
use salvo::{Request, Writer};
use serde::{Deserialize, Serialize};

use crate::bus::{Event, Never, Reach};
use crate::game::{Game, GameId, Stage, Timestamp, UserId};
use crate::handlers::shared::{TextWish, Wishes, common_token, token_of};
use crate::http::{Answer, Body, Caller, Empty, GameQuery, lenient, local_address};
use crate::live::Step;
use crate::module::{Cx, Module, Wiring};
use crate::socket::{LOBBY, Message};
use crate::{Error, Kind};

inventory::submit! { Module { name: "invite", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.post("/api/v1/lobby/invite", invite);
    module
        .get("/api/v1/lobby/invite", invitation)
        .fails(&[Kind::GAME_NOT_FOUND, Kind::NOT_A_PARTICIPANT]);
    module.post("/api/v1/lobby/start", start).fails(&[
        Kind::GAME_NOT_FOUND,
        Kind::NOT_A_PARTICIPANT,
        Kind::NOT_THE_HOST,
    ]);
    module.post("/api/v1/lobby/text", choose_text).fails(&[
        Kind::GAME_NOT_FOUND,
        Kind::NOT_A_PARTICIPANT,
        Kind::NOT_THE_HOST,
        Kind::VALIDATION,
    ]);
    module.emits::<TextChosen>();
    module.shows(LOBBY, NewText::of);
    module.get("/api/v1/lobby/address", address);
}

/// An invitation.
#[derive(Serialize, ToSchema)]
struct Invite {
    /// The token: `invite_token` of the lobby socket. Valid for any number of races.
    invite_token: String,
}

/// Makes an invitation. Nothing is stored until the first player queues in with it.
#[endpoint(tags("lobby"))]
async fn invite() -> Answer<Invite> {
    // 80 bits: cannot be guessed.
    let [_, token @ ..] = rand::random::<[u8; 11]>();
    Answer::new(Invite { invite_token: token.iter().map(|byte| format!("{byte:02x}")).collect() })
}

/// The invitation by which the players of a game can meet again.
#[derive(Serialize, ToSchema)]
struct Invitation {
    /// The token of an invited game; of any other game, a token that all its players get.
    invite_token: String,
    /// Whether the game is an invited one.
    is_private: bool,
    /// The player who may close the lobby, while an invited one waits.
    host: Option<String>,
    /// Number of players at which a lobby is full.
    player_limit: usize,
    /// The text that the host has chosen.
    text: ChosenText,
}

/// A choice of text.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
struct ChosenText {
    /// Number of words, from 5 to 200; null for as many as in open races.
    #[serde(default)]
    words: Option<u16>,
    /// Sentences with capitals and punctuation marks.
    #[serde(default)]
    punctuation: bool,
    /// Numbers among the words.
    #[serde(default)]
    numbers: bool,
}

impl From<TextWish> for ChosenText {
    fn from(wish: TextWish) -> Self {
        let TextWish { words, punctuation, numbers } = wish;
        Self { words, punctuation, numbers }
    }
}

/// The invitation of a game, for its players.
#[endpoint(tags("lobby"))]
async fn invitation(cx: Cx, game: GameQuery, caller: Caller) -> Result<Answer<Invitation>, Error> {
    let game = cx.live().find(game.0).await?.ok_or(Kind::GAME_NOT_FOUND)?;
    game.player(&caller.0.id).ok_or(Kind::NOT_A_PARTICIPANT)?;
    Ok(Answer::new(Invitation {
        invite_token: common_token(&cx, &game),
        is_private: token_of(&game.door).is_some(),
        host: game.host().map(ToString::to_string),
        player_limit: cx.settings().game.player_limit,
        text: game.part::<Wishes>().text.into(),
    }))
}

/// The host has chosen another text.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
struct TextChosen {
    game: GameId,
}

impl Event for TextChosen {
    const NAME: &'static str = "text.chosen";
    const REACH: Reach = Reach::Game;
    type Loss = Never;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// The text of the lobby has changed: `GET /lobby/invite` returns the new one.
#[derive(Serialize, ToSchema)]
struct NewText {
    game_id: GameId,
}

impl Message for NewText {
    const EVENT: &'static str = "TEXT_CHOSEN";
}

impl NewText {
    fn of(chosen: &TextChosen) -> Self {
        Self { game_id: chosen.game }
    }
}

/// A choice of text for a lobby.
#[derive(Deserialize, ToSchema)]
#[salvo(schema(name = "TextOfGame"))]
struct TextOfGame {
    /// The game.
    #[serde(deserialize_with = "lenient::integer")]
    game_id: i64,
    #[serde(flatten)]
    text: ChosenText,
}

/// Chooses the text of a friends' lobby, for its host. The lobby is told.
#[endpoint(tags("lobby"))]
async fn choose_text(
    cx: Cx,
    chosen: Body<TextOfGame>,
    caller: Caller,
) -> Result<Answer<Empty>, Error> {
    let TextOfGame { game_id, text: ChosenText { words, punctuation, numbers } } = chosen.0;
    let (from, to) = TextWish::WORDS.into_inner();
    if words.is_some_and(|words| !(from..=to).contains(&words)) {
        return Err(Error::validation(format!("body words: must be from {from} to {to}")));
    }
    let (its, game, host) = (cx.clone(), GameId(game_id), caller.0.id);
    let wish = TextWish { words, punctuation, numbers };
    cx.run_to_completion(async move {
        let choose = |game: &mut Game| wish_for(game, &host, wish);
        let changed = its.live().change("choose_text", game, choose).await?;
        let (is_new, _) = changed.ok_or(Kind::GAME_NOT_FOUND)?;
        if is_new? {
            its.publish(TextChosen { game }).await;
        }
        Ok(Answer::ok())
    })
    .await
}

/// Sets the text of a friends' lobby, for its host. Returns whether it has changed.
fn wish_for(game: &mut Game, host: &UserId, wish: TextWish) -> Step<Result<bool, Error>> {
    let refused = |kind: Kind| Step::unchanged(Err(kind.into()));
    if let Err(kind) = check_friend(game, host) {
        return refused(kind);
    }
    if game.stage > Stage::Lobby {
        return refused(Kind::GAME_NOT_FOUND);
    }
    if game.host() != Some(host) {
        return refused(Kind::NOT_THE_HOST);
    }
    if game.part::<Wishes>().text == wish {
        return Step::unchanged(Ok(false));
    }
    game.edit(|wishes: &mut Wishes| wishes.text = wish);
    Step::changed(Ok(true))
}

/// Whether this is a friends' game in which the user has a seat.
fn check_friend(game: &Game, user: &UserId) -> Result<(), Kind> {
    if token_of(&game.door).is_none() {
        return Err(Kind::GAME_NOT_FOUND);
    }
    game.player(user).map(drop).ok_or(Kind::NOT_A_PARTICIPANT)
}

/// The address at which friends can reach this server.
#[derive(Serialize, ToSchema)]
struct LocalAddress {
    /// Its address in the local network; null if friends cannot reach it, or if the caller is on another computer.
    address: Option<String>,
}

/// The address at which friends on the same network can reach this server. For a page at `localhost`, whose own address
/// is useless to them.
#[endpoint(tags("lobby"))]
async fn address(cx: Cx, req: &mut Request) -> Answer<LocalAddress> {
    let is_here = cx.address(req).is_loopback();
    let host = &cx.settings().server.host;
    let is_reachable = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
    let found = (is_here && is_reachable).then(local_address).flatten();
    Answer::new(LocalAddress { address: found.map(|ip| ip.to_string()) })
}

/// The game of a request.
#[derive(Deserialize, ToSchema)]
#[salvo(schema(name = "OfGame"))]
struct OfGame {
    /// The game.
    #[serde(deserialize_with = "lenient::integer")]
    game_id: i64,
}

/// Makes a friends' lobby close at `closes_at`, unless it closes sooner, and marks its host as ready. No effect once it
/// has closed.
///
/// # Errors
/// `GAME_NOT_FOUND`, if it is not an invited game; `NOT_A_PARTICIPANT`, `NOT_THE_HOST`.
pub fn hasten(game: &mut Game, host: &UserId, closes_at: Timestamp) -> Step<Result<(), Error>> {
    let refused = |kind: Kind| Step::unchanged(Err(kind.into()));
    if let Err(kind) = check_friend(game, host) {
        return refused(kind);
    }
    if game.stage > Stage::Lobby || game.closes_at <= closes_at {
        return Step::unchanged(Ok(()));
    }
    if game.host() != Some(host) {
        return refused(Kind::NOT_THE_HOST);
    }
    game.closes_at = closes_at;
    game.edit(|wishes: &mut Wishes| wishes.ready.insert(host.clone()));
    Step::changed(Ok(()))
}

/// Closes a friends' lobby now, for its host.
#[endpoint(tags("lobby"))]
async fn start(cx: Cx, lobby: Body<OfGame>, caller: Caller) -> Result<Answer<Empty>, Error> {
    let (its, game, host) = (cx.clone(), GameId(lobby.0.game_id), caller.0.id);
    cx.run_to_completion(async move {
        let now = its.now();
        let changed = its.live().change("hasten", game, |game| hasten(game, &host, now)).await?;
        let (hastened, lobby) = changed.ok_or(Kind::GAME_NOT_FOUND)?;
        hastened?;
        its.arm(&lobby);
        Ok(Answer::ok())
    })
    .await
}
