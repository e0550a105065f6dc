//! Spectators: a race is watched through a link, without a seat and without an account.
//!
//! A spectator costs per tick and not per keystroke. What moves is noted in the room of the spectators and shown to all of them
//! in one message per tick (`Carets`); what else changes is read once per pod when an event tells of it, and shown
//! the same way (`Watching`). Each message stands for all before it, so a slow spectator gets only the newest.
//!
//! `audience` has the spectators of a race on this pod and what they see of it, `count` counts them over all pods, `rules`
//! says which games can be watched.

mod audience;
mod count;
mod rules;
mod scene;
mod settings;
mod socket;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use salvo::Writer;
use salvo::oapi::endpoint;

use self::audience::Audiences;
use self::count::{SpectatorCounts, SpectatorsCounted, SpectatorsSeen};
use self::rules::{Watchable, allow, asked_for};
use self::scene::Scene;
use self::settings::WatchSettings;
use self::socket::WatchSocket;
use self::wire::{
    Allowed, Carets, Spectators, WatchChoice, WatchChosen, WatchLink, WatchRow, WatchedGame,
    Watching,
};
use crate::bus::{Event, Heard, Never};
use crate::game::{
    Game, GameEnded, GameId, Parts, PlayerFinished, PlayerJoined, PlayerLeft, PlayerMoved,
    RaceEntered, RacePrepared, RaceStarted,
};
use crate::handlers::shared::{
    BotMoved, CaretTold, GhostMoved, LobbyWanted, PublicLink, TimeIsUp, WATCH,
};
use crate::http::{Answer, Body, Caller, Empty, GameQuery, Rate};
use crate::live::Step;
use crate::module::{Cx, Module, Slot, Wiring};
use crate::socket::{Frame, LOBBY, RACE};
use crate::{Error, Kind};

inventory::submit! { Module { name: "watch", path: module_path!(), wire } }

fn wire(module: &mut Wiring) {
    module.state(WatchSettings::load);
    module.state(|_| Ok(Audiences::default()));
    module.state(|_| Ok(SpectatorCounts::default()));
    module.socket::<WatchSocket>();
    module.gathers::<PlayerMoved, Carets>(WATCH, WatchRow::moved);
    module.gathers::<BotMoved, Carets>(WATCH, WatchRow::bot_moved);
    module.gathers::<GhostMoved, Carets>(WATCH, WatchRow::ghost_moved);
    module.gathers_late::<CaretTold, Carets>(WATCH, WatchRow::told);
    module.gathers::<SpectatorsCounted, Carets>(WATCH, WatchRow::counted);
    module.hears(news::<PlayerJoined>);
    module.hears(news::<PlayerLeft>);
    module.hears(news::<RacePrepared>);
    module.hears(news::<RaceStarted>);
    module.hears(news::<TimeIsUp>);
    module.hears(news::<PlayerFinished>);
    module.hears(news::<GameEnded>);
    module.hears(tell_count);
    // Counts are repeated, so that a lost one is made up for.
    module.listens(count::hear, |_| async { Ok(()) });
    module.emits::<SpectatorsSeen>();
    module.emits::<SpectatorsCounted>();
    module.shows(LOBBY, Spectators::of);
    module.shows(RACE, Spectators::of);
    module.decides(0, opening);
    module.emits::<WatchChosen>();
    module.shows(LOBBY, Allowed::of);
    module.wakes::<WatchChosen>(WATCH);
    module.get("/api/v1/watch", share).fails(&[Kind::GAME_NOT_FOUND, Kind::NOT_A_PARTICIPANT]);
    module.post("/api/v1/watch", choose).fails(&[
        Kind::GAME_NOT_FOUND,
        Kind::NOT_A_PARTICIPANT,
        Kind::NOT_THE_HOST,
    ]);
    module.get("/api/v1/watch/{link}", snapshot).at_most(Rate::per_second(10).burst(100));
    module.gauge("spectators", "Sockets of spectators open on this pod.");
    module.counter("refused", "Spectators refused because a race, or the pod, had too many.");
    module.client(Slot::Unlisted { path: "watch", title: "Watch a race" }, "watch.js");
    module.client(Slot::Lobby, "lobby.js");
    module.client(Slot::Race, "race.js");
}

