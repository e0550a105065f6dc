//! The choice of what is typed: words of several languages, quotations, program code, a text of one's own, or the text of an
//! earlier race again.
//!
//! The query of the socket that opens a lobby of friends, or a race alone, has the choice; the host of a friends' lobby may
//! change it. In open lobbies the settings decide; by default they keep the plain words of
//! the server.

mod choice;
mod library;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use salvo::Writer;
use salvo::oapi::{ToSchema, endpoint};
use serde::{Deserialize, Serialize};

use self::choice::{Choice, TextKind, choose};
use self::library::Library;
use crate::bus::{Event, Never, Reach};
use crate::game::{Game, GameId, Parts};
use crate::handlers::shared::{DrawnText, LobbyWanted, TextAbout, TextWanted};
use crate::http::{Answer, Body, Caller, Empty, GameQuery, lenient};
use crate::module::{Cx, Module, Slot, Wiring};
use crate::socket::{LOBBY, Message};
use crate::{Error, Kind};

inventory::submit! { Module { name: "texts", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(Library::load);
    module.decides(0, opening);
    module.decides(0, draw);
    module.get("/api/v1/texts", offered);
    module
        .get("/api/v1/texts/choice", current)
        .fails(&[Kind::GAME_NOT_FOUND, Kind::NOT_A_PARTICIPANT]);
    module.post("/api/v1/texts/choice", change).fails(&[
        Kind::GAME_NOT_FOUND,
        Kind::NOT_A_PARTICIPANT,
        Kind::NOT_THE_HOST,
        Kind::VALIDATION,
    ]);
    module.emits::<KindChosen>();
    module.shows(LOBBY, NewKind::of);
    module.client(Slot::Home, "home.js");
    module.client(Slot::Lobby, "lobby.js");
    module.client(Slot::Result, "again.js");
}

/// Stores the choice in the query with the lobby that it opens.
async fn opening(cx: Cx, wanted: Arc<LobbyWanted>) -> Result<Option<Parts>, Error> {
    let choice = Choice::asked_for(&wanted.query)?;
    cx.state::<Library>().check(&choice)?;
    Ok((choice != Choice::default()).then(|| Parts::default().with(choice)))
}

/// Draws the chosen text. `None` leaves it to the server's words.
async fn draw(cx: Cx, wanted: Arc<TextWanted>) -> Result<Option<DrawnText>, Error> {
    let library = cx.state::<Library>();
    let choice = match wanted.game.door.is_public() {
        true => library.open().clone(),
        false => Choice::clone(&wanted.game.part()),
    };
    match &choice {
        Choice { kind: TextKind::Again, again: Some(race), .. } => {
            let race = cx.live().find(GameId(*race)).await?;
            Ok(race.and_then(|race| same_text(&race, &wanted.game)))
        }
        choice => Ok(library.draw(choice, wanted.wish, wanted.game.time_limit().is_some())),
    }
}

/// The text of an earlier race, if a player of this game had a seat in it.
fn same_text(race: &Game, game: &Game) -> Option<DrawnText> {
    let words = race.words();
    let is_theirs = game.people().any(|it| race.player(&it.user.id).is_some());
    let has_time = game.time_limit().is_some() && race.time_limit().is_none();
    (is_theirs && !words.is_empty() && !has_time).then(|| DrawnText {
        words: words.to_string(),
        about: TextAbout { kind: TextAbout::AGAIN.into(), ..TextAbout::clone(&race.part()) },
    })
}

/// The texts that this server offers.
#[derive(Serialize, ToSchema)]
struct Offered {
    /// Each with its languages; the first language is the default.
    kinds: Vec<OfferedKind>,
}

/// A kind of text.
#[derive(Serialize, ToSchema)]
struct OfferedKind {
    /// `words`, `quotes`, `code`, `own` or `again`.
    kind: TextKind,
    /// The languages to choose from; empty if there is no choice.
    languages: Vec<String>,
}

/// The texts that players can choose, alone or with friends: `text` and `language` of the lobby socket.
#[endpoint(tags("lobby"))]
async fn offered(cx: Cx) -> Answer<Offered> {
    let library = cx.state::<Library>();
    let kind = |kind| OfferedKind { kind, languages: library.languages(kind) };
    Answer::new(Offered { kinds: TextKind::ALL.map(kind).into() })
}

/// The choice of a lobby.
#[derive(Serialize, ToSchema)]
struct Chosen {
    kind: TextKind,
    /// The language, if it is not the default.
    language: Option<String>,
    /// The text of its own.
    own: Option<String>,
}

/// The text that is chosen for a lobby, for its players.
#[endpoint(tags("lobby"))]
async fn current(cx: Cx, game: GameQuery, caller: Caller) -> Result<Answer<Chosen>, Error> {
    let game = cx.live().find(game.0).await?.ok_or(Kind::GAME_NOT_FOUND)?;
    game.player(&caller.0.id).ok_or(Kind::NOT_A_PARTICIPANT)?;
    let Choice { kind, language, own, .. } = Choice::clone(&game.part());
    Ok(Answer::new(Chosen { kind, language, own }))
}

/// A choice of text for a lobby of friends.
#[derive(Deserialize, ToSchema)]
struct NewChoice {
    /// The game.
    #[serde(deserialize_with = "lenient::integer")]
    game_id: i64,
    kind: TextKind,
    /// One of those that `GET /texts` lists; by default its first.
    #[serde(default)]
    language: Option<String>,
    /// The text to type, if `kind` is `own`: 2,000 characters and 200 words at most.
    #[serde(default)]
    own: Option<String>,
}

/// Chooses the text of a friends' lobby, for its host. The lobby is told.
#[endpoint(tags("lobby"))]
async fn change(cx: Cx, new: Body<NewChoice>, caller: Caller) -> Result<Answer<Empty>, Error> {
    let NewChoice { game_id, kind, language, own } = new.0;
    let own = own.filter(|_| kind == TextKind::Own);
    let own = own.map(|text| library::typeable(&text)).transpose()?;
    let choice = Choice { kind, language, own, again: None };
    cx.state::<Library>().check(&choice)?;
    let (its, game, host) = (cx.clone(), GameId(game_id), caller.0.id);
    cx.run_to_completion(async move {
        let choose = |game: &mut Game| choose(game, &host, &choice);
        let changed = its.live().change("choose_kind", game, choose).await?;
        let (is_new, _) = changed.ok_or(Kind::GAME_NOT_FOUND)?;
        if is_new? {
            its.publish(KindChosen { game }).await;
        }
        Ok(Answer::ok())
    })
    .await
}

/// The host has chosen another kind of text.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
struct KindChosen {
    game: GameId,
}

impl Event for KindChosen {
    const NAME: &'static str = "text_kind.chosen";
    const REACH: Reach = Reach::Game;
    type Loss = Never;
    fn game(&self) -> Option<GameId> {
        Some(self.game)
    }
}

/// Another kind of text is chosen for the lobby: `GET /texts/choice` returns it.
#[derive(Serialize, ToSchema)]
struct NewKind {
    game_id: GameId,
}

impl Message for NewKind {
    const EVENT: &'static str = "TEXT_KIND_CHOSEN";
}

impl NewKind {
    fn of(chosen: &KindChosen) -> Self {
        Self { game_id: chosen.game }
    }
}