/// Something has changed in a race: shows it to the spectators on this pod.
async fn news<E: Event<Loss = Never>>(cx: Cx, event: Heard<E>) -> Result<(), Error> {
    let audience = event.game().and_then(|game| cx.state::<Audiences>().get(game));
    let Some(audience) = audience else { return Ok(()) };
    if audience.read(&cx).await.is_err() {
        audience.read_soon(&cx);
    }
    Ok(())
}

/// Tells a player whose socket opens how many are watching; the others know.
async fn tell_count(cx: Cx, entered: Heard<RaceEntered>) -> Result<(), Error> {
    let count = cx.state::<SpectatorCounts>().shown(entered.game);
    if let Some(room) = cx.rooms().get(RACE, entered.game).filter(|_| count > 0) {
        room.show_to(&entered.user, &Frame::of(&Spectators { game_id: entered.game, count }));
    }
    Ok(())
}

/// Stores with a lobby that opens that it is not to be watched, if its query says so.
async fn opening(_: Cx, wanted: Arc<LobbyWanted>) -> Result<Option<Parts>, Error> {
    let watchable = asked_for(&wanted.query)?;
    Ok((watchable != Watchable::default()).then(|| Parts::default().with(watchable)))
}

/// The link for spectators of a game, for its players.
#[endpoint(tags("watch"))]
async fn share(cx: Cx, game: GameQuery, caller: Caller) -> Result<Answer<WatchLink>, Error> {
    let game = cx.live().find(game.0).await?.ok_or(Kind::GAME_NOT_FOUND)?;
    game.player(&caller.0.id).ok_or(Kind::NOT_A_PARTICIPANT)?;
    let allowed = rules::is_watchable(&game);
    let link = allowed.then(|| PublicLink::Watch.to(&cx, game.id));
    Ok(Answer::new(WatchLink {
        link,
        allowed,
        spectators: cx.state::<SpectatorCounts>().shown(game.id),
    }))
}

/// Allows or forbids spectators in a friends' lobby and its race, for its host. If forbidden, the sockets of spectators are closed.
/// The lobby is told.
#[endpoint(tags("watch"))]
async fn choose(cx: Cx, choice: Body<WatchChoice>, caller: Caller) -> Result<Answer<Empty>, Error> {
    let WatchChoice { game_id, allowed } = choice.0;
    let (its, game, host) = (cx.clone(), GameId(game_id), caller.0.id);
    cx.run_to_completion(async move {
        let wish = |game: &mut Game| match allow(game, &host, allowed) {
            Ok(true) => Step::changed(Ok(true)),
            other => Step::unchanged(other),
        };
        let changed = its.live().change("choose_watch", game, wish).await?;
        let (is_new, _) = changed.ok_or(Kind::GAME_NOT_FOUND)?;
        if is_new? {
            its.publish(WatchChosen { game, allowed }).await;
        }
        Ok(Answer::ok())
    })
    .await
}

/// A race as spectators see it now. No token is needed; the link is that of `GET /watch`.
#[endpoint(tags("watch"))]
async fn snapshot(cx: Cx, linked: WatchedGame) -> Result<Answer<Watching>, Error> {
    let scene = match cx.state::<Audiences>().get(linked.0) {
        Some(audience) => audience.scene(&cx).await?,
        None => Arc::new(Scene::read(&cx, linked.0, None).await?),
    };
    if scene.is_forbidden {
        return Err(Kind::GAME_NOT_FOUND.into());
    }
    Ok(Answer::new(scene.now(&cx)))
}
